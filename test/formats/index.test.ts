import { Buffer } from 'node:buffer'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { detect, FORMATS, formatNamed, openPackage } from '../../formats/index.ts'
import {
  bottlePackage,
  bottleReceipt,
  chartManifest,
  chartPackage,
  gemPackage,
  memoryFile,
  npmManifest,
  npmPackage,
  tar,
  tgz,
} from '../support/packages.ts'

const formatOf = async (filename: string, bytes: Uint8Array): Promise<string> =>
  (await detect(memoryFile(filename, bytes))).adapter.format
const refuses = (code: string, name = 'MalformedError'): unknown => expect.objectContaining({ code, name })

describe('detection', () => {
  it('goes by content and never by name', async () => {
    expect(await formatOf('example-1.2.3.tgz', npmPackage())).toBe('npm-tarball')
    expect(await formatOf('example-1.2.3.tgz', chartPackage())).toBe('helm-chart')
    expect(await formatOf('example-1.2.3.tgz', bottlePackage())).toBe('bottle')
    expect(await formatOf('example-1.2.3.tgz', gemPackage())).toBe('gem')
  })

  it('takes the more particular mark where a file bears several, in whatever order', async () => {
    const manifest = { ...npmManifest(), name: 'example/package.json' }
    for (const parts of [
      [manifest, chartManifest()],
      [chartManifest(), manifest],
    ]) {
      expect(await formatOf('x.tgz', tgz(...parts))).toBe('helm-chart')
      expect(await formatOf('x.tgz', tgz(...parts, bottleReceipt()))).toBe('bottle')
    }
  })

  it('strips the first folder as the tools do, even when that is only a dot', async () => {
    const { body } = npmManifest()
    const flat = tgz({ name: './', type: '5' }, { name: './package.json', body: body ?? '' })
    expect((await openPackage(memoryFile('x.tgz', flat))).artifact.subject.name).toBe('@scope/example')
    expect(await formatOf('x.tgz', tgz({ name: './package/package.json', body: body ?? '' }))).toBe(
      'plain-file',
    )
    expect(await formatOf('x.tgz', tgz({ name: './a/INSTALL_RECEIPT.json' }))).toBe('plain-file')
  })

  it('refuses a file that is named like one format and is none of it', async () => {
    const text = Buffer.from('text')
    for (const [name, bytes] of [
      ['a.gem', npmPackage()],
      ['a.gem', gzipSync(gemPackage())],
      ['a.GEM', text],
      ['a--1.sonoma.bottle.tar.gz', npmPackage()],
      ['a--1.sonoma.bottle.1.tar.gz', text],
    ] as const) {
      await expect(detect(memoryFile(name, bytes))).rejects.toThrow(refuses('MALFORMED_PACKAGE'))
    }
  })

  it('takes an archive of no known kind as a plain file and tells', async () => {
    const note = ['named like a package, but of no known kind: taken as a plain file']
    for (const bytes of [
      tgz({ name: 'README', body: 'x' }),
      Buffer.from('text'),
      gzipSync('text'),
      Buffer.alloc(0),
    ]) {
      const { adapter, notes } = await detect(memoryFile('a.tgz', bytes))
      expect(adapter.format).toBe('plain-file')
      expect(notes).toEqual(note)
      const { artifact } = await openPackage(memoryFile('a.tar.gz', bytes))
      expect(artifact.notes).toEqual(note)
    }
    expect((await detect(memoryFile('a.bin', tgz({ name: 'README' })))).notes).toEqual([])
  })

  it('reports an archive that is cut or a bomb before it shows what it is', async () => {
    const packed = npmPackage()
    const cut = packed.subarray(0, 60)
    await expect(detect(memoryFile('a.tgz', cut))).rejects.toThrow(refuses('PACKAGE_TRUNCATED'))
    await expect(detect(memoryFile('a.bottle.tar.gz', cut))).rejects.toThrow(refuses('PACKAGE_TRUNCATED'))
    const bomb = gzipSync(tar({ name: 'zeros', body: Buffer.alloc(8 * 1024 * 1024) }), { level: 9 })
    await expect(detect(memoryFile('a.tar.gz', bomb))).rejects.toThrow(refuses('PACKAGE_LIMIT'))
    // without such a name it is only a file
    expect(await formatOf('a.bin', bomb)).toBe('plain-file')
  })

  it('leaves a broken package to its format', async () => {
    const hostile = npmPackage({}, { name: '/etc/passwd' })
    expect(await formatOf('a.tgz', hostile)).toBe('npm-tarball')
    await expect(openPackage(memoryFile('a.tgz', hostile))).rejects.toThrow(refuses('PACKAGE_PATH'))
  })
})

describe('opening', () => {
  it('opens as the format that the caller names, or not at all', async () => {
    const file = memoryFile('a.tgz', npmPackage())
    expect((await openPackage(file, 'npm-tarball')).artifact.subject.name).toBe('@scope/example')
    expect((await openPackage(file, 'plain-file')).artifact.subject.name).toBeUndefined()
    await expect(openPackage(file, 'helm-chart')).rejects.toThrow(refuses('PACKAGE_METADATA'))
    await expect(openPackage(file, 'gem')).rejects.toThrow(refuses('MALFORMED_PACKAGE'))
    await expect(openPackage(file, 'rpm')).rejects.toThrow(refuses('USAGE_ARGUMENT', 'UsageError'))
  })

  it('knows each format by one name, and the plain file comes last', () => {
    for (const adapter of FORMATS) expect(formatNamed(adapter.format)).toBe(adapter)
    expect(formatNamed('rpm')).toBeUndefined()
    expect(FORMATS.at(-1)?.format).toBe('plain-file')
  })
})
