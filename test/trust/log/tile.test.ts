import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { parseCheckpoint } from '../../../trust/log/checkpoint.ts'
import { leafHash } from '../../../trust/log/merkle.ts'
import { parseNote } from '../../../trust/log/note.ts'
import {
  edgeTiles,
  encodeTilePath,
  parseTilePath,
  rootFromTiles,
  type TileCoordinates,
} from '../../../trust/log/tile.ts'
import { TestTree } from '../../support/test-tree.ts'
import { readVector, vectorCases, vectorInput, vectorPath } from '../../support/vectors.ts'

const TILES: readonly (readonly [string, TileCoordinates])[] = [
  ['tile/0/000', { level: 0, index: 0n, width: 256 }],
  ['tile/0/999', { level: 0, index: 999n, width: 256 }],
  ['tile/0/x001/000', { level: 0, index: 1000n, width: 256 }],
  ['tile/1/x001/x234/067', { level: 1, index: 1234067n, width: 256 }],
  ['tile/0/x001/x234/067.p/8', { level: 0, index: 1234067n, width: 8 }],
  ['tile/2/000.p/255', { level: 2, index: 0n, width: 255 }],
  ['tile/63/000.p/1', { level: 63, index: 0n, width: 1 }],
  ['tile/entries/x005/006', { level: 'entries', index: 5006n, width: 256 }],
  ['tile/entries/000.p/112', { level: 'entries', index: 0n, width: 112 }],
]

describe('tile paths', () => {
  it.each(TILES)('%s', (path, tile) => {
    expect(encodeTilePath(tile)).toBe(path)
    expect(parseTilePath(path)).toEqual(tile)
  })

  it.each([
    '',
    'tile',
    'tile/0',
    'tile/0/',
    'tile/0/0',
    'tile/0/00',
    'tile/0/0000',
    'tile/00/000',
    'tile/01/000',
    'tile/64/000',
    'tile/100/000',
    'tile/-1/000',
    'tile/entry/000',
    'tile/0/x000/000',
    'tile/0/x000/x001/000',
    'tile/0/001/000',
    'tile/0/x001/x000',
    'tile/0/x1/000',
    'tile/0/X001/000',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/000.p/',
    'tile/0/000.p',
    'tile/0/000/p/1',
    '/tile/0/000',
    'tile/0/000/',
    'tile/0/000\n',
    'tile/0/../000',
    'tile/0/x999/x999/x999/x999/x999/x999/999',
    'tile/8/001',
  ])('%j is not one', (path) => {
    expect(parseTilePath(path)).toBeUndefined()
  })
})

/** Tiles of a tree, cut from its leaves by the definition of tlog-tiles. */
function tileReader(tree: TestTree): (tile: TileCoordinates) => Uint8Array {
  return ({ level, index, width }) => {
    const span = 256n ** BigInt(level)
    const hashes: Uint8Array[] = []
    for (let i = 0n; i < BigInt(width); i++) {
      const start = (index * 256n + i) * span
      hashes.push(tree.subtreeRoot(start, start + span))
    }
    return Buffer.concat(hashes)
  }
}

describe('roots from tiles', () => {
  it('names the tiles of the example of the specification', () => {
    expect(edgeTiles(70_000n)).toEqual([
      { level: 0, index: 273n, width: 112 },
      { level: 1, index: 1n, width: 17 },
      { level: 2, index: 0n, width: 1 },
    ])
    expect(edgeTiles(256n)).toEqual([{ level: 1, index: 0n, width: 1 }])
    expect(edgeTiles(0n)).toEqual([])
    expect(edgeTiles(2n ** 64n - 1n)).toHaveLength(8)
  })

  it('equals the root of the tree at every kind of size', () => {
    const tree = new TestTree()
    for (let i = 0; i < 1030; i++) tree.append(Buffer.from(`entry ${i}`))
    for (const size of [0, 1, 2, 3, 5, 8, 100, 255, 256, 257, 259, 511, 512, 513, 767, 1024, 1025, 1030]) {
      expect(rootFromTiles(BigInt(size), tileReader(tree))).toEqual(tree.root(BigInt(size)))
    }
  })

  it('accepts a full tile where the partial one is gone, and refuses one that is too short or too long', () => {
    const tree = new TestTree()
    for (let i = 0; i < 256; i++) tree.append(Buffer.from(`entry ${i}`))
    const full = tileReader(tree)({ level: 0, index: 0n, width: 256 })
    expect(rootFromTiles(7n, () => full)).toEqual(tree.root(7n))
    const wrong: unknown = expect.objectContaining({ code: 'LOG_PROOF', where: 'tile/0/000.p/7' })
    expect(() => rootFromTiles(7n, () => full.subarray(0, 7 * 32 - 1))).toThrow(wrong)
    expect(() => rootFromTiles(7n, () => Buffer.alloc(257 * 32))).toThrow(wrong)
  })

  it('changes with every hash of every tile', () => {
    const tree = new TestTree()
    for (let i = 0; i < 300; i++) tree.append(Buffer.from(`entry ${i}`))
    const read = tileReader(tree)
    for (const wrong of edgeTiles(300n)) {
      for (let i = 0; i < wrong.width; i++) {
        const root = rootFromTiles(300n, (tile) => {
          const bytes = Buffer.from(read(tile))
          if (tile.level === wrong.level) bytes[i * 32] = (bytes[i * 32] ?? 0) ^ 1
          return bytes
        })
        expect(root).not.toEqual(tree.root())
      }
    }
  })
})

describe('published vectors', () => {
  const cases = vectorCases('checkpoint').filter((c) => typeof c.inputs['tiles'] === 'string')

  it.each(cases.map((c) => [c.id, c] as const))(
    '%s: the root of the tiles is that of the checkpoint',
    (_, vector) => {
      const folder = vectorPath(vectorInput(vector, 'tiles')) ?? ''
      const { unverifiedText } = parseNote(readVector(vectorInput(vector, 'checkpoint')))
      const { size, rootHash } = parseCheckpoint(unverifiedText)
      expect(size).toBe(BigInt(Number(vector.inputs['size'])))
      const read = (tile: TileCoordinates): Uint8Array =>
        readFileSync(join(folder, '..', encodeTilePath(tile)))
      expect(rootFromTiles(size, read)).toEqual(rootHash)

      if (size === 0n) return
      const [edge] = edgeTiles(size)
      const entries = readFileSync(
        join(folder, '..', encodeTilePath({ level: 'entries', index: 0n, width: Number(size) })),
      )
      const leaves: Uint8Array[] = []
      for (let at = 0; at < entries.length;) {
        const end = at + 2 + entries.readUInt16BE(at)
        leaves.push(leafHash(entries.subarray(at + 2, end)))
        at = end
      }
      expect(Buffer.concat(leaves)).toEqual(read(edge ?? { level: 0, index: 0n, width: 0 }))
    },
  )

  it('are of small trees only', () => {
    expect(cases.every((c) => Number(c.inputs['size']) < 256)).toBe(true)
  })
})
