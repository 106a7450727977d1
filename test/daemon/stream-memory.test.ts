import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LocalFile } from '../../daemon/package-file.ts'
import { digestStream } from '../../trust/digest.ts'

const MB = 1024 * 1024

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sigward-stream-'))
  path = join(folder, 'a.bin')
})
afterEach(() => rmSync(folder, { recursive: true }))

async function buffersOf(file: LocalFile): Promise<number> {
  const buffers = new Set<ArrayBufferLike>()
  for await (const part of file.stream()) buffers.add(part.buffer)
  return buffers.size
}

describe('a large file that is only hashed', () => {
  it('is read into two buffers in turn', async () => {
    writeFileSync(path, Buffer.alloc(5 * MB, 7))
    const file = await LocalFile.open(path)
    expect(await buffersOf(file)).toBe(5)
    file.stopRecording()
    expect(await buffersOf(file)).toBe(3) // the last block was still there
    await file.close()
  })

  it('can be left early and closed, with nothing read after that', async () => {
    writeFileSync(path, Buffer.alloc(4 * MB, 7))
    const file = await LocalFile.open(path)
    file.stopRecording()
    for await (const part of file.stream()) {
      expect(part).toHaveLength(MB)
      break
    }
    await file.close()
    const late = file.stream()[Symbol.asyncIterator]().next()
    await expect(late).rejects.toThrow(expect.objectContaining({ code: 'STORE_UNREADABLE' }))
  })

  it('is refused when it was cut while the block ahead was read', async () => {
    writeFileSync(path, Buffer.alloc(4 * MB, 7))
    const file = await LocalFile.open(path)
    file.stopRecording()
    const read = async (): Promise<void> => {
      for await (const part of file.stream()) if (part.length > 0) truncateSync(path, MB)
    }
    await expect(read()).rejects.toThrow(expect.objectContaining({ code: 'PACKAGE_CHANGED' }))
    await file.close()
  })

  it('gives any range', async () => {
    const bytes = Buffer.concat([1, 2, 3].map((n) => Buffer.alloc(MB, n)))
    writeFileSync(path, bytes)
    const file = await LocalFile.open(path)
    file.stopRecording()
    for (const [start, end] of [
      [0, 0],
      [5, 5],
      [5, 9],
      [MB - 1, MB + 1],
      [MB, 2 * MB],
      [2 * MB - 3, 3 * MB],
    ] as const) {
      const parts: Buffer[] = []
      for await (const part of file.stream(start, end)) parts.push(Buffer.from(part))
      expect(Buffer.concat(parts).equals(bytes.subarray(start, end))).toBe(true)
    }
    await file.close()
  })

  it('has the digests of its bytes, also when two streams take turns', async () => {
    const bytes = Buffer.concat([1, 2, 3, 4].map((n) => Buffer.alloc(n === 4 ? 10 : MB, n)))
    writeFileSync(path, bytes)
    const file = await LocalFile.open(path)
    file.stopRecording()
    const both = await Promise.all([
      digestStream(file.stream(), ['sha256']),
      digestStream(file.stream(), ['sha256']),
    ])
    const wanted = await digestStream([bytes], ['sha256'])
    expect(both).toEqual([wanted, wanted])
    await file.close()
  })
})
