import type { Artifact } from './artifact.ts'
import { parseBundle, type Bundle } from './bundle.ts'
import {
  DIGEST_ALGORITHMS,
  digestOf,
  RunningDigests,
  type ArtifactDigests,
  type DigestAlgorithm,
} from './digest.ts'
import { asBuffer, concatBytes } from './encoding.ts'
import { CodedError } from './errors.ts'
import type { PublicKey, SignatureScheme } from './keys.ts'
import { managedKeys, type Policy } from './policy.ts'
import { neededAlgorithms, parseStatement } from './statement.ts'
import type { TrustDomain } from './domain.ts'

/** What is known of the artifact: digests always, the bytes themselves when there are few. */
export interface ArtifactContent {
  readonly digests: ArtifactDigests
  readonly bytes: Uint8Array | undefined
  /** Verifies over a digest; loaded only when there are no bytes to go by, or an Ed25519 key. */
  readonly verifyDigest: VerifyDigest | undefined
}

export type VerifyDigest = (
  key: PublicKey,
  scheme: SignatureScheme,
  digest: Uint8Array,
  signature: Uint8Array,
) => boolean

/** A bundle as it was found: JSON bytes, and where they stood. */
export interface FoundBundle {
  /** For reports: the name of a file. */
  readonly where: string
  /** UTF-8 of the JSON of one bundle. */
  readonly bytes: Uint8Array
  /** Remarks that belong into the report, such as repairs. */
  readonly notes: readonly string[]
  /** The bytes this bundle covers where they are not the whole artifact: a bundle inside a file cannot cover itself. */
  readonly covers?: () => AsyncIterable<Uint8Array>
}

/** A bundle with all that judging it needs, hashed and parsed once. */
export interface PreparedBundle extends FoundBundle {
  readonly parsed: Bundle | undefined
  readonly content: ArtifactContent
}

/** Artifacts up to this size stay in memory while they are judged: native verification is quick over bytes only. */
const KEPT_BYTES = 1024 * 1024

/**
 * Hashes the artifact once, with exactly the algorithms that the bundles speak of and `extra`, and prepares the
 * bundles found beside and inside it.
 */
export async function prepare(
  artifact: Artifact,
  detached: readonly FoundBundle[],
  domains: readonly TrustDomain[],
  policy: Policy,
  extra: readonly DigestAlgorithm[] = [],
): Promise<{ readonly content: ArtifactContent; readonly bundles: readonly PreparedBundle[] }> {
  const embedded: FoundBundle[] = artifact.embedded.map(({ where, bytes, signedBytes }) => ({
    where,
    bytes,
    notes: [],
    ...(signedBytes === undefined ? {} : { covers: signedBytes }),
  }))
  const found = [...detached, ...embedded].map((bundle) => ({ bundle, parsed: tryParse(bundle.bytes) }))
  const parsed = found.map((one) => one.parsed)
  const algorithms = algorithmsFor(parsed, extra)
  const whole = await readContent(artifact.signedBytes(), algorithms)
  const verifyDigest = await loadVerifyDigest(parsed, whole.bytes === undefined, domains, policy)
  const content: ArtifactContent = { ...whole, verifyDigest }
  const bundles: PreparedBundle[] = []
  for (const { bundle, parsed: shape } of found) {
    const part = bundle.covers === undefined ? undefined : await readContent(bundle.covers(), algorithms)
    const own = part === undefined ? content : { ...part, verifyDigest: verifyDigest ?? (await prehashed()) }
    bundles.push({ ...bundle, parsed: shape, content: own })
  }
  return { content, bundles }
}

/** What cannot be parsed is judged later, with its error. */
function tryParse(bytes: Uint8Array): Bundle | undefined {
  try {
    return parseBundle(bytes)
  } catch (error) {
    if (error instanceof CodedError) return undefined
    throw error
  }
}

function algorithmsFor(
  bundles: readonly (Bundle | undefined)[],
  extra: readonly DigestAlgorithm[],
): DigestAlgorithm[] {
  const needed = new Set<DigestAlgorithm>(['sha256', ...extra])
  for (const bundle of bundles) {
    if (bundle === undefined) continue
    for (const algorithm of algorithmsOf(bundle)) needed.add(algorithm)
  }
  return DIGEST_ALGORITHMS.filter((algorithm) => needed.has(algorithm))
}

function algorithmsOf({ content }: Bundle): readonly DigestAlgorithm[] {
  if (content.kind === 'message') return [content.digestAlgorithm]
  try {
    return neededAlgorithms(parseStatement(content.payload))
  } catch (error) {
    if (error instanceof CodedError) return []
    throw error
  }
}

async function readContent(
  chunks: AsyncIterable<Uint8Array>,
  algorithms: readonly DigestAlgorithm[],
): Promise<{ digests: ReadonlyMap<DigestAlgorithm, Uint8Array>; bytes: Uint8Array | undefined }> {
  let kept: Uint8Array[] = []
  let size = 0
  let running: RunningDigests | undefined
  for await (const chunk of chunks) {
    size += chunk.length
    if (size <= KEPT_BYTES) {
      // a reader may reuse its buffer for the next chunk, and the slice of a Buffer is no copy
      kept.push(new Uint8Array(chunk))
      continue
    }
    running ??= new RunningDigests(algorithms)
    for (const earlier of kept) running.update(earlier)
    kept = []
    running.update(chunk)
  }
  if (running !== undefined) return { digests: running.finish(), bytes: undefined }
  const bytes = concatBytes(...kept)
  return { digests: new Map(algorithms.map((name) => [name, digestOf(name, bytes)])), bytes }
}

/** Curves in JavaScript cost start-up time: they are loaded only where the runtime's own cannot do it. */
async function loadVerifyDigest(
  bundles: readonly (Bundle | undefined)[],
  onlyDigest: boolean,
  domains: readonly TrustDomain[],
  policy: Policy,
): Promise<VerifyDigest | undefined> {
  const needed = bundles.some((bundle) => {
    if (bundle === undefined) return false
    const { content, keyMaterial } = bundle
    if (onlyDigest && content.kind === 'message') return true
    return keyMaterial.kind === 'certificate'
      ? mentionsEd25519(keyMaterial.leaf)
      : mayBeEd25519(keyMaterial.hint, domains, policy)
  })
  return needed ? prehashed() : undefined
}

/** Keys that somebody named tell what they are; one that would be read from a log entry may be anything. */
function mayBeEd25519(hint: string, domains: readonly TrustDomain[], policy: Policy): boolean {
  const offered = managedKeys(policy.requirement)
  const vouched = domains.map(({ keys }) =>
    hint === '' ? undefined : keys.find((one) => one.usage === 'attestations' && one.hint === hint),
  )
  // a domain that vouches for no key of this hint reads the key from the entry, whatever the other domains do
  if (offered.length === 0 && vouched.includes(undefined)) return true
  return [...offered, ...vouched].some((one) => one?.key.type === 'ed25519')
}

export async function prehashed(): Promise<VerifyDigest> {
  const { verifyDigestSignature } = await import('./prehash.ts')
  return verifyDigestSignature
}

const ED25519_OID = asBuffer(Uint8Array.of(0x06, 0x03, 0x2b, 0x65, 0x70))

function mentionsEd25519(der: Uint8Array): boolean {
  return asBuffer(der).includes(ED25519_OID)
}

/** For an artifact of which only a digest is known. */
export async function contentOfDigest(
  digests: ReadonlyMap<DigestAlgorithm, Uint8Array>,
): Promise<ArtifactContent> {
  return { digests, bytes: undefined, verifyDigest: await prehashed() }
}

/** Bundles for an artifact of which only a digest is known. */
export function prepareForDigest(
  found: readonly FoundBundle[],
  content: ArtifactContent,
): readonly PreparedBundle[] {
  return found.map((bundle) => ({ ...bundle, parsed: tryParse(bundle.bytes), content }))
}
