import { MalformedError } from '../../trust/errors.ts'
import { asBuffer, concatBytes } from '../../trust/encoding.ts'

const EMPTY = new Uint8Array(0)

/** Reads a stream of chunks by exact lengths. Holds at most one chunk beyond what was asked for. */
export class ByteReader {
  private readonly source: AsyncIterator<Uint8Array>
  private chunk: Uint8Array = EMPTY
  private ended = false
  /** Bytes handed out or skipped so far. */
  offset = 0

  constructor(source: AsyncIterable<Uint8Array>) {
    this.source = source[Symbol.asyncIterator]()
  }

  /** The next bytes, at most `limit` of them and at least one; undefined at the end. */
  async some(limit: number): Promise<Uint8Array | undefined> {
    while (this.chunk.length === 0) {
      if (this.ended) return undefined
      const next = await this.source.next()
      if (next.done === true) this.ended = true
      else this.chunk = next.value
    }
    const part = this.chunk.subarray(0, limit)
    this.chunk = this.chunk.subarray(part.length)
    this.offset += part.length
    return part
  }

  /** Exactly `length` bytes; undefined when the stream ends before the first; PACKAGE_TRUNCATED inside. */
  async exactly(length: number): Promise<Uint8Array | undefined> {
    const first = await this.some(length)
    if (first === undefined || first.length === length) return first
    const parts = [first]
    for (let missing = length - first.length; missing > 0;) {
      const part = await this.some(missing)
      if (part === undefined) throw truncated(this.offset)
      parts.push(part)
      missing -= part.length
    }
    return concatBytes(...parts)
  }

  /** Tells the source that nobody will read on, so that it can let go of what it holds. */
  async close(): Promise<void> {
    this.ended = true
    this.chunk = EMPTY
    await this.source.return?.()
  }
}

const ZEROS = new Uint8Array(64 * 1024)

/** Whether all bytes are zero; gigabytes of padding are looked through, so not one by one. */
export function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const part = bytes.subarray(at, at + ZEROS.length)
    if (!asBuffer(part).equals(ZEROS.subarray(0, part.length))) return false
  }
  return true
}

export function truncated(offset: number): MalformedError {
  return new MalformedError('PACKAGE_TRUNCATED', 'the package ends too early', { where: `offset ${offset}` })
}

/** All bytes of a stream that must be short; PACKAGE_LIMIT beyond `limit` bytes. */
export async function collect(
  source: AsyncIterable<Uint8Array>,
  limit: number,
  what: string,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of source) {
    length += part.length
    if (length > limit) {
      throw new MalformedError('PACKAGE_LIMIT', `${what} is larger than ${limit} bytes`, {
        wanted: `at most ${limit} bytes`,
      })
    }
    parts.push(part)
  }
  return concatBytes(...parts)
}
