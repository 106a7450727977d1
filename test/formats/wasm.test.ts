import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import type { Artifact } from '../../trust/artifact.ts'
import { detect } from '../../formats/index.ts'
import { wasm } from '../../formats/wasm.ts'
import { encodeLeb, parseLeb, WASM_LIMITS } from '../../formats/wasm-sections.ts'
import { describeFormatAdapter } from '../contract/format-adapter.ts'
import { lazyFile, memoryFile, npmPackage } from '../support/packages.ts'
import { readVector, vectorCases, vectorInput } from '../support/vectors.ts'
import {
  buildComponent,
  buildModule,
  buildNamedModule,
  CODE_SECTION,
  COMPONENT_PREAMBLE,
  customSection,
  FUNCTION_SECTION,
  leb,
  MODULE_PREAMBLE,
  nameSection,
  TYPE_SECTION,
  wasmSection,
} from '../support/wasm-packages.ts'
import { buildJar } from '../support/zip-packages.ts'

const coded = (code: string): unknown => expect.objectContaining({ code, name: 'MalformedError' })
const BUNDLE = Buffer.from('{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}')

function open(bytes: Uint8Array): Promise<Artifact> {
  return wasm.open(memoryFile('demo.wasm', bytes))
}

async function drain(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  return Buffer.concat(parts)
}

async function embed(bytes: Uint8Array, bundle: Uint8Array = BUNDLE): Promise<Buffer> {
  const attachment = await wasm.attach(memoryFile('demo.wasm', bytes), bundle)
  if (attachment.kind !== 'embedded') throw new Error('expected an embedded bundle')
  return drain(attachment.bytes)
}

const unnamed = { name: undefined, version: undefined, purl: undefined, statementNames: [] }

describeFormatAdapter({
  adapter: wasm,
  samples: [
    {
      filename: 'demo.wasm',
      bytes: buildNamedModule(),
      name: 'demo',
      version: '1.2.3',
      purl: undefined,
      statementNames: [],
    },
    {
      filename: 'component.wasm',
      bytes: buildComponent(
        wasmSection(1, buildModule()),
        nameSection('part', 'component-name'),
        customSection('version', '0.1'),
      ),
      name: 'part',
      version: '0.1',
      purl: undefined,
    },
    { filename: 'empty.wasm', bytes: buildModule(), name: undefined, version: undefined, purl: undefined },
    { filename: 'bundled.wasm', bytes: buildModule(customSection('sigstore', BUNDLE)), ...unnamed },
  ],
  foreign: [
    { what: 'an npm tarball', bytes: npmPackage() },
    { what: 'a jar', bytes: buildJar() },
    { what: 'a text module', bytes: Buffer.from('(module)') },
    { what: 'half a magic number', bytes: Buffer.from('\0as') },
  ],
  broken: [
    {
      what: 'a version of a draft',
      bytes: Buffer.from('\0asm\u000a\0\u0001\0', 'latin1'),
      code: 'MALFORMED_PACKAGE',
    },
    { what: 'a magic number alone', bytes: Buffer.from('\0asm'), code: 'PACKAGE_TRUNCATED' },
    { what: 'another file', bytes: Buffer.from('hello world'), code: 'MALFORMED_PACKAGE' },
    {
      what: 'an unknown section',
      bytes: buildModule(wasmSection(14, Buffer.of(0))),
      code: 'MALFORMED_PACKAGE',
    },
    {
      what: 'an unknown section of a component',
      bytes: buildComponent(wasmSection(13, Buffer.of(0))),
      code: 'MALFORMED_PACKAGE',
    },
    {
      what: 'a size of more than 32 bits',
      bytes: buildModule(Buffer.of(1, 0xff, 0xff, 0xff, 0xff, 0x10)),
      code: 'MALFORMED_PACKAGE',
    },
    {
      what: 'a size of six bytes',
      bytes: buildModule(Buffer.of(1, 0x80, 0x80, 0x80, 0x80, 0x80, 0)),
      code: 'MALFORMED_PACKAGE',
    },
    {
      what: 'a section of four gigabytes',
      bytes: buildModule(Buffer.of(1, 0xff, 0xff, 0xff, 0xff, 0x0f)),
      code: 'PACKAGE_TRUNCATED',
    },
    { what: 'a size that is cut off', bytes: buildModule(Buffer.of(1, 0x80)), code: 'PACKAGE_TRUNCATED' },
    { what: 'a section without a size', bytes: buildModule(Buffer.of(1)), code: 'PACKAGE_TRUNCATED' },
    {
      what: 'a section name that leaves its section',
      bytes: buildModule(wasmSection(0, Buffer.of(5, 0x61)), TYPE_SECTION),
      code: 'MALFORMED_PACKAGE',
    },
    {
      what: 'a section name that is not UTF-8',
      bytes: buildModule(wasmSection(0, Buffer.of(1, 0xff))),
      code: 'MALFORMED_PACKAGE',
    },
    {
      what: 'a section name beyond limits',
      bytes: buildModule(customSection('n'.repeat(WASM_LIMITS.name + 1))),
      code: 'PACKAGE_LIMIT',
    },
    {
      what: 'section names that fill the memory',
      bytes: buildModule(...Array.from({ length: 2049 }, () => customSection('n'.repeat(WASM_LIMITS.name)))),
      code: 'PACKAGE_LIMIT',
    },
    {
      what: 'more sections than any module has',
      bytes: buildModule(Buffer.alloc(3 * (WASM_LIMITS.sections + 1), wasmSection(1, Buffer.of(0)))),
      code: 'PACKAGE_LIMIT',
    },
    {
      what: 'two bundles',
      bytes: buildModule(customSection('sigstore', BUNDLE), customSection('sigstore', BUNDLE)),
      code: 'PACKAGE_DUPLICATE',
    },
    {
      what: 'a bundle beyond limits',
      bytes: buildModule(customSection('sigstore', Buffer.alloc(WASM_LIMITS.content + 1))),
      code: 'PACKAGE_LIMIT',
    },
  ],
})

describe('a WebAssembly binary', () => {
  it('is refused at every cut that is not the end of a section', async () => {
    const sections = [
      TYPE_SECTION,
      FUNCTION_SECTION,
      CODE_SECTION,
      nameSection('demo'),
      customSection('version', '1'),
    ]
    const whole = buildModule(...sections)
    const ends = new Set<number>()
    let end = MODULE_PREAMBLE.length
    for (const section of [Buffer.alloc(0), ...sections]) ends.add((end += section.length))
    for (let cut = 0; cut < whole.length; cut++) {
      const cutOff = open(whole.subarray(0, cut))
      // a module that ends between two sections is a whole one: only a signature can tell
      if (ends.has(cut)) await expect(cutOff, `cut at ${cut}`).resolves.toMatchObject({ format: 'wasm' })
      else await expect(cutOff, `cut at ${cut}`).rejects.toThrow(coded('PACKAGE_TRUNCATED'))
    }
  })

  it('may write sizes longer than needed, as linkers do', async () => {
    const padded = Buffer.concat([MODULE_PREAMBLE, Buffer.of(1), leb(4, 5), TYPE_SECTION.subarray(2)])
    expect((await open(padded)).notes).toEqual(['module with 1 sections'])
  })

  it('is walked without reading the bodies', async () => {
    const size = 3 * 1024 * 1024 * 1024
    const body = size - 8 - 6
    const head = Buffer.concat([MODULE_PREAMBLE, Buffer.of(11), leb(body, 5)])
    const file = lazyFile('big.wasm', size, (offset, length) => {
      const bytes = Buffer.alloc(length)
      if (offset === 0) head.copy(bytes)
      return bytes
    })
    expect((await wasm.open(file)).notes).toEqual(['module with 1 sections'])
    expect(file.bytesRead()).toBeLessThan(200_000)
  })

  it('is a plain error when it is only named like one', async () => {
    await expect(detect(memoryFile('x.wasm', Buffer.from('(module)')))).rejects.toThrow(
      coded('MALFORMED_PACKAGE'),
    )
  })
})

describe('LEB128', () => {
  it.each([0, 1, 127, 128, 300, 2 ** 21, 2 ** 28, 2 ** 32 - 1])('goes round for %s', (value) => {
    const bytes = encodeLeb(value)
    expect(parseLeb(bytes, 0)).toEqual({ value, next: bytes.length })
    expect(Buffer.from(bytes).equals(leb(value))).toBe(true)
  })

  it.each([
    ['nothing', []],
    ['an open end', [0x80]],
    ['a fifth byte beyond 32 bits', [0x80, 0x80, 0x80, 0x80, 0x10]],
    ['a sixth byte', [0x80, 0x80, 0x80, 0x80, 0x80, 0x00]],
  ])('is no number: %s', (_what, bytes) => {
    expect(parseLeb(Uint8Array.from(bytes), 0)).toBeUndefined()
  })
})

describe('what a module says about itself', () => {
  it('is a name only together with a version, and never a package URL', async () => {
    expect((await open(buildModule(nameSection('demo')))).subject).toEqual(unnamed)
    expect((await open(buildModule(customSection('version', '1')))).subject).toEqual(unnamed)
    expect((await open(buildNamedModule())).subject).toEqual({ ...unnamed, name: 'demo', version: '1.2.3' })
  })

  it('is not taken where it is ambiguous or would have to be escaped', async () => {
    const twice = buildModule(
      nameSection('demo'),
      customSection('version', '1'),
      customSection('version', '2'),
    )
    const { subject, notes } = await open(twice)
    expect(subject).toEqual(unnamed)
    expect(notes).toContain("section 'version' is there more than once, or is not a short text")
    const control = buildModule(nameSection('demo'), customSection('version', '1\u202e2'))
    expect((await open(control)).subject).toEqual(unnamed)
    expect((await open(control)).notes).toContain("section 'version' says: 1\\u{202e}2")
    const names = buildModule(nameSection('one'), nameSection('two'), customSection('version', '1'))
    expect((await open(names)).subject).toEqual(unnamed)
  })

  it.each([
    ['is empty', Buffer.of()],
    ['starts with another subsection', Buffer.of(1, 1, 0)],
    ['is cut off', Buffer.of(0, 5, 4, 0x61)],
    ['has two lengths', Buffer.of(0, 9, 4, 0x64, 0x65, 0x6d, 0x6f)],
    ['has no length', Buffer.of(0)],
  ])('is no name where the name section %s', async (_what, content) => {
    const { subject } = await open(buildModule(customSection('name', content), customSection('version', '1')))
    expect(subject).toEqual(unnamed)
  })

  it('is shown: annotations and producers', async () => {
    const text = (value: string): Buffer => Buffer.concat([leb(value.length), Buffer.from(value)])
    const field = [text('language'), leb(2), text('Rust'), text('1.90'), text('C'), text('')]
    const { notes } = await open(
      buildModule(
        customSection('revision', 'abc'),
        customSection('licenses', 'MIT'),
        customSection('producers', Buffer.concat([leb(1), ...field])),
      ),
    )
    expect(notes).toEqual([
      'module with 3 sections, custom: revision, licenses, producers',
      "section 'revision' says: abc",
      "section 'licenses' says: MIT",
      'language: Rust 1.90',
      'language: C',
    ])
  })

  it.each([
    ['cut off', Buffer.of(1, 5, 0x61)],
    ['without counts', Buffer.of(1, 1, 0x61)],
    ['too large', Buffer.alloc(70_000)],
    ['endless', Buffer.of(1, 1, 0x61, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 0x62, 1, 0x63)],
  ])('is not shown where the producers are %s', async (_what, content) => {
    expect((await open(buildModule(customSection('producers', content)))).notes.join()).toContain(
      "section 'producers' cannot be read",
    )
  })
})

describe('a bundle inside', () => {
  it.each([
    ['a module', buildNamedModule()],
    ['a component', Buffer.concat([COMPONENT_PREAMBLE, customSection('x')])],
  ])('covers %s without the section that holds it', async (_what, bytes) => {
    const bundled = await embed(bytes)
    expect(bundled.subarray(0, bytes.length).equals(bytes)).toBe(true)
    expect(bundled.subarray(bytes.length).equals(customSection('sigstore', BUNDLE))).toBe(true)
    const [found, second] = (await open(bundled)).embedded
    expect(second).toBeUndefined()
    expect(found?.where).toBe("custom section 'sigstore'")
    expect(Buffer.from(found?.bytes ?? []).equals(BUNDLE)).toBe(true)
    for (let time = 0; time < 2; time++) {
      expect((await drain(found?.signedBytes?.() ?? (async function* () {})())).equals(bytes)).toBe(true)
    }
  })

  it('is found wherever the section stands', async () => {
    const section = customSection('sigstore', BUNDLE)
    for (const bytes of [
      buildModule(section, TYPE_SECTION),
      buildModule(TYPE_SECTION, section, FUNCTION_SECTION),
    ]) {
      const [found] = (await open(bytes)).embedded
      const rest = await drain(found?.signedBytes?.() ?? (async function* () {})())
      expect(rest.length).toBe(bytes.length - section.length)
      expect(rest.includes(section)).toBe(false)
    }
  })

  it('is not looked for in nested binaries', async () => {
    const nested = buildComponent(wasmSection(1, buildModule(customSection('sigstore', BUNDLE))))
    expect((await open(nested)).embedded).toEqual([])
  })

  it('is not put in twice, and not beyond limits', async () => {
    const bundled = await embed(buildModule())
    await expect(wasm.attach(memoryFile('x.wasm', bundled), BUNDLE)).rejects.toThrow(
      coded('PACKAGE_DUPLICATE'),
    )
    const large = Buffer.alloc(WASM_LIMITS.content + 1)
    await expect(wasm.attach(memoryFile('x.wasm', buildModule()), large)).rejects.toThrow(
      coded('PACKAGE_LIMIT'),
    )
  })
})

describe('published WebAssembly', () => {
  const modules = vectorCases('wasm').filter((vector) => 'module' in vector.inputs)
  it.each(modules.map((vector) => [vector.id, vector] as const))(
    'is read or refused: %s',
    async (_id, vector) => {
      const bytes = readVector(vectorInput(vector, 'module'))
      const file = memoryFile('vector', bytes)
      expect((await detect(file)).adapter).toBe(wasm)
      if (vector.expected.result === 'fail') {
        await expect(wasm.open(file)).rejects.toThrow(coded('MALFORMED_PACKAGE'))
        return
      }
      expect((await wasm.open(file)).notes[0]).toMatch(/^module with \d+ sections/)
      const [found] = (await open(await embed(bytes))).embedded
      expect((await drain(found?.signedBytes?.() ?? (async function* () {})())).equals(bytes)).toBe(true)
    },
  )
})
