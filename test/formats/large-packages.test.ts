import { Buffer } from 'node:buffer'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { gem } from '../../formats/gem.ts'
import { detect } from '../../formats/index.ts'
import { npmTarball } from '../../formats/npm-tarball.ts'
import { plainFile } from '../../formats/plain-file.ts'
import {
  gemMembers,
  lazyFile,
  memoryFile,
  npmManifest,
  tarEntry,
  tarHeader,
  type WatchedFile,
} from '../support/packages.ts'

/** Files of gigabytes that are made while they are read: what is asked for, and what is kept, is bounded. */

const MB = 1024 * 1024
const GB = 1024 * MB
const ZEROS = Buffer.alloc(64 * 1024)
const refuses = (code: string): unknown => expect.objectContaining({ code, name: 'MalformedError' })

/** Highest memory for buffers since `start`, sampled whenever a chunk is made. */
class MemoryPeak {
  private readonly start = used()
  private peak = 0
  sample(): void {
    this.peak = Math.max(this.peak, used() - this.start)
  }
  get bytes(): number {
    return this.peak
  }
}

function used(): number {
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return arrayBuffers + heapUsed
}

/** A file that starts with `head` and goes on with zeros. */
function zeroFile(filename: string, size: number, head: Uint8Array, peak = new MemoryPeak()): WatchedFile {
  return lazyFile(filename, size, (offset, length) => {
    peak.sample()
    if (offset >= head.length) return ZEROS.subarray(0, length)
    return Buffer.concat([head.subarray(offset, offset + length), ZEROS]).subarray(0, length)
  })
}

/** A gzip file of stored blocks, so as large as what is in it: a tar that starts with `head`, then zeros. */
function storedGzip(filename: string, size: number, head: Uint8Array, peak: MemoryPeak): WatchedFile {
  const gzipHeader = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])
  const blockHeader = Buffer.from([0, 0xff, 0xff, 0, 0])
  const block = blockHeader.length + 0xffff
  return lazyFile(filename, size, (offset, length) => {
    peak.sample()
    const out = Buffer.alloc(length)
    const put = (bytes: Uint8Array, at: number): void => {
      for (let i = Math.max(0, offset - at); i < bytes.length && at + i < offset + length; i++) {
        out[at + i - offset] = bytes[i] ?? 0
      }
    }
    put(gzipHeader, 0)
    const first = Math.max(0, Math.floor((offset - gzipHeader.length) / block))
    for (let at = gzipHeader.length + first * block; at < offset + length; at += block) put(blockHeader, at)
    put(head, gzipHeader.length + blockHeader.length)
    return out
  })
}

describe('a package of 2 GB', () => {
  it('is refused for the size that it claims, before that is read', async () => {
    const claims = Buffer.concat([tarEntry(npmManifest()), tarHeader({ name: 'package/x', size: 2 * GB })])
    const npm = storedGzip('x.tgz', 2 * GB, claims, new MemoryPeak())
    await expect(npmTarball.open(npm)).rejects.toThrow(refuses('PACKAGE_LIMIT'))
    expect(npm.bytesRead()).toBeLessThan(MB)
    const members = Buffer.concat([
      tarEntry(gemMembers()[0] ?? { name: '' }),
      tarHeader({ name: 'data.tar.gz', size: 2 * GB - 1 }),
    ])
    const large = zeroFile('x.gem', 2 * GB, members)
    await expect(gem.open(large)).rejects.toThrow(refuses('PACKAGE_LIMIT'))
    expect(large.bytesRead()).toBeLessThan(MB)
    for (const file of [npm, large]) expect(file.openStreams()).toBe(0)
  })

  it('that is cut is read to its end with bounded memory, and noticed', async () => {
    const peak = new MemoryPeak()
    const claims = Buffer.concat([tarEntry(npmManifest()), tarHeader({ name: 'package/x', size: 900 * MB })])
    const file = storedGzip('x.tgz', 200 * MB, claims, peak)
    await expect(npmTarball.open(file)).rejects.toThrow(refuses('PACKAGE_TRUNCATED'))
    expect(file.bytesRead()).toBe(200 * MB)
    expect(peak.bytes).toBeLessThan(100 * MB)
    expect(file.openStreams()).toBe(0)
  })

  it('with a huge member that does not belong there is read with bounded memory', async () => {
    const peak = new MemoryPeak()
    const parts = gemMembers().map((member) => tarEntry(member))
    const head = Buffer.concat([...parts, tarHeader({ name: 'huge', size: 900 * MB })])
    const { subject } = await gem.open(zeroFile('x.gem', head.length + 900 * MB + 1024, head, peak))
    expect(subject.name).toBe('example')
    expect(peak.bytes).toBeLessThan(100 * MB)
  })

  it('of no format is a plain file, streamed chunk by chunk', async () => {
    const peak = new MemoryPeak()
    const file = zeroFile('x.tgz', 2 * GB, Buffer.alloc(0), peak)
    expect((await detect(file)).adapter).toBe(plainFile)
    const artifact = await plainFile.open(file)
    let length = 0
    for await (const chunk of artifact.signedBytes()) length += chunk.length
    expect(length).toBe(2 * GB)
    expect(peak.bytes).toBeLessThan(100 * MB)
  })

  it('made of a million small entries is refused at the limit', async () => {
    const block = tarHeader({ name: 'example/1.0/', type: '5' })
    const file = lazyFile('x', GB, (_offset, length) => Buffer.alloc(length, block))
    await expect(gem.open(file)).rejects.toThrow(refuses('PACKAGE_LIMIT'))
    expect(file.bytesRead()).toBeLessThan(MB)
    // a hundred thousand empty folders take a few kilobytes when compressed
    const folders = gzipSync(Buffer.alloc(100_001 * 512, tarHeader({ name: 'package/', type: '5' })))
    expect(folders.length).toBeLessThan(MB)
    await expect(npmTarball.open(memoryFile('x.tgz', folders))).rejects.toThrow(refuses('PACKAGE_LIMIT'))
  })
})
