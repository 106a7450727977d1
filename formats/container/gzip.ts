import { constants, createGunzip, type Gunzip } from 'node:zlib'
import { MalformedError } from '../../trust/errors.ts'
import { isZero } from './byte-reader.ts'

export interface InflateLimits {
  /** Bytes that may come out. */
  readonly inflated: number
}

const CHUNK = 64 * 1024
/** Deflate cannot do better than 1032 to 1: beyond this ratio there is nothing in the data but padding. */
const MAX_RATIO = 1000
/** Small files may be all zeros; the ratio is looked at beyond this many bytes of output. */
const RATIO_FREE = 1024 * 1024

const GZIP_MAGIC = [0x1f, 0x8b, 0x08] as const

/** True for a file that starts like a gzip member (RFC 1952) with the only method there is. */
export function looksLikeGzip(head: Uint8Array): boolean {
  return GZIP_MAGIC.every((byte, i) => head[i] === byte)
}

/**
 * Inflates gzip (RFC 1952) as a stream within limits. Members may follow each other, and zeros may pad the end, as
 * every tool accepts; anything else after the last member is refused, because tools differ on whether they see it.
 * Holds a chunk of input and a chunk of output; may be left early.
 */
export async function* gunzip(
  source: AsyncIterable<Uint8Array>,
  limits: InflateLimits,
): AsyncGenerator<Uint8Array, void, void> {
  const input = source[Symbol.asyncIterator]()
  const inflater = new Inflater()
  let produced = 0
  try {
    for (;;) {
      const step = await inflater.next(input)
      if (step === undefined) break
      produced += step.length
      checkLimits(produced, inflater.consumed, limits)
      yield step
    }
    let rest = inflater.rest()
    for (;;) {
      if (!isZero(rest)) throw malformed('something follows the compressed data')
      const next = await input.next()
      if (next.done === true) break
      rest = next.value
    }
  } finally {
    inflater.close()
    await input.return?.()
  }
}

function checkLimits(produced: number, consumed: number, limits: InflateLimits): void {
  if (produced > limits.inflated) {
    throw new MalformedError('PACKAGE_LIMIT', `the package inflates to more than ${limits.inflated} bytes`, {
      wanted: `at most ${limits.inflated} bytes`,
    })
  }
  if (produced > RATIO_FREE && produced > MAX_RATIO * consumed) {
    throw new MalformedError(
      'PACKAGE_LIMIT',
      `the package inflates to more than ${MAX_RATIO} times its size`,
      {
        got: `${produced} bytes out of ${consumed}`,
      },
    )
  }
}

/**
 * Pulls from a zlib stream. Written by hand and not as a pipeline because the bytes behind the end of the last
 * member must be seen: zlib stops there and says only how many bytes it took.
 */
class Inflater {
  private readonly zlib: Gunzip
  private failure: Error | undefined
  private writing = false
  private fed = 0
  private last: Uint8Array = new Uint8Array(0)
  private wake: () => void = () => undefined

  constructor() {
    this.zlib = createGunzip({ chunkSize: CHUNK, flush: constants.Z_NO_FLUSH })
    const signal = (): void => this.wake()
    this.zlib.on('readable', signal)
    this.zlib.on('end', signal)
    this.zlib.on('error', (error) => {
      this.failure = error
      signal()
    })
  }

  /** Bytes of input that zlib took. */
  get consumed(): number {
    return this.zlib.bytesWritten
  }

  /** The next output; undefined at the end of the compressed data. */
  async next(input: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
    for (;;) {
      const out: unknown = this.zlib.read()
      if (out instanceof Uint8Array) return out
      if (this.failure !== undefined) throw inflateError(this.failure, this.consumed)
      if (this.zlib.readableEnded) return undefined
      if (this.writing) {
        await new Promise<void>((resolve) => {
          this.wake = resolve
        })
      } else {
        await this.feed(input)
      }
    }
  }

  /** What was fed but not taken. zlib takes a chunk before it asks for the next, so only the last can be left. */
  rest(): Uint8Array {
    return this.last.subarray(this.last.length - (this.fed - this.consumed))
  }

  close(): void {
    this.zlib.destroy()
  }

  private async feed(input: AsyncIterator<Uint8Array>): Promise<void> {
    const next = await input.next()
    this.writing = true
    if (next.done === true) {
      this.zlib.end()
      return
    }
    if (next.value.length > 0) this.last = next.value
    this.fed += next.value.length
    this.zlib.write(next.value, () => {
      this.writing = false
      this.wake()
    })
  }
}

function inflateError(error: Error & { code?: unknown }, offset: number): MalformedError {
  if (error.code === 'Z_BUF_ERROR') {
    return new MalformedError('PACKAGE_TRUNCATED', 'the compressed data ends too early', {
      where: `offset ${offset}`,
    })
  }
  return malformed(`the compressed data is damaged: ${error.message}`, offset)
}

function malformed(message: string, offset?: number): MalformedError {
  return new MalformedError(
    'MALFORMED_PACKAGE',
    message,
    offset === undefined ? {} : { where: `offset ${offset}` },
  )
}
