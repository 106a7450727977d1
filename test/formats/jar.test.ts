import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import type { Artifact } from '../../trust/artifact.ts'
import { detect } from '../../formats/index.ts'
import { jar } from '../../formats/jar.ts'
import { parseManifest } from '../../formats/jar-manifest.ts'
import { describeFormatAdapter } from '../contract/format-adapter.ts'
import { memoryFile, npmPackage } from '../support/packages.ts'
import { readVector, vectorCases, vectorInput } from '../support/vectors.ts'
import { buildModule } from '../support/wasm-packages.ts'
import { buildJar, buildZip, pomProperties, type ZipPart } from '../support/zip-packages.ts'

const MANIFEST: ZipPart = { name: 'META-INF/MANIFEST.MF', content: 'Manifest-Version: 1.0\r\n\r\n' }
const coded = (code: string): unknown => expect.objectContaining({ code, name: 'MalformedError' })

function open(parts: readonly ZipPart[], filename = 'demo-1.2.3.jar'): Promise<Artifact> {
  return jar.open(memoryFile(filename, buildZip(parts)))
}

describeFormatAdapter({
  adapter: jar,
  samples: [
    {
      filename: 'demo-1.2.3.jar',
      bytes: buildJar(),
      name: 'org.example:demo',
      version: '1.2.3',
      purl: 'pkg:maven/org.example/demo@1.2.3',
      statementNames: [],
    },
    {
      filename: 'site.war',
      bytes: buildJar([{ name: 'WEB-INF/web.xml', content: '<web-app/>' }]),
      name: 'org.example:demo',
      version: '1.2.3',
      purl: 'pkg:maven/org.example/demo@1.2.3',
    },
    {
      filename: 'plain.jar',
      bytes: buildZip([MANIFEST]),
      name: undefined,
      version: undefined,
      purl: undefined,
    },
  ],
  foreign: [
    { what: 'an npm tarball', bytes: npmPackage() },
    { what: 'a WebAssembly module', bytes: buildModule() },
    { what: 'a zip archive without a manifest', bytes: buildZip([{ name: 'a.txt', content: 'x' }]) },
    { what: 'a broken zip archive', bytes: buildZip([{ name: 'a.txt', local: { name: 'b.txt' } }]) },
    { what: 'a script', bytes: Buffer.from('#!/bin/sh\n') },
  ],
  broken: [
    {
      what: 'a name that leaves the folder',
      bytes: buildJar([{ name: '../../evil.class' }]),
      code: 'PACKAGE_PATH',
    },
    { what: 'an entry that is there twice', bytes: buildJar([MANIFEST]), code: 'PACKAGE_DUPLICATE' },
    {
      what: 'a manifest in two spellings',
      bytes: buildJar([{ name: 'META-INF/Manifest.mf', content: 'Manifest-Version: 1.0\r\n' }]),
      code: 'PACKAGE_DUPLICATE',
    },
    {
      what: 'a bomb',
      bytes: buildJar([{ name: 'bomb', claims: { size: 0xfff0_0000 }, descriptor: 'signed' }]),
      code: 'PACKAGE_LIMIT',
    },
    {
      what: 'overlapping entries',
      bytes: buildJar([{ name: 'x', claims: { offset: 4 } }]),
      code: 'MALFORMED_PACKAGE',
    },
    { what: 'a missing end', bytes: buildJar().subarray(0, -22), code: 'PACKAGE_TRUNCATED' },
    { what: 'a web page', bytes: Buffer.from('<!doctype html><p>not found'), code: 'MALFORMED_PACKAGE' },
    {
      what: 'a manifest that is none',
      bytes: buildZip([{ ...MANIFEST, content: 'no attribute\r\n' }]),
      code: 'MALFORMED_PACKAGE',
    },
    {
      what: 'a manifest beyond limits',
      bytes: buildZip([{ ...MANIFEST, content: Buffer.alloc(17 * 1024 * 1024, '\n') }]),
      code: 'PACKAGE_LIMIT',
    },
  ],
})

describe('coordinates of a jar', () => {
  it('come from the only pom.properties, and a file of another name is remarked on', async () => {
    const parts = [MANIFEST, pomProperties('org.example', 'demo', '2.0')]
    expect((await open(parts, 'demo-2.0.jar')).notes).toEqual([])
    const renamed = await open(parts, 'other.jar')
    expect(renamed.subject.purl).toBe('pkg:maven/org.example/demo@2.0')
    expect(renamed.notes.join()).toContain("not called like its Maven artifact 'demo-2.0'")
  })

  it('come from the one of several that is called like the file, and are never guessed', async () => {
    const several = [
      MANIFEST,
      pomProperties('a', 'demo', '1.2.3'),
      pomProperties('b', 'other', '1.2.3'),
      pomProperties('c', 'demo-1.2', '3'),
    ]
    expect((await open(several)).subject.purl).toBe('pkg:maven/a/demo@1.2.3')
    const unknown = await open(several, 'app.jar')
    expect(unknown.subject).toEqual({
      name: undefined,
      version: undefined,
      purl: undefined,
      statementNames: [],
    })
    expect(unknown.notes.join()).toContain('names 3 Maven artifacts, none of them called like the file')
    const twice = await open([
      MANIFEST,
      pomProperties('a', 'demo', '1.2.3'),
      pomProperties('b', 'demo', '1.2.3'),
    ])
    expect(twice.subject.purl).toBeUndefined()
    expect(twice.notes.join()).toContain('several of them called like the file')
  })

  it('are not looked for among hundreds of candidates', async () => {
    const many = Array.from({ length: 102 }, (_, i) => pomProperties(`g${i}`, 'demo', '1.2.3'))
    expect((await open(many)).notes.join()).toContain('names 102 Maven artifacts: none was taken')
  })

  const file = (content: string): ZipPart => ({ name: 'META-INF/maven/g/a/pom.properties', content })
  it.each([
    ['contradict the path', 'groupId=other\nartifactId=a\nversion=1\n'],
    ['have no version', 'groupId=g\nartifactId=a\n'],
    ['have two versions', 'groupId=g\nartifactId=a\nversion=1\nversion=2\n'],
    ['use escapes', 'groupId=g\nartifactId=a\nversion=1\\\n 2\n'],
    ['have a version that is none', 'groupId=g\nartifactId=a\nversion=1/../2\n'],
    ['are too large', `groupId=g\nartifactId=a\nversion=1\n#${'x'.repeat(70_000)}\n`],
  ])('are not taken when they %s', async (_what, content) => {
    const { subject, notes } = await open([MANIFEST, file(content)])
    expect(subject.purl).toBeUndefined()
    expect(notes.join()).toContain('not readable or contradicts its own path')
  })

  it('are read in every spelling that Maven and Gradle write', async () => {
    const content =
      '#Generated\r\n!more\r\n\r\n  groupId = g\r\nartifactId:a\r\nversion 1.0+build~2-SNAPSHOT\r\nversion=1.0+build~2-SNAPSHOT'
    expect((await open([MANIFEST, file(content)])).subject.purl).toBe('pkg:maven/g/a@1.0%2Bbuild~2-SNAPSHOT')
  })

  it('are never taken from the manifest, which is only quoted', async () => {
    const manifest =
      'Manifest-Version: 1.0\r\nImplementation-Title: demo\r\nImplementation-Version: 9\u001b[31m\r\n\r\n'
    const { subject, notes } = await open([{ ...MANIFEST, content: manifest }])
    expect(subject.name).toBeUndefined()
    expect(notes).toContain('the manifest says Implementation-Title: demo')
    expect(notes).toContain('the manifest says Implementation-Version: 9\\u{1b}[31m')
  })
})

describe('what a jar is', () => {
  it('says web and enterprise archives, launchers and a missing manifest', async () => {
    const pom = pomProperties('g', 'demo', '1.2.3')
    expect((await open([MANIFEST, pom, { name: 'WEB-INF/web.xml' }])).notes).toEqual([
      'web application archive',
    ])
    expect((await open([MANIFEST, pom, { name: 'META-INF/application.xml' }])).notes).toEqual([
      'enterprise application archive',
    ])
    expect((await open([pom])).notes).toEqual(['no manifest inside'])
    const launcher = Buffer.from('#!/bin/sh\nexit 1\n')
    const { notes } = await jar.open(memoryFile('demo-1.2.3.jar', buildJar([], { prefix: launcher })))
    expect(notes).toEqual(['17 bytes stand before the archive: a launcher'])
  })

  it('finds a launcher by name only, other jars by what they hold', async () => {
    const launched = buildJar([], { prefix: Buffer.from('#!/bin/sh\n') })
    expect((await detect(memoryFile('demo.jar', launched))).adapter.format).toBe('jar')
    expect((await detect(memoryFile('demo.sh', launched))).adapter.format).toBe('plain-file')
    const late = buildZip([{ name: 'a.class' }, MANIFEST])
    expect((await detect(memoryFile('library.zip', late))).adapter.format).toBe('jar')
  })

  it('does not hide why a jar is refused behind "not a jar"', async () => {
    const hostile = buildJar([{ name: '../x' }])
    for (const name of ['demo.jar', 'demo.bin']) {
      const { adapter } = await detect(memoryFile(name, hostile))
      await expect(adapter.open(memoryFile(name, hostile))).rejects.toThrow(coded('PACKAGE_PATH'))
    }
  })

  it('refuses a file that is only named like one', async () => {
    await expect(detect(memoryFile('demo.jar', Buffer.from('nothing')))).rejects.toThrow(
      coded('MALFORMED_PACKAGE'),
    )
  })
})

describe('a manifest', () => {
  const parse = (text: string | Buffer): ReturnType<typeof parseManifest> =>
    parseManifest(Buffer.from(text), 'MANIFEST')

  it('is read with continued lines, any line end and split characters', () => {
    const text = Buffer.concat([
      Buffer.from('Manifest-Version: 1.0\r\nTitle: a\r\n b\r\n  c\r\nSplit: '),
      Buffer.of(0xc3),
      Buffer.from('\n '),
      Buffer.of(0xa9),
      Buffer.from('\r\rName: x\nSize: 1\n\n\nName: y\nSize: 2'),
    ])
    const manifest = parse(text)
    expect(Object.fromEntries(manifest.main.attributes)).toEqual({
      'manifest-version': '1.0',
      title: 'ab c',
      split: 'é',
    })
    expect([...manifest.sections.keys()]).toEqual(['x', 'y'])
    expect(Buffer.from(manifest.sections.get('x')?.bytes ?? []).toString()).toBe('Name: x\nSize: 1\n\n')
    expect(Buffer.from(manifest.sections.get('y')?.bytes ?? []).toString()).toBe('Name: y\nSize: 2')
    expect(manifest.remarks).toEqual([])
  })

  it.each([
    ['a line longer than 72 bytes', `A: ${'x'.repeat(70)}\n`, 'longer than 72 bytes'],
    ['an attribute that is there twice', 'A: 1\na: 2\n', 'attribute twice'],
    ['a value that is not UTF-8', Buffer.from([0x41, 0x3a, 0x20, 0xff, 0x0a]), 'not UTF-8'],
  ])('remarks on %s, which Java reads', (_what, text, remark) => {
    expect(parse(text).remarks.join()).toContain(remark)
  })

  it('marks a name with two sections, so that it never counts as covered', () => {
    const manifest = parse('A: 1\n\nName: x\n\nName: x\n\n')
    expect([...manifest.ambiguous]).toEqual(['x'])
    expect(manifest.remarks.join()).toContain('names an entry twice')
  })

  it.each([
    ['a line without a colon', 'A: 1\nnothing\n'],
    ['no space after the colon', 'A:1\n'],
    ['a name with other characters', 'A b: 1\n'],
    ['a name that is too long', `${'a'.repeat(71)}: 1\n`],
    ['a continuation of nothing', ' continued\n'],
    ['a section without a name', 'A: 1\n\nB: 2\n'],
    ['a section whose name is not first', 'A: 1\n\nB: 2\nName: x\n'],
    ['a zero byte', 'A: 1\0\n'],
  ])('is refused with %s', (_what, text) => {
    expect(() => parse(text)).toThrow(coded('MALFORMED_PACKAGE'))
  })

  it('is refused beyond a number of sections and of attributes', () => {
    const sections = Array.from({ length: 200_001 }, (_, i) => `Name: ${i}\n\n`).join('')
    expect(() => parse(`A: 1\n\n${sections}`)).toThrow(coded('PACKAGE_LIMIT'))
    const attributes = Array.from({ length: 500_001 }, (_, i) => `A${i}: 1\n`).join('')
    expect(() => parse(attributes)).toThrow(coded('PACKAGE_LIMIT'))
  })
})

describe('published jars', () => {
  const NAMES: Readonly<Record<string, string | undefined>> = {
    'jar/rekor-test.jar': 'pkg:maven/dev.sigstore/sigstore-maven-plugin@1.0-SNAPSHOT',
    'jar/file/a-0.1': 'pkg:maven/org.apache.maven.its/a@0.1',
  }

  it.each(vectorCases('jar').map((vector) => [vector.id, vector] as const))(
    'opens %s',
    async (id, vector) => {
      const name = vectorInput(vector, 'artifact' in vector.inputs ? 'artifact' : 'jar')
      const bytes = readVector(name)
      const file = memoryFile(name.split('/').at(-1) ?? '', bytes)
      expect((await detect(file)).adapter).toBe(jar)
      const { subject } = await jar.open(file)
      if (id.includes('slsa-maven')) expect(subject.name).toBe('io.github.adamkorcz:test-java-project')
      else if (!id.includes('swapped')) expect(subject.purl).toBe(NAMES[id])
    },
  )
})
