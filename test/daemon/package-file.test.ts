import { Buffer } from 'node:buffer'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LocalFile, readSmallFile } from '../../daemon/package-file.ts'

const MB = 1024 * 1024
const coded = (code: string): unknown => expect.objectContaining({ code })
const absent: unknown = expect.objectContaining({ code: 'STORE_NOT_FOUND', name: 'StoreError' })
const unreadable: unknown = expect.objectContaining({ code: 'STORE_UNREADABLE', name: 'StoreError' })
const changed: unknown = expect.objectContaining({ code: 'PACKAGE_CHANGED', name: 'MalformedError' })

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sigward-file-'))
  path = join(folder, 'a.bin')
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Three blocks and a bit, each filled with its own number. */
function blocks(): Buffer {
  return Buffer.concat([0, 1, 2, 3].map((n) => Buffer.alloc(n === 3 ? 100 : MB, n + 1)))
}

async function opened(bytes: Uint8Array): Promise<LocalFile> {
  writeFileSync(path, bytes)
  return LocalFile.open(path)
}

async function streamed(file: LocalFile, start?: number, end?: number): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of file.stream(start, end)) parts.push(part)
  return Buffer.concat(parts)
}

/** Writes into the file as it lies there, and puts its time of change back. */
function edit(offset: number, text: string): void {
  const { atime, mtime } = statSync(path)
  const descriptor = openSync(path, 'r+')
  writeSync(descriptor, text, offset)
  closeSync(descriptor)
  utimesSync(path, atime, mtime)
}

describe('a file', () => {
  it('is read in any parts', async () => {
    const bytes = blocks()
    const file = await opened(bytes)
    expect([file.filename, file.size, file.path]).toEqual(['a.bin', bytes.length, path])
    expect((await streamed(file)).equals(bytes)).toBe(true)
    expect((await streamed(file, MB - 1, 2 * MB + 1)).equals(bytes.subarray(MB - 1, 2 * MB + 1))).toBe(true)
    expect(await streamed(file, 5, 5)).toHaveLength(0)
    expect(bytes.subarray(MB - 2, 2 * MB + 2).equals(await file.read(MB - 2, MB + 4))).toBe(true)
    expect(await file.read(bytes.length, 0)).toHaveLength(0)
    await file.finish()
    await file.close()
  })

  it('is hashed as it is, whatever else is read of it meanwhile', async () => {
    const bytes = blocks()
    const file = await opened(bytes)
    await file.read(0, 10)
    file.stopRecording()
    const parts: Buffer[] = []
    let at = 0
    for await (const part of file.stream()) {
      // whoever keeps a part copies it
      parts.push(Buffer.from(part))
      at += part.length
      const other = (at + MB) % (3 * MB)
      expect(Buffer.from(await file.read(other, 20)).equals(bytes.subarray(other, other + 20))).toBe(true)
      expect(Buffer.from(part).equals(parts.at(-1) ?? part)).toBe(true)
    }
    expect(Buffer.concat(parts).equals(bytes)).toBe(true)
    expect((await streamed(file, 0, MB)).equals(bytes.subarray(0, MB))).toBe(true)
    await file.finish()
    await file.close()
  })

  it.each([
    [0, 101],
    [100, 1],
    [-1, 1],
    [0, -1],
    [2 ** 40, 1],
  ])('has nothing at %d, %d bytes', async (offset, length) => {
    const file = await opened(Buffer.alloc(100))
    await expect(file.read(offset, length)).rejects.toThrow(coded('PACKAGE_TRUNCATED'))
    await file.close()
  })

  it('may be empty', async () => {
    const file = await opened(Buffer.alloc(0))
    expect(await streamed(file)).toHaveLength(0)
    await file.finish()
    await file.close()
  })
})

describe('what is no file', () => {
  it('is not there', async () => {
    await expect(LocalFile.open(path)).rejects.toThrow(absent)
    writeFileSync(path, '')
    await expect(LocalFile.open(join(path, 'below'))).rejects.toThrow(absent)
    await expect(LocalFile.open(join(folder, 'x'.repeat(300)))).rejects.toThrow(absent)
  })

  it('is a directory, a pipe, a socket, a device, a loop of links or no name at all', async () => {
    mkdirSync(path)
    await expect(LocalFile.open(path)).rejects.toThrow(unreadable)
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    await expect(LocalFile.open(pipe)).rejects.toThrow(unreadable)
    const socket = join(folder, 'socket')
    const server = createServer().listen(socket)
    await new Promise((resolve) => server.once('listening', resolve))
    await expect(LocalFile.open(socket)).rejects.toThrow(unreadable)
    server.close()
    await expect(LocalFile.open('/dev/zero')).rejects.toThrow(unreadable)
    symlinkSync(join(folder, 'b'), join(folder, 'a'))
    symlinkSync(join(folder, 'a'), join(folder, 'b'))
    await expect(LocalFile.open(join(folder, 'a'))).rejects.toThrow(unreadable)
    await expect(LocalFile.open('a\0b')).rejects.toThrow(unreadable)
  })
})

describe('a file that changes while it is read', () => {
  it('is noticed when a block reads differently, whatever its times say', async () => {
    const file = await opened(blocks())
    await file.read(0, 10)
    await file.read(MB, 10)
    edit(5, 'x')
    await expect(file.read(0, 10)).rejects.toThrow(changed)
    await file.close()
  })

  it('is noticed when only its hashing reads it a second time', async () => {
    const file = await opened(blocks())
    await file.read(2 * MB, 10)
    await file.read(0, 10)
    file.stopRecording()
    edit(2 * MB + 500, 'x')
    await expect(streamed(file)).rejects.toThrow(changed)
    await file.close()
  })

  it('is noticed at the end when no block was read twice', async () => {
    const file = await opened(blocks())
    file.stopRecording()
    await streamed(file)
    edit(5, 'x')
    await expect(file.finish()).rejects.toThrow(changed)
    await file.close()
  })

  it('is noticed when it was put back as it was', async () => {
    const file = await opened(blocks())
    await streamed(file)
    edit(5, 'x')
    edit(5, '\u0001')
    await expect(file.finish()).rejects.toThrow(changed)
    await file.close()
  })

  it('is noticed when it shrinks or grows', async () => {
    const shorter = await opened(blocks())
    truncateSync(path, MB)
    await expect(streamed(shorter)).rejects.toThrow(changed)
    await shorter.close()
    const longer = await opened(blocks())
    await streamed(longer)
    appendFileSync(path, 'x')
    await expect(longer.finish()).rejects.toThrow(changed)
    await longer.close()
  })

  it('is noticed when another takes its name', async () => {
    const file = await opened(blocks())
    const other = join(folder, 'other')
    writeFileSync(other, blocks())
    renameSync(other, path)
    // what was opened is still what is read
    expect((await streamed(file)).equals(blocks())).toBe(true)
    await expect(file.finish()).rejects.toThrow(changed)
    await file.close()
  })

  it('is noticed when its link leads elsewhere, and when its name is gone', async () => {
    const link = join(folder, 'link')
    writeFileSync(path, 'one')
    writeFileSync(join(folder, 'two'), 'two')
    symlinkSync(path, link)
    const linked = await LocalFile.open(link)
    unlinkSync(link)
    symlinkSync(join(folder, 'two'), link)
    expect((await streamed(linked)).toString()).toBe('one')
    await expect(linked.finish()).rejects.toThrow(changed)
    await linked.close()
    const file = await opened(blocks())
    unlinkSync(path)
    await expect(file.finish()).rejects.toThrow(changed)
    await file.close()
  })
})

describe('a small file', () => {
  it('is read in one piece, up to its limit', async () => {
    writeFileSync(path, 'x'.repeat(100))
    expect(await readSmallFile(path, 100)).toHaveLength(100)
    await expect(readSmallFile(path, 99)).rejects.toThrow(unreadable)
  })

  it('of a gigabyte is refused before it is read', async () => {
    writeFileSync(path, '')
    truncateSync(path, 1024 * MB)
    await expect(readSmallFile(path)).rejects.toThrow(unreadable)
  })
})
