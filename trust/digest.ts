import { createHash, hash, timingSafeEqual, type Hash } from 'node:crypto'
import { encodeHex } from './encoding.ts'

/** Algorithms under which artifacts are hashed. */
export const DIGEST_ALGORITHMS = ['sha256', 'sha384', 'sha512'] as const
/** One of {@link DIGEST_ALGORITHMS}. */
export type DigestAlgorithm = (typeof DIGEST_ALGORITHMS)[number]

/** Bytes of each digest. */
export const DIGEST_LENGTH: Readonly<Record<DigestAlgorithm, number>> = { sha256: 32, sha384: 48, sha512: 64 }

/** A digest and the algorithm that made it. */
export interface Digest {
  /** How it was made. */
  readonly algorithm: DigestAlgorithm
  /** As many as the algorithm gives. */
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
  const running = new RunningDigests(algorithms)
  for await (const chunk of chunks) running.update(chunk)
  return running.finish()
}

/** Several digests of the same bytes, which come piece by piece. */
export class RunningDigests {
  readonly #hashes: readonly (readonly [DigestAlgorithm, Hash])[]

  constructor(algorithms: readonly DigestAlgorithm[]) {
    this.#hashes = algorithms.map((name) => [name, createHash(name)])
  }

  update(chunk: Uint8Array): void {
    for (const [, h] of this.#hashes) h.update(chunk)
  }

  /** Once, at the end. */
  finish(): Map<DigestAlgorithm, Uint8Array> {
    return new Map(this.#hashes.map(([name, h]) => [name, h.digest()]))
  }
}
