import { createHash } from 'node:crypto'

/**
 * A Merkle tree written as RFC 6962 section 2.1 defines it, by recursion over lists and as slow as that is: the
 * yardstick for the code under test, which shares nothing with it.
 */
export class TestTree {
  private readonly leaves: Uint8Array[] = []

  get size(): bigint {
    return BigInt(this.leaves.length)
  }

  append(entry: Uint8Array): bigint {
    this.leaves.push(digest(0, entry))
    return this.size - 1n
  }

  leaf(index: bigint): Uint8Array {
    const leaf = this.leaves[Number(index)]
    if (leaf === undefined) throw new RangeError(`no leaf ${index}`)
    return leaf
  }

  root(size: bigint = this.size): Uint8Array {
    return treeHash(this.range(0n, size))
  }

  /** Root over the leaves from `start` up to but not including `end`. */
  subtreeRoot(start: bigint, end: bigint): Uint8Array {
    return treeHash(this.range(start, end))
  }

  inclusionProof(index: bigint, size: bigint = this.size): Uint8Array[] {
    return auditPath(Number(index), this.range(0n, size))
  }

  consistencyProof(older: bigint, newer: bigint = this.size): Uint8Array[] {
    return older === 0n || older === newer ? [] : this.subtreeConsistencyProof(0n, older, newer)
  }

  /** That the subtree is part of the tree of the given size. */
  subtreeConsistencyProof(start: bigint, end: bigint, size: bigint = this.size): Uint8Array[] {
    return subtreeProof(Number(start), Number(end), this.range(0n, size), true)
  }

  private range(start: bigint, end: bigint): Uint8Array[] {
    if (start < 0n || end < start || end > this.size) throw new RangeError(`no leaves ${start} to ${end}`)
    return this.leaves.slice(Number(start), Number(end))
  }
}

function digest(prefix: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const h = createHash('sha256').update(Uint8Array.of(prefix))
  for (const part of parts) h.update(part)
  return h.digest()
}

/** The largest power of two below n. */
function split(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

function treeHash(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves
  if (first === undefined) return createHash('sha256').digest()
  if (leaves.length === 1) return first
  const k = split(leaves.length)
  return digest(1, treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)))
}

function auditPath(index: number, leaves: readonly Uint8Array[]): Uint8Array[] {
  if (index < 0 || index >= leaves.length) throw new RangeError(`no leaf ${index}`)
  if (leaves.length === 1) return []
  const k = split(leaves.length)
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)]
  return index < k
    ? [...auditPath(index, left), treeHash(right)]
    : [...auditPath(index - k, right), treeHash(left)]
}

/** `known`: the verifier has the root of exactly these leaves. */
function subtreeProof(
  start: number,
  end: number,
  leaves: readonly Uint8Array[],
  known: boolean,
): Uint8Array[] {
  if (start === 0 && end === leaves.length) return known ? [] : [treeHash(leaves)]
  const k = split(leaves.length)
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)]
  if (end <= k) return [...subtreeProof(start, end, left, known), treeHash(right)]
  if (start >= k) return [...subtreeProof(start - k, end - k, right, known), treeHash(left)]
  // the range straddles: valid subtrees do that only from the very left
  return [...subtreeProof(0, end - k, right, false), treeHash(left)]
}
