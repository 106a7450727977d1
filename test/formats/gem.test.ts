import { basename } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { gem } from '../../formats/gem.ts'
import { openPackage } from '../../formats/index.ts'
import { describeFormatAdapter } from '../contract/format-adapter.ts'
import {
  chartPackage,
  gemMembers,
  gemPackage,
  gemSpecification,
  hostileEntries,
  hostileOnWindows,
  memoryFile,
  npmPackage,
  tar,
  tarEntry,
  tgz,
  type TarPart,
} from '../support/packages.ts'
import { readVector, vectorCases } from '../support/vectors.ts'

const withSpecification = (text: string): Buffer => tar(...gemMembers(text))
const withMember = (...parts: readonly TarPart[]): Buffer => tar(...gemMembers(), ...parts)
const legacyPlatform = `name: old
version: !ruby/object:Gem::Version
  version: !binary |-
    MS4wLjA=
platform: !ruby/object:Gem::Platform
  cpu: x86
  os: mingw32
  version:
`

describeFormatAdapter({
  adapter: gem,
  samples: [
    {
      filename: 'example-1.2.3.gem',
      bytes: gemPackage(),
      name: 'example',
      version: '1.2.3',
      purl: 'pkg:gem/example@1.2.3',
      statementNames: ['pkg:gem/example@1.2.3'],
    },
    {
      filename: 'example-1.2.3-x86_64-linux.gem',
      bytes: gemPackage({ platform: 'x86_64-linux' }),
      name: 'example',
      version: '1.2.3',
      purl: 'pkg:gem/example@1.2.3?platform=x86_64-linux',
      statementNames: ['pkg:gem/example@1.2.3?platform=x86_64-linux'],
    },
    {
      filename: 'old-1.0.0-x86-mingw32.gem',
      bytes: withSpecification(legacyPlatform),
      name: 'old',
      version: '1.0.0',
      purl: 'pkg:gem/old@1.0.0?platform=x86-mingw32',
    },
  ],
  foreign: [
    { what: 'an npm tarball', bytes: npmPackage() },
    { what: 'a chart', bytes: chartPackage() },
    { what: 'a gem that was compressed once more', bytes: gzipSync(gemPackage()) },
    { what: 'another tar', bytes: tar({ name: 'README', body: 'x' }) },
  ],
  broken: [
    ...[...hostileEntries('lib'), ...hostileOnWindows('lib')].map(([what, parts, code]) => {
      return {
        what: `files with ${what}`,
        bytes: tar(...gemMembers(gemSpecification(), tgz(...parts))),
        code,
      }
    }),
    {
      what: 'two specifications',
      bytes: withMember({ name: 'metadata.gz', body: gzipSync('name: evil') }),
      code: 'PACKAGE_DUPLICATE',
    },
    {
      what: 'two sets of files',
      bytes: withMember({ name: 'data.tar.gz', body: tgz() }),
      code: 'PACKAGE_DUPLICATE',
    },
    { what: 'a path that climbs', bytes: withMember({ name: '../x', body: '' }), code: 'PACKAGE_PATH' },
    {
      what: 'a member that is a link',
      bytes: withMember({ name: 'x', type: '2', link: 'metadata.gz' }),
      code: 'MALFORMED_PACKAGE',
    },
    { what: 'no specification', bytes: tar(...gemMembers().slice(1)), code: 'PACKAGE_METADATA' },
    {
      what: 'no files',
      bytes: tar(...gemMembers().filter(({ name }) => name !== 'data.tar.gz')),
      code: 'PACKAGE_METADATA',
    },
    { what: 'no name', bytes: withSpecification('version: {version: 1.0.0}'), code: 'PACKAGE_METADATA' },
    {
      what: 'a name with a path',
      bytes: withSpecification(gemSpecification({ name: 'a/b' })),
      code: 'PACKAGE_METADATA',
    },
    {
      what: 'a version that is no object',
      bytes: withSpecification('name: a\nversion: 1.0.0'),
      code: 'PACKAGE_METADATA',
    },
    {
      what: 'a version of letters',
      bytes: withSpecification(gemSpecification({ version: 'new' })),
      code: 'PACKAGE_METADATA',
    },
    {
      what: 'a platform with a blank',
      bytes: withSpecification(gemSpecification({ platform: 'a b' })),
      code: 'PACKAGE_METADATA',
    },
    {
      what: 'two names',
      bytes: withSpecification(`${gemSpecification()}name: evil\n`),
      code: 'PACKAGE_DUPLICATE',
    },
    {
      what: 'a name out of a merge key',
      bytes: withSpecification(`x: &x {name: evil}\n<<: *x\nversion: {version: 1.0.0}`),
      code: 'PACKAGE_METADATA',
    },
    {
      what: 'a name of a Ruby class',
      bytes: withSpecification('name: !ruby/object:Evil x\nversion: {version: 1.0.0}'),
      code: 'PACKAGE_METADATA',
    },
    {
      what: 'a specification that is no YAML',
      bytes: withSpecification('name: [a'),
      code: 'PACKAGE_METADATA',
    },
    {
      what: 'a specification that is not compressed',
      bytes: tar({ name: 'metadata.gz', body: gemSpecification() }),
      code: 'MALFORMED_PACKAGE',
    },
    {
      what: 'a specification that inflates beyond the limit',
      bytes: withSpecification('#'.repeat(5 * 1024 * 1024)),
      code: 'PACKAGE_LIMIT',
    },
    {
      what: 'an end that is missing',
      bytes: Buffer.concat(gemMembers().map((member) => tarEntry(member))),
      code: 'PACKAGE_TRUNCATED',
    },
    {
      what: 'a hundred members',
      bytes: withMember(...Array.from({ length: 100 }, (_, i) => ({ name: `x${i}` }))),
      code: 'PACKAGE_LIMIT',
    },
    {
      what: 'a signature beyond the limit',
      bytes: withMember({ name: 'metadata.gz.sig', body: 'x'.repeat(20_000) }),
      code: 'PACKAGE_LIMIT',
    },
    {
      what: 'checksums that are no YAML',
      bytes: tar(...gemMembers().slice(0, 2), { name: 'checksums.yaml.gz', body: gzipSync('- a') }),
      code: 'MALFORMED_PACKAGE',
    },
  ],
})

describe('what a gem holds beside its name', () => {
  const open = (bytes: Uint8Array) => gem.open(memoryFile('example-1.2.3.gem', bytes))

  it('reports what the list of checksums claims, and lists nothing else of it', async () => {
    expect((await open(gemPackage())).notes).toEqual([
      `checksums.yaml claims SHA256 of metadata.gz: ${'a'.repeat(64)}`,
      `checksums.yaml claims SHA256 of data.tar.gz: ${'b'.repeat(64)}`,
    ])
    const strange = gzipSync('SHA256: {other: aa}\n"bad name": {metadata.gz: aa}')
    const bytes = tar(...gemMembers().slice(0, 2), { name: 'checksums.yaml.gz', body: strange })
    expect((await open(bytes)).notes).toEqual(['checksums.yaml lists 1 members that no gem has'])
  })

  it('tells of members that do not belong there, of missing checksums, of a name that contradicts', async () => {
    const bytes = tar(
      ...gemMembers(gemSpecification({ name: 'other' }), tgz()).slice(0, 2),
      { name: 'extra' },
      { name: 'd', type: '5' },
    )
    expect((await open(bytes)).notes).toEqual([
      'holds no files',
      "holds 'extra', which does not belong into a gem",
      "holds the folder 'd', which does not belong into a gem",
      'has no checksums.yaml.gz',
      "the file is named 'example-1.2.3.gem', but holds other-1.2.3.gem",
    ])
  })

  it('reports signatures of the X.509 scheme of RubyGems, which it does not judge', async () => {
    const { nativeSignatures } = await open(withMember({ name: 'data.tar.gz.sig', body: 'sig' }))
    expect(nativeSignatures).toEqual([
      {
        scheme: 'rubygems-x509',
        keyId: undefined,
        message: undefined,
        signature: Buffer.from('sig'),
        algorithm: 'rsa-pkcs1-sha256',
        covers: 'member data.tar.gz',
        contentMatches: false,
      },
    ])
  })

  it('shows invisible characters in the names of strange members', async () => {
    expect((await open(withMember({ name: 'a\u202eb' }))).notes.at(-3)).toBe(
      "holds 'a\\u{202e}b', which does not belong into a gem",
    )
  })

  it('does not look into archives among the files', async () => {
    const nested = tgz(
      { name: 'inner.gem', body: gemPackage() },
      { name: 'a.tgz', body: tgz({ name: '../x' }) },
    )
    expect((await open(tar(...gemMembers(gemSpecification(), nested)))).subject.name).toBe('example')
  })
})

const published = vectorCases('gem').filter(
  (c) => typeof (c.inputs['gem'] ?? c.inputs['artifact']) === 'string',
)
/** Those that cannot be opened; the others that fail do so for their signatures. */
const REFUSED: Readonly<Record<string, string>> = {
  'gem/file/bad-characters-1.0.0': 'MALFORMED_PACKAGE',
  'gem/file/dos-1.0.0': 'PACKAGE_METADATA',
}
/** One file is a renamed build of the other. */
const NAMES: Readonly<Record<string, string>> = {
  'expired_signature-0.0.0.gem': 'valid_signature-0.0.0.gem',
  'hello-world.gem': 'hello-world-rubygems-0.1.0.gem',
}

it.each(published)('published gems: $id', async (vector) => {
  const path = String(vector.inputs['gem'] ?? vector.inputs['artifact'])
  const opening = openPackage(memoryFile(basename(path), readVector(path)))
  const code = REFUSED[vector.id]
  if (code !== undefined) {
    await expect(opening).rejects.toThrow(expect.objectContaining({ code }))
    return
  }
  const { adapter, artifact } = await opening
  expect(adapter).toBe(gem)
  const { name, version } = artifact.subject
  expect(`${name}-${version}.gem`).toBe(NAMES[basename(path)] ?? basename(path))
  expect(artifact.nativeSignatures).toHaveLength(path.includes('_signature') ? 3 : 0)
})
