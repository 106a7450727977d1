import { Buffer } from 'node:buffer'
import { hash } from 'node:crypto'
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { bundlesBeside } from '../../daemon/bundle-search.ts'
import { createEngine } from '../../daemon/engine.ts'
import type { VerifyRequest } from '../../daemon/api.ts'
import { npmPackage, type TarPart } from '../support/packages.ts'
import { bytesOf, BreakableInstance } from '../support/breakable-instance.ts'

/**
 * The engine opens and reads a package, then looks for its bundles, then hashes it. What another process does to the
 * file in between is done here while the bundles are looked for.
 */
const between = vi.hoisted(() => ({ act: () => {} }))
vi.mock('../../daemon/bundle-search.ts', async (original) => {
  const real: { bundlesBeside: typeof bundlesBeside } = await original()
  return {
    ...real,
    bundlesBeside: (...args: Parameters<typeof bundlesBeside>) => {
      between.act()
      return real.bundlesBeside(...args)
    },
  }
})

const changed: unknown = expect.objectContaining({ code: 'PACKAGE_CHANGED', name: 'MalformedError' })
const filler: TarPart = {
  name: 'package/filler',
  body: Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * i) % 251)),
}
const honest = npmPackage({ name: 'honest', version: '1.0.0' }, filler)
const evil = npmPackage({ name: 'honest', version: '1.0.0' }, filler, { name: 'package/evil.js', body: 'x' })
const instance = new BreakableInstance()
const bundle = bytesOf(instance.sign({ artifact: honest }))

let folder: string
let path: string
let request: VerifyRequest

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sigward-change-'))
  path = join(folder, 'honest.tgz')
  writeFileSync(path, honest)
  writeFileSync(`${path}.sigstore.json`, bundle)
  const root = join(folder, 'root.json')
  writeFileSync(root, JSON.stringify(instance.trustedRootJson()))
  request = {
    target: { kind: 'file', path },
    bundles: [],
    policy: {
      kind: 'identity',
      subject: { kind: 'exact', value: 'dev@example.com' },
      issuer: { kind: 'exact', value: 'https://issuer.example' },
    },
    trustedRoots: [root],
    package: undefined,
  }
})
afterEach(() => {
  between.act = () => {}
  rmSync(folder, { recursive: true })
})

function edit(offset: number, bytes: Uint8Array): void {
  const { atime, mtime } = statSync(path)
  const descriptor = openSync(path, 'r+')
  writeSync(descriptor, bytes, 0, bytes.length, offset)
  closeSync(descriptor)
  utimesSync(path, atime, mtime)
}

describe('a package that changes between opening and hashing', () => {
  it('is verified when nothing happens', async () => {
    let happened = false
    between.act = () => {
      happened = true
    }
    const { verdict } = await createEngine().verify(request)
    expect([verdict.outcome, happened]).toEqual(['verified', true])
  })

  it.each([
    [
      'swapped for another by a rename',
      () => {
        writeFileSync(join(folder, 'evil'), evil)
        renameSync(join(folder, 'evil'), path)
      },
    ],
    [
      'swapped for one with the same bytes',
      () => {
        copyFileSync(path, join(folder, 'same'))
        renameSync(join(folder, 'same'), path)
      },
    ],
    ['overwritten in place', () => writeFileSync(path, evil)],
    ['edited in its first block, its times put back', () => edit(100, Buffer.of(0))],
    ['edited in its last block, its times put back', () => edit(honest.length - 1, Buffer.of(0))],
    ['lengthened', () => appendFileSync(path, Buffer.alloc(1))],
    ['cut', () => writeFileSync(path, honest.subarray(0, -1))],
    ['removed', () => rmSync(path)],
  ])('is noticed: %s', async (_what, act) => {
    between.act = act
    await expect(createEngine().verify(request)).rejects.toThrow(changed)
  })

  it('is noticed when it is edited and put back before hashing ends', async () => {
    between.act = () => {
      edit(100, Buffer.of(0))
      edit(100, honest.subarray(100, 101))
    }
    await expect(createEngine().verify(request)).rejects.toThrow(changed)
    expect(readFileSync(path).equals(honest)).toBe(true)
  })

  it('is what is read now, when it changed before it was opened', async () => {
    writeFileSync(path, evil)
    const { verdict } = await createEngine().verify(request)
    expect(verdict.outcome).toBe('rejected')
  })
})

describe('a package that two files take turns to be', () => {
  it('is never verified as the other', async () => {
    const engine = createEngine()
    const outcomes = new Map<string, number>()
    const writer = setInterval(() => {
      const [name, bytes] =
        statSync(path).size === honest.length ? (['evil', evil] as const) : (['honest', honest] as const)
      writeFileSync(join(folder, name), bytes)
      renameSync(join(folder, name), path)
    }, 7)
    for (let i = 0; i < 25; i++) {
      const outcome = await engine.verify(request).then(
        ({ verdict }) =>
          `${verdict.outcome} ${Buffer.from(verdict.subject.digests.get('sha256') ?? []).toString('hex')}`,
        (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
      )
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    }
    clearInterval(writer)
    const digest = (bytes: Uint8Array): string => hash('sha256', bytes)
    const allowed = [`verified ${digest(honest)}`, `rejected ${digest(evil)}`, 'PACKAGE_CHANGED']
    expect(allowed).toEqual(expect.arrayContaining([...outcomes.keys()]))
    expect([...outcomes.values()].reduce((sum, n) => sum + n, 0)).toBe(25)
  })
})
