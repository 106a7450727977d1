import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { evidence, other, runCli, verified } from '../../support/cli.ts'

let folder: string
let home: string

beforeEach(() => {
  home = process.cwd()
  folder = mkdtempSync(join(tmpdir(), 'sigward-targets-'))
  process.chdir(folder)
})

afterEach(() => {
  process.chdir(home)
  rmSync(folder, { recursive: true })
})

describe('folders', () => {
  beforeEach(() => {
    mkdirSync('tree/deep/er', { recursive: true })
    for (const name of [
      'b.tgz',
      'a.jar',
      'a.jar.sigstore.json',
      'b.tgz.prov',
      'alone.sigstore',
      'deep/er/c.gem',
    ]) {
      writeFileSync(join('tree', name), '')
    }
  })

  it('give every regular file in order, and no file that speaks about its neighbour', async () => {
    const { asked } = await runCli(['verify', 'tree/'], { verify: () => other('unsigned') })
    const paths = asked.map(({ target }) => (target.kind === 'file' ? target.path : ''))
    expect(paths).toEqual(['tree/a.jar', 'tree/alone.sigstore', 'tree/b.tgz', 'tree/deep/er/c.gem'])
  })

  it('name the links that they do not follow', async () => {
    symlinkSync('/etc', 'tree/out')
    const { asked, stderr } = await runCli(['verify', 'tree'], { verify: () => other('unsigned') })
    expect(asked).toHaveLength(4)
    expect(stderr).toBe("'tree/out' is a symbolic link and is not followed; name it to judge it\n")
  })

  it('a link that is named is followed', async () => {
    symlinkSync('tree', 'link')
    symlinkSync('nowhere', 'broken')
    const { asked, stdout } = await runCli(['verify', 'link', 'broken'], { verify: () => other('unsigned') })
    expect(asked).toHaveLength(4)
    expect(stdout).toContain('no verdict  broken\n  STORE_NOT_FOUND')
  })

  it('an empty one is no success', async () => {
    mkdirSync('empty')
    const { code, stderr } = await runCli(['verify', 'empty'], { verify: () => verified(evidence()) })
    expect(stderr).toBe(
      "sigward: 'empty': no file to judge (USAGE_ARGUMENT)\nhint: name the folder that holds the packages\n",
    )
    expect(code).toBe(2)
  })
})

describe('digests', () => {
  const hex = 'AB'.repeat(32)

  it('are digests unless a file has that name', async () => {
    const run = async () => {
      const { asked } = await runCli(['verify', `sha256:${hex}`, '--bundle', 'b'], {
        verify: () => verified(evidence()),
      })
      return asked[0]?.target
    }
    expect(await run()).toEqual({ kind: 'digest', text: `sha256:${hex.toLowerCase()}` })
    writeFileSync(`sha256:${hex}`, '')
    expect(await run()).toEqual({ kind: 'file', path: `sha256:${hex}` })
  })

  it.each([
    ['sha256:abcd', '4 characters'],
    [`sha512:${hex}`, '64 characters'],
    [`sha256:${'zz'.repeat(32)}`, '64 characters'],
  ])('%s is not taken for a missing file', async (text, got) => {
    const { code, stderr, asked } = await runCli(['verify', text, '--bundle', 'b'])
    expect(stderr).toContain(`'${text}' is neither a file nor a digest: got ${got}`)
    expect(stderr).toContain('(USAGE_ARGUMENT)')
    expect([code, asked.length]).toEqual([2, 0])
  })

  it('need a bundle by name', async () => {
    const { code, stderr } = await runCli(['verify', `sha256:${hex}`])
    expect(stderr).toContain(
      'hint: add --bundle FILE: there is no place to look for the bundle of a digest\n',
    )
    expect(code).toBe(2)
  })
})

describe('what is asked of the engine', () => {
  const nobody = { bundles: [], policy: { kind: 'nobody' }, trustedRoots: [], package: undefined }

  it.each([
    [[], {}],
    [
      ['--identity', 'a', '--issuer-regexp', 'b.*'],
      {
        policy: {
          kind: 'identity',
          subject: { kind: 'exact', value: 'a' },
          issuer: { kind: 'pattern', source: 'b.*' },
        },
      },
    ],
    [['--key', 'a', '--key', 'b'], { policy: { kind: 'keys', paths: ['a', 'b'] } }],
    [['--policy', 'p.yaml'], { policy: { kind: 'file', path: 'p.yaml' } }],
    [
      ['--bundle', 'a', '--bundle', 'b', '--trusted-root', 'c', '--package', 'pkg:npm/d'],
      { bundles: ['a', 'b'], trustedRoots: ['c'], package: 'pkg:npm/d' },
    ],
  ])('%j', async (flags, change) => {
    writeFileSync('a.tgz', '')
    const { asked } = await runCli(['verify', 'a.tgz', ...flags], { verify: () => other('unsigned') })
    expect(asked).toEqual([{ ...nobody, target: { kind: 'file', path: 'a.tgz' }, ...change }])
  })
})

describe('names that lead nowhere', () => {
  it.each(['', 'none', 'none/', 'file/x', 'x'.repeat(5000), 'a\0b'])(
    '%j is STORE_NOT_FOUND',
    async (name) => {
      writeFileSync('file', '')
      const { code, stdout } = await runCli(['verify', name, '--json'])
      expect(JSON.parse(stdout)).toMatchObject({ target: name, error: { code: 'STORE_NOT_FOUND' } })
      expect(code).toBe(3)
    },
  )

  it('a link that leads to itself is STORE_UNREADABLE', async () => {
    symlinkSync('loop', 'loop')
    const { code, stdout } = await runCli(['verify', 'loop', '--quiet'])
    expect(stdout).toBe('no verdict  loop  STORE_UNREADABLE\n')
    expect(code).toBe(3)
  })
})
