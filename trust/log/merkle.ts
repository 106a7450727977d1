import { Buffer } from 'node:buffer'
import { hash } from 'node:crypto'
import { asBuffer, equalBytes } from '../encoding.ts'
import { CheckFailed } from '../errors.ts'

/**
 * Merkle tree hashes and proofs (RFC 6962 section 2.1, RFC 9162 section 2.1; subtrees as in
 * draft-ietf-plants-merkle-tree-certs). Sizes and indexes are bigint: real logs stay below 2^53, hostile ones
 * need not. A proof has exactly one possible length, so it is checked before anything is hashed.
 */
export interface Tree {
  /** Leaves. */
  readonly size: bigint
  readonly rootHash: Uint8Array
}

/** Leaves from `start` up to but not including `end`. */
export interface Subtree {
  readonly start: bigint
  readonly end: bigint
  readonly rootHash: Uint8Array
}

export const HASH_LENGTH = 32
const MAX_SIZE = 2n ** 64n
const LEFT = 1
const RIGHT = LEFT + HASH_LENGTH

/** Hash of no leaves at all. */
export function emptyRoot(): Uint8Array {
  return fromLatin1(sha256(new Uint8Array()))
}

/** SHA-256(00, entry). */
export function leafHash(entry: Uint8Array): Uint8Array {
  const prefixed = Buffer.allocUnsafe(1 + entry.length)
  prefixed[0] = 0
  prefixed.set(entry, 1)
  return fromLatin1(sha256(prefixed))
}

/** SHA-256(01, left, right); both are 32 bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length !== HASH_LENGTH || right.length !== HASH_LENGTH)
    throw new RangeError('a hash is not 32 bytes')
  const node = newNode()
  node.set(left, LEFT)
  node.set(right, RIGHT)
  return fromLatin1(sha256(node))
}

/** Space for the preimage of an inner node; reused along a proof, because allocation costs more than SHA-256. */
function newNode(): Buffer {
  const node = Buffer.allocUnsafe(RIGHT + HASH_LENGTH)
  node[0] = 1
  return node
}

/** The leaf hash stands at `index` of the tree. Errors: `LOG_INDEX`, `LOG_PROOF`. */
export function verifyInclusion(
  leaf: Uint8Array,
  index: bigint,
  tree: Tree,
  hashes: readonly Uint8Array[],
): void {
  checkSize(tree.size)
  if (index < 0n || index >= tree.size) {
    indexError('the index lies outside the tree', `index ${index}`, `an index below ${tree.size}`)
  }
  // Up to the level where the path meets the right edge of the tree each level has a sibling; above that only
  // those levels do where the path goes right.
  const inner = bitLength(index ^ (tree.size - 1n))
  const path = index.toString(2).padStart(inner, '0')
  let length = inner
  for (let i = 0; i < path.length - inner; i++) if (path[i] === '1') length++
  checkHashes([leaf, tree.rootHash], hashes, length)

  const node = newNode()
  let current = toLatin1(leaf)
  for (let level = 0; level < length; level++) {
    const sibling = hashes[level] ?? leaf
    const goesRight = level >= inner || path[path.length - 1 - level] === '1'
    node.set(sibling, goesRight ? LEFT : RIGHT)
    node.write(current, goesRight ? RIGHT : LEFT, 'latin1')
    current = sha256(node)
  }
  if (current !== toLatin1(tree.rootHash)) proofError('the inclusion proof does not lead to the root hash')
}

/** The older tree is a prefix of the newer. Errors: `LOG_INDEX` for impossible sizes, `LOG_PROOF`. */
export function verifyConsistency(older: Tree, newer: Tree, hashes: readonly Uint8Array[]): void {
  checkSize(newer.size)
  if (older.size < 0n || older.size > newer.size) {
    indexError('the tree shrank', `size ${newer.size}`, `a size of at least ${older.size}`)
  }
  if (older.size > 0n) {
    verifySubtreeConsistency({ start: 0n, end: older.size, rootHash: older.rootHash }, newer, hashes)
    return
  }
  // every tree begins with nothing, so there is nothing to prove and only one hash to have
  checkHashes([older.rootHash, newer.rootHash], hashes, 0)
  for (const tree of [older, newer]) {
    if (tree.size === 0n && !equalBytes(tree.rootHash, emptyRoot())) {
      proofError('the root hash of an empty tree is not that of no leaves')
    }
  }
}

/** As `verifyInclusion`, below the root of a subtree; `index` counts from the start of the whole tree. */
export function verifySubtreeInclusion(
  leaf: Uint8Array,
  index: bigint,
  subtree: Subtree,
  hashes: readonly Uint8Array[],
): void {
  checkSubtree(subtree)
  const { start, end, rootHash } = subtree
  verifyInclusion(leaf, index - start, { size: end - start, rootHash }, hashes)
}

/** The subtree is part of the tree. Errors: `LOG_INDEX`, `LOG_PROOF`. */
export function verifySubtreeConsistency(subtree: Subtree, tree: Tree, hashes: readonly Uint8Array[]): void {
  checkSize(tree.size)
  checkSubtree(subtree)
  if (subtree.end > tree.size) {
    indexError('the subtree ends behind the tree', `end ${subtree.end}`, `at most ${tree.size}`)
  }
  checkHashes([subtree.rootHash, tree.rootHash], hashes, undefined)
  // First and last leaf of the subtree and last leaf of the tree, climbed together. The climb starts at the
  // largest complete subtree on the right edge of the subtree: what lies below it is in both trees alike.
  let first = subtree.start
  let last = subtree.end - 1n
  let end = tree.size - 1n
  while (first !== last && (last === end || last % 2n === 1n))
    [first, last, end] = [first / 2n, last / 2n, end / 2n]

  const rest = hashes.values()
  const seed = first === last ? subtree.rootHash : rest.next().value
  if (seed === undefined) proofError('the consistency proof is too short')
  let subtreeRoot = seed
  let treeRoot = seed
  for (const sibling of rest) {
    if (end === 0n) proofError('the consistency proof is too long')
    if (last % 2n === 1n || last === end) {
      if (first < last) subtreeRoot = nodeHash(sibling, subtreeRoot)
      treeRoot = nodeHash(sibling, treeRoot)
      // on the right edge: levels without a sibling pass their hash up
      while (last % 2n === 0n) [first, last, end] = [first / 2n, last / 2n, end / 2n]
    } else {
      treeRoot = nodeHash(treeRoot, sibling)
    }
    ;[first, last, end] = [first / 2n, last / 2n, end / 2n]
  }
  if (end !== 0n) proofError('the consistency proof is too short')
  if (!equalBytes(subtreeRoot, subtree.rootHash))
    proofError('the consistency proof does not lead to the older root hash')
  if (!equalBytes(treeRoot, tree.rootHash))
    proofError('the consistency proof does not lead to the newer root hash')
}

/** Only ranges that are nodes of some larger tree: the start is a multiple of the size, rounded up to a power of two. */
function checkSubtree({ start, end }: Subtree): void {
  checkSize(end)
  if (start < 0n || start >= end || start % 2n ** BigInt(bitLength(end - start - 1n)) !== 0n) {
    indexError('the range is not a subtree', `${start} to ${end}`)
  }
}

function checkSize(size: bigint): void {
  if (size < 0n || size >= MAX_SIZE)
    indexError('the tree size is impossible', size.toString(), 'a size below 2^64')
}

function checkHashes(
  ends: readonly Uint8Array[],
  hashes: readonly Uint8Array[],
  length: number | undefined,
): void {
  if (length !== undefined && hashes.length !== length) {
    proofError('the proof has a wrong number of hashes', `${hashes.length} hashes`, `${length} hashes`)
  }
  const broken = [...ends, ...hashes].find((h) => h.length !== HASH_LENGTH)
  if (broken !== undefined) proofError('a hash is not 32 bytes', `${broken.length} bytes`)
}

function bitLength(n: bigint): number {
  return n === 0n ? 0 : n.toString(2).length
}

/** One character for each byte: making a string is four times as fast as making a Buffer (`binary` is Latin-1). */
function sha256(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'binary')
}

function toLatin1(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('latin1')
}

function fromLatin1(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}

function indexError(message: string, got: string, wanted?: string): never {
  throw new CheckFailed('log', 'LOG_INDEX', message, { got, ...(wanted === undefined ? {} : { wanted }) })
}

function proofError(message: string, got?: string, wanted?: string): never {
  throw new CheckFailed('log', 'LOG_PROOF', message, {
    ...(got === undefined ? {} : { got }),
    ...(wanted === undefined ? {} : { wanted }),
  })
}
