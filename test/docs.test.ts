import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../plugins/cli/commands.ts'
import { EXIT_CODES } from '../daemon/api.ts'
import { REMEDIES } from '../trust/codes.ts'
import { anchorsOf, fencedBlocks, linksOf } from './support/markdown.ts'
import { hasVectors, parseTranscript, patternOf, playTranscript } from './support/transcript.ts'

/** The documents say what is there. */
const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** Files of the project, also those that are not committed yet. */
const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
})
  .toString('utf8')
  .split('\0')
  .filter((path) => path !== '' && existsSync(join(root, path)))
const documents = files.filter((path) => path.endsWith('.md') && path !== 'docs/api/sigward.api.md')

describe('docs/verification.md', () => {
  const text = read('docs/verification.md')

  it('has every code', () => {
    expect(Object.keys(REMEDIES).filter((code) => !text.includes(`\`${code}\``))).toEqual([])
  })

  it('has no other code', () => {
    const prefixes = new Set(Object.keys(REMEDIES).map((code) => code.split('_')[0]))
    const named = [...text.matchAll(/`([A-Z]+(?:_[A-Z0-9]+)+)`/g)].map(([, code = '']) => code)
    const unknown = named.filter((code) => prefixes.has(code.split('_')[0]) && !(code in REMEDIES))
    expect(unknown).toEqual([])
  })
})

describe('docs/threat-model.md', () => {
  it('names a test for every rule that is built', () => {
    const [, ...sections] = read('docs/threat-model.md').split('\n## ').slice(1)
    const rows = sections
      .flatMap((section) => section.split('\n'))
      .filter((line) => line.startsWith('| ') && line !== '| rule | code | test |')
    expect(rows.length).toBeGreaterThan(20)
    expect(rows.filter((row) => !row.includes('`test/') && !row.includes('not built yet'))).toEqual([])
  })
})

describe('documents', () => {
  it('are there', () => {
    const wanted = ['README.md', 'CHANGELOG.md', 'docs/architecture.md', 'docs/library.md', 'docs/policy.md']
    expect(documents).toEqual(expect.arrayContaining(wanted))
  })

  it('name files that exist', () => {
    const named = documents.flatMap((path) =>
      [...read(path).matchAll(/`((?:trust|formats|daemon|plugins|test|docs)\/[\w./-]*)(\*[\w.]*)?`/g)].map(
        ([, target = '', glob]) => [path, glob === undefined ? target : dirname(target)] as const,
      ),
    )
    expect(named.length).toBeGreaterThan(50)
    // the format that the guide invents
    const invented = ['formats/deb.ts', 'test/formats/deb.test.ts']
    const missing = named.filter(
      ([, target]) => !existsSync(join(root, target)) && !invented.includes(target),
    )
    expect(missing).toEqual([])
  })

  it('link to what is there', () => {
    const broken = documents.flatMap((path) =>
      linksOf(read(path))
        .filter((target) => !/^https?:/.test(target))
        .filter((target) => !leads(path, target))
        .map((target) => `${path}: ${target}`),
    )
    expect(broken).toEqual([])
  })
})

function leads(from: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? from : normalize(join(dirname(from), path))
  if (!existsSync(join(root, target))) return false
  return anchor === undefined || anchorsOf(read(target)).includes(anchor)
}

describe('README.md', () => {
  const readme = read('README.md')

  it('starts with two commands, and the first names an identity', () => {
    const [first] = fencedBlocks(readme)
    const [verify, test] = (first?.code ?? '').trim().split('\n')
    expect(verify).toMatch(/^npm ci && npx sigward verify <package> --identity \S+ --issuer \S+$/)
    expect(test).toBe('npm ci && npm test')
  })

  it('names flags and commands that are there', () => {
    const known = new Set([
      '--help',
      ...COMMANDS.flatMap(({ flags }) => flags.map(({ name }) => `--${name}`)),
    ])
    const named = readme.match(/(?<![\w-])--[a-z][a-z-]*/g) ?? []
    expect(named.length).toBeGreaterThan(10)
    expect(named.filter((flag) => !known.has(flag))).toEqual([])
    const commands = COMMANDS.map(({ name }) => name as string)
    const used = [...readme.matchAll(/`sigward ([a-z]+)/g)].map(([, name = '']) => name)
    expect(new Set(used)).toEqual(new Set(commands))
  })

  it('has every exit code', () => {
    const table = [...readme.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code))
    expect(table).toEqual(Object.values(EXIT_CODES).toSorted((a, b) => a - b))
  })

  const examples = fencedBlocks(readme).filter(({ language }) => language === 'console')
  const story = parseTranscript(
    [
      '%vector gh-cli/sigstore-js-2.1.0.tgz sigstore-2.1.0.tgz',
      '%vector gh-cli/sigstore-js-2.1.0-bundle.json sigstore-2.1.0.tgz.sigstore.json',
      '%vector npm-registry/sigstore-1.3.0.tgz sigstore-1.3.0.tgz',
      ...examples.map(({ code }, i) => `${code.replaceAll(/\d+ days old/g, '[..] days old')}[exit ${i}]\n`),
    ].join('\n'),
  )

  it.skipIf(!hasVectors(story))('shows what the commands print', () => {
    const played = playTranscript(story)
    expect(played.map(({ exit }) => exit)).toEqual([EXIT_CODES.verified, EXIT_CODES.rejected])
    for (const [i, { output }] of played.entries()) {
      expect(output).toMatch(patternOf(story.steps[i]?.output ?? []))
    }
  })
})

describe('every file', () => {
  const texts = files
    .map((path) => [path, readFileSync(join(root, path))] as const)
    .filter(([, bytes]) => !bytes.includes(0))
    .map(([path, bytes]) => [path, bytes.toString('utf8')] as const)

  it('names no host of a package registry', () => {
    // written apart, so that this file names none either
    const hosts = [
      ['npmjs', 'org'],
      ['npmjs', 'com'],
      ['rubygems', 'org'],
      ['maven', 'org'],
      ['maven.apache', 'org'],
      ['sonatype', 'com'],
      ['yarnpkg', 'com'],
      ['pypi', 'org'],
      ['pythonhosted', 'org'],
      ['ghcr', 'io'],
      ['docker', 'io'],
      ['crates', 'io'],
      ['artifacthub', 'io'],
      ['brew', 'sh'],
    ].map((parts) => parts.join('.'))
    const found = texts.flatMap(([path, text]) =>
      hosts.filter((host) => text.includes(host)).map((host) => [path, host]),
    )
    expect(texts.length).toBeGreaterThan(100)
    expect(found).toEqual([])
  })

  it('names no path of one machine', () => {
    const own = new RegExp(
      ['(?:^|[\\s\'"`(=])/(?:work', 'root', 'home/[a-z]', 'Users/[A-Za-z])'].join('|'),
      'm',
    )
    expect(texts.filter(([, text]) => own.test(text)).map(([path]) => path)).toEqual([])
  })
})
