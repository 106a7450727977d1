import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  globSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { vectorCases, vectorPath } from '../support/vectors.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Manifest {
  readonly name: string
  readonly version: string
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(path, 'utf8')) as Manifest
}

/** Without what the `npm run` around this test has set, so that npm behaves as in a user's own terminal. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))

function run(cwd: string, command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

describe('the packed tarball, installed in an empty folder without install scripts', () => {
  const manifest = readManifest(join(root, 'package.json'))
  let folder: string
  let installed: readonly string[]

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sigward-pack-'))
    run(copySources(), 'npm', 'pack', '--pack-destination', folder)
    const [tarball] = globSync('*.tgz', { cwd: folder })
    expect(tarball).toBe(`sigward-${manifest.version}.tgz`)
    writeFileSync(join(folder, 'package.json'), '{"private":true}')
    run(folder, 'npm', 'install', '--ignore-scripts', '--omit=dev', '--prefer-offline', `./${tarball}`)
    installed = globSync('node_modules/**/package.json', { cwd: folder }).filter((path) =>
      /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/.test(path),
    )
  })

  /** Packing builds; in a copy, it takes `dist/` away from no other suite. */
  function copySources(): string {
    const copy = join(folder, 'sources')
    const left = ['.git', '.cache', 'coverage', 'dist', 'node_modules'].map((name) => join(root, name))
    cpSync(root, copy, { recursive: true, verbatimSymlinks: true, filter: (path) => !left.includes(path) })
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    return copy
  }

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('has every dependency and says its version', () => {
    const names = installed.map((path) => readManifest(join(folder, path)).name)
    expect(names).toEqual(expect.arrayContaining(['sigward', ...Object.keys(manifest.dependencies)]))
    expect(run(folder, join(folder, 'node_modules/.bin/sigward'), '--version')).toBe(`${manifest.version}\n`)
  })

  test('prints its help', () => {
    expect(run(folder, join(folder, 'node_modules/.bin/sigward'), '--help')).toContain('sigward verify')
  })

  /** One published gem with its bundle; every command that loads a part of the build of its own. */
  const vector = vectorCases('gem').find(({ id }) => id === 'gem/sigstore-1.0.0')
  const gem = vector === undefined ? undefined : vectorPath(String(vector.inputs['artifact']))
  const bundle = vector === undefined ? undefined : vectorPath(String(vector.inputs['bundle']))
  const beacon =
    'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main'
  const issuer = 'https://token.actions.githubusercontent.com'

  test.runIf(gem !== undefined)('verifies a published gem, by flags and by a policy file', () => {
    const sigward = join(folder, 'node_modules/.bin/sigward')
    const flags = ['--identity', beacon, '--issuer', issuer]
    expect(run(folder, sigward, 'verify', gem ?? '', '--bundle', bundle ?? '', ...flags)).toMatch(
      /^verified  /,
    )
    const patterns = ['--identity-regexp', 'https://github\\.com/sigstore-conformance/.*', '--issuer', issuer]
    expect(run(folder, sigward, 'verify', gem ?? '', '--bundle', bundle ?? '', ...patterns)).toMatch(
      /^verified  /,
    )
    const rules = `version: 1\npackages:\n  - match: "pkg:gem/*"\n    require:\n      identity: { subject: "${beacon}", issuer: "${issuer}" }\n`
    writeFileSync(join(folder, 'sigward.yaml'), rules)
    const byPolicy = ['verify', gem ?? '', '--bundle', bundle ?? '', '--policy', 'sigward.yaml']
    expect(run(folder, sigward, ...byPolicy)).toMatch(/^verified  /)
    const refused = spawnSync(
      sigward,
      ['verify', gem ?? '', '--bundle', bundle ?? '', '--identity', 'a', '--issuer', 'b'],
      {
        cwd: folder,
        env,
        encoding: 'utf8',
      },
    )
    expect([refused.status, refused.stdout]).toEqual([1, expect.stringContaining('IDENTITY_ISSUER')])
  })

  test.runIf(gem !== undefined)('verifies a digest, which takes curves of its own', () => {
    const digest = `sha256:${createHash('sha256')
      .update(readFileSync(gem ?? ''))
      .digest('hex')}`
    const flags = ['--bundle', bundle ?? '', '--identity', beacon, '--issuer', issuer]
    expect(run(folder, join(folder, 'node_modules/.bin/sigward'), 'verify', digest, ...flags)).toMatch(
      /^verified  /,
    )
  })

  test.runIf(bundle !== undefined)('inspects, explains, shows its trust and completes', () => {
    const sigward = join(folder, 'node_modules/.bin/sigward')
    expect(run(folder, sigward, 'inspect', bundle ?? '')).toMatch(/^not verified/)
    expect(run(folder, sigward, 'explain', 'LOG_PROMISE')).toContain('what is checked')
    expect(run(folder, sigward, 'trust', 'show')).toContain('public-good')
    expect(run(folder, sigward, 'completion', 'bash')).toContain('complete')
    expect(spawnSync(sigward, ['verify', '--no-such-flag'], { cwd: folder, env }).status).toBe(2)
  })

  test.runIf(gem !== undefined)('verifies through the library', () => {
    const script = `
      const { createEngine } = await import('sigward')
      const target = { kind: 'file', path: ${JSON.stringify(gem)} }
      const exact = (value) => ({ kind: 'exact', value })
      const policy = { kind: 'identity', subject: exact(${JSON.stringify(beacon)}), issuer: exact(${JSON.stringify(issuer)}) }
      const bundles = [${JSON.stringify(bundle)}]
      const { verdict } = await createEngine().verify({ target, bundles, policy, trustedRoots: [], package: undefined })
      console.log(verdict.outcome)`
    expect(run(folder, process.execPath, '--input-type=module', '-e', script)).toBe('verified\n')
  })

  test('exports the library with its types', () => {
    const script = "import('sigward').then((library) => console.log(typeof library.verify))"
    expect(run(folder, process.execPath, '--input-type=module', '-e', script)).toBe('function\n')
    expect(existsSync(join(folder, 'node_modules/sigward/dist/index.d.ts'))).toBe(true)
  })

  test('needs no install script anywhere in its tree', () => {
    const withScripts = installed.filter((path) => {
      const { scripts = {} } = readManifest(join(folder, path))
      const compiles = existsSync(join(folder, path, '../binding.gyp'))
      return compiles || ['preinstall', 'install', 'postinstall'].some((name) => name in scripts)
    })
    expect(withScripts).toEqual([])
  })

  test('brings no development dependency, no source and no test', () => {
    const names = installed.map((path) => readManifest(join(folder, path)).name)
    expect(names.filter((name) => name in manifest.devDependencies)).toEqual([])
    const files = readdirSync(join(folder, 'node_modules/sigward'), { recursive: true, encoding: 'utf8' })
    expect(files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))).toEqual([])
    expect(files.filter((file) => /^(?:test|bench|\.ci|trust|formats|daemon)(?:\/|$)/.test(file))).toEqual([])
  })

  test.each(['18', '20'])('on node %s says which it needs and exits 2', (major) => {
    const node = `node-${process.platform}-${process.arch}`
    const old = join(folder, `node-${major}`)
    run(folder, 'npm', 'install', '--prefix', old, '--ignore-scripts', '--prefer-offline', `${node}@${major}`)
    const args = [join(folder, 'node_modules/.bin/sigward'), '--version']
    const { status, stdout, stderr } = spawnSync(join(old, 'node_modules', node, 'bin/node'), args, {
      encoding: 'utf8',
    })
    expect(stderr).toMatch(
      new RegExp(`^sigward needs node .*, and this is node ${major}\\.\\d+\\.\\d+\nhint: .*\n$`),
    )
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  })
})
