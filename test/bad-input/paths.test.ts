import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runProcess } from '../support/cli-process.ts'

/** Nothing that a path may lead to makes a command wait: all of these are refused at once, each by its name. */
const LIMIT = 20_000

const folder = mkdtempSync(join(tmpdir(), 'sigward-paths-'))
let server: Server

beforeAll(async () => {
  execFileSync('mkfifo', [join(folder, 'pipe')])
  server = createServer().listen(join(folder, 'socket'))
  await new Promise((resolve) => server.once('listening', resolve))
  symlinkSync('loop-b', join(folder, 'loop-a'))
  symlinkSync('loop-a', join(folder, 'loop-b'))
  symlinkSync('nowhere', join(folder, 'dangling'))
  symlinkSync('.', join(folder, 'itself'))
  writeFileSync(join(folder, 'file'), 'content')
  mkdirSync(join(folder, 'empty'))
})
afterAll(() => {
  server.close()
  rmSync(folder, { recursive: true })
})

const UNREADABLE = [
  ['pipe', 'STORE_UNREADABLE'],
  ['socket', 'STORE_UNREADABLE'],
  ['/dev/zero', 'STORE_UNREADABLE'],
  ['loop-a', 'STORE_UNREADABLE'],
  ['dangling', 'STORE_NOT_FOUND'],
  ['nowhere/file', 'STORE_NOT_FOUND'],
  ['file/below', 'STORE_NOT_FOUND'],
  ['x'.repeat(300), 'STORE_NOT_FOUND'],
] as const

describe('what is no file', () => {
  it('is no artifact', async () => {
    const paths = UNREADABLE.map(([path]) => path)
    const { code, stdout, stderr } = await runProcess(['verify', '--json', ...paths], folder, LIMIT)
    const lines = stdout
      .trim()
      .split('\n')
      .map(
        (line) => JSON.parse(line) as { readonly target: string; readonly error?: { readonly code: string } },
      )
    expect(lines.map(({ target, error }) => [target, error?.code])).toEqual(UNREADABLE)
    expect([code, stderr]).toEqual([3, ''])
  })

  it.each([
    ['a bundle', ['verify', 'file', '--bundle', 'pipe']],
    ['a key', ['verify', 'file', '--key', '/dev/zero']],
    ['a trusted root', ['verify', 'file', '--trusted-root', 'socket']],
    ['a policy', ['verify', 'file', '--policy', 'loop-a']],
    ['something to inspect', ['inspect', 'pipe']],
    ['a root to show', ['trust', 'show', '--trusted-root', 'pipe']],
  ])('is not %s', async (_what, args) => {
    const { code, stdout, stderr } = await runProcess(args, folder, LIMIT)
    expect(code).toBe(3)
    expect(stdout + stderr).toContain('STORE_UNREADABLE: ')
  })

  it('is not taken for a bundle beside a file, and not passed over either', async () => {
    writeFileSync(join(folder, 'other'), 'content')
    execFileSync('mkfifo', [join(folder, 'other.sigstore.json')])
    const { code, stdout } = await runProcess(['verify', 'other'], folder, LIMIT)
    expect(code).toBe(3)
    expect(stdout).toContain("STORE_UNREADABLE: 'other.sigstore.json' is not a regular file")
  })

  it('in a folder is named and left alone', async () => {
    const inner = join(folder, 'inner')
    mkdirSync(inner)
    execFileSync('mkfifo', [join(inner, 'pipe')])
    symlinkSync('..', join(inner, 'up'))
    writeFileSync(join(inner, 'file'), 'content')
    const { code, stdout, stderr } = await runProcess(['verify', 'inner'], folder, LIMIT)
    expect(code).toBe(5)
    expect(stdout).toMatch(/^unsigned {2}inner\/file$/m)
    expect(stderr).toContain("'inner/pipe' is not a regular file")
    expect(stderr).toContain("'inner/up' is a symbolic link")
  })

  it('may be an empty folder, which is a mistake', async () => {
    const { code, stderr } = await runProcess(['verify', 'empty'], folder, LIMIT)
    expect(code).toBe(2)
    expect(stderr).toContain('USAGE_ARGUMENT')
  })
})
