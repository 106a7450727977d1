import { Buffer } from 'node:buffer'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CORPUS } from './corpus.ts'
import { fuzz, type TargetResult } from './fuzz.ts'
import { inputAt } from './input.ts'
import { TARGETS as PLANTED } from './planted.ts'
import type { Target } from './target.ts'
import { TARGETS } from './targets.ts'

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const temporary = mkdtempSync(join(tmpdir(), 'sigward-fuzz-test-'))
afterAll(() => rmSync(temporary, { recursive: true }))

function run(...args: readonly string[]) {
  const environment = { ...process.env, TMPDIR: temporary }
  const { status, stdout, stderr } = spawnSync(process.execPath, [path('run.ts'), ...args], {
    encoding: 'utf8',
    env: environment,
  })
  return { status, stdout, stderr, lines: stdout.trimEnd().split('\n') }
}

describe('a slice of what "npm run fuzz" does', () => {
  let results: readonly TargetResult[]

  beforeAll(async () => {
    const targets = TARGETS.map(({ name }) => name)
    const limits = { count: 250, milliseconds: 200, timeLimit: 5000 }
    results = await fuzz({ module: path('targets.ts'), targets, seed: 1, ...limits }, () => undefined)
  }, 90_000)

  it.each(TARGETS.map(({ name }) => name))('finds nothing in %s', (name) => {
    const result = results.find(({ target }) => target === name)
    expect(result?.found).toBeUndefined()
    expect(result?.totals?.inputs).toBeGreaterThan(0)
  })
})

describe('the inputs', () => {
  it.each(TARGETS)('of $name start from at least one that is accepted', async ({ corpus, run: accept }) => {
    let accepted = 0
    for (const input of corpus()) {
      const outcome = await Promise.allSettled([Promise.resolve(input).then(accept)])
      if (outcome[0].status === 'fulfilled') accepted++
    }
    expect(accepted).toBeGreaterThan(0)
  })

  it('follow from seed, target and number alone', () => {
    const [target] = TARGETS as readonly [Target]
    const corpus = target.corpus()
    const made = (seed: number): string[] =>
      Array.from({ length: 50 }, (_, i) =>
        Buffer.from(inputAt(target, corpus, seed, corpus.length + i)).toString('hex'),
      )
    expect(made(1)).toEqual(made(1))
    expect(made(2)).not.toEqual(made(1))
    expect(new Set(made(1)).size).toBeGreaterThan(40)
  })

  it('start from the same corpus in every process', () => {
    const script = `
      import { CORPUS } from ${JSON.stringify(path('corpus.ts'))}
      import { createHash } from 'node:crypto'
      const digest = createHash('sha256')
      for (const make of Object.values(CORPUS)) for (const bytes of make()) digest.update(bytes)
      process.stdout.write(digest.digest('hex'))`
    const other = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    const digest = createHash('sha256')
    for (const make of Object.values(CORPUS)) for (const bytes of make()) digest.update(bytes)
    expect(other).toBe(digest.digest('hex'))
  })
})

describe('a mistake that was planted', () => {
  let results: readonly TargetResult[]

  beforeAll(async () => {
    const targets = PLANTED.map(({ name }) => name)
    const limits = { count: 60, milliseconds: 60_000, timeLimit: 500 }
    results = await fuzz({ module: path('planted.ts'), targets, seed: 3, ...limits }, () => undefined)
  }, 90_000)

  it.each([
    ['throws', /^error TypeError: planted/],
    ['wrong-class', /^error RangeError: planted/],
    ['breaks-promise', /^error Error: broken promise: planted/],
    ['rejects-later', /^error nobody awaited: Error: planted/],
    ['loops', /^time no answer within/],
    ['waits', /^time no answer within/],
    ['allocates', /^memory \d+ bytes for an input of \d+/],
    ['fills-heap', /^(?:death|memory|time) /],
    ['dies', /^death exit SIGABRT/],
    ['leaves', /^death exit 0/],
  ])('is found: %s', (target, expected) => {
    const found = results.find((result) => result.target === target)?.found
    expect(`${found?.how} ${found?.why}`).toMatch(expected)
    expect(found?.index).toBeGreaterThan(0)
  })

  it('is not found where there is none', () => {
    const { found, totals } = results.find(({ target }) => target === 'sound') ?? {}
    expect(found).toBeUndefined()
    expect(totals?.inputs).toBe(60)
    expect(totals?.refused).toBeGreaterThan(0)
  })
})

describe('the command', () => {
  it('writes what it found, says how to see it again, and fails', () => {
    const first = run(
      '--module',
      path('planted.ts'),
      '--target',
      'throws',
      '--target',
      'sound',
      '--count',
      '60',
      '--seed',
      '3',
    )
    expect(first.status).toBe(1)
    expect(first.lines.at(-1)).toBe('1 passed, 1 failed, 0 skipped')
    const [, again = ''] =
      /to see it again: npm run fuzz -- --target throws --input (\S+)$/m.exec(first.stdout) ?? []
    expect(again.startsWith(temporary)).toBe(true)
    expect(readFileSync(again, 'latin1')).toMatch(/^(?:[0-9a-f]{2})*[89a-f][0-9a-f]/)
    const second = run('--module', path('planted.ts'), '--target', 'throws', '--input', again)
    expect(second.status).toBe(1)
    expect(second.stdout).toContain('TypeError: planted')
    const [, numbered = ''] = /--seed 3 --from (\d+) --count 1$/m.exec(first.stdout) ?? []
    const third = run(
      '--module',
      path('planted.ts'),
      '--target',
      'throws',
      '--seed',
      '3',
      '--from',
      numbered,
      '--count',
      '1',
    )
    expect(third.stdout).toContain('TypeError: planted')
  })

  it('ends with its totals when nothing was found', () => {
    const { status, lines } = run('--target', 'vkey', '--count', '20')
    expect(status).toBe(0)
    expect(lines[0]).toBe('seed 1, 1 targets')
    expect(lines[1]).toMatch(/^vkey: 20 inputs, \d+ refused, at most \d+ ms, \d+ MiB$/)
    expect(lines.at(-1)).toBe('1 passed, 0 failed, 0 skipped')
  })

  it('knows its targets', () => {
    expect(run('--target', 'nothing')).toMatchObject({ status: 2 })
    expect(run('--list').lines).toEqual(TARGETS.map(({ name }) => name))
  })
})
