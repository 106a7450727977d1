import { CheckFailed } from '../errors.ts'
import { emptyRoot, HASH_LENGTH, nodeHash } from './merkle.ts'

/**
 * Tiles of a log (C2SP tlog-tiles): 256 neighbouring hashes of every eighth level of the tree, or the entries
 * themselves. Where a tile lies depends on the tree size alone, so a file name is all that a reader needs.
 */
export interface TileCoordinates {
  /** 0 holds leaf hashes; each level above holds the roots of full tiles below. `entries` holds the entries. */
  readonly level: number | 'entries'
  /** From the left within the level. */
  readonly index: bigint
  /** Hashes or entries in it, 1 to 256; below 256 the tile is partial. */
  readonly width: number
}

export const TILE_WIDTH = 256
const TILE_HEIGHT = 8n
const MAX_LEVEL = 63
/** Leaves are counted in 64 bits. */
const MAX_INDEX = 2n ** 64n
const PATH = /^tile\/(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/){0,6}[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/

/** `tile/0/x001/x234/067.p/8`, below the address of the log. */
export function encodeTilePath({ level, index, width }: TileCoordinates): string {
  let rest = index / 1000n
  let path = (index % 1000n).toString().padStart(3, '0')
  for (; rest > 0n; rest /= 1000n) path = `x${(rest % 1000n).toString().padStart(3, '0')}/${path}`
  return `tile/${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`
}

/** The inverse of `encodeTilePath`; undefined for anything that it would not have written. */
export function parseTilePath(path: string): TileCoordinates | undefined {
  const [, levelText, groups, widthText] = PATH.exec(path) ?? []
  if (levelText === undefined || groups === undefined) return undefined
  const level = levelText === 'entries' ? levelText : Number(levelText)
  const index = BigInt(groups.replaceAll(/[x/]/g, ''))
  const width = widthText === undefined ? TILE_WIDTH : Number(widthText)
  const tile: TileCoordinates = { level, index, width }
  const height = level === 'entries' ? 1n : BigInt(level) + 1n
  if (level !== 'entries' && level > MAX_LEVEL) return undefined
  if (index > 0n && index << (TILE_HEIGHT * height) >= MAX_INDEX) return undefined
  return encodeTilePath(tile) === path ? tile : undefined
}

/**
 * The partial tiles on the right edge of a tree, lowest level first: together they hold the root of every complete
 * subtree that the tree is made of. At most eight for a size below 2^64.
 */
export function edgeTiles(size: bigint): readonly TileCoordinates[] {
  const tiles: TileCoordinates[] = []
  let level = 0
  for (let nodes = size; nodes > 0n; nodes >>= TILE_HEIGHT) {
    const width = Number(nodes % BigInt(TILE_WIDTH))
    if (width > 0) tiles.push({ level, index: nodes >> TILE_HEIGHT, width })
    level++
  }
  return tiles
}

/**
 * Root of the tree of that size, from its edge tiles. `readTile` gives at least the hashes that the tile is wide,
 * 32 bytes each; a full tile may stand in for a partial one. Nothing of the tiles is true before the root equals
 * that of an opened checkpoint. Errors: `LOG_PROOF` for a tile that is too short.
 */
export function rootFromTiles(size: bigint, readTile: (tile: TileCoordinates) => Uint8Array): Uint8Array {
  let root: Uint8Array | undefined
  for (const tile of edgeTiles(size)) {
    const hashes = splitTile(tile, readTile(tile))
    // from the right: each complete subtree is the left neighbour of everything so far
    let end = tile.width
    for (let span = 1; end > 0; span *= 2) {
      if ((end & span) === 0) continue
      const left = completeRoot(hashes.slice(end - span, end))
      root = root === undefined ? left : nodeHash(left, root)
      end -= span
    }
  }
  return root ?? emptyRoot()
}

function splitTile(tile: TileCoordinates, bytes: Uint8Array): Uint8Array[] {
  if (bytes.length < tile.width * HASH_LENGTH || bytes.length > TILE_WIDTH * HASH_LENGTH) {
    throw new CheckFailed('log', 'LOG_PROOF', 'a tile is not as wide as the tree needs', {
      got: `${bytes.length} bytes`,
      wanted: `${tile.width * HASH_LENGTH} bytes`,
      where: encodeTilePath(tile),
    })
  }
  return Array.from({ length: tile.width }, (_, i) => bytes.subarray(i * HASH_LENGTH, (i + 1) * HASH_LENGTH))
}

/** Root over a number of hashes that is a power of two. */
function completeRoot(hashes: readonly Uint8Array[]): Uint8Array {
  const [first, second] = hashes
  if (first === undefined) throw new RangeError('no hashes')
  if (second === undefined) return first
  const half = hashes.length / 2
  return nodeHash(completeRoot(hashes.slice(0, half)), completeRoot(hashes.slice(half)))
}
