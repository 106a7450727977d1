import { Buffer } from 'node:buffer'
import { deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { fromBuffer } from 'yauzl'
import { ZIP_LIMITS } from '../../formats/container/zip-directory.ts'
import { openZip, type ZipArchive } from '../../formats/container/zip.ts'
import { MalformedError } from '../../trust/errors.ts'
import { memoryFile } from '../support/packages.ts'
import { readVector, vectorCases } from '../support/vectors.ts'
import { buildZip, type ZipPart } from '../support/zip-packages.ts'

const open = (bytes: Uint8Array): Promise<ZipArchive> => openZip(memoryFile('a.zip', bytes))
const coded = (code: string): unknown => expect.objectContaining({ code, name: 'MalformedError' })

const PLAIN: readonly ZipPart[] = [
  { name: 'a.txt', content: 'first' },
  { name: 'folder/', method: 0 },
  { name: 'folder/b.txt', content: 'second', method: 0 },
]

describe('a zip archive beyond limits', () => {
  it('is refused for too many entries before the directory is read', async () => {
    const bytes = buildZip(PLAIN, { zip64: 'sentinels' })
    bytes.writeBigUInt64LE(BigInt(ZIP_LIMITS.entries + 1), bytes.length - 98 + 24)
    bytes.writeBigUInt64LE(BigInt(ZIP_LIMITS.entries + 1), bytes.length - 98 + 32)
    await expect(open(bytes)).rejects.toThrow(coded('PACKAGE_LIMIT'))
  })

  it('is refused for what it claims to unpack to', async () => {
    const bomb = [1, 2, 3].map((i) => ({
      name: `${i}`,
      claims: { size: 0xfff0_0000 },
      descriptor: 'signed' as const,
    }))
    await expect(open(buildZip(bomb))).rejects.toThrow(coded('PACKAGE_LIMIT'))
  })

  it('is refused for a prefix that is no launcher any more', async () => {
    const prefix = Buffer.alloc(5 * 1024 * 1024)
    await expect(open(buildZip(PLAIN, { prefix }))).rejects.toThrow(coded('MALFORMED_PACKAGE'))
  })

  it('refuses to read one entry that is larger than the reader can use', async () => {
    const archive = await open(buildZip([{ name: 'a', content: 'x'.repeat(1001) }]))
    const entry = archive.entries.get('a')
    if (entry === undefined) throw new Error('no entry')
    await expect(archive.read(entry, 1000)).rejects.toThrow(coded('PACKAGE_LIMIT'))
  })
})

describe('an entry whose data lies', () => {
  const LARGE = 600_000
  const noise = Buffer.from(Array.from({ length: LARGE }, (_, i) => (i * 7919) % 251))
  const bothSizes = (make: (content: Buffer) => ZipPart): readonly (readonly [string, ZipPart])[] => [
    ['small', make(Buffer.from('some content'))],
    ['large', make(noise)],
  ]

  it.each([
    ...bothSizes((content) => ({ name: 'a', content, claims: { crc: 1 }, local: { crc: 1 } })).map(
      ([size, part]) => [`does not match its checksum (${size})`, part] as const,
    ),
    ...bothSizes((content) => lying(content, content.length - 1)).map(
      ([size, part]) => [`is longer than it claims (${size})`, part] as const,
    ),
    ...bothSizes((content) => lying(content, content.length + 1)).map(
      ([size, part]) => [`is shorter than it claims (${size})`, part] as const,
    ),
    ...bothSizes((content) => ({
      name: 'a',
      content,
      packed: Buffer.concat([deflateRawSync(content), Buffer.from('more')]),
    })).map(([size, part]) => [`has bytes after its end (${size})`, part] as const),
    ...bothSizes((content) => ({ name: 'a', content, packed: deflateRawSync(content).subarray(0, -2) })).map(
      ([size, part]) => [`is cut off (${size})`, part] as const,
    ),
    ...bothSizes((content) => ({ name: 'a', content, packed: Buffer.alloc(content.length, 0xff) })).map(
      ([size, part]) => [`is not deflated (${size})`, part] as const,
    ),
    ['has two sizes', { name: 'a', content: 'x', method: 0, claims: { size: 2 }, local: { size: 2 } }],
    ['is encrypted', { name: 'a', content: 'x', flags: 1 }],
    ['is packed with an unknown method', { name: 'a', content: 'x', method: 14 }],
  ] satisfies (readonly [string, ZipPart])[])('is refused when it is read: %s', async (_what, part) => {
    const archive = await open(buildZip([part]))
    const entry = archive.entries.get('a')
    if (entry === undefined) throw new Error('no entry')
    await expect(archive.read(entry, 10_000_000)).rejects.toThrow(coded('MALFORMED_PACKAGE'))
  })

  function lying(content: Buffer, size: number): ZipPart {
    return { name: 'a', content, claims: { size }, local: { size } }
  }
})

describe('a damaged zip archive', () => {
  const whole = buildZip([...PLAIN, { name: 'c', content: 'third', descriptor: 'signed' }], {
    comment: Buffer.from('end'),
  })

  it('is refused wherever it is cut, with a code that says so', async () => {
    for (let cut = 0; cut < whole.length; cut++) {
      await expect(open(whole.subarray(0, cut)), `cut at ${cut}`).rejects.toThrow(coded('PACKAGE_TRUNCATED'))
    }
  })

  it('gives a coded error or entries for every changed byte', async () => {
    for (let at = 0; at < whole.length; at++) {
      for (const mask of [0x01, 0x80, 0xff]) {
        const changed = Buffer.from(whole)
        changed[at] = (changed[at] ?? 0) ^ mask
        const failure = await readAll(changed)
        if (failure !== undefined) expect(failure, `byte ${at}`).toBeInstanceOf(MalformedError)
      }
    }
  })

  it('says when a file never was a zip archive', async () => {
    await expect(open(Buffer.from('<html>not found</html>'))).rejects.toThrow(coded('MALFORMED_PACKAGE'))
  })

  async function readAll(bytes: Buffer): Promise<unknown> {
    try {
      const archive = await open(bytes)
      for (const entry of archive.entries.values()) await archive.read(entry, 1 << 20)
      return undefined
    } catch (error) {
      return error
    }
  }
})

describe('zip archives of other makers', () => {
  it.each(vectorCases('jar').map((vector) => [vector.id, vector] as const))(
    'reads %s like another reader',
    async (_id, vector) => {
      const bytes = readVector(vector.files.find((name) => name.endsWith('.jar')) ?? '')
      const archive = await open(bytes)
      let size = 0
      for (const entry of archive.entries.values()) size += (await archive.read(entry, 1 << 24)).length
      const other = await listWithYauzl(bytes)
      expect([...archive.entries.keys()]).toEqual(other.names)
      expect(size).toBe(other.size)
    },
  )

  function listWithYauzl(bytes: Buffer): Promise<{ names: string[]; size: number }> {
    return new Promise((resolve, reject) => {
      fromBuffer(bytes, { lazyEntries: false }, (error, zip) => {
        if (error !== null) {
          reject(error)
          return
        }
        const found = { names: [] as string[], size: 0 }
        zip.on('entry', (entry: { fileName: string; uncompressedSize: number }) => {
          found.names.push(entry.fileName)
          found.size += entry.uncompressedSize
        })
        zip.on('end', () => resolve(found))
      })
    })
  }
})
