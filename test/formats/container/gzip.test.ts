import { Buffer } from 'node:buffer'
import { deflateRawSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { gunzip, looksLikeGzip } from '../../../formats/container/gzip.ts'

const LIMITS = { inflated: 64 * 1024 * 1024 }
const TEXT = Buffer.from('the quick brown fox jumps over the lazy dog '.repeat(5000))

/** Chunks of one size; counts whether the source was let go of. */
function source(
  bytes: Uint8Array,
  chunk = bytes.length,
): AsyncIterable<Uint8Array> & { closed: () => boolean } {
  let closed = false
  return {
    closed: () => closed,
    async *[Symbol.asyncIterator]() {
      try {
        for (let at = 0; at < bytes.length; at += Math.max(chunk, 1)) {
          await Promise.resolve()
          yield bytes.subarray(at, at + Math.max(chunk, 1))
        }
      } finally {
        closed = true
      }
    },
  }
}

async function inflate(bytes: Uint8Array, chunk?: number, limits = LIMITS): Promise<Buffer> {
  const input = source(bytes, chunk)
  const parts: Uint8Array[] = []
  try {
    for await (const part of gunzip(input, limits)) parts.push(part)
  } finally {
    expect(input.closed()).toBe(true)
  }
  return Buffer.concat(parts)
}

const fails = (code: string): unknown => expect.objectContaining({ code, name: 'MalformedError' })

describe('inflating gzip', () => {
  it('gives the same bytes whatever the chunks are', async () => {
    const packed = gzipSync(TEXT)
    for (const chunk of [1, 7, 512, packed.length])
      expect((await inflate(packed, chunk)).equals(TEXT)).toBe(true)
  })

  it('reads members that follow each other, wherever the chunks end', async () => {
    const first = gzipSync('one ')
    const packed = Buffer.concat([first, gzipSync(''), gzipSync('two')])
    for (let chunk = 1; chunk <= packed.length; chunk++) {
      expect((await inflate(packed, chunk)).toString()).toBe('one two')
    }
  })

  it('passes over zeros at the end and nothing else', async () => {
    const packed = gzipSync('text')
    for (const chunk of [1, packed.length, 4096]) {
      expect((await inflate(Buffer.concat([packed, Buffer.alloc(1000)]), chunk)).toString()).toBe('text')
      for (const tail of ['xy', '\u0000x', `${'\0'.repeat(5000)}x`]) {
        const bytes = Buffer.concat([packed, Buffer.from(tail)])
        await expect(inflate(bytes, chunk)).rejects.toThrow(fails('MALFORMED_PACKAGE'))
      }
    }
    // one byte could be the start of a member
    await expect(inflate(Buffer.concat([packed, Buffer.from('x')]))).rejects.toThrow(
      fails('PACKAGE_TRUNCATED'),
    )
    // a second member behind padding: some tools would read it, some not
    const hidden = Buffer.concat([packed, Buffer.alloc(3), gzipSync('hidden')])
    await expect(inflate(hidden)).rejects.toThrow(fails('MALFORMED_PACKAGE'))
  })

  it('reports every cut with PACKAGE_TRUNCATED', async () => {
    const packed = gzipSync('some text that is long enough to be cut in many places')
    for (let cut = 1; cut < packed.length; cut++) {
      await expect(inflate(packed.subarray(0, cut))).rejects.toThrow(fails('PACKAGE_TRUNCATED'))
    }
    const two = Buffer.concat([packed, gzipSync('second')])
    await expect(inflate(two.subarray(0, packed.length + 5), 3)).rejects.toThrow(fails('PACKAGE_TRUNCATED'))
  })

  it('refuses wrong checksums, wrong lengths and what is not gzip', async () => {
    const packed = gzipSync(TEXT)
    for (const at of [packed.length - 1, packed.length - 8]) {
      const changed = Buffer.from(packed)
      changed[at] = (changed[at] ?? 0) ^ 1
      await expect(inflate(changed)).rejects.toThrow(fails('MALFORMED_PACKAGE'))
    }
    await expect(inflate(deflateRawSync(TEXT))).rejects.toThrow(fails('MALFORMED_PACKAGE'))
    await expect(inflate(Buffer.from('not compressed'))).rejects.toThrow(fails('MALFORMED_PACKAGE'))
  })

  it('passes errors of the source on', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield gzipSync(TEXT).subarray(0, 20)
      await Promise.resolve()
      throw new TypeError('the disk is gone')
    }
    await expect(async () => {
      for await (const _ of gunzip(broken(), LIMITS)) expect(_.length).toBeGreaterThan(0)
    }).rejects.toThrow('the disk is gone')
  })

  it('knows the magic', () => {
    expect(looksLikeGzip(gzipSync(''))).toBe(true)
    expect(looksLikeGzip(Buffer.from([0x1f, 0x8b]))).toBe(false)
    expect(looksLikeGzip(Buffer.from([0x1f, 0x8b, 0x07]))).toBe(false)
    expect(looksLikeGzip(new Uint8Array(0))).toBe(false)
  })
})

describe('limits on what comes out', () => {
  it('counts bytes', async () => {
    const packed = gzipSync(TEXT)
    expect(await inflate(packed, 512, { inflated: TEXT.length })).toHaveLength(TEXT.length)
    await expect(inflate(packed, 512, { inflated: TEXT.length - 1 })).rejects.toThrow(fails('PACKAGE_LIMIT'))
  })

  it('refuses a bomb of zeros, but not a small file of zeros', async () => {
    const bomb = gzipSync(Buffer.alloc(10 * 1024 * 1024), { level: 9 })
    await expect(inflate(bomb)).rejects.toThrow(fails('PACKAGE_LIMIT'))
    expect(await inflate(gzipSync(Buffer.alloc(1024 * 1024)))).toHaveLength(1024 * 1024)
  })

  it('inflates one layer of a bomb in a bomb and no more', async () => {
    const layers = [0, 1, 2, 3].reduce((inner) => gzipSync(inner), Buffer.alloc(10 * 1024 * 1024))
    expect((await inflate(layers)).length).toBeLessThan(1000)
  })

  it('may be left early and lets go of the source', async () => {
    const input = source(gzipSync(TEXT, { level: 0 }), 1024)
    for await (const part of gunzip(input, LIMITS)) {
      expect(part.length).toBeGreaterThan(0)
      break
    }
    expect(input.closed()).toBe(true)
  })
})
