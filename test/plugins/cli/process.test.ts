import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { spawn as spawnOnTerminal } from '@lydell/node-pty'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { npmPackage } from '../../support/packages.ts'

const shim = fileURLToPath(new URL('../../../plugins/cli/sigward.js', import.meta.url))
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sigward-process-'))
  for (const name of ['a', 'b', 'c']) writeFileSync(join(folder, `${name}.tgz`), npmPackage({ name }))
})
afterAll(() => rmSync(folder, { recursive: true }))

function environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    XDG_CACHE_HOME: join(folder, '.cache'),
    TERM: 'xterm',
    ...more,
  }
}

function run(...args: readonly string[]) {
  return spawnSync(process.execPath, [shim, ...args], { cwd: folder, env: environment(), encoding: 'utf8' })
}

/** Runs the command with a terminal at both ends; what it printed, with every control code. */
function runOnTerminal(
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
  columns = 80,
): Promise<{ readonly text: string; readonly code: number }> {
  return new Promise((resolve) => {
    let text = ''
    const options = { cwd: folder, env: environment(more), cols: columns, rows: 30 }
    const terminal = spawnOnTerminal(process.execPath, [shim, ...args], options)
    terminal.onData((data) => {
      text += data
    })
    terminal.onExit(({ exitCode }) => resolve({ text, code: exitCode }))
  })
}

const BAR = /\r\u001b\[K\[[#.]{20}\] \d\/3 /
const COLOUR = /\u001b\[\d+m/

describe('on a terminal', () => {
  it('a bar shows how far it is, and is taken away; the outcome has its colour', async () => {
    const { text, code } = await runOnTerminal(['verify', 'a.tgz', 'b.tgz', 'c.tgz'])
    expect(text).toMatch(BAR)
    expect(text).toContain('[......')
    expect(text).toContain('] 2/3 c.tgz\r\u001b[K')
    expect(text).toContain('\u001b[33munsigned')
    expect(text.trimEnd().split('\r\n').at(-1)).toBe('3 artifacts: 3 unsigned')
    expect(code).toBe(5)
  })

  it.each([
    ['NO_COLOR', { NO_COLOR: '1' }],
    ['TERM=dumb', { TERM: 'dumb' }],
  ])('%s leaves the colours out and the words in', async (_, more) => {
    const { text } = await runOnTerminal(['verify', 'a.tgz', 'b.tgz', 'c.tgz'], more)
    expect(text).not.toMatch(COLOUR)
    expect(text).toContain('unsigned  a.tgz')
  })

  it('--no-progress and --quiet draw no bar', async () => {
    for (const flag of ['--no-progress', '--quiet']) {
      const { text } = await runOnTerminal(['verify', flag, 'a.tgz', 'b.tgz', 'c.tgz'])
      expect(text).not.toMatch(BAR)
      expect(text).toContain('unsigned')
    }
  })

  it('prose is wrapped to the width, digests are not broken', async () => {
    const { text } = await runOnTerminal(['explain', 'SUBJECT_NOT_FOUND'], {}, 60)
    const lines = text.replaceAll(/\u001b\[\d+m/g, '').split('\r\n')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60)
    expect(lines.length).toBeGreaterThan(15)
    expect((await runOnTerminal(['verify', 'a.tgz'], { NO_COLOR: '1' }, 60)).text).toMatch(
      /sha256:[0-9a-f]{64}\r?/,
    )
  })
})

describe('in a pipe', () => {
  it('there is no bar, no colour, no control code', () => {
    const { stdout, stderr, status } = run('verify', 'a.tgz', 'b.tgz', 'c.tgz')
    expect(stdout + stderr).not.toMatch(/[^\n\x20-\x7e]/)
    expect(stdout).toContain('3 artifacts: 3 unsigned\n')
    expect([stderr, status]).toEqual(['', 5])
  })

  it('a reader that goes away is no error, and the exit code stays', async () => {
    const child = spawn(process.execPath, [shim, 'verify', '--explain', 'a.tgz', 'b.tgz', 'c.tgz', 'gone'], {
      cwd: folder,
      env: environment(),
    })
    let complaint = ''
    child.stderr.on('data', (data) => {
      complaint += String(data)
    })
    child.stdout.destroy()
    const code = await new Promise((resolve) => child.on('close', resolve))
    expect([complaint, code]).toEqual(['', 3])
  })
})

describe('a start', () => {
  /** Names of the files that a command loads, told by Node itself. */
  function loadedBy(...args: readonly string[]): string {
    const hook = `
      import { registerHooks } from 'node:module'
      import { appendFileSync } from 'node:fs'
      registerHooks({ load(url, context, next) { appendFileSync(${JSON.stringify(join(folder, 'loaded'))}, url + '\\n'); return next(url, context) } })
      process.on('exit', () => appendFileSync(${JSON.stringify(join(folder, 'loaded'))}, process.moduleLoadList.join('\\n')))`
    const preload = `data:text/javascript,${encodeURIComponent(hook)}`
    const options = { cwd: folder, env: environment(), encoding: 'utf8' } as const
    rmSync(join(folder, 'loaded'), { force: true })
    spawnSync(process.execPath, ['--import', preload, shim, ...args], options)
    return spawnSync('cat', [join(folder, 'loaded')], { encoding: 'utf8' }).stdout
  }

  it('of --version and verify loads no argument parser and no HTTP', () => {
    for (const args of [['--version'], ['verify', 'a.tgz'], ['verify', 'a.tgz', '--json']]) {
      const loaded = loadedBy(...args)
      expect(loaded).toContain('plugins/cli/main.ts')
      expect(loaded).not.toMatch(/node_modules\/yargs/)
      expect(loaded).not.toMatch(/NativeModule (?:internal\/deps\/undici\/undici|http|_http_client|https)$/m)
    }
  })

  it('of a command line that cannot be read loads the parser that explains it, so these tests would see it', () => {
    expect(loadedBy('verfiy', '-x')).toMatch(/node_modules\/yargs|plugins\/cli\/wire\.ts/)
  })

  it('of --version loads neither the engine nor the pages of explain', () => {
    expect(loadedBy('--version')).not.toMatch(/daemon\/engine\.ts|explain\/pages\.ts/)
  })
})
