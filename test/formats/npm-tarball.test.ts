import { Buffer } from 'node:buffer'
import { basename } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { npmTarball } from '../../formats/npm-tarball.ts'
import { openPackage } from '../../formats/index.ts'
import { describeFormatAdapter } from '../contract/format-adapter.ts'
import {
  bottlePackage,
  chartPackage,
  gemPackage,
  hostileEntries,
  hostileOnWindows,
  memoryFile,
  npmManifest,
  npmPackage,
  tgz,
  type TarPart,
} from '../support/packages.ts'
import { readVector, vectorCases } from '../support/vectors.ts'

const manifest = (body: string | Uint8Array, name = 'package/package.json'): TarPart => ({ name, body })

describeFormatAdapter({
  adapter: npmTarball,
  samples: [
    {
      filename: 'scope-example-1.2.3.tgz',
      bytes: npmPackage(),
      name: '@scope/example',
      version: '1.2.3',
      purl: 'pkg:npm/%40scope/example@1.2.3',
      statementNames: ['pkg:npm/%40scope/example@1.2.3'],
    },
    {
      filename: 'without-package-folder.tgz',
      bytes: tgz(manifest('{"version":"2.0.0-rc.1","name":"JSONStream"}', 'node v24/package.json')),
      name: 'JSONStream',
      version: '2.0.0-rc.1',
      purl: 'pkg:npm/JSONStream@2.0.0-rc.1',
    },
    {
      filename: 'manifest-last.tgz',
      bytes: tgz(
        { name: 'package/', type: '5' },
        { name: 'package/sub/package.json', body: '{}' },
        npmManifest(),
      ),
      name: '@scope/example',
      version: '1.2.3',
      purl: 'pkg:npm/%40scope/example@1.2.3',
    },
  ],
  foreign: [
    { what: 'a gem', bytes: gemPackage() },
    { what: 'a chart', bytes: chartPackage() },
    { what: 'a bottle', bytes: bottlePackage() },
    { what: 'a package.json at the wrong depth', bytes: tgz(manifest('{}', 'package.json')) },
    { what: 'compressed text', bytes: gzipSync('package/package.json') },
  ],
  broken: [
    ...[...hostileEntries('package'), ...hostileOnWindows('package')].map(([what, parts, code]) => {
      return { what, bytes: npmPackage({}, ...parts), code }
    }),
    {
      what: 'a second package.json in another folder',
      bytes: npmPackage({}, manifest('{}', 'other/package.json')),
      code: 'PACKAGE_DUPLICATE',
    },
    {
      what: 'a package.json in other case',
      bytes: npmPackage({}, manifest('{}', 'package/Package.JSON')),
      code: 'PACKAGE_DUPLICATE',
    },
    {
      what: 'a package.json with a Kelvin sign',
      bytes: npmPackage({}, manifest('{}', 'package/pac\u212aage.json')),
      code: 'PACKAGE_DUPLICATE',
    },
    {
      what: 'two folders that merge to one file',
      bytes: npmPackage({}, { name: 'a/x' }, { name: 'b/x' }),
      code: 'PACKAGE_DUPLICATE',
    },
    {
      what: 'only a package.json in other case',
      bytes: tgz(manifest('{}', 'package/PACKAGE.json')),
      code: 'PACKAGE_METADATA',
    },
    {
      what: 'a package.json that is a link',
      bytes: tgz({ name: 'package/package.json', type: '2', link: 'x' }),
      code: 'PACKAGE_METADATA',
    },
    { what: 'no package.json', bytes: tgz({ name: 'package/index.js', body: '' }), code: 'PACKAGE_METADATA' },
    { what: 'an empty archive', bytes: tgz(), code: 'PACKAGE_METADATA' },
    { what: 'a manifest that is no JSON', bytes: tgz(manifest('{name:1}')), code: 'PACKAGE_METADATA' },
    { what: 'a manifest that is no object', bytes: tgz(manifest('["name"]')), code: 'PACKAGE_METADATA' },
    {
      what: 'a manifest that is not UTF-8',
      bytes: tgz(manifest(Buffer.from([0x7b, 0xff, 0x7d]))),
      code: 'PACKAGE_METADATA',
    },
    { what: 'no name', bytes: tgz(manifest('{"version":"1.0.0"}')), code: 'PACKAGE_METADATA' },
    {
      what: 'a name that is no text',
      bytes: tgz(manifest('{"name":7,"version":"1.0.0"}')),
      code: 'PACKAGE_METADATA',
    },
    { what: 'a name that npm forbids', bytes: npmPackage({ name: '.hidden' }), code: 'PACKAGE_METADATA' },
    { what: 'a name with a path', bytes: npmPackage({ name: '@a/b/c' }), code: 'PACKAGE_METADATA' },
    { what: 'a name with a line break', bytes: npmPackage({ name: 'left-pad\n' }), code: 'PACKAGE_METADATA' },
    { what: 'a name of 215 letters', bytes: npmPackage({ name: 'a'.repeat(215) }), code: 'PACKAGE_METADATA' },
    {
      what: 'a name with a letter that only looks Latin',
      bytes: npmPackage({ name: 'reаct' }),
      code: 'PACKAGE_METADATA',
    },
    {
      what: 'a version that is not semantic',
      bytes: npmPackage({ version: '1.2' }),
      code: 'PACKAGE_METADATA',
    },
    {
      what: 'two names',
      bytes: tgz(manifest('{"name":"good","version":"1.0.0","name":"evil"}')),
      code: 'PACKAGE_DUPLICATE',
    },
    {
      what: 'two names in two spellings',
      bytes: tgz(manifest('{"n\\u0061me":"good","version":"1.0.0","name":"evil"}')),
      code: 'PACKAGE_DUPLICATE',
    },
    {
      what: 'two versions',
      bytes: tgz(manifest('{"name":"a","version":"1.0.0","version":"2.0.0"}')),
      code: 'PACKAGE_DUPLICATE',
    },
    {
      what: 'a manifest beyond the limit',
      bytes: tgz(manifest(`{"a":"${randomText(5 * 1024 * 1024)}"}`)),
      code: 'PACKAGE_LIMIT',
    },
    {
      what: 'something behind the compressed data',
      bytes: Buffer.concat([npmPackage(), Buffer.from('PK')]),
      code: 'MALFORMED_PACKAGE',
    },
    { what: 'a zip', bytes: Buffer.from('PK\u0003\u0004'), code: 'MALFORMED_PACKAGE' },
  ],
})

/** Text that does not compress away. */
function randomText(length: number): string {
  let seed = 1
  const bytes = Buffer.alloc(length)
  for (let i = 0; i < length; i++) {
    seed = (seed * 1103515245 + 12345) % 2147483648
    bytes[i] = 97 + ((seed >> 16) % 26)
  }
  return bytes.toString('latin1')
}

describe('what npm tolerates is tolerated and told', () => {
  const notesOf = async (bytes: Uint8Array): Promise<readonly string[]> =>
    (await npmTarball.open(memoryFile('x.tgz', bytes))).notes

  it('a byte order mark', async () => {
    const bytes = tgz(manifest('\uFEFF{"name":"a","version":"1.0.0"}'))
    expect(await notesOf(bytes)).toEqual(['package.json starts with a byte order mark'])
  })

  it('keys that stand twice where they are not read', async () => {
    expect(await notesOf(tgz(manifest('{"name":"a","version":"1.0.0","x":{"y":1,"y":2},"x":3}')))).toEqual([])
  })

  it('a version with a leading v and build metadata', async () => {
    const artifact = await npmTarball.open(memoryFile('x.tgz', npmPackage({ version: 'v1.2.3+build.5' })))
    expect(artifact.subject.version).toBe('1.2.3')
    expect(artifact.notes.join()).toContain("written 'v1.2.3+build.5'")
  })

  it('links that stay inside, files in several top folders, names that differ in case', async () => {
    const link = { name: 'package/l', type: '2', link: 'lib/x' }
    expect(await notesOf(npmPackage({}, link))).toEqual(['holds links, which npm leaves out'])
    expect(await notesOf(npmPackage({}, { name: 'other/x' }))).toEqual([
      'files stand under several top folders, which npm merges',
    ])
    expect(await notesOf(npmPackage({}, { name: 'package/Readme' }, { name: 'package/README' }))).toEqual([
      "'Readme' and 'README' are one file on some systems",
    ])
  })

  it('looks for the attestations document of the registry too', () => {
    expect(npmTarball.sidecars('a.tgz')).toEqual([
      'a.tgz.sigstore.json',
      'a.tgz.sigstore.jsonl',
      'a.tgz.sigstore',
      'a.tgz.attestations.json',
    ])
  })
})

const published = vectorCases('npm').filter(
  (c) => typeof (c.inputs['tarball'] ?? c.inputs['artifact']) === 'string',
)
it.each(published)('published npm tarballs: $id', async (vector) => {
  const path = String(vector.inputs['tarball'] ?? vector.inputs['artifact'])
  const { adapter, artifact } = await openPackage(memoryFile(basename(path), readVector(path)))
  expect(adapter).toBe(npmTarball)
  const { name, version, purl } = artifact.subject
  // published that must fail because something else was asked for say so in their id
  if (typeof vector.inputs['package'] === 'string' && !vector.id.includes('-mismatch-')) {
    expect({ name, version }).toEqual({ name: vector.inputs['package'], version: vector.inputs['version'] })
  }
  if (typeof vector.inputs['purl'] === 'string' && vector.expected.result === 'pass') {
    expect(purl).toBe(vector.inputs['purl'])
  }
  expect(path).toContain(name?.split('/').at(-1)?.slice(0, 8))
})
