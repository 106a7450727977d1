import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runProcess, type Ended } from '../support/cli-process.ts'
import { HOSTILE } from './hostile-packages.ts'

/** What a process may hold while it reads any package; one that does next to nothing holds about half of it. */
const MEMORY = 240 * 1024 * 1024
const GB = 1024 * 1024 * 1024

const folder = mkdtempSync(join(tmpdir(), 'sigward-hostile-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Line {
  readonly target: string
  readonly outcome?: string
  readonly error?: { readonly code: string }
}

describe('every hostile package in one folder', () => {
  let ended: Ended
  let said: ReadonlyMap<string, string>

  beforeAll(async () => {
    const packages = join(folder, 'packages')
    mkdirSync(packages)
    for (const { filename, bytes, size } of HOSTILE) {
      writeFileSync(join(packages, filename), bytes)
      if (size !== undefined) truncateSync(join(packages, filename), size)
    }
    ended = await runProcess(['verify', '--json', 'packages'], folder, 120_000)
    const lines = ended.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line)
    said = new Map(lines.map(({ target, outcome, error }) => [target, error?.code ?? outcome ?? 'nothing']))
  }, 150_000)

  it('has a name of its own', () => {
    expect(new Set(HOSTILE.map(({ filename }) => filename)).size).toBe(HOSTILE.length)
  })

  it.each(HOSTILE)('$filename: $expected', ({ filename, expected }) => {
    expect(said.get(`packages/${filename}`)).toBe(expected)
  })

  it('is judged, and nothing else is', () => {
    expect(said.size).toBe(HOSTILE.length)
    expect([ended.code, ended.stderr]).toEqual([3, ''])
  })

  it('takes bounded memory', () => {
    expect(ended.memory).toBeGreaterThan(0)
    expect(ended.memory).toBeLessThan(MEMORY)
  })
})

describe('a file of 2 GB', () => {
  it('of no format is hashed with bounded memory', async () => {
    writeFileSync(join(folder, 'large.bin'), '')
    truncateSync(join(folder, 'large.bin'), 2 * GB)
    const { code, stdout, memory } = await runProcess(['verify', 'large.bin'], folder, 80_000)
    expect(code).toBe(5)
    expect(stdout).toContain('sha256:a7c744c13cc101ed66c29f672f92455547889cc586ce6d44fe76ae824958ea51')
    expect(memory).toBeLessThan(MEMORY)
  }, 90_000)
})

describe('evidence of a gigabyte', () => {
  it.each([
    ['a bundle beside the file', ['verify', 'a.bin']],
    ['a bundle', ['verify', 'b.bin', '--bundle', 'a.bin.sigstore.json']],
    ['a trusted root', ['verify', 'b.bin', '--trusted-root', 'a.bin.sigstore.json']],
    ['a key', ['verify', 'b.bin', '--key', 'a.bin.sigstore.json']],
    ['a policy', ['verify', 'b.bin', '--policy', 'a.bin.sigstore.json']],
  ])('is refused unread: %s', async (_what, args) => {
    writeFileSync(join(folder, 'a.bin'), 'a')
    writeFileSync(join(folder, 'b.bin'), 'b')
    writeFileSync(join(folder, 'a.bin.sigstore.json'), '{')
    truncateSync(join(folder, 'a.bin.sigstore.json'), GB)
    const { code, stdout, memory } = await runProcess(args, folder)
    expect(code).toBe(3)
    expect(stdout).toMatch(/STORE_UNREADABLE: 'a\.bin\.sigstore\.json' is larger than \d+ bytes/)
    expect(memory).toBeLessThan(MEMORY)
  })
})

describe('evidence that takes more memory than its size', () => {
  const MB = 1024 * 1024
  const contents = {
    'very many lines': () => '{}\n'.repeat(10 * MB),
    'very many items': () => `[${'[],'.repeat(5 * MB)}1]`,
    'very many objects': () => `{"mediaType":"x","y":[${'{},'.repeat(5 * MB)}1]}`,
    'a long text': () => `{"mediaType":"${'\\"'.repeat(7 * MB)}"}`,
    'nothing but line ends': () => '\n'.repeat(15 * MB),
  }
  it.each([
    ['very many lines', '--bundle'],
    ['very many items', '--bundle'],
    ['very many objects', '--bundle'],
    ['a long text', '--bundle'],
    ['nothing but line ends', '--trusted-root'],
    ['very many items', 'inspect'],
  ] as const)('is refused within bounds: %s, given to %s', async (what, flag) => {
    const content = contents[what]()
    writeFileSync(join(folder, 'large.json'), content)
    writeFileSync(join(folder, 'b.bin'), 'b')
    const args = flag === 'inspect' ? ['inspect', 'large.json'] : ['verify', 'b.bin', flag, 'large.json']
    const { code, stdout, memory } = await runProcess(args, folder)
    expect([0, 1, 3]).toContain(code)
    expect(stdout.slice(0, 5000)).toMatch(/BUNDLE_|STORE_UNREADABLE|MALFORMED_TRUSTED_ROOT|not verified/)
    expect(memory).toBeLessThan(MEMORY + 2 * content.length)
  })
})
