import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  DIGEST_ALGORITHMS,
  DIGEST_LENGTH,
  digestOf,
  digestStream,
  equalDigests,
  formatDigest,
  RunningDigests,
} from '../../trust/digest.ts'

describe('a digest', () => {
  it('is what others compute, whatever the pieces', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 6 }), async (chunks) => {
        const all = Buffer.concat(chunks)
        const digests = await digestStream(chunks, DIGEST_ALGORITHMS)
        for (const algorithm of DIGEST_ALGORITHMS) {
          const expected = createHash(algorithm).update(all).digest()
          expect(digests.get(algorithm)).toEqual(expected)
          expect(digestOf(algorithm, all)).toEqual(expected)
          expect(expected).toHaveLength(DIGEST_LENGTH[algorithm])
        }
      }),
      { numRuns: 50 },
    )
  })

  it('is made with the algorithms that were asked for and no other', () => {
    const running = new RunningDigests(['sha512'])
    running.update(Buffer.from('a'))
    expect([...running.finish().keys()]).toEqual(['sha512'])
  })

  it('equals only another of all its bytes', () => {
    const digest = digestOf('sha256', Buffer.from('a'))
    expect(equalDigests(digest, Buffer.from(digest))).toBe(true)
    expect(equalDigests(digest, digest.subarray(0, 31))).toBe(false)
    expect(equalDigests(digest, new Uint8Array(32))).toBe(false)
    expect(equalDigests(digest, Buffer.concat([digest, Buffer.of(0)]))).toBe(false)
  })

  it('is written with its algorithm', () => {
    expect(formatDigest({ algorithm: 'sha256', bytes: Uint8Array.of(0xab, 1) })).toBe('sha256:ab01')
  })

  it('ends with an error of the stream', async () => {
    const broken = (async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a')
      throw new Error('the disk is gone')
    })()
    await expect(digestStream(broken, ['sha256'])).rejects.toThrow('the disk is gone')
  })
})
