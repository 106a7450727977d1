import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const shim = 'plugins/cli/sigward.js'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sigward-shim-'))
  put('package.json', '{"type":"module"}')
  put('dist/plugins/cli/main.js', "process.stdout.write(`built ${process.argv.slice(2).join(' ')}`)")
  cpSync(join(root, shim), join(folder, shim), { recursive: true })
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function put(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

/** Runs the shim, as if by another Node where a version is given. */
function start(version = process.versions.node) {
  const versions = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`
  const preload = `data:text/javascript,${encodeURIComponent(versions)}`
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') }
  const args = ['--import', preload, join(folder, shim), 'verify', 'x']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env })
  return { status, stdout, stderr }
}

describe('the shim', () => {
  test('runs what was built, with the arguments', () => {
    expect(start()).toEqual({ status: 0, stdout: 'built verify x', stderr: '' })
  })

  test('prefers the sources beside it', () => {
    put('plugins/cli/main.ts', "process.stdout.write('sources' satisfies string)")
    expect(start()).toEqual({ status: 0, stdout: 'sources', stderr: '' })
  })

  test.each([
    '22.22.2',
    '22.22.10',
    '22.23.0',
    '24.15.0',
    '24.15.7',
    '24.99.0',
    '26.0.0',
    '27.1.0',
    '30.0.0',
  ])('runs on node %s', (version) => expect(start(version).status).toBe(0))

  test.each(['12.22.0', '18.20.8', '20.20.2', '22.0.0', '22.22.1', '23.9.0', '24.0.0', '24.14.9', '25.9.0'])(
    'refuses node %s and says which it needs',
    (version) => {
      expect(start(version)).toEqual({
        status: 2,
        stdout: '',
        stderr:
          `sigward needs node ^22.22.2, ^24.15 or >=26, and this is node ${version}\n` +
          'hint: install one of these; in a checkout, "npm ci" brings one and "npx sigward" uses it\n',
      })
    },
  )

  test('asks for the node that package.json asks for', () => {
    const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { engines: object }
    expect(engines).toEqual({ node: '^22.22.2 || ^24.15 || >=26' })
  })

  test('is executable', () => {
    expect(statSync(join(root, shim)).mode & 0o111).toBe(0o111)
  })
})

describe('the compile cache', () => {
  const cache = () => join(folder, 'cache/sigward/compile-cache')

  test('is made for the user alone', () => {
    start()
    expect(statSync(cache()).mode & 0o777).toBe(0o700)
    expect(statSync(dirname(cache())).mode & 0o777).toBe(0o700)
  })

  test.each(['cache/sigward', 'cache/sigward/compile-cache'])(
    'is left alone where others may write to %s',
    (open) => {
      mkdirSync(cache(), { recursive: true, mode: 0o700 })
      chmodSync(join(folder, open), 0o770)
      expect(start()).toEqual({ status: 0, stdout: 'built verify x', stderr: '' })
      expect(readdirSync(cache())).toEqual([])
    },
  )

  test('costs nothing but time where it cannot be made', () => {
    put('cache', 'a file')
    expect(start()).toEqual({ status: 0, stdout: 'built verify x', stderr: '' })
  })
})
