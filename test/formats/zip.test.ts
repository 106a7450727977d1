import { Buffer } from 'node:buffer'
import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { openZip, type ZipArchive } from '../../formats/container/zip.ts'
import { ZIP_LIMITS } from '../../formats/container/zip-directory.ts'
import { lazyFile, memoryFile } from '../support/packages.ts'
import { buildZip, extraField, type ZipPart } from '../support/zip-packages.ts'

const open = (bytes: Uint8Array): Promise<ZipArchive> => openZip(memoryFile('a.zip', bytes))
const coded = (code: string): unknown => expect.objectContaining({ code, name: 'MalformedError' })

async function text(archive: ZipArchive, name: string): Promise<string> {
  const entry = archive.entries.get(name)
  if (entry === undefined) throw new Error(`no entry ${name}`)
  return Buffer.from(await archive.read(entry, 1 << 20)).toString()
}

const PLAIN: readonly ZipPart[] = [
  { name: 'a.txt', content: 'first' },
  { name: 'folder/', method: 0 },
  { name: 'folder/b.txt', content: 'second', method: 0 },
]

describe('reading a zip archive', () => {
  const descriptors = ['signed', 'plain', 'signed64', 'plain64'] as const
  it.each<readonly [string, Buffer]>([
    ['as it is', buildZip(PLAIN)],
    ['with a comment', buildZip(PLAIN, { comment: Buffer.from('a comment') })],
    ['with zip64 records that agree', buildZip(PLAIN, { zip64: 'agreeing' })],
    ['with zip64 records alone', buildZip(PLAIN, { zip64: 'sentinels' })],
    ...descriptors.map((descriptor): readonly [string, Buffer] => [
      `with descriptors: ${descriptor}`,
      buildZip(PLAIN.map((part) => ({ ...part, descriptor }))),
    ]),
  ])('reads every entry, %s', async (_how, bytes) => {
    const archive = await open(bytes)
    expect([...archive.entries.keys()]).toEqual(['a.txt', 'folder/', 'folder/b.txt'])
    expect(await text(archive, 'a.txt')).toBe('first')
    expect(await text(archive, 'folder/b.txt')).toBe('second')
    expect(archive.entries.get('folder/')?.isDirectory).toBe(true)
    expect(archive.prefixLength).toBe(0)
  })

  it.each([false, true])(
    'reads behind a launch script, counted in by the writer: %s',
    async (countPrefix) => {
      const prefix = Buffer.from('#!/bin/sh\nexec java -jar "$0" "$@"\n')
      for (const zip64 of [undefined, 'sentinels'] as const) {
        const archive = await open(
          buildZip(PLAIN, { prefix, countPrefix: !countPrefix, ...(zip64 === undefined ? {} : { zip64 }) }),
        )
        expect(archive.prefixLength).toBe(prefix.length)
        expect(await text(archive, 'folder/b.txt')).toBe('second')
      }
    },
  )

  it('reads an archive without entries', async () => {
    expect((await open(buildZip([]))).entries.size).toBe(0)
  })

  it('inflates a large entry as a stream and can be left early', async () => {
    const content = Buffer.alloc(3_000_000, 'some text that repeats ')
    const file = memoryFile('a.zip', buildZip([{ name: 'big', content }]))
    const archive = await openZip(file)
    const entry = archive.entries.get('big')
    if (entry === undefined) throw new Error('no entry')
    let length = 0
    for await (const chunk of archive.stream(entry)) length += chunk.length
    expect(length).toBe(content.length)
    for await (const chunk of archive.stream(entry)) {
      expect(chunk.length).toBeLessThan(content.length)
      break
    }
    expect(file.openStreams()).toBe(0)
  })

  it('reads zip64 sizes of an entry from its extra field', async () => {
    const sizes = Buffer.alloc(16)
    sizes.writeBigUInt64LE(5n, 0)
    sizes.writeBigUInt64LE(5n, 8)
    const bytes = buildZip([{ name: 'a', content: 'hello', method: 0, extra: extraField(1, sizes) }])
    const central = bytes.indexOf('PK\u0001\u0002', 0, 'latin1')
    for (const at of [18, 22, central + 20, central + 24]) bytes.writeUInt32LE(0xffffffff, at)
    expect(await text(await open(bytes), 'a')).toBe('hello')
  })

  it('asks for the end first and for nothing more where that already refuses', async () => {
    const size = 8 * 1024 * 1024 * 1024
    const file = lazyFile('a.zip', size, (_offset, length) => Buffer.alloc(length))
    await expect(openZip(file)).rejects.toThrow(coded('MALFORMED_PACKAGE'))
    expect(file.bytesRead()).toBeLessThan(100_000)
  })
})

describe('names in a zip archive', () => {
  it('reads code page 437 where no flag says UTF-8', async () => {
    const archive = await open(buildZip([{ name: Buffer.from([0x81, 0x62, 0x65, 0x72]), content: 'x' }]))
    expect([...archive.entries.keys()]).toEqual(['über'])
  })

  it('takes a Unicode path only for a name that is not ASCII', async () => {
    const raw = Buffer.from([0x81, 0x61])
    const field = (name: Buffer, said: string): Buffer => {
      const crc = Buffer.alloc(5, 1)
      crc.writeUInt32LE(crc32(name), 1)
      return extraField(0x7075, Buffer.concat([crc, Buffer.from(said)]))
    }
    const archive = await open(buildZip([{ name: raw, extra: field(raw, 'ыa') }]))
    expect([...archive.entries.keys()]).toEqual(['ыa'])
    const ascii = Buffer.from('a.txt')
    await expect(open(buildZip([{ name: ascii, extra: field(ascii, 'b.txt') }]))).rejects.toThrow(
      coded('MALFORMED_PACKAGE'),
    )
    const stale = await open(buildZip([{ name: ascii, extra: field(raw, 'b.txt') }]))
    expect([...stale.entries.keys()]).toEqual(['a.txt'])
  })

  it.each([
    ['climbs', '../evil', 'PACKAGE_PATH'],
    ['is absolute', '/etc/passwd', 'PACKAGE_PATH'],
    ['has a backslash', 'a\\..\\b', 'PACKAGE_PATH'],
    ['has a drive', 'C:/x', 'PACKAGE_PATH'],
    ['has a zero byte', 'a\0b', 'PACKAGE_PATH'],
    ['is empty', '', 'MALFORMED_PACKAGE'],
    ['is too long', 'a'.repeat(ZIP_LIMITS.name + 1), 'PACKAGE_LIMIT'],
  ])('refuses a name that %s', async (_what, name, code) => {
    await expect(open(buildZip([{ name }]))).rejects.toThrow(coded(code))
  })

  it('refuses a name that promises UTF-8 and is not', async () => {
    const part = { name: Buffer.from([0xff, 0xfe]), flags: 0x0800 }
    await expect(open(buildZip([part]))).rejects.toThrow(coded('MALFORMED_PACKAGE'))
  })

  it.each([
    ['twice', [{ name: 'a' }, { name: 'a' }], 'PACKAGE_DUPLICATE'],
    ['a folder twice', [{ name: 'a/' }, { name: 'a/' }], 'PACKAGE_DUPLICATE'],
    ['once more under another spelling', [{ name: 'a' }, { name: './a' }], 'PACKAGE_DUPLICATE'],
    ['as file and folder', [{ name: 'a' }, { name: 'a/b' }], 'PACKAGE_PATH'],
  ])('refuses the same file %s', async (_what, parts, code) => {
    await expect(open(buildZip(parts))).rejects.toThrow(coded(code))
  })

  it('holds symbolic links to the inside of the archive', async () => {
    const link = (content: string): ZipPart => ({ name: 'folder/link', content, mode: 0o120777 })
    expect((await open(buildZip([link('../a')]))).entries.get('folder/link')?.isLink).toBe(true)
    await expect(open(buildZip([link('../../a')]))).rejects.toThrow(coded('PACKAGE_PATH'))
    await expect(open(buildZip([link('x'.repeat(5000))]))).rejects.toThrow(coded('PACKAGE_LIMIT'))
  })
})

describe('a zip archive that two readers could read differently', () => {
  const central = (bytes: Buffer): number => bytes.indexOf('PK\u0001\u0002', 0, 'latin1')
  const inner = buildZip([{ name: 'hidden', content: 'x' }])

  it.each([
    ['has bytes after its end', 'bytes follow the end', Buffer.concat([buildZip(PLAIN), Buffer.from('x')])],
    ['has another archive appended', 'stands before', Buffer.concat([buildZip(PLAIN), inner])],
    [
      'has an end record in its comment',
      'two end records',
      buildZip(PLAIN, { comment: inner.subarray(-22) }),
    ],
    ['has an archive before it', 'stands before', buildZip(PLAIN, { prefix: inner, countPrefix: true })],
    [
      'has bytes before it that look like an entry',
      'stands before',
      buildZip(PLAIN, { prefix: Buffer.from('#!PK\u0003\u0004', 'latin1') }),
    ],
    [
      'has bytes between entries',
      'belong to no entry',
      buildZip([{ name: 'a', gap: Buffer.from('gap') }, { name: 'b' }]),
    ],
    [
      'has an entry that the directory does not list',
      'belong to no entry',
      buildZip([{ name: 'a', gap: inner.subarray(0, central(inner)) }]),
    ],
    [
      'has bytes before the directory',
      'belong to no entry',
      buildZip([{ name: 'a', gap: Buffer.from('gap') }]),
    ],
    ['counts more entries than there are', 'fewer records than it counts', buildZip(PLAIN, { count: 4 })],
    ['counts fewer entries than there are', 'more records than it counts', buildZip(PLAIN, { count: 2 })],
    [
      'has another name in the local header',
      'disagree about the name',
      buildZip([{ name: 'a', local: { name: 'b' } }]),
    ],
    [
      'has other flags in the local header',
      'disagree about the flags',
      buildZip([{ name: 'a', local: { flags: 0x0801 } }]),
    ],
    [
      'has another method in the local header',
      'disagree about the method',
      buildZip([{ name: 'a', local: { method: 0 } }]),
    ],
    [
      'has another size in the local header',
      'disagree about the size',
      buildZip([{ name: 'a', content: 'x', local: { size: 9 } }]),
    ],
    [
      'has another checksum in the local header',
      'disagree about the checksum',
      buildZip([{ name: 'a', content: 'x', local: { crc: 9 } }]),
    ],
    [
      'has another size in the descriptor',
      'data descriptor',
      buildZip([{ name: 'a', content: 'x', descriptor: 'signed', claims: { size: 2 } }]),
    ],
    [
      'promises a descriptor and has none',
      'data descriptor',
      buildZip([{ name: 'a', content: 'x', flags: 8 }, { name: 'b' }]),
    ],
    ['points into the directory', 'no local header', buildZip([{ name: 'a', claims: { offset: 40 } }])],
    ['points beyond the file', 'no local header', buildZip([{ name: 'a', claims: { offset: 0x7fffffff } }])],
    [
      'claims four gigabytes',
      'overlaps what follows',
      buildZip([{ name: 'a', descriptor: 'signed', claims: { compressedSize: 0xfffffff0 } }]),
    ],
    [
      'has an extra field that is cut off',
      'extra field',
      buildZip([{ name: 'a', extra: Buffer.of(1, 0, 9, 0, 1) }]),
    ],
    [
      'has a zip64 field that is too short',
      'zip64 field is cut off',
      twisted64(extraField(1, Buffer.alloc(4))),
    ],
    [
      'has two zip64 fields',
      'two sets of sizes',
      twisted64(Buffer.concat([extraField(1, Buffer.alloc(8)), extraField(1, Buffer.alloc(8))])),
    ],
    ['is one part of several', 'one part of several', patched(buildZip(PLAIN), -18, 1)],
    [
      'claims a directory that is larger than the file',
      'outside the file',
      patched(buildZip(PLAIN), -8, 0xff),
    ],
    ['has end records that disagree', 'disagree', patched(buildZip(PLAIN, { zip64: 'agreeing' }), -14, 9)],
    [
      'has a zip64 locator that points elsewhere',
      'not where its locator says',
      patched(buildZip(PLAIN, { zip64: 'sentinels' }), -34, 1),
    ],
    [
      'has a zip64 locator without a record',
      'not where its locator says',
      patched(buildZip(PLAIN, { zip64: 'sentinels' }), -98, 0),
    ],
    [
      'has an impossible zip64 size',
      'impossible size',
      patched(buildZip(PLAIN, { zip64: 'sentinels' }), -43, 0xff),
    ],
  ])('is refused: %s', async (_what, reason, bytes) => {
    const message: unknown = expect.stringContaining(reason)
    await expect(open(bytes)).rejects.toThrow(expect.objectContaining({ code: 'MALFORMED_PACKAGE', message }))
  })

  it('is refused when a second directory stands where a reader without shifting looks', async () => {
    // offsets claimed from the start find the first directory, counted from the end they find the second
    const first = buildZip([{ name: 'a', method: 0 }])
    const directory = first.subarray(central(first), -22)
    const forged = Buffer.concat([first.subarray(0, -22), directory, first.subarray(-22)])
    await expect(open(forged)).rejects.toThrow('two central directories')
  })

  it('is refused when entries overlap, the quoted bomb included', async () => {
    const quoted = buildZip([{ name: 'b', content: 'kernel' }])
    const local = quoted.subarray(0, central(quoted))
    const parts = [
      { name: 'a', content: local, method: 0 },
      { name: 'b', content: 'kernel', claims: { offset: 31 }, unwritten: true },
    ]
    await expect(open(buildZip(parts))).rejects.toThrow(/overlaps/)
    const same = [{ name: 'a' }, { name: 'a', claims: { offset: 0 }, unwritten: true }]
    await expect(open(buildZip(same))).rejects.toThrow(coded('MALFORMED_PACKAGE'))
  })

  function twisted64(extra: Buffer): Buffer {
    const bytes = buildZip([{ name: 'a', extra }])
    return Buffer.from(bytes.fill(0xff, central(bytes) + 20, central(bytes) + 28))
  }

  function patched(bytes: Buffer, fromEnd: number, value: number): Buffer {
    const copy = Buffer.from(bytes)
    copy[copy.length + fromEnd] = value
    return copy
  }
})
