import { digestOf } from '../trust/digest.ts'
import { encodeHex, encodeUtf8 } from '../trust/encoding.ts'
import { TrustError } from '../trust/errors.ts'
import { Fields } from '../trust/fields.ts'
import { parseJson, type Json } from '../trust/json.ts'

/**
 * The public-good root that is shipped with this release. It rests on the release: its TUF root is pinned here by
 * digest, and its targets by theirs, because a seed has neither timestamp nor snapshot to prove them with.
 */
export interface Seed {
  /** When the seed was published; nothing newer is known. */
  readonly asOf: Date
  readonly rootVersion: bigint
  readonly rootExpires: Date
  readonly trustedRoot: Uint8Array
  /** `keys.json` of registries, by host. */
  readonly registryKeys: readonly { readonly host: string; readonly bytes: Uint8Array }[]
}

/** Lower-case hex SHA-256 of what the seed must hold, and the day on which it was published. */
const PINNED = {
  asOf: '2026-11-05T00:00:00Z',
  root: '27aea7e372aa7864065174f0661784fcf8b0e28b1dbfebeada31a0f1fb19167f',
  trustedRoot: '6494e21ea73fa7ee769f85f57d5a3e6a08725eae1e38c755fc3517c9e6bc0b66',
  registryKeys: '160677eb6e1c7083c89b166b20f8fe4e837fb71181506aff1991b80b89184f7d',
} as const

const KEYS_SUFFIX = '%2Fkeys.json'
const CODE = 'TRUST_SEED_MISMATCH'

/** @throws TrustError TRUST_SEED_MISMATCH when anything in the seed is not what this release was built with */
export async function loadSeed(seeds?: unknown): Promise<Seed> {
  try {
    return openSeed(seeds ?? (await readSeeds()))
  } catch (error) {
    if (error instanceof TrustError) throw error
    throw new TrustError(CODE, 'the embedded root cannot be read', { cause: error })
  }
}

async function readSeeds(): Promise<unknown> {
  const { default: seeds } = await import('@sigstore/tuf/seeds.json', { with: { type: 'json' } })
  return seeds
}

function openSeed(seeds: unknown): Seed {
  const repositories = parseAs(encodeUtf8(JSON.stringify(seeds)), 'seed')
  const [url] = repositories.names()
  if (url === undefined) throw new TrustError(CODE, 'the embedded root holds no repository')
  const repository = repositories.object(url)
  const root = pinned('root.json', repository.bytes('root.json'), PINNED.root)
  const targets = repository.object('targets')
  const trustedRoot = pinned('trusted_root.json', targets.bytes('trusted_root.json'), PINNED.trustedRoot)
  const registryKeys = targets
    .names()
    .filter((name) => name.endsWith(KEYS_SUFFIX))
    .map((name) => ({
      host: name.slice(0, -KEYS_SUFFIX.length),
      bytes: pinned('keys.json', targets.bytes(name), PINNED.registryKeys),
    }))
  const signed = parseAs(root, 'root.json').object('signed')
  const rootExpires = signed.optionalTime('expires')
  if (rootExpires === undefined) throw new TrustError(CODE, 'the embedded root does not say when it expires')
  return { asOf: new Date(PINNED.asOf), rootVersion: signed.decimal('version'), rootExpires, trustedRoot, registryKeys }
}

function pinned(name: string, bytes: Uint8Array, wanted: string): Uint8Array {
  const got = encodeHex(digestOf('sha256', bytes))
  if (got !== wanted) throw new TrustError(CODE, `${name} of the embedded root is not the pinned one`, { got, wanted })
  return bytes
}

function parseAs(bytes: Uint8Array, what: string): Fields {
  const json: Json = parseJson(bytes, { size: 1024 * 1024, depth: 16, code: 'MALFORMED_TRUSTED_ROOT', what })
  return new Fields(json, what, 'MALFORMED_TRUSTED_ROOT')
}

