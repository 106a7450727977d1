import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { collect } from '../../../formats/container/byte-reader.ts'
import { readTar, TAR_LIMITS, type TarLimits } from '../../../formats/container/tar.ts'
import { MalformedError } from '../../../trust/errors.ts'
import { firstName, looksLikeTar } from '../../../formats/container/tar-header.ts'
import {
  memoryFile,
  pax,
  paxRecord,
  tar,
  tarEntry,
  tarHeader,
  TAR_END,
  withChecksum,
  type TarPart,
} from '../../support/packages.ts'

interface Seen {
  readonly path: string
  readonly kind: string
  readonly size: number
  readonly linkTarget: string | undefined
  readonly text: string
}

async function list(bytes: Uint8Array, limits: Partial<TarLimits> = {}): Promise<Seen[]> {
  const seen: Seen[] = []
  const file = memoryFile('x.tar', bytes)
  try {
    for await (const entry of readTar(file.stream(), { ...TAR_LIMITS, ...limits })) {
      const { path, kind, size, linkTarget } = entry
      const text = Buffer.from(await collect(entry.body(), 1_000_000, path)).toString()
      seen.push({ path, kind, size, linkTarget, text })
    }
  } finally {
    expect(file.openStreams()).toBe(0)
  }
  return seen
}

const paths = async (...parts: readonly TarPart[]): Promise<string[]> =>
  (await list(tar(...parts))).map((e) => e.path)
const fails = (code: string): unknown => expect.objectContaining({ code, name: 'MalformedError' })
const FILE = { name: 'a', body: 'text' }
const LONG = `${'folder/'.repeat(30)}file`

describe('entries of a tar archive', () => {
  it('come with path, kind, size, link and bytes', async () => {
    const entries = await list(
      tar(
        { name: 'd/', type: '5' },
        FILE,
        { name: 'l', type: '2', link: 'a' },
        { name: 'h', type: '1', link: 'a' },
        { name: 'c', type: '7', body: 'contiguous' },
        { name: 'old', type: '\0', magic: '\0'.repeat(8), body: 'x' },
        { name: 'oldfolder/', type: '\0', magic: '\0'.repeat(8) },
      ),
    )
    expect(entries).toEqual([
      { path: 'd/', kind: 'directory', size: 0, linkTarget: undefined, text: '' },
      { path: 'a', kind: 'file', size: 4, linkTarget: undefined, text: 'text' },
      { path: 'l', kind: 'symlink', size: 0, linkTarget: 'a', text: '' },
      { path: 'h', kind: 'hardlink', size: 0, linkTarget: 'a', text: '' },
      { path: 'c', kind: 'file', size: 10, linkTarget: undefined, text: 'contiguous' },
      { path: 'old', kind: 'file', size: 1, linkTarget: undefined, text: 'x' },
      { path: 'oldfolder/', kind: 'directory', size: 0, linkTarget: undefined, text: '' },
    ])
  })

  it('have long names from the prefix, from pax and from GNU', async () => {
    expect(await paths({ name: 'file', prefix: 'p/q' })).toEqual(['p/q/file'])
    expect(await paths(pax({ path: LONG }), FILE)).toEqual([LONG])
    expect(await paths({ name: '././@LongLink', type: 'L', body: `${LONG}\0` }, FILE)).toEqual([LONG])
    const link = { name: 'l', type: '2', link: 'short' }
    expect((await list(tar(pax({ linkpath: LONG }), link)))[0]?.linkTarget).toBe(LONG)
    expect((await list(tar({ name: 'k', type: 'K', body: `${LONG}\0` }, link)))[0]?.linkTarget).toBe(LONG)
  })

  it('of the GNU kind have no prefix: other data stands there', async () => {
    expect(await paths({ name: 'file', prefix: '1234567', magic: 'ustar  \0' })).toEqual(['file'])
  })

  it('may be preceded by a global header that only describes', async () => {
    expect(await paths(pax({ comment: 'abc' }, 'g'), FILE, FILE)).toEqual(['a', 'a'])
    expect(await paths(pax({ mtime: '1.5', 'LIBARCHIVE.xattr.x': 'y' }), pax({ path: 'b' }), FILE)).toEqual([
      'b',
    ])
  })

  it('may have sizes in base-256 and in pax', async () => {
    const size = [124, `\u0080${'\0'.repeat(10)}\u0004`] as const
    expect((await list(tar({ ...FILE, patch: [size] })))[0]).toMatchObject({ size: 4, text: 'text' })
    expect((await list(tar(pax({ size: '4' }), FILE)))[0]?.size).toBe(4)
  })

  it('need not be read, and bodies that are left early are skipped', async () => {
    const file = memoryFile('x', tar({ name: 'a', body: 'x'.repeat(200_000) }, { name: 'b' }, { name: 'c' }))
    const seen: string[] = []
    for await (const entry of readTar(file.stream())) {
      seen.push(entry.path)
      if (entry.path !== 'a') continue
      for await (const part of entry.body()) {
        expect(part.length).toBeGreaterThan(0)
        break
      }
    }
    expect(seen).toEqual(['a', 'b', 'c'])
    for await (const entry of readTar(file.stream())) {
      expect(entry.path).toBe('a')
      break
    }
    expect(file.openStreams()).toBe(0)
  })
})

describe('the end of a tar archive', () => {
  it('is two zero blocks and any more of them', async () => {
    expect(await list(Buffer.concat([tar(FILE), Buffer.alloc(8192)]))).toHaveLength(1)
  })

  it('may be missing where something else tells that all is there', async () => {
    const bytes = tarEntry(FILE)
    expect(await list(bytes)).toHaveLength(1)
    expect(await list(Buffer.concat([bytes, Buffer.alloc(512)]))).toHaveLength(1)
    for (const cut of [bytes, Buffer.concat([bytes, Buffer.alloc(512)])]) {
      await expect(list(cut, { endMarker: 'required' })).rejects.toThrow(fails('PACKAGE_TRUNCATED'))
    }
  })

  it.each([
    ['one zero block before more entries', Buffer.concat([tarEntry(FILE), Buffer.alloc(512), tar(FILE)])],
    ['entries behind the end', Buffer.concat([tar(FILE), tar(FILE)])],
    ['an entry far behind the end', Buffer.concat([tar(FILE), Buffer.alloc(512 * 300), tar(FILE)])],
    ['text behind the end', Buffer.concat([tar(FILE), Buffer.from('hidden')])],
    ['an extended header without an entry', tar(FILE, pax({ path: 'b' }))],
  ])('refuses %s', async (_what, bytes) => {
    await expect(list(bytes)).rejects.toThrow(fails('MALFORMED_PACKAGE'))
  })

  it('is missed at every cut that is not between entries', async () => {
    const bytes = tar({ name: 'a', body: 'x'.repeat(700) }, pax({ path: 'b' }), FILE)
    for (let cut = 1; cut < bytes.length - TAR_END.length; cut++) {
      if (cut === 512 + 1024) continue
      // a cut behind the extended header leaves it without an entry
      const code = cut === 512 + 1024 + 1024 ? 'MALFORMED_PACKAGE' : 'PACKAGE_TRUNCATED'
      await expect(list(bytes.subarray(0, cut))).rejects.toThrow(fails(code))
    }
  })
})

describe('what tar readers disagree on is refused', () => {
  const header = (patch: readonly (readonly [number, string])[]): Buffer => tar({ ...FILE, patch })
  const wrongChecksum = tarHeader(FILE)
  wrongChecksum[0] = 0x62

  it.each([
    ['a wrong checksum', wrongChecksum],
    ['an unknown magic', header([[257, 'ustar\u000001']])],
    ['the kind of star', header([[508, 'tar\0']])],
    ['a size that is no octal', header([[124, '0000000000x\0']])],
    ['a negative size', header([[124, '\u00ff'.repeat(12)]])],
    ['a size beyond 2^53', header([[124, `\u0080${'\u0001'.repeat(11)}`]])],
    ['a mode that is no octal', header([[100, '99999999']])],
    ['a name that is not UTF-8', header([[0, '\u00ff']])],
    ['an empty name', tar({ name: '' })],
    ['a folder with data', tar({ name: 'd', type: '5', body: 'x' })],
    ['a link with data', tar({ name: 'l', type: '2', link: 'a', body: 'x' })],
    ['a file that is named like a folder and has data', tar({ name: 'd/', body: 'x' })],
    ['a sparse file of GNU', tar({ name: 's', type: 'S' })],
    ['a sparse file of pax', tar(pax({ 'GNU.sparse.major': '1' }), FILE)],
    ['an unknown type', tar({ name: 'x', type: 'Z' })],
    ['two sizes that differ', tar(pax({ size: '512' }), FILE)],
    ['a size only in pax', tar(pax({ size: '4' }), { name: 'a', body: '' })],
    ['a path for several files', tar(pax({ path: 'b' }, 'g'), FILE)],
    [
      'two paths in one header',
      tar({ name: 'x', type: 'x', body: paxRecord('path', 'b') + paxRecord('path', 'c') }, FILE),
    ],
    ['two headers with a path', tar(pax({ path: 'b' }), pax({ path: 'c' }), FILE)],
    ['a path of pax and one of GNU', tar(pax({ path: 'b' }), { name: 'L', type: 'L', body: 'c\0' }, FILE)],
    ['an empty path', tar(pax({ path: '' }), FILE)],
    ['a path with a NUL', tar(pax({ path: 'a\0b' }), FILE)],
    ['a record without a length', tar({ name: 'x', type: 'x', body: 'path=b\n' }, FILE)],
    ['a record that is too long', tar({ name: 'x', type: 'x', body: '99 path=b\n' }, FILE)],
    ['a record without an end', tar({ name: 'x', type: 'x', body: '9 path=bb' }, FILE)],
    ['a record without a value', tar({ name: 'x', type: 'x', body: '7 path\n' }, FILE)],
    ['a size that is no number', tar(pax({ size: '4x' }), FILE)],
    ['a long name with text behind it', tar({ name: 'L', type: 'L', body: 'b\0c' }, FILE)],
    ['an empty long name', tar({ name: 'L', type: 'L', body: '\0' }, FILE)],
  ])('%s', async (_what, bytes) => {
    await expect(list(bytes)).rejects.toThrow(fails('MALFORMED_PACKAGE'))
  })
})

describe('any header', () => {
  const valid = tar(pax({ path: 'long' }), { ...FILE, prefix: 'p' }, { name: 'l', type: '2', link: 'a' })

  it('with a right checksum is read or refused with a code, whatever else stands in it', async () => {
    for (const header of [0, 1024, 2048]) {
      for (let at = 0; at < 512; at++) {
        for (const value of [0, 0x20, 0x37, 0x80, 0xff]) {
          const bytes = Buffer.from(valid)
          bytes[header + at] = value
          withChecksum(bytes.subarray(header, header + 512))
          const failure = await list(bytes).then(
            () => undefined,
            (error: unknown) => error,
          )
          if (failure !== undefined) expect(failure).toBeInstanceOf(MalformedError)
        }
      }
    }
  })

  it('with a wrong checksum is refused, whichever bit was changed', async () => {
    for (let at = 0; at < 512; at++) {
      const bytes = Buffer.from(valid)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8))
      const isChecksum = at >= 148 && at < 156
      // the last bytes of the checksum field end the number: a blank for a NUL says the same
      if (isChecksum) continue
      await expect(list(bytes)).rejects.toThrow(fails('MALFORMED_PACKAGE'))
    }
  })
})

describe('limits', () => {
  it('count entries, all bytes and the bytes of extended headers', async () => {
    const three = tar(FILE, FILE, FILE)
    expect(await list(three, { entries: 3, total: 12 })).toHaveLength(3)
    await expect(list(three, { entries: 2 })).rejects.toThrow(fails('PACKAGE_LIMIT'))
    await expect(list(three, { total: 11 })).rejects.toThrow(fails('PACKAGE_LIMIT'))
    const described = tar(pax({ comment: 'x'.repeat(100) }), FILE)
    await expect(list(described, { metadata: 100 })).rejects.toThrow(fails('PACKAGE_LIMIT'))
    await expect(list(described, { entries: 1 })).rejects.toThrow(fails('PACKAGE_LIMIT'))
  })

  it('are seen before the bytes are', async () => {
    const bytes = tar({ name: 'big', size: 2 ** 31 })
    await expect(list(bytes)).rejects.toThrow(fails('PACKAGE_LIMIT'))
    const file = memoryFile('x', tar({ name: 'a', body: 'x'.repeat(300_000) }))
    await expect(async () => {
      for await (const entry of readTar(file.stream())) await collect(entry.body(), 1000, 'a')
    }).rejects.toThrow(fails('PACKAGE_LIMIT'))
    expect(file.openStreams()).toBe(0)
  })
})

describe('detection', () => {
  it('knows a header by its checksum', () => {
    expect(looksLikeTar(tar(FILE))).toBe(true)
    expect(firstName(tar(FILE))).toBe('a')
    expect(looksLikeTar(Buffer.alloc(1024))).toBe(false)
    expect(looksLikeTar(tar(FILE).subarray(0, 511))).toBe(false)
    expect(firstName(Buffer.from('a'.repeat(512)))).toBe('')
  })
})
