import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  emptyRoot,
  leafHash,
  nodeHash,
  verifyConsistency,
  verifyInclusion,
  verifySubtreeConsistency,
  verifySubtreeInclusion,
} from '../../../trust/log/merkle.ts'
import { TestTree } from '../../support/test-tree.ts'
import { readVector, vectorCases, vectorInput } from '../../support/vectors.ts'

const PROOF: unknown = expect.objectContaining({ code: 'LOG_PROOF', check: 'log' })
const INDEX: unknown = expect.objectContaining({ code: 'LOG_INDEX', check: 'log' })
const EITHER: unknown = expect.objectContaining({
  code: expect.stringMatching(/^(?:LOG_PROOF|LOG_INDEX)$/) as unknown,
})

function treeOf(leaves: number): TestTree {
  const tree = new TestTree()
  for (let i = 0; i < leaves; i++) tree.append(Buffer.from(`entry ${i}`))
  return tree
}

/** Every way in which a list of hashes can be a little wrong. */
function* wrongProofs(hashes: readonly Uint8Array[]): Generator<Uint8Array[]> {
  yield [...hashes, Buffer.alloc(32)]
  yield [Buffer.alloc(32), ...hashes]
  for (let i = 0; i < hashes.length; i++) {
    yield hashes.toSpliced(i, 1)
    const hash = hashes[i] ?? Buffer.alloc(32)
    yield hashes.toSpliced(i, 1, hash.subarray(1))
    yield hashes.toSpliced(i, 1, Buffer.concat([hash, Buffer.alloc(1)]))
    yield hashes.toSpliced(i, 1, Buffer.from(hash).fill((hash[31] ?? 0) ^ 1, 31))
    const next = hashes[i + 1]
    if (next !== undefined) yield hashes.toSpliced(i, 2, next, hash)
  }
}

describe('tree hashes', () => {
  it('agree with RFC 6962 by hand', () => {
    const tree = treeOf(2)
    const [a, b] = [leafHash(Buffer.from('entry 0')), leafHash(Buffer.from('entry 1'))]
    expect(a).toEqual(tree.leaf(0n))
    expect(nodeHash(a, b)).toEqual(tree.root())
    expect(emptyRoot()).toEqual(treeOf(0).root())
  })

  it('do not take anything else than two hashes of 32 bytes for a node', () => {
    expect(() => nodeHash(Buffer.alloc(31), Buffer.alloc(33))).toThrow(RangeError)
    expect(() => nodeHash(Buffer.alloc(32), Buffer.alloc(0))).toThrow(RangeError)
  })
})

describe('inclusion proofs', () => {
  it('verify for every leaf of every tree up to 24, and for no other index, size, leaf, root or list', () => {
    const full = treeOf(24)
    for (let size = 1n; size <= 24n; size++) {
      const tree = { size, rootHash: full.root(size) }
      for (let index = 0n; index < size; index++) {
        const hashes = full.inclusionProof(index, size)
        const leaf = full.leaf(index)
        verifyInclusion(leaf, index, tree, hashes)
        for (const wrong of wrongProofs(hashes)) {
          expect(() => verifyInclusion(leaf, index, tree, wrong)).toThrow(PROOF)
        }
        for (const other of [index - 1n, index + 1n, index ^ 2n, index + size]) {
          expect(() => verifyInclusion(leaf, other, tree, hashes)).toThrow(EITHER)
        }
        expect(() => verifyInclusion(full.leaf((index + 1n) % 24n), index, tree, hashes)).toThrow(PROOF)
        expect(() => verifyInclusion(leaf, index, { size, rootHash: leafHash(leaf) }, hashes)).toThrow(PROOF)
        expect(() =>
          verifyInclusion(leaf, index, { size: size * 2n, rootHash: tree.rootHash }, hashes),
        ).toThrow(PROOF)
      }
    }
  })

  it('have exactly the length that index and size ask for, also far beyond 2^53', () => {
    // a tree of 2^63 + 1 leaves: the last one hangs directly below the root
    const [left, leaf] = [leafHash(Buffer.from('left')), leafHash(Buffer.from('leaf'))]
    const size = 2n ** 63n + 1n
    verifyInclusion(leaf, size - 1n, { size, rootHash: nodeHash(left, leaf) }, [left])
    expect(() => verifyInclusion(leaf, size - 2n, { size, rootHash: nodeHash(left, leaf) }, [left])).toThrow(
      PROOF,
    )

    // and its first one below a path of 63 left turns and the root
    let root = leaf
    const hashes = Array.from({ length: 64 }, (_, i) => leafHash(Buffer.of(i)))
    for (const sibling of hashes) root = nodeHash(root, sibling)
    verifyInclusion(leaf, 0n, { size, rootHash: root }, hashes)
    expect(() => verifyInclusion(leaf, 0n, { size: 2n ** 63n, rootHash: root }, hashes)).toThrow(PROOF)
    expect(() => verifyInclusion(leaf, 1n, { size, rootHash: root }, hashes)).toThrow(PROOF)
  })

  it('refuse indexes and sizes that no tree has (LOG_INDEX)', () => {
    const leaf = leafHash(Buffer.of(1))
    for (const [index, size] of [
      [0n, 0n],
      [1n, 1n],
      [-1n, 1n],
      [0n, -1n],
      [0n, 2n ** 64n],
      [2n ** 64n - 1n, 1n],
    ] as const) {
      expect(() => verifyInclusion(leaf, index, { size, rootHash: leaf }, [])).toThrow(INDEX)
    }
  })

  it('refuse a leaf or root that is not a hash, even when both are equal', () => {
    const short = Buffer.from('V3JvbmdMZWFm', 'base64')
    expect(() => verifyInclusion(short, 0n, { size: 1n, rootHash: short }, [])).toThrow(PROOF)
  })
})

describe('consistency proofs', () => {
  it('verify between all sizes up to 18, and with no other size, root or list', () => {
    const full = treeOf(18)
    const wrongRoot = leafHash(Buffer.from('wrong'))
    for (let newer = 1n; newer <= 18n; newer++) {
      for (let older = 0n; older <= newer; older++) {
        const [a, b] = [older, newer].map((size) => ({ size, rootHash: full.root(size) })) as [Head, Head]
        const hashes = full.consistencyProof(older, newer)
        verifyConsistency(a, b, hashes)
        for (const wrong of wrongProofs(hashes)) expect(() => verifyConsistency(a, b, wrong)).toThrow(PROOF)
        if (older > 0n) {
          expect(() => verifyConsistency({ ...a, rootHash: wrongRoot }, b, hashes)).toThrow(PROOF)
          expect(() => verifyConsistency(a, { ...b, rootHash: wrongRoot }, hashes)).toThrow(PROOF)
          expect(() => verifyConsistency({ ...a, size: older - 1n }, b, hashes)).toThrow(PROOF)
        }
        if (older < newer) expect(() => verifyConsistency(b, a, hashes)).toThrow(INDEX)
      }
    }
  })

  it('let a tree grow from nothing only with the root of nothing', () => {
    const nothing = { size: 0n, rootHash: emptyRoot() }
    const one = { size: 1n, rootHash: leafHash(Buffer.of(1)) }
    verifyConsistency(nothing, nothing, [])
    verifyConsistency(nothing, one, [])
    expect(() => verifyConsistency({ size: 0n, rootHash: one.rootHash }, one, [])).toThrow(PROOF)
    expect(() => verifyConsistency(nothing, { size: 0n, rootHash: one.rootHash }, [])).toThrow(PROOF)
    expect(() => verifyConsistency(nothing, one, [one.rootHash])).toThrow(PROOF)
  })

  it('refuse impossible sizes (LOG_INDEX)', () => {
    const rootHash = leafHash(Buffer.of(1))
    expect(() => verifyConsistency({ size: -1n, rootHash }, { size: 1n, rootHash }, [])).toThrow(INDEX)
    expect(() => verifyConsistency({ size: 1n, rootHash }, { size: 2n ** 64n, rootHash }, [])).toThrow(INDEX)
  })
})

describe('subtrees', () => {
  it('verify for every node-aligned range of every tree up to 17, and for no other range', () => {
    const full = treeOf(17)
    for (let size = 1n; size <= 17n; size++) {
      const tree = { size, rootHash: full.root(size) }
      for (let start = 0n; start < size; start++) {
        for (let end = start + 1n; end <= size; end++) {
          const subtree = { start, end, rootHash: full.subtreeRoot(start, end) }
          if (!isAligned(start, end)) {
            expect(() => verifySubtreeConsistency(subtree, tree, [])).toThrow(INDEX)
            continue
          }
          const hashes = full.subtreeConsistencyProof(start, end, size)
          verifySubtreeConsistency(subtree, tree, hashes)
          for (const wrong of wrongProofs(hashes)) {
            expect(() => verifySubtreeConsistency(subtree, tree, wrong)).toThrow(PROOF)
          }
          const rootHash = leafHash(Buffer.from('wrong'))
          expect(() => verifySubtreeConsistency({ ...subtree, rootHash }, tree, hashes)).toThrow(PROOF)
        }
      }
    }
  })

  it('have inclusion proofs whose index counts from the start of the whole tree', () => {
    const full = treeOf(16)
    const subtree = { start: 8n, end: 14n, rootHash: full.subtreeRoot(8n, 14n) }
    const lower = new TestTree()
    for (let i = 8; i < 14; i++) lower.append(Buffer.from(`entry ${i}`))
    for (let index = 8n; index < 14n; index++) {
      const hashes = lower.inclusionProof(index - 8n)
      verifySubtreeInclusion(full.leaf(index), index, subtree, hashes)
      expect(() => verifySubtreeInclusion(full.leaf(index), index - 8n, subtree, hashes)).toThrow(INDEX)
    }
    expect(() => verifySubtreeInclusion(full.leaf(7n), 7n, subtree, [])).toThrow(INDEX)
    expect(() => verifySubtreeInclusion(full.leaf(14n), 14n, subtree, [])).toThrow(INDEX)
  })

  it('cannot end behind the tree (LOG_INDEX)', () => {
    const rootHash = leafHash(Buffer.of(1))
    expect(() =>
      verifySubtreeConsistency({ start: 0n, end: 2n, rootHash }, { size: 1n, rootHash }, []),
    ).toThrow(INDEX)
  })
})

describe('larger trees', () => {
  it('prove any leaf and any older size', () => {
    const full = treeOf(300)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(), fc.nat(), (size, i, older) => {
        const tree = { size: BigInt(size), rootHash: full.root(BigInt(size)) }
        const index = BigInt(i % size)
        verifyInclusion(full.leaf(index), index, tree, full.inclusionProof(index, tree.size))
        const before = BigInt(older % (size + 1))
        const head = { size: before, rootHash: full.root(before) }
        verifyConsistency(head, tree, full.consistencyProof(before, tree.size))
      }),
      { numRuns: 150 },
    )
  })
})

interface Head {
  readonly size: bigint
  readonly rootHash: Uint8Array
}

function isAligned(start: bigint, end: bigint): boolean {
  let span = 1n
  while (span < end - start) span *= 2n
  return start % span === 0n
}

/** The vectors count in 64 bits, which JSON.parse would round. */
function parseVector(bytes: Buffer): {
  numbers: (name: string) => bigint
  hash: (name: string) => Buffer
  proof: Buffer[]
} {
  const text = bytes.toString('utf8')
  const fields = JSON.parse(text) as Record<string, unknown>
  const proof = (fields['proof'] ?? []) as string[]
  return {
    numbers: (name) => BigInt(new RegExp(`"${name}": (-?\\d+)`).exec(text)?.[1] ?? 'absent'),
    hash: (name) => Buffer.from(String(fields[name]), 'base64'),
    proof: proof.map((hash) => Buffer.from(hash, 'base64')),
  }
}

function runVector(type: string, bytes: Buffer): void {
  const { numbers, hash, proof } = parseVector(bytes)
  switch (type) {
    case 'inclusion':
      return verifyInclusion(
        hash('leafHash'),
        numbers('leafIdx'),
        { size: numbers('treeSize'), rootHash: hash('root') },
        proof,
      )
    case 'consistency':
      return verifyConsistency(
        { size: numbers('size1'), rootHash: hash('root1') },
        { size: numbers('size2'), rootHash: hash('root2') },
        proof,
      )
    case 'subtreeinclusion':
      return verifySubtreeInclusion(
        hash('leafHash'),
        numbers('leafIdx'),
        { start: numbers('start'), end: numbers('end'), rootHash: hash('root') },
        proof,
      )
    case 'subtreeconsistency':
      return verifySubtreeConsistency(
        { start: numbers('start'), end: numbers('end'), rootHash: hash('root1') },
        { size: numbers('size'), rootHash: hash('root2') },
        proof,
      )
    default:
      throw new Error(`unknown type of vector: ${type}`)
  }
}

describe('published vectors', () => {
  const cases = vectorCases('merkle-proof')

  it.each(cases.filter((c) => 'vector' in c.inputs).map((c) => [c.id, c] as const))('%s', (_, vector) => {
    const bytes = readVector(vectorInput(vector, 'vector'))
    const run = (): void => runVector(vectorInput(vector, 'type'), bytes)
    expect(['pass', 'fail']).toContain(vector.expected.result)
    if (vector.expected.result === 'pass') expect(run).not.toThrow()
    else expect(run).toThrow(EITHER)
  })

  it.each(cases.filter((c) => 'table' in c.inputs).map((c) => [c.id, c] as const))('%s', (_, vector) => {
    interface Row {
      readonly body: string
      readonly logIndex: number
      readonly treeSize: number
      readonly rootHash: string
      readonly hashes: readonly string[]
      readonly wantErr: boolean
    }
    const rows = JSON.parse(readVector(vectorInput(vector, 'table')).toString('utf8')) as readonly Row[]
    expect(rows.length).toBeGreaterThan(0)
    for (const row of rows) {
      const tree = { size: BigInt(row.treeSize), rootHash: Buffer.from(row.rootHash, 'hex') }
      const hashes = row.hashes.map((hash) => Buffer.from(hash, 'hex'))
      const leaf = leafHash(Buffer.from(row.body, 'base64'))
      const run = (): void => verifyInclusion(leaf, BigInt(row.logIndex), tree, hashes)
      if (row.wantErr) expect(run).toThrow(PROOF)
      else expect(run).not.toThrow()
    }
  })

  it('are of the four known types', () => {
    const types = cases.flatMap((c) => ('type' in c.inputs ? [c.inputs['type']] : []))
    expect(types.length + cases.filter((c) => 'table' in c.inputs).length).toBe(cases.length)
  })
})
