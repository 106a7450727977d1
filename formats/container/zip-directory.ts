import { asBuffer } from '../../trust/encoding.ts'
import { MalformedError } from '../../trust/errors.ts'
import type { PackageFile } from '../adapter.ts'
import { entryName, parseExtra, type ExtraField } from './zip-names.ts'

/** One record of the central directory (APPNOTE 4.3.12). */
export interface CentralRecord {
  readonly name: string
  /** The name as it is stored; the local header must repeat it. */
  readonly rawName: Uint8Array
  readonly flags: number
  readonly method: number
  readonly crc32: number
  readonly compressedSize: number
  readonly size: number
  /** Where the local header starts in the file, the shift by a prefix included. */
  readonly headerOffset: number
  /** Unix file type bits say that this is a symbolic link. */
  readonly isLink: boolean
}

export interface CentralDirectory {
  readonly records: readonly CentralRecord[]
  /** Where the directory starts: the last entry's data ends there. */
  readonly start: number
}

export const ZIP_LIMITS = {
  entries: 100_000,
  /** Bytes of the central directory: 100 000 records with names of a few hundred bytes. */
  directory: 64 * 1024 * 1024,
  /** Bytes of one name; no file system takes longer ones. */
  name: 4096,
  /** Claimed bytes of all entries together above which the ratio counts. */
  unpacked: 256 * 1024 * 1024,
  /** Claimed bytes per byte of the archive: real packages stay under 20. */
  ratio: 100,
}

const END = 'PK\u0005\u0006'
const END_LENGTH = 22
const LOCATOR64 = 0x07064b50
const LOCATOR64_LENGTH = 20
const END64 = 0x06064b50
const END64_LENGTH = 56
const CENTRAL = 0x02014b50
const CENTRAL_LENGTH = 46
const ZIP64_EXTRA = 0x0001
const U16 = 0xffff
const U32 = 0xffffffff

/** The end record, resolved: where the directory lies and how many records it has. */
interface End {
  readonly count: number
  readonly size: number
  /** Offset that the archive claims for the directory. */
  readonly offset: number
  /** Where the directory really ends. */
  readonly limit: number
}

export function brokenZip(message: string, where?: string): MalformedError {
  return new MalformedError('MALFORMED_PACKAGE', message, where === undefined ? {} : { where })
}

/**
 * Reads the central directory. It must end exactly where the end records begin, and these exactly where the file
 * ends: whatever else a lenient reader could take for a directory is refused, because two tools would then
 * unpack two different packages from one signed file.
 */
export async function readCentralDirectory(file: PackageFile): Promise<CentralDirectory> {
  const end = await readEnd(file)
  const start = end.limit - end.size
  // bytes put before the archive shift everything by as much, unless the writer corrected the offsets
  const shift = start - end.offset
  if (start < 0 || shift < 0)
    throw brokenZip('the central directory of the zip archive lies outside the file')
  if (end.count > ZIP_LIMITS.entries) throw overLimit(`${end.count} entries`, `at most ${ZIP_LIMITS.entries}`)
  if (end.size > ZIP_LIMITS.directory)
    throw overLimit(`a directory of ${end.size} bytes`, `${ZIP_LIMITS.directory}`)
  if (shift > 0 && (await hasSignature(file, end.offset, CENTRAL))) {
    throw brokenZip('the zip archive has two central directories', `offset ${end.offset}`)
  }
  const directory = asBuffer(await file.read(start, end.size))
  const records: CentralRecord[] = []
  let at = 0
  while (at < directory.length) {
    if (records.length === end.count) throw brokenZip('the central directory has more records than it counts')
    const length = recordLength(directory, at, start)
    records.push(parseRecord(directory.subarray(at, at + length), start + at, shift))
    at += length
  }
  if (records.length !== end.count) throw brokenZip('the central directory has fewer records than it counts')
  checkClaims(records, file.size)
  return { records, start }
}

async function hasSignature(file: PackageFile, offset: number, signature: number): Promise<boolean> {
  if (offset + 4 > file.size) return false
  return asBuffer(await file.read(offset, 4)).readUInt32LE(0) === signature
}

/** The end of central directory record (APPNOTE 4.3.16), which must be the last thing in the file. */
async function readEnd(file: PackageFile): Promise<End> {
  const length = Math.min(file.size, END_LENGTH + U16)
  const tail = asBuffer(await file.read(file.size - length, length))
  const at = lastEnd(tail)
  if (at === undefined) throw await withoutEnd(file)
  const reach = at + END_LENGTH + tail.readUInt16LE(at + 20)
  if (reach > tail.length) throw cutOff(file.size)
  if (reach < tail.length)
    throw brokenZip('bytes follow the end of the zip archive', `offset ${file.size - length + reach}`)
  // a second record that also fits the end of the file is the first one's comment to other readers
  for (let other = lastEnd(tail, at - 1); other !== undefined; other = lastEnd(tail, other - 1)) {
    if (other + END_LENGTH + tail.readUInt16LE(other + 20) === tail.length) {
      throw brokenZip('the zip archive has two end records', `offset ${file.size - length + other}`)
    }
  }
  const position = file.size - length + at
  const record = tail.subarray(at, at + END_LENGTH)
  const plain = {
    count: record.readUInt16LE(10),
    size: record.readUInt32LE(12),
    offset: record.readUInt32LE(16),
    limit: position,
  }
  const disks = record.readUInt32LE(4)
  const onDisk = record.readUInt16LE(8)
  const end64 = await readEnd64(file, position)
  if (end64 === undefined) {
    if (disks !== 0 || onDisk !== plain.count) throw splitArchive()
    return plain
  }
  const agrees =
    (plain.count === U16 || plain.count === end64.count) &&
    (onDisk === U16 || onDisk === end64.count) &&
    (disks === 0 || disks === U32) &&
    (plain.size === U32 || plain.size === end64.size) &&
    (plain.offset === U32 || plain.offset === end64.offset)
  if (!agrees) throw brokenZip('the two end records of the zip archive disagree', `offset ${position}`)
  return end64
}

/** What starts like a zip archive and has no end was cut off; anything else never was one. */
async function withoutEnd(file: PackageFile): Promise<MalformedError> {
  const head = asBuffer(await file.read(0, Math.min(4, file.size)))
  return 'PK\u0003\u0004'.startsWith(head.toString('latin1'))
    ? cutOff(file.size)
    : brokenZip('this is not a zip archive')
}

function cutOff(size: number): MalformedError {
  return new MalformedError('PACKAGE_TRUNCATED', 'the end of the zip archive is missing', {
    where: `offset ${size}`,
  })
}

function lastEnd(tail: Buffer, from = tail.length - END_LENGTH): number | undefined {
  if (from < 0) return undefined
  const at = tail.lastIndexOf(END, from, 'latin1')
  return at < 0 ? undefined : at
}

/** Zip64 end record and its locator (APPNOTE 4.3.14, 4.3.15), directly before the end record; often absent. */
async function readEnd64(file: PackageFile, position: number): Promise<End | undefined> {
  const at = position - LOCATOR64_LENGTH
  if (at < 0 || !(await hasSignature(file, at, LOCATOR64))) return undefined
  const where = `offset ${at}`
  const start = at - END64_LENGTH
  if (start < 0 || !(await hasSignature(file, start, END64))) {
    throw brokenZip('the zip64 end record is not where its locator says', where)
  }
  const locator = asBuffer(await file.read(at, LOCATOR64_LENGTH))
  const record = asBuffer(await file.read(start, END64_LENGTH))
  if (size64(record, 4, where) !== END64_LENGTH - 12)
    throw brokenZip('the zip64 end record has an unknown form', where)
  const end: End = {
    count: size64(record, 32, where),
    size: size64(record, 40, where),
    offset: size64(record, 48, where),
    limit: start,
  }
  const oneDisk = locator.readUInt32LE(4) === 0 && locator.readUInt32LE(16) <= 1
  if (!oneDisk || record.readBigUInt64LE(16) !== 0n || size64(record, 24, where) !== end.count)
    throw splitArchive()
  // both offsets are shifted by the same prefix
  if (start - size64(locator, 8, where) !== start - end.size - end.offset) {
    throw brokenZip('the zip64 end record is not where its locator says', where)
  }
  return end
}

function splitArchive(): MalformedError {
  return brokenZip('the zip archive is one part of several')
}

function size64(bytes: Buffer, at: number, where: string): number {
  const value = bytes.readBigUInt64LE(at)
  if (value > BigInt(Number.MAX_SAFE_INTEGER))
    throw brokenZip('the zip archive claims an impossible size', where)
  return Number(value)
}

function recordLength(directory: Buffer, at: number, start: number): number {
  const where = `offset ${start + at}`
  if (at + CENTRAL_LENGTH > directory.length || directory.readUInt32LE(at) !== CENTRAL) {
    throw brokenZip('the central directory holds something that is no record', where)
  }
  const name = directory.readUInt16LE(at + 28)
  if (name > ZIP_LIMITS.name) throw overLimit(`a name of ${name} bytes`, `at most ${ZIP_LIMITS.name}`, where)
  const length = CENTRAL_LENGTH + name + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32)
  if (at + length > directory.length) throw brokenZip('a record of the central directory is cut off', where)
  return length
}

function parseRecord(record: Buffer, position: number, shift: number): CentralRecord {
  const where = `offset ${position}`
  const nameEnd = CENTRAL_LENGTH + record.readUInt16LE(28)
  const rawName = record.subarray(CENTRAL_LENGTH, nameEnd)
  const extra = parseExtra(record.subarray(nameEnd, nameEnd + record.readUInt16LE(30)), where)
  const flags = record.readUInt16LE(8)
  if (rawName.length === 0) throw brokenZip('an entry of the zip archive has no name', where)
  const disk = record.readUInt16LE(34)
  const claims = [record.readUInt32LE(24), record.readUInt32LE(20), record.readUInt32LE(42)] as const
  const [size, compressedSize, offset] = resolve64(claims, extra, where)
  if (disk !== 0 && disk !== U16) throw splitArchive()
  return {
    name: entryName(rawName, flags, extra, where),
    rawName,
    flags,
    method: record.readUInt16LE(10),
    crc32: record.readUInt32LE(16),
    compressedSize,
    size,
    headerOffset: offset + shift,
    isLink: record[5] === 3 && record.readUInt32LE(38) >>> 28 === 0xa,
  }
}

/**
 * Zip64 extended information (APPNOTE 4.5.3): the 8-byte values of exactly those fields that are all ones in the
 * record, in the order size, compressed size, offset.
 */
export function resolve64(
  claims: readonly [size: number, compressedSize: number, offset: number],
  extra: readonly ExtraField[],
  where: string,
): readonly [number, number, number] {
  const [first, second] = extra.filter((field) => field.tag === ZIP64_EXTRA)
  if (second !== undefined) throw brokenZip('a zip entry has two sets of sizes', where)
  if (first === undefined) return claims
  let at = 0
  const take = (claim: number): number => {
    if (claim !== U32) return claim
    if (at + 8 > first.data.length) throw brokenZip('a zip64 field is cut off', where)
    const value = size64(first.data, at, where)
    at += 8
    return value
  }
  return [take(claims[0]), take(claims[1]), take(claims[2])]
}

/** Refuses archives that would fill a disk; what is inflated later is held to the claims that pass here. */
function checkClaims(records: readonly CentralRecord[], fileSize: number): void {
  let unpacked = 0
  for (const record of records) unpacked += record.size
  if (unpacked > ZIP_LIMITS.unpacked && unpacked > fileSize * ZIP_LIMITS.ratio) {
    throw overLimit(`${unpacked} bytes out of ${fileSize}`, `at most ${ZIP_LIMITS.ratio} times as many`)
  }
}

function overLimit(got: string, wanted: string, where?: string): MalformedError {
  const message = 'the zip archive exceeds a safety limit'
  return new MalformedError(
    'PACKAGE_LIMIT',
    message,
    where === undefined ? { got, wanted } : { got, wanted, where },
  )
}
