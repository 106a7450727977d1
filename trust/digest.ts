import { createHash, hash, timingSafeEqual, type Hash } from 'node:crypto'
import { encodeHex } from './encoding.ts'

export const DIGEST_ALGORITHMS = ['sha256', 'sha384', 'sha512'] as const
export type DigestAlgorithm = (typeof DIGEST_ALGORITHMS)[number]

/** Bytes of each digest. */
export const DIGEST_LENGTH: Readonly<Record<DigestAlgorithm, number>> = { sha256: 32, sha384: 48, sha512: 64 }

export interface Digest {
  readonly algorithm: DigestAlgorithm
  readonly bytes: Uint8Array
}

/** The digests of one artifact that are known; a digest given on the command line makes a set of one. */
export type ArtifactDigests = ReadonlyMap<DigestAlgorithm, Uint8Array>

export function digestOf(algorithm: DigestAlgorithm, data: Uint8Array): Uint8Array {
  return hash(algorithm, data, 'buffer')
}

export function equalDigests(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

/** `sha256:<hex>`, the way digests are written everywhere in Sigward. */
export function formatDigest(digest: Digest): string {
  return `${digest.algorithm}:${encodeHex(digest.bytes)}`
}

/** Hashes a stream once with several algorithms; memory is one chunk, whatever the size. */
export async function digestStream(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  algorithms: readonly DigestAlgorithm[],
): Promise<Map<DigestAlgorithm, Uint8Array>> {
  const hashes: (readonly [DigestAlgorithm, Hash])[] = algorithms.map((name) => [name, createHash(name)])
  for await (const chunk of chunks) for (const [, h] of hashes) h.update(chunk)
  return new Map(hashes.map(([name, h]) => [name, h.digest()]))
}
