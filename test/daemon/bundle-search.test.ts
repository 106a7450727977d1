import { Buffer } from 'node:buffer'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { bundlesBeside, bundlesIn, splitBundles } from '../../daemon/bundle-search.ts'
import { gem } from '../../formats/gem.ts'
import { npmTarball } from '../../formats/npm-tarball.ts'
import { plainFile } from '../../formats/plain-file.ts'
import type { FoundBundle } from '../../trust/content.ts'

const folder = mkdtempSync(join(tmpdir(), 'sigward-search-'))
const path = join(folder, 'a.tgz')
afterAll(() => rmSync(folder, { recursive: true }))
beforeEach(() => {
  rmSync(folder, { recursive: true })
  mkdirSync(folder)
})

const unreadable: unknown = expect.objectContaining({ code: 'STORE_UNREADABLE', name: 'StoreError' })
const shown = (found: readonly FoundBundle[]): readonly string[] =>
  found.map(({ where, bytes }) => `${where}: ${Buffer.from(bytes).toString()}`)
const split = (text: string): readonly string[] => shown(splitBundles(Buffer.from(text), 'f', undefined))

describe('bundles beside a file', () => {
  it('are none where no file of their names is there', async () => {
    expect(await bundlesBeside(path, plainFile)).toEqual([])
    expect(await bundlesBeside(join(folder, `${'x'.repeat(250)}.gem`), gem)).toEqual([])
  })

  it('are found under every name that the format has for them, all of them', async () => {
    for (const name of ['a.tgz.sigstore.json', 'a.tgz.sigstore.jsonl', 'a.tgz.sigstore']) {
      writeFileSync(join(folder, name), `{"name":"${name}"}`)
    }
    writeFileSync(`${path}.attestations.json`, '{"attestations":[{"predicateType":"p","bundle":{"b":1}}]}')
    writeFileSync(join(folder, 'b.tgz.sigstore.json'), '{}')
    expect(shown(await bundlesBeside(path, plainFile))).toEqual([
      'a.tgz.sigstore.json: {"name":"a.tgz.sigstore.json"}',
      'a.tgz.sigstore.jsonl: {"name":"a.tgz.sigstore.jsonl"}',
      'a.tgz.sigstore: {"name":"a.tgz.sigstore"}',
    ])
    expect(shown(await bundlesBeside(path, npmTarball)).at(-1)).toBe(
      'a.tgz.attestations.json attestation 1: {"b":1}',
    )
  })

  it('that cannot be read are not passed over', async () => {
    mkdirSync(`${path}.sigstore.json`)
    await expect(bundlesBeside(path, plainFile)).rejects.toThrow(unreadable)
  })
})

describe('a file of bundles', () => {
  it('that was named must be there', async () => {
    await expect(bundlesIn(path, undefined)).rejects.toThrow(
      expect.objectContaining({ code: 'STORE_NOT_FOUND' }),
    )
  })

  it('holds one, byte for byte', () => {
    expect(split(' {"a": 1,\n  "b": {}\n}\n')).toEqual(['f:  {"a": 1,\n  "b": {}\n}\n'])
    expect(split('{"a": {}\n}')).toEqual(['f: {"a": {}\n}'])
  })

  it('holds several, as lines or as an array', () => {
    expect(split('{"a":1}\n\n{"b":"]"}\n')).toEqual(['f part 1: {"a":1}', 'f part 2: {"b":"]"}'])
    expect(split(' [ {"a":1} , {"b":"],\\"["} ] ')).toEqual(['f part 1: {"a":1}', 'f part 2: {"b":"],\\"["}'])
    expect(split('[{"a":1}]')).toEqual(['f: {"a":1}'])
    expect(split('[]')).toEqual([])
  })

  it.each([
    '',
    'no bundle',
    '[{"a":1} {"b":2}]',
    '[{"a":1},]',
    '[,]',
    '[',
    '[{"a":1}',
    '[]x',
    '{"a":1',
    '\u00ff\n{}',
  ])('that is none comes out whole, to be judged: %j', (text) => {
    expect(split(text)).toEqual([`f: ${text}`])
  })

  it('comes out whole where it is no text', () => {
    const bytes = Buffer.of(0x5b, 0xff, 0x5d)
    expect(splitBundles(bytes, 'f', undefined)).toEqual([{ where: 'f', bytes, notes: [] }])
  })

  it('holds no more than 256, and a file with more is not read to its end', async () => {
    for (const [name, many] of [
      ['lines', '{}\n'.repeat(256)],
      ['array', `[${'{},'.repeat(255)}{}]`],
    ] as const) {
      writeFileSync(join(folder, name), many)
      expect(await bundlesIn(join(folder, name), undefined)).toHaveLength(256)
    }
    for (const [name, many] of [
      ['lines', '{}\n'.repeat(999_999)],
      ['array', `[${'{},'.repeat(999_999)}{}`],
    ] as const) {
      writeFileSync(join(folder, name), many)
      await expect(bundlesIn(join(folder, name), undefined)).rejects.toThrow(unreadable)
      expect(splitBundles(Buffer.from(many), 'f', undefined)).toHaveLength(257)
    }
  })

  it('may hold strings of megabytes', () => {
    const long = `{"a":"${'x\\"'.repeat(5_000_000)}"}`
    expect(splitBundles(Buffer.from(`[${long},{}]`), 'f', undefined)[0]?.bytes).toHaveLength(long.length)
  })

  it('is an attestations document, which must be a good one', () => {
    expect(
      split('{"attestations":[{"predicateType":"p","bundle":{"a":1}},{"predicateType":"q","bundle":{}}]}'),
    ).toEqual(['f attestation 1: {"a":1}', 'f attestation 2: {}'])
    expect(() => split('{"attestations":[{"bundle":{}}]}')).toThrow(
      expect.objectContaining({ code: 'MALFORMED_ATTESTATIONS' }),
    )
  })

  it('is repaired as its format asks for, with a remark', () => {
    const stored = Buffer.from('{"verificationMaterial":{"tlogEntries":[{"logIndex":"1"}]}}')
    const [found] = splitBundles(stored, 'f', gem)
    expect(found?.notes).toEqual(['bundle 1: log entry 1 had no kind, taken as hashedrekord 0.0.1'])
    expect(splitBundles(stored, 'f', npmTarball)).toEqual([{ where: 'f', bytes: stored, notes: [] }])
    expect(splitBundles(Buffer.from('broken'), 'f', gem)).toEqual([
      { where: 'f', bytes: Buffer.from('broken'), notes: [] },
    ])
  })
})
