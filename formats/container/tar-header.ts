import { asBuffer, decodeUtf8 } from '../../trust/encoding.ts'
import { MalformedError } from '../../trust/errors.ts'

/**
 * Tar headers (POSIX.1-2024 pax and ustar, GNU long names, v7), read strictly: where tar readers are known to
 * disagree, the archive is refused, so that what is read here is what every tool unpacks.
 */
export const BLOCK = 512

/** Offsets and lengths in the header block. */
const NAME = [0, 100] as const
const MODE = [100, 8] as const
const SIZE = [124, 12] as const
const CHECKSUM = [148, 8] as const
const TYPE_AT = 156
const LINK = [157, 100] as const
const MAGIC = [257, 8] as const
const PREFIX = [345, 155] as const
const STAR_TRAILER = [508, 4] as const

export interface TarHeader {
  readonly name: string
  /** The type flag as a character; '0' for the NUL of old archives. */
  readonly type: string
  readonly size: number
  readonly mode: number
  readonly linkTarget: string
}

/** True when the block has a correct header checksum: cheap detection of a tar file. */
export function looksLikeTar(head: Uint8Array): boolean {
  if (head.length < BLOCK || head[0] === 0) return false
  return readOctal(head, CHECKSUM) === checksumOf(head.subarray(0, BLOCK))
}

/** The name field of the first header: cheap detection by a known first entry. */
export function firstName(head: Uint8Array): string {
  return looksLikeTar(head) ? (text(head, NAME) ?? '') : ''
}

export function parseTarHeader(block: Uint8Array, offset: number): TarHeader {
  const fail = (what: string): never => {
    throw new MalformedError('MALFORMED_PACKAGE', `the tar header ${what}`, { where: `offset ${offset}` })
  }
  if (readOctal(block, CHECKSUM) !== checksumOf(block)) fail('has a wrong checksum')
  const magic = asBuffer(block).toString('latin1', MAGIC[0], MAGIC[0] + MAGIC[1])
  const isUstar = magic === 'ustar\u000000'
  const isGnu = magic === 'ustar  \0'
  if (!isUstar && !isGnu && magic !== '\0'.repeat(8)) fail('is of no known kind')
  // readers disagree on how long the prefix of this kind is
  if (isUstar && text(block, STAR_TRAILER) === 'tar') fail('is of the kind of star')
  const name = text(block, NAME) ?? fail('has a name that is not UTF-8')
  const prefix = isUstar ? (text(block, PREFIX) ?? fail('has a name that is not UTF-8')) : ''
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    type: block[TYPE_AT] === 0 ? '0' : String.fromCharCode(block[TYPE_AT] ?? 0),
    size: readNumber(block, SIZE) ?? fail('has no valid size'),
    mode: readNumber(block, MODE) ?? fail('has no valid mode'),
    linkTarget: text(block, LINK) ?? fail('has a link that is not UTF-8'),
  }
}

type Field = readonly [offset: number, length: number]

/** Sum of all bytes with the checksum field taken as spaces. */
function checksumOf(block: Uint8Array): number {
  let sum = 0
  for (const byte of block) sum += byte
  for (let i = CHECKSUM[0]; i < CHECKSUM[0] + CHECKSUM[1]; i++) sum += 0x20 - (block[i] ?? 0)
  return sum
}

/** Text up to the first NUL; undefined when it is not UTF-8. */
function text(block: Uint8Array, field: Field): string | undefined {
  const bytes = block.subarray(field[0], field[0] + field[1])
  const end = bytes.indexOf(0)
  return decodeUtf8(end === -1 ? bytes : bytes.subarray(0, end))
}

/** Octal with spaces before and spaces or NULs after; an empty field is zero. */
function readOctal(block: Uint8Array, field: Field): number | undefined {
  const raw = asBuffer(block).toString('latin1', field[0], field[0] + field[1])
  const match = /^ *([0-7]*)[ \0]*$/.exec(raw)
  return match === null ? undefined : Number.parseInt(match[1] === '' ? '0' : (match[1] ?? '0'), 8)
}

/** Octal, or the base-256 form of GNU for what octal cannot hold: first bit set, then a big-endian number. */
function readNumber(block: Uint8Array, field: Field): number | undefined {
  const first = block[field[0]] ?? 0
  if ((first & 0x80) === 0) return readOctal(block, field)
  // 0xff starts a negative number
  if (first !== 0x80) return undefined
  let value = 0
  for (let i = 1; i < field[1]; i++) value = value * 256 + (block[field[0] + i] ?? 0)
  return Number.isSafeInteger(value) ? value : undefined
}

/** What extended headers say about the entry that follows them. */
export interface Extended {
  path?: string
  linkTarget?: string
  size?: number
}

/**
 * Records of a pax header: `length SP key=value LF`, the length counting all of it. Keys that change how the
 * data is read (`GNU.sparse.*`) are refused, those that only describe it are passed over.
 */
export function parsePax(bytes: Uint8Array, isGlobal: boolean, offset: number): Extended {
  const fail = (what: string): never => {
    throw new MalformedError('MALFORMED_PACKAGE', `the pax header ${what}`, { where: `offset ${offset}` })
  }
  const extended: Extended = {}
  const seen = new Set<string>()
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at)
    const digits = space === -1 || space > at + 7 ? '' : asBuffer(bytes).toString('latin1', at, space)
    const length = /^[1-9][0-9]*$/.test(digits) ? Number(digits) : fail('has a record without a length')
    const end = at + length
    const equals = bytes.indexOf(0x3d, space)
    if (end > bytes.length || bytes[end - 1] !== 0x0a) fail('has a record of a wrong length')
    if (equals === -1 || equals >= end) fail('has a record without a value')
    const key = asBuffer(bytes).toString('latin1', space + 1, equals)
    if (key.startsWith('GNU.sparse.')) fail('describes a sparse file')
    if (key === 'path' || key === 'linkpath' || key === 'size') {
      if (isGlobal || seen.has(key)) fail(`sets '${key}' for several files or twice`)
      seen.add(key)
      const value =
        decodeUtf8(bytes.subarray(equals + 1, end - 1)) ?? fail(`has a '${key}' that is not UTF-8`)
      if (value === '' || value.includes('\0')) fail(`has an impossible '${key}'`)
      if (key === 'path') extended.path = value
      else if (key === 'linkpath') extended.linkTarget = value
      else
        extended.size = /^(?:0|[1-9][0-9]{0,14})$/.test(value) ? Number(value) : fail("has no valid 'size'")
    }
    at = end
  }
  return extended
}

/** The body of a GNU long name or long link entry: a path that a NUL may end. */
export function parseLongName(bytes: Uint8Array, offset: number): string {
  const end = bytes.indexOf(0)
  const path = decodeUtf8(end === -1 ? bytes : bytes.subarray(0, end))
  const isPadded = end === -1 || bytes.subarray(end).every((byte) => byte === 0)
  if (path === undefined || path === '' || !isPadded) {
    throw new MalformedError('MALFORMED_PACKAGE', 'the long name is not one path', {
      where: `offset ${offset}`,
    })
  }
  return path
}
