import { basename } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { bottle } from '../../formats/bottle.ts'
import { openPackage } from '../../formats/index.ts'
import { describeFormatAdapter } from '../contract/format-adapter.ts'
import {
  bottlePackage,
  bottleReceipt,
  chartPackage,
  gemPackage,
  hostileEntries,
  memoryFile,
  npmPackage,
  tgz,
} from '../support/packages.ts'
import { readVector, vectorCases, vectorInput } from '../support/vectors.ts'

describeFormatAdapter({
  adapter: bottle,
  samples: [
    {
      filename: 'example--1.2.3.arm64_sonoma.bottle.tar.gz',
      bytes: bottlePackage(),
      name: 'example',
      version: '1.2.3',
      purl: 'pkg:brew/example@1.2.3',
      statementNames: [
        'example--1.2.3.arm64_sonoma.bottle.tar.gz',
        'example-1.2.3.arm64_sonoma.bottle.tar.gz',
      ],
    },
    {
      filename: 'python@3.13--3.13.1_1.x86_64_linux.bottle.2.tar.gz',
      bytes: tgz(
        { name: 'python@3.13/3.13.1_1/', type: '5' },
        { name: 'python@3.13/3.13.1_1/.brew/python@3.13.rb', body: 'class PythonAT313 < Formula' },
        { name: 'python@3.13/3.13.1_1/lib/system-a\\x2db.slice', body: '' },
        {
          name: 'python@3.13/3.13.1_1/lib/site-packages',
          type: '2',
          link: '../../../../../lib/site-packages',
        },
      ),
      name: 'python@3.13',
      version: '3.13.1_1',
      purl: 'pkg:brew/python%403.13@3.13.1_1',
    },
  ],
  foreign: [
    { what: 'an npm tarball', bytes: npmPackage() },
    { what: 'a chart', bytes: chartPackage() },
    { what: 'a gem', bytes: gemPackage() },
    {
      what: 'a receipt at the wrong depth',
      bytes: tgz({ name: 'example/INSTALL_RECEIPT.json', body: '{}' }),
    },
    { what: 'the formula of another', bytes: tgz({ name: 'a/1/.brew/b.rb', body: '' }) },
    { what: 'compressed text', bytes: gzipSync('a/1/INSTALL_RECEIPT.json') },
  ],
  broken: [
    ...hostileEntries('example/1.2.3').map(([what, parts, code]) => {
      return { what, bytes: bottlePackage({}, ...parts), code }
    }),
    {
      what: 'a file of another formula',
      bytes: bottlePackage({}, { name: 'openssl/3/lib/x' }),
      code: 'PACKAGE_PATH',
    },
    {
      what: 'a file of another version',
      bytes: bottlePackage({}, { name: 'example/9/lib/x' }),
      code: 'PACKAGE_PATH',
    },
    {
      what: 'a file beside the versions',
      bytes: bottlePackage({}, { name: 'example/x' }),
      code: 'PACKAGE_PATH',
    },
    {
      what: 'a file written through a link to outside',
      bytes: bottlePackage(
        {},
        { name: 'example/1.2.3/l', type: '2', link: '/etc' },
        { name: 'example/1.2.3/l/x' },
      ),
      code: 'PACKAGE_PATH',
    },
    {
      what: 'a hard link to a link',
      bytes: bottlePackage(
        {},
        { name: 'example/1.2.3/l', type: '2', link: '/etc/x' },
        { name: 'example/1.2.3/h', type: '1', link: 'example/1.2.3/l' },
      ),
      code: 'PACKAGE_PATH',
    },
    {
      what: 'neither receipt nor formula',
      bytes: tgz({ name: 'a/1/bin/a', body: '' }),
      code: 'PACKAGE_METADATA',
    },
    { what: 'an empty archive', bytes: tgz(), code: 'PACKAGE_METADATA' },
    { what: 'an impossible name', bytes: bottlePackage({ name: 'a b' }), code: 'PACKAGE_METADATA' },
  ],
})

describe('what a statement may call a bottle', () => {
  const open = async (filename: string): Promise<readonly [readonly string[], readonly string[]]> => {
    const { subject, notes } = await bottle.open(memoryFile(filename, bottlePackage()))
    return [subject.statementNames, notes]
  }

  it('its file name, with or without the hash of the download cache', async () => {
    const [names] = await open(`${'a'.repeat(64)}--example--1.2.3.all_linux.bottle.1.tar.gz`)
    expect(names).toEqual([
      'example--1.2.3.all_linux.bottle.1.tar.gz',
      'example-1.2.3.all_linux.bottle.1.tar.gz',
    ])
  })

  it('nothing when the file name contradicts the content, and it is told', async () => {
    expect(await open('example--1.2.4.sonoma.bottle.tar.gz')).toEqual([
      [],
      ["the file is named 'example--1.2.4.sonoma.bottle.tar.gz', but holds example 1.2.3"],
    ])
  })

  it('nothing when the file was renamed or is for all systems', async () => {
    expect((await open('download.tar.gz'))[0]).toEqual([])
    expect((await open('example--1.2.3.all.bottle.tar.gz'))[0]).toEqual([])
  })

  it('tells of links to outside', async () => {
    const link = { name: 'example/1.2.3/l', type: '2', link: '../../../etc/ssl' }
    const { notes } = await bottle.open(memoryFile('x', tgz(bottleReceipt(), link)))
    expect(notes).toContain("'example/1.2.3/l' links to '../../../etc/ssl' outside the package")
  })
})

const published = vectorCases('homebrew').filter((c) => typeof c.inputs['bottle'] === 'string')
it.each(published)('published bottles: $id', async (vector) => {
  const path = vectorInput(vector, 'bottle')
  const { adapter, artifact } = await openPackage(memoryFile(basename(path), readVector(path)))
  expect(adapter).toBe(bottle)
  expect(artifact.subject).toMatchObject({ name: 'testball_bottle', version: '0.1' })
  expect(artifact.subject.statementNames).toContain(basename(path))
})
