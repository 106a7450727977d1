import { basename } from 'node:path'
import { parseRegistryKeys } from '../formats/index.ts'
import { decodeUtf8, encodeUtf8 } from '../trust/encoding.ts'
import { CodedError, MalformedError } from '../trust/errors.ts'
import { parsePublicKey } from '../trust/keys.ts'
import {
  STRICT_THRESHOLDS,
  TIMESTAMP_ONLY_THRESHOLDS,
  type DomainKey,
  type DomainSource,
  type SpeaksFor,
  type TrustDomain,
} from '../trust/domain.ts'
import {
  isClientTrustConfig,
  parseClientTrustConfig,
  parseTrustedRoot,
  type TrustedRoot,
} from '../trust/trusted-root.ts'
import type { DomainDeclaration } from './policy-file.ts'
import { readSmallFile } from './package-file.ts'
import { loadSeed } from './seed.ts'

/** Where trust comes from: the embedded seed, or files that the user names. Never both, never merged. */

const ANYBODY: SpeaksFor = { issuers: 'any', packages: 'any' }
const ROOT_LIMIT = 16 * 1024 * 1024
const MOST_LINES = 64

/** The public-good instance of this release, with the registry keys that its TUF repository vouches for. */
export async function embeddedDomain(): Promise<TrustDomain> {
  const seed = await loadSeed()
  const day = seed.asOf.toISOString().slice(0, 10)
  let keys: readonly DomainKey[] | undefined
  return {
    name: 'public-good',
    root: parseTrustedRoot(seed.trustedRoot),
    source: {
      kind: 'embedded-seed',
      description: `embedded seed of ${day}, TUF root version ${seed.rootVersion}`,
      asOf: seed.asOf,
    },
    speaksFor: ANYBODY,
    thresholds: STRICT_THRESHOLDS,
    // most artifacts have no bundle that a registry's key signed
    get keys() {
      return (keys ??= seed.registryKeys.flatMap(({ host, bytes }) => registryKeys(host, bytes)))
    },
    witnesses: undefined,
  }
}

/** Keys of an algorithm that nobody here verifies are left out: whoever asks for one finds it unknown. */
export function registryKeys(owner: string, bytes: Uint8Array): readonly DomainKey[] {
  return parseRegistryKeys(bytes).flatMap(({ keyId, usage, spki, start, end }): readonly DomainKey[] => {
    const validFor = { start: start ?? new Date(0), end }
    const uses = usage === undefined ? (['signatures', 'attestations'] as const) : [usage]
    try {
      const key = parsePublicKey(spki)
      return uses.map((use) => ({ hint: keyId, key, validFor, owner, usage: use }))
    } catch (error) {
      if (error instanceof CodedError && error.code === 'SIGNATURE_ALGORITHM') return []
      throw error
    }
  })
}

/**
 * The domains in one file: a trusted root, a client trust config, or JSON Lines of trusted roots. Who names a file
 * on the command line says for which issuers; `speaksFor` holds that.
 */
export async function domainsFromFile(path: string, speaksFor: SpeaksFor): Promise<readonly TrustDomain[]> {
  const bytes = await readSmallFile(path, ROOT_LIMIT)
  const name = basename(path)
  try {
    return readDomains(bytes, name, path, speaksFor)
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    const details = { ...(error.got === undefined ? {} : { got: error.got }), cause: error }
    const where = error.where === undefined ? path : `${path}: ${error.where}`
    throw new MalformedError(error.code, error.message, { ...details, where })
  }
}

function readDomains(
  bytes: Uint8Array,
  name: string,
  path: string,
  speaksFor: SpeaksFor,
): readonly TrustDomain[] {
  const lines = jsonLines(bytes)
  if (lines !== undefined) {
    return lines.map(({ line, number }) => {
      const source = { kind: 'json-lines', description: `${path} line ${number}`, asOf: undefined } as const
      return domainOf(parseTrustedRoot(line), `${name}:${number}`, source, speaksFor)
    })
  }
  if (isClientTrustConfig(bytes)) {
    const source = { kind: 'client-trust-config', description: path, asOf: undefined } as const
    return [domainOf(parseClientTrustConfig(bytes), name, source, speaksFor)]
  }
  return [
    domainOf(parseTrustedRoot(bytes), name, { kind: 'file', description: path, asOf: undefined }, speaksFor),
  ]
}

/** Several lines of which the first is a whole object; a single root may be spread over lines, but never so. */
function jsonLines(bytes: Uint8Array): readonly { line: Uint8Array; number: number }[] | undefined {
  const text = decodeUtf8(bytes) ?? ''
  const lines: { line: Uint8Array; number: number }[] = []
  // not by splitting: a file may be nothing but line ends
  for (let number = 1, start = 0; start < text.length; number++) {
    const newline = text.indexOf('\n', start)
    const end = newline === -1 ? text.length : newline
    const line = text.slice(start, end).trim()
    start = end + 1
    if (line === '') continue
    if (!line.startsWith('{') || !line.endsWith('}')) return undefined
    if (lines.length === MOST_LINES) {
      throw new MalformedError('MALFORMED_TRUSTED_ROOT', `more than ${MOST_LINES} trusted roots in one file`)
    }
    lines.push({ line: encodeUtf8(line), number })
  }
  return lines.length > 1 ? lines : undefined
}

function domainOf(root: TrustedRoot, name: string, source: DomainSource, speaksFor: SpeaksFor): TrustDomain {
  const timestampOnly = isGitHub(root)
  return {
    name,
    root,
    source,
    speaksFor,
    thresholds: timestampOnly ? TIMESTAMP_ONLY_THRESHOLDS : STRICT_THRESHOLDS,
    keys: [],
    witnesses: undefined,
  }
}

/**
 * GitHub's own instance signs for private repositories and runs no logs; its root is recognised by listing none and
 * by nothing but GitHub's authorities. Any other root without logs fails the thresholds: its domain must be declared
 * in a policy file, by somebody who knows that it has none.
 */
function isGitHub({ logs, certificateLogs, authorities, timestampAuthorities, notes }: TrustedRoot): boolean {
  const all = [...authorities, ...timestampAuthorities]
  const none = logs.length === 0 && certificateLogs.length === 0 && notes.length === 0
  const stamped = timestampAuthorities.length > 0
  return (
    none &&
    stamped &&
    all.every(({ name, operator }) => name.endsWith('GitHub, Inc.') && operator === 'githubapp.com')
  )
}

/** All domains of several files; a name that two files share is replaced by the path. */
export async function domainsFromFiles(
  paths: readonly string[],
  speaksFor: SpeaksFor,
): Promise<readonly TrustDomain[]> {
  const domains = (await Promise.all(paths.map((path) => domainsFromFile(path, speaksFor)))).flat()
  const taken = (name: string): number => domains.filter((domain) => domain.name === name).length
  return domains.map((domain) =>
    taken(domain.name) > 1 ? { ...domain, name: domain.source.description } : domain,
  )
}

/** Domains as a policy file declares them. */
export async function declaredDomains(
  declared: readonly DomainDeclaration[],
  embedded: () => Promise<TrustDomain>,
): Promise<readonly TrustDomain[]> {
  return Promise.all(
    declared.map(async ({ name, trustedRoot, speaksFor, thresholds, witnesses }) => {
      if (trustedRoot.kind === 'embedded')
        return { ...(await embedded()), name, speaksFor, thresholds, witnesses }
      const [domain, ...more] = await domainsFromFile(trustedRoot.path, speaksFor)
      if (domain === undefined || more.length > 0) {
        throw new MalformedError(
          'MALFORMED_TRUSTED_ROOT',
          `'${trustedRoot.path}' does not hold exactly one trusted root`,
        )
      }
      return { ...domain, name, thresholds, witnesses }
    }),
  )
}
