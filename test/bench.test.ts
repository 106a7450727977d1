import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { median, quantile, ratioOf, shuffled } from '../bench/interleave.ts'
import { proveInLargeTree } from '../bench/large-tree.ts'
import { leafHash, verifyInclusion } from '../trust/log/merkle.ts'

const NUMBER: unknown = expect.any(Number)
const SCRIPT = join(import.meta.dirname, '../bench/run.ts')

function bench(...args: readonly string[]): {
  status: number | null
  lines: readonly string[]
  stderr: string
} {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], { encoding: 'utf8' })
  return { status, lines: stdout.trimEnd().split('\n'), stderr }
}

describe('a benchmark', () => {
  it('prints last, for every comparison, one line of JSON', () => {
    const { status, lines, stderr } = bench('parse-bundle', '--quick')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const json = lines.filter((line) => line.startsWith('{'))
    expect(lines.slice(-json.length)).toEqual(json)
    expect(json.map((line): unknown => JSON.parse(line))).toEqual([
      { bench: 'parse-bundle', against: 'sigstore packages', ratio: NUMBER, target: 5 },
      { bench: 'parse-bundle', against: '35 us', ratio: NUMBER, target: 1 },
    ])
  })

  it('verifies with the peer, with ours and with the necessary signatures alone', () => {
    for (const name of ['verify-rekor1', 'verify-rekor2']) {
      const { status, lines, stderr } = bench(name, '--quick')
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      const against = lines
        .filter((line) => line.startsWith('{'))
        .map((line) => (JSON.parse(line) as { against: string }).against)
      expect(against).toEqual(['sigstore packages', 'floor'])
    }
  })

  it('that does not exist is named, with those that do', () => {
    const { status, stderr } = bench('verify-everything')
    expect(status).toBe(2)
    expect(stderr).toContain('no bench is called verify-everything; there are verify-rekor1, verify-rekor2')
  })
})

describe('what benchmarks count with', () => {
  it('takes ratios inside each round', () => {
    const measured = new Map([
      ['a', { cpu: [10, 100, 1000], wall: [1, 1, 1] }],
      ['b', { cpu: [5, 50, 100], wall: [2, 4, 8] }],
    ])
    expect(ratioOf(measured, 'a', 'b')).toBe(2)
    expect(ratioOf(measured, 'a', 'b', 'wall')).toBe(0.25)
    expect(() => ratioOf(measured, 'a', 'c')).toThrow('no contender is called c')
  })

  it('takes medians between two values, and quantiles', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 3, 2])).toBe(2.5)
    expect(quantile([0, 10], 0.9)).toBe(9)
    expect(() => median([])).toThrow('nothing to take a quantile of')
  })

  it('shuffles without losing anything', () => {
    const items = Array.from({ length: 50 }, (_, i) => i)
    expect(shuffled(items).toSorted((a, b) => a - b)).toEqual(items)
  })

  it('proves entries in trees of any size', () => {
    for (let size = 1; size < 70; size++) {
      const entry = Uint8Array.of(size)
      const { index, rootHash, hashes } = proveInLargeTree(entry, size)
      const prove = (): void =>
        verifyInclusion(leafHash(entry), BigInt(index), { size: BigInt(size), rootHash }, hashes)
      expect(prove).not.toThrow()
    }
  })
})
