import { createHash, randomBytes, randomInt } from 'node:crypto'

export interface Proven {
  readonly index: number
  readonly size: number
  readonly rootHash: Uint8Array
  readonly hashes: readonly Uint8Array[]
}

/**
 * Puts an entry at a random place of a tree of that size and proves it (RFC 9162 section 2.1.3). The rest of the tree
 * is made up on the way: any siblings are those of some tree, and the root follows from them.
 */
export function proveInLargeTree(entry: Uint8Array, size: number): Proven {
  const index = randomInt(size)
  // up to `inner` every level has a sibling; above, where path and right edge are one, only left ones are there
  const inner = (index ^ (size - 1)).toString(2).length * Number(index !== size - 1)
  const hashes: Uint8Array[] = []
  let current = sha256(Uint8Array.of(0), entry)
  for (let level = 0; index >> level > 0 || level < inner; level++) {
    const isRight = ((index >> level) & 1) === 1
    if (level >= inner && !isRight) continue
    const sibling = randomBytes(32)
    hashes.push(sibling)
    const [left, right] = isRight ? [sibling, current] : [current, sibling]
    current = sha256(Uint8Array.of(1), left, right)
  }
  return { index, size, rootHash: current, hashes }
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const h = createHash('sha256')
  for (const part of parts) h.update(part)
  return h.digest()
}
