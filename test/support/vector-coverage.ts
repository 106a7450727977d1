import { vectorCases, type VectorCase } from './vectors.ts'

/**
 * Which test runs which published case. The tests in `test/vectors` take their cases from here, so that what is
 * claimed is what runs; tests beside a source file are named, and `test/vectors/report.test.ts` checks that they ask
 * for that kind.
 */
export interface Claim {
  readonly kind: string
  /** The test file, from the project's folder. */
  readonly where: string
  readonly covers: (vector: VectorCase) => boolean
}

/** Cases that have nothing to say about this version, and why. */
export interface Exclusion {
  readonly kind: string
  readonly why: string
  readonly excludes: (vector: VectorCase) => boolean
}

export const BUNDLES = 'test/vectors/bundles.test.ts'
export const NPM = 'test/vectors/npm.test.ts'
export const PACKAGES = 'test/vectors/packages.test.ts'
export const HOMEBREW = 'test/vectors/homebrew.test.ts'
export const SIGNATURES = 'test/vectors/signatures.test.ts'
export const CONFORMANCE = 'test/conformance/conformance.test.ts'

const all = (): boolean => true
const startsWith =
  (...prefixes: readonly string[]) =>
  ({ id }: VectorCase): boolean =>
    prefixes.some((prefix) => id.startsWith(prefix))
const is =
  (...ids: readonly string[]) =>
  ({ id }: VectorCase): boolean =>
    ids.includes(id)

const isConformance = startsWith('conformance/')

export const CLAIMS: readonly Claim[] = [
  { kind: 'bundle-verify', where: CONFORMANCE, covers: isConformance },
  { kind: 'bundle-verify', where: BUNDLES, covers: (vector) => !isConformance(vector) },
  { kind: 'npm', where: NPM, covers: all },
  { kind: 'jar', where: PACKAGES, covers: all },
  { kind: 'gem', where: PACKAGES, covers: startsWith('gem/sigstore', 'gem/file/') },
  { kind: 'helm', where: PACKAGES, covers: ({ inputs }) => 'chart' in inputs },
  {
    kind: 'helm',
    where: 'test/formats/helm-provenance.test.ts',
    covers: ({ inputs }) => 'clearsigned' in inputs,
  },
  { kind: 'homebrew', where: PACKAGES, covers: ({ inputs }) => 'bottle' in inputs },
  { kind: 'homebrew', where: HOMEBREW, covers: ({ inputs }) => 'table' in inputs },
  { kind: 'wasm', where: PACKAGES, covers: ({ inputs }) => 'module' in inputs },
  { kind: 'wasm', where: 'test/formats/wasm-signature.test.ts', covers: ({ inputs }) => 'keys' in inputs },
  { kind: 'merkle-proof', where: 'test/trust/log/merkle.test.ts', covers: all },
  { kind: 'checkpoint', where: 'test/trust/log/checkpoint.test.ts', covers: all },
  { kind: 'checkpoint', where: 'test/trust/log/note.test.ts', covers: ({ inputs }) => 'vkey' in inputs },
  { kind: 'checkpoint', where: 'test/trust/log/tile.test.ts', covers: ({ inputs }) => 'tiles' in inputs },
  { kind: 'timestamp', where: 'test/trust/x509/timestamp-vectors.test.ts', covers: all },
  {
    kind: 'fulcio-cert',
    where: 'test/trust/checks/certificate.test.ts',
    covers: startsWith('python/x509/', 'sigstore-js/certs/'),
  },
  { kind: 'fulcio-cert', where: 'test/trust/x509/certificate.test.ts', covers: startsWith('ct/') },
  { kind: 'fulcio-cert', where: 'test/trust/x509/extensions.test.ts', covers: is('java/certs') },
  {
    kind: 'fulcio-cert',
    where: SIGNATURES,
    covers: startsWith('python/detached/', 'fulcio/fileca-'),
  },
  { kind: 'fulcio-cert', where: 'test/trust/checks/sct-vectors.test.ts', covers: is('java/fulcio-response') },
  { kind: 'crypto', where: 'test/trust/prehash.test.ts', covers: all },
  {
    kind: 'rekor-entry',
    where: 'test/trust/log/inclusion-vectors.test.ts',
    covers: is('java/rekor-entry/entry'),
  },
  {
    kind: 'rekor-entry',
    where: SIGNATURES,
    covers: startsWith('rekor/hashedrekord-algo/', 'rekor/proposed/intoto_dsse'),
  },
]

export const EXCLUSIONS: readonly Exclusion[] = [
  { kind: 'tuf', why: 'TUF comes with the mirror of trust', excludes: all },
  { kind: 'cosign-key', why: 'private keys come with signing', excludes: all },
  { kind: 'minisign', why: 'no format carries minisign signatures', excludes: all },
  { kind: 'sshsig', why: 'no format carries SSH signatures', excludes: all },
  { kind: 'pgp', why: 'OpenPGP only as chart provenance, which is kind helm', excludes: all },
  {
    kind: 'gem',
    why: 'certificates of RubyGems are reported, never judged: no authority stands behind them',
    excludes: startsWith('gem/x509-policy/'),
  },
  {
    kind: 'fulcio-cert',
    why: 'issuing keys and issuer lists come with the own authority',
    excludes: is('fulcio/config'),
  },
  {
    kind: 'rekor-entry',
    why: 'entry kinds that no bundle can carry; proposing entries comes with the own log',
    excludes: startsWith(
      'rekor/type/',
      'rekor/canonical',
      'rekor/proposed/alpine',
      'rekor/proposed/helm',
      'rekor/proposed/rekor',
    ),
  },
]

/** The cases of one kind that a test claims; empty, and reported, where the archive is not there. */
export function claimedCases(where: string, kind: string): readonly VectorCase[] {
  const claims = CLAIMS.filter((claim) => claim.where === where && claim.kind === kind)
  if (claims.length === 0) throw new Error(`'${where}' claims no case of kind '${kind}'`)
  return vectorCases(kind).filter((vector) => claims.some(({ covers }) => covers(vector)))
}

/** What the table of a test says of one case. A case that nobody has read yet fails. */
export function listed<T>(table: Readonly<Record<string, T>>, id: string): T {
  const row = Object.hasOwn(table, id) ? table[id] : undefined
  if (row === undefined)
    throw new Error(`the case '${id}' is new: read what it is about and add it to the table`)
  return row
}
