import { digestOf } from '../trust/digest.ts'
import { decodeBase64, encodeHex } from '../trust/encoding.ts'
import { TrustError } from '../trust/errors.ts'

/**
 * The public-good root that is shipped with this release. It rests on the release: its TUF root is pinned here by
 * digest, and its targets by theirs, because a seed has neither timestamp nor snapshot to prove them with.
 */
export interface Seed {
  /** When the seed was published; nothing newer is known. */
  readonly asOf: Date
  readonly rootVersion: number
  readonly rootExpires: Date
  readonly trustedRoot: Uint8Array
  /** `keys.json` of registries, by host. */
  readonly registryKeys: readonly { readonly host: string; readonly bytes: Uint8Array }[]
}

/**
 * Lower-case hex SHA-256 of what the seed must hold. The rest is said by those very bytes or their release, so it is
 * written down here instead of read from them at every start; a test keeps the two equal.
 */
const PINNED = {
  asOf: '2026-11-05T00:00:00Z',
  rootVersion: 16,
  rootExpires: '2027-04-22T19:27:31Z',
  root: '27aea7e372aa7864065174f0661784fcf8b0e28b1dbfebeada31a0f1fb19167f',
  trustedRoot: '6494e21ea73fa7ee769f85f57d5a3e6a08725eae1e38c755fc3517c9e6bc0b66',
  registryKeys: '160677eb6e1c7083c89b166b20f8fe4e837fb71181506aff1991b80b89184f7d',
} as const

const KEYS_SUFFIX = '%2Fkeys.json'

/** As the package that carries the seed has it: per repository the root and some targets, in base64. */
type Seeds = Readonly<
  Record<string, { readonly 'root.json': string; readonly targets: Readonly<Record<string, string>> }>
>

/** @throws TrustError TRUST_SEED_MISMATCH when anything in the seed is not what this release was built with */
export async function loadSeed(seeds?: Seeds): Promise<Seed> {
  const [repository] = Object.values(seeds ?? (await readSeeds()))
  open('root.json', repository?.['root.json'], PINNED.root)
  const targets = repository?.targets ?? {}
  const keyFiles = Object.entries(targets).filter(([name]) => name.endsWith(KEYS_SUFFIX))
  if (keyFiles.length !== 1) throw mismatch('keys.json', `${keyFiles.length} of them`, 'one')
  return {
    asOf: new Date(PINNED.asOf),
    rootVersion: PINNED.rootVersion,
    rootExpires: new Date(PINNED.rootExpires),
    trustedRoot: open('trusted_root.json', targets['trusted_root.json'], PINNED.trustedRoot),
    registryKeys: keyFiles.map(([name, text]) => ({
      host: name.slice(0, -KEYS_SUFFIX.length),
      bytes: open('keys.json', text, PINNED.registryKeys),
    })),
  }
}

async function readSeeds(): Promise<Seeds> {
  const { default: seeds } = await import('@sigstore/tuf/seeds.json', { with: { type: 'json' } })
  return seeds
}

/** Nothing is read from a part of the seed before its digest is the pinned one. */
function open(name: string, text: string | undefined, wanted: string): Uint8Array {
  const bytes = typeof text === 'string' ? decodeBase64(text) : undefined
  const got = bytes === undefined ? 'nothing readable' : encodeHex(digestOf('sha256', bytes))
  if (bytes !== undefined && got === wanted) return bytes
  throw mismatch(name, got, wanted)
}

function mismatch(name: string, got: string, wanted: string): TrustError {
  const message = `${name} of the embedded root is not the pinned one`
  return new TrustError('TRUST_SEED_MISMATCH', message, { got, wanted })
}
