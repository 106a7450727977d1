import { asBuffer, equalBytes } from '../../trust/encoding.ts'
import type { PackageFile } from '../adapter.ts'
import { readWindowed, type ReadAt } from './window.ts'
import { brokenZip, resolve64, type CentralDirectory, type CentralRecord } from './zip-directory.ts'
import { parseExtra } from './zip-names.ts'
import { shown } from '../shown.ts'

const LOCAL = 0x04034b50
const LOCAL_LENGTH = 30
const DESCRIPTOR = 0x08074b50
const HAS_DESCRIPTOR = 0x0008
/** Flags that change how an entry is read: encryption, descriptor, patch, strong encryption, UTF-8, masking. */
const READING_FLAGS = 0x2869
/** Bytes before the first entry: launch scripts and program stubs are far smaller. */
const PREFIX_LIMIT = 4 * 1024 * 1024

export interface Layout {
  /** Where each entry's data starts. */
  readonly dataOffsets: ReadonlyMap<CentralRecord, number>
  /** Bytes before the first entry: 0, or a launch script. */
  readonly prefixLength: number
}

/**
 * Checks that entries and descriptors cover the file without gap or overlap from the first local header to the
 * central directory, and that each local header repeats its record. A reader that walks the local headers (a
 * streaming one) then sees exactly the entries that the directory lists, and shared data (the overlapping bomb)
 * is impossible.
 */
export async function checkLayout(file: PackageFile, directory: CentralDirectory): Promise<Layout> {
  const read = readWindowed(file)
  const records = directory.records.toSorted((a, b) => a.headerOffset - b.headerOffset)
  const prefixLength = records[0]?.headerOffset ?? directory.start
  const dataOffsets = new Map<CentralRecord, number>()
  let at = prefixLength
  for (const [index, record] of records.entries()) {
    const where = `offset ${record.headerOffset}`
    if (record.headerOffset < at) throw brokenZip(`zip entry '${shown(record.name)}' overlaps another`, where)
    if (record.headerOffset > at)
      throw brokenZip('bytes of the zip archive belong to no entry', `offset ${at}`)
    const next = records[index + 1]?.headerOffset ?? directory.start
    const dataOffset = await checkLocalHeader(read, record, directory.start)
    const end = dataOffset + record.compressedSize
    if (end > next)
      throw brokenZip(`the data of zip entry '${shown(record.name)}' overlaps what follows`, where)
    at = end
    if ((record.flags & HAS_DESCRIPTOR) !== 0) at += await checkDescriptor(read, record, end, next - end)
    dataOffsets.set(record, dataOffset)
  }
  if (at !== directory.start) throw brokenZip('bytes of the zip archive belong to no entry', `offset ${at}`)
  if (prefixLength > 0) await checkPrefix(file, prefixLength)
  return { dataOffsets, prefixLength }
}

/**
 * Local header (APPNOTE 4.3.7): `signature(4) version(2) flags(2) method(2) time(2) date(2) crc(4) compressed(4)
 * size(4) name length(2) extra length(2) name extra`. Returns where the data starts. With a descriptor the sizes
 * may be zero here; otherwise they repeat the record.
 */
async function checkLocalHeader(read: ReadAt, record: CentralRecord, limit: number): Promise<number> {
  const at = record.headerOffset
  const where = `offset ${at}`
  if (at + LOCAL_LENGTH > limit)
    throw brokenZip(`zip entry '${shown(record.name)}' has no local header`, where)
  const header = asBuffer(await read(at, LOCAL_LENGTH))
  if (header.readUInt32LE(0) !== LOCAL)
    throw brokenZip(`zip entry '${shown(record.name)}' has no local header`, where)
  const nameLength = header.readUInt16LE(26)
  const length = LOCAL_LENGTH + nameLength + header.readUInt16LE(28)
  if (at + length > limit)
    throw brokenZip(`the local header of zip entry '${shown(record.name)}' is cut off`, where)
  const whole = asBuffer(await read(at, length))
  const disagrees = (what: string) =>
    brokenZip(
      `local header and central directory disagree about the ${what} of zip entry '${shown(record.name)}'`,
      where,
    )
  if (!equalBytes(whole.subarray(LOCAL_LENGTH, LOCAL_LENGTH + nameLength), record.rawName))
    throw disagrees('name')
  if (((whole.readUInt16LE(6) ^ record.flags) & READING_FLAGS) !== 0) throw disagrees('flags')
  if (whole.readUInt16LE(8) !== record.method) throw disagrees('method')
  const extra = parseExtra(whole.subarray(LOCAL_LENGTH + nameLength), where)
  const [size, compressedSize] = resolve64([whole.readUInt32LE(22), whole.readUInt32LE(18), 0], extra, where)
  const mayBeZero = (record.flags & HAS_DESCRIPTOR) !== 0
  const repeats = (mine: number, theirs: number): boolean => mine === theirs || (mayBeZero && mine === 0)
  if (!repeats(size, record.size) || !repeats(compressedSize, record.compressedSize)) throw disagrees('size')
  if (!repeats(whole.readUInt32LE(14), record.crc32)) throw disagrees('checksum')
  return at + length
}

/**
 * Data descriptor (APPNOTE 4.3.9): `[signature(4)] crc(4) compressed size`, with sizes of 4 or 8 bytes. Its length
 * says which form it has, because nothing else may follow. Returns that length.
 */
async function checkDescriptor(
  read: ReadAt,
  record: CentralRecord,
  at: number,
  room: number,
): Promise<number> {
  const where = `offset ${at}`
  const bad = () => brokenZip(`the data descriptor of zip entry '${shown(record.name)}' is wrong`, where)
  if (room !== 12 && room !== 16 && room !== 20 && room !== 24) throw bad()
  const bytes = asBuffer(await read(at, room))
  const signed = room === 16 || room === 24
  if (signed && bytes.readUInt32LE(0) !== DESCRIPTOR) throw bad()
  const body = signed ? bytes.subarray(4) : bytes
  const [compressedSize, size] =
    body.length === 12
      ? [BigInt(body.readUInt32LE(4)), BigInt(body.readUInt32LE(8))]
      : [body.readBigUInt64LE(4), body.readBigUInt64LE(12)]
  const matches =
    body.readUInt32LE(0) === record.crc32 &&
    compressedSize === BigInt(record.compressedSize) &&
    size === BigInt(record.size)
  if (!matches) throw bad()
  return room
}

/** A launch script may stand before the archive, but nothing in it that another reader could take for an entry. */
async function checkPrefix(file: PackageFile, length: number): Promise<void> {
  if (length > PREFIX_LIMIT)
    throw brokenZip(`more than ${PREFIX_LIMIT} bytes stand before the zip archive`, 'offset 0')
  const prefix = asBuffer(await file.read(0, length))
  for (const signature of ['PK\u0001\u0002', 'PK\u0003\u0004', 'PK\u0005\u0006']) {
    const found = prefix.indexOf(signature, 0, 'latin1')
    if (found >= 0) throw brokenZip('another zip archive stands before the zip archive', `offset ${found}`)
  }
}
