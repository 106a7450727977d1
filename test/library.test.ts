import { execFileSync, spawnSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as library from '../daemon/library.ts'
import {
  artifactFromBytes,
  parseTrustedRoot,
  parseWitnessPolicy,
  trustDomain,
  type TrustedRoot,
} from '../daemon/library.ts'
import { documentedExamples, fencedBlocks, type FencedBlock } from './support/markdown.ts'
import { vectorCases, vectorInput, vectorPath } from './support/vectors.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** A block of TypeScript, with the output that the block after it shows. */
interface Example {
  readonly name: string
  readonly code: string
  readonly output: string | undefined
}

function examplesOf(name: string, blocks: readonly FencedBlock[]): readonly Example[] {
  return blocks.flatMap(({ language, code }, i) => {
    const next = blocks[i + 1]
    const output = next?.language === 'text' ? next.code : undefined
    return language === 'ts' ? [{ name: `${name.replaceAll(/[/.]/g, '-')}-${i + 1}`, code, output }] : []
  })
}

const examples = ['README.md', 'docs/library.md'].flatMap((path) =>
  examplesOf(path, fencedBlocks(read(path))),
)
const documented = globSync('{trust,daemon}/**/*.ts', { cwd: root }).flatMap((path) =>
  examplesOf(path, documentedExamples(read(path))),
)

/** Inputs of published cases, under the names that the documents give them. */
const FILES = [
  ['gem', 'gem/sigstore-1.0.0', 'artifact', 'sigstore-1.0.0.gem'],
  ['gem', 'gem/sigstore-1.0.0', 'bundle', 'sigstore-1.0.0.gem.sigstore.json'],
  ['gem', 'gem/sigstore-1.0.0', 'trustedRoot', 'trusted_root.json'],
  ['gem', 'gem/sigstore-1.0.0-bundle-for-other-gem', 'artifact', 'test-1.0.0.gem'],
  ['npm', 'gh/sigstore-js-2.1.0', 'artifact', 'sigstore-2.1.0.tgz'],
  ['npm', 'gh/sigstore-js-2.1.0', 'bundle', 'sigstore-2.1.0.tgz.sigstore.json'],
] as const

function inputOf(kind: string, id: string, input: string): string | undefined {
  const found = vectorCases(kind).find((vector) => vector.id === id)
  return found === undefined ? undefined : vectorPath(vectorInput(found, input))
}

const inputs = FILES.map(([kind, id, input, name]) => ({ name, path: inputOf(kind, id, input) }))

describe('examples', () => {
  // inside the project, where the compiler finds its types
  const sources = join(root, '.cache/examples')
  let folder: string

  beforeAll(() => {
    rmSync(sources, { recursive: true, force: true })
    mkdirSync(sources, { recursive: true })
    folder = mkdtempSync(join(tmpdir(), 'sigward-examples-'))
    for (const { name, path } of inputs) if (path !== undefined) symlinkSync(path, join(folder, name))
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('compile, those of the documents and those of doc comments', () => {
    for (const { name, code } of [...examples, ...documented])
      writeFileSync(join(sources, `${name}.ts`), code)
    const compilerOptions = { paths: { sigward: [join(root, 'daemon/library.ts')] }, noUnusedLocals: false }
    const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: ['*.ts'], exclude: [] }
    writeFileSync(join(sources, 'tsconfig.json'), JSON.stringify(config))
    const compiler = join(root, 'node_modules/.bin/tsc')
    const { stdout, status } = spawnSync(compiler, ['-p', sources], { encoding: 'utf8' })
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
  })

  it('stand at the main functions', () => {
    const called = documented.map(({ code }) => code).join('\n')
    const main = [
      'createEngine(',
      'parseBundle(',
      'parseTrustedRoot(',
      'identity(',
      'policy(',
      'trustDomain(',
    ]
    expect(main.filter((call) => !called.includes(call))).toEqual([])
    expect(examples.filter(({ output }) => output !== undefined).length).toBeGreaterThan(2)
  })

  const isThere = inputs.every(({ path }) => path !== undefined)

  it.skipIf(!isThere).each(examples)('$name prints what the document shows', ({ name, code, output }) => {
    const script = join(folder, `${name}.ts`)
    writeFileSync(
      script,
      code.replaceAll("'sigward'", `'${new URL('../daemon/library.ts', import.meta.url).href}'`),
    )
    const printed = execFileSync(process.execPath, [script], { cwd: folder, encoding: 'utf8' })
    expect(printed).toBe(output ?? '')
  })
})

describe('the API report', () => {
  const report = read('docs/api/sigward.api.md')

  it('has what the entry exports', () => {
    const values = [...report.matchAll(/^export (?:abstract )?(?:class|function|const) (\w+)/gm)].map(
      ([, name = '']) => name,
    )
    expect(values.toSorted()).toEqual(Object.keys(library).toSorted())
  })

  it('finds everything documented but the words that tell variants apart', () => {
    const undocumented = report.match(/\(undocumented\)\n.*/g) ?? []
    const plain = undocumented.filter((found) => !/\n +readonly (?:kind|name|outcome|purpose)\b/.test(found))
    expect(plain).toEqual([])
  })
})

describe('artifactFromBytes', () => {
  const collect = async (artifact: library.Artifact): Promise<Buffer> => {
    const chunks: Uint8Array[] = []
    for await (const chunk of artifact.signedBytes()) chunks.push(chunk)
    return Buffer.concat(chunks)
  }

  it('keeps the bytes that were given, whoever writes to them later', async () => {
    const given = Buffer.from('abc')
    const artifact = artifactFromBytes(given)
    given[0] = 0x58
    const first = await collect(artifact)
    expect(first.toString()).toBe('abc')
    for await (const chunk of artifact.signedBytes()) chunk[1] = 0x58
    expect((await collect(artifact)).toString()).toBe('abc')
  })

  it('has no name unless one is given', () => {
    const { format, subject } = artifactFromBytes(new Uint8Array())
    expect(format).toBe('bytes')
    expect(subject).toEqual({ name: undefined, version: undefined, purl: undefined, statementNames: [] })
  })

  it('lets statements speak of its package URL', () => {
    const { subject } = artifactFromBytes(new Uint8Array(), { purl: 'pkg:npm/a@1' })
    expect(subject.statementNames).toEqual(['pkg:npm/a@1'])
  })
})

describe('trustDomain', () => {
  const empty = JSON.stringify({ mediaType: 'application/vnd.dev.sigstore.trustedroot.v0.2+json' })
  const given: TrustedRoot = parseTrustedRoot(Buffer.from(empty))
  const speaksFor = { issuers: [], packages: [] } as const

  it('asks for one of each and names its source', () => {
    const domain = trustDomain({ name: 'acme', root: given, speaksFor })
    expect(domain.thresholds).toEqual({ logs: 1, certificateLogs: 1, times: 1 })
    expect(domain.source).toEqual({ kind: 'given', description: 'given by the caller', asOf: undefined })
    expect(domain).toMatchObject({ keys: [], witnesses: undefined })
  })

  it('has a name', () => {
    expect(() => trustDomain({ name: '', root: given, speaksFor })).toThrow(
      expect.objectContaining({ code: 'TRUST_DOMAIN_NAMES' }),
    )
  })

  it.each([
    { logs: -1, certificateLogs: 1, times: 1 },
    { logs: 1, certificateLogs: Number.NaN, times: 1 },
    { logs: 1, certificateLogs: 1, times: 0 },
    { logs: 0.5, certificateLogs: 1, times: 1 },
  ])('refuses thresholds that ask for less than nothing, or for no time: %o', (thresholds) => {
    expect(() => trustDomain({ name: 'acme', root: given, speaksFor, thresholds })).toThrow(
      expect.objectContaining({ code: 'USAGE_ARGUMENT' }),
    )
  })

  it('refuses witnesses of logs that nobody asks for', () => {
    const thresholds = { logs: 0, certificateLogs: 0, times: 1 }
    const witnesses = parseWitnessPolicy('quorum none\n')
    expect(() => trustDomain({ name: 'acme', root: given, speaksFor, thresholds, witnesses })).toThrow(
      expect.objectContaining({ code: 'USAGE_ARGUMENT' }),
    )
  })
})
