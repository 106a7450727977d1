import { crc32, createInflateRaw, inflateRawSync, type InflateRaw } from 'node:zlib'
import { decodeUtf8 } from '../../trust/encoding.ts'
import { MalformedError } from '../../trust/errors.ts'
import type { PackageFile } from '../adapter.ts'
import { collect } from './byte-reader.ts'
import { PathLedger, type PathRules } from './paths.ts'
import { readCentralDirectory, type CentralRecord } from './zip-directory.ts'
import { checkLayout } from './zip-layout.ts'
import { shown } from '../shown.ts'

/**
 * Zip archives (PKWARE APPNOTE 6.3), read so that no two readers can see different packages in one file: the
 * central directory decides, the local headers must repeat it, and together they cover the file. The general
 * library for the format reads more leniently than that, so the structure is read here and only inflating is
 * left to zlib.
 */
export interface ZipEntry extends CentralRecord {
  readonly isDirectory: boolean
  /** Where the entry's data starts in the file. */
  readonly dataOffset: number
}

export interface ZipArchive {
  /** By exact name, in the order of the central directory. */
  readonly entries: ReadonlyMap<string, ZipEntry>
  /** Bytes before the first entry: a launch script. */
  readonly prefixLength: number
  /** Remarks on names, for reports. */
  readonly notes: readonly string[]
  /** Inflates one entry, held to the size and checksum that the directory claims. */
  stream(entry: ZipEntry): AsyncIterable<Uint8Array>
  /** As `stream`, in one piece; PACKAGE_LIMIT when it claims more than `limit` bytes. */
  read(entry: ZipEntry, limit: number): Promise<Uint8Array>
}

const STORED = 0
const DEFLATED = 8
const ENCRYPTED = 0x0041
/** Below this size, packed and unpacked, one synchronous call is several times faster than a stream. */
const SMALL = 256 * 1024

/** Jars and their kind are unpacked on every system, without stripping, and have no use for links. */
const PATH_RULES: PathRules = { strip: 0, windows: true, outwardLinks: false }
const LINK_TARGET = 4096

/** Throws MALFORMED_PACKAGE, PACKAGE_TRUNCATED, PACKAGE_LIMIT, PACKAGE_DUPLICATE or PACKAGE_PATH. */
export async function openZip(file: PackageFile): Promise<ZipArchive> {
  const directory = await readCentralDirectory(file)
  const layout = await checkLayout(file, directory)
  const ledger = new PathLedger(PATH_RULES)
  const entries = new Map<string, ZipEntry>()
  for (const record of directory.records) {
    const { name } = record
    if (entries.has(name)) throw duplicate(name)
    const isDirectory = name.endsWith('/')
    const entry = { ...record, isDirectory, dataOffset: layout.dataOffsets.get(record) ?? 0 }
    entries.set(name, entry)
    if (record.isLink) ledger.add(name, 'symlink', await readTarget(file, entry))
    else ledger.add(name, isDirectory ? 'directory' : 'file')
  }
  return {
    entries,
    prefixLength: layout.prefixLength,
    notes: ledger.notes,
    stream: (entry) => streamEntry(file, entry),
    read: (entry, limit) => readEntry(file, entry, limit),
  }
}

function duplicate(name: string): MalformedError {
  return new MalformedError('PACKAGE_DUPLICATE', `the zip archive holds '${shown(name)}' twice`)
}

/** A symbolic link keeps what it points to as its content. */
async function readTarget(file: PackageFile, entry: ZipEntry): Promise<string> {
  const target = decodeUtf8(await readEntry(file, entry, LINK_TARGET))
  if (target === undefined) throw broken(entry, 'links to something that is not UTF-8')
  return target
}

async function readEntry(file: PackageFile, entry: ZipEntry, limit: number): Promise<Uint8Array> {
  if (entry.size > limit) {
    throw new MalformedError(
      'PACKAGE_LIMIT',
      `zip entry '${shown(entry.name)}' is larger than sigward reads`,
      {
        got: `${entry.size} bytes`,
        wanted: `at most ${limit} bytes`,
      },
    )
  }
  return collect(streamEntry(file, entry), limit, `zip entry '${shown(entry.name)}'`)
}

async function* streamEntry(file: PackageFile, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  let size = 0
  let sum = 0
  for await (const chunk of unpack(file, entry)) {
    size += chunk.length
    if (size > entry.size) throw broken(entry, 'is longer than it claims')
    sum = crc32(chunk, sum)
    yield chunk
  }
  if (size !== entry.size) throw broken(entry, 'is shorter than it claims')
  if (sum !== entry.crc32) throw broken(entry, 'does not match its checksum')
}

function unpack(file: PackageFile, entry: ZipEntry): AsyncIterable<Uint8Array> {
  if ((entry.flags & ENCRYPTED) !== 0) throw broken(entry, 'is encrypted')
  const packed = (): AsyncIterable<Uint8Array> =>
    file.stream(entry.dataOffset, entry.dataOffset + entry.compressedSize)
  if (entry.method === STORED) {
    if (entry.size !== entry.compressedSize) throw broken(entry, 'claims two sizes')
    return packed()
  }
  if (entry.method !== DEFLATED)
    throw broken(entry, `is packed with method ${entry.method}, which sigward does not read`)
  return entry.size <= SMALL && entry.compressedSize <= SMALL
    ? inflateSmall(file, entry)
    : inflate(packed(), entry)
}

async function* inflateSmall(file: PackageFile, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  const packed = await file.read(entry.dataOffset, entry.compressedSize)
  yield inflateOnce(packed, entry)
}

function inflateOnce(packed: Uint8Array, entry: ZipEntry): Uint8Array {
  // one byte more than claimed, so that a longer entry is seen as such; zlib refuses a limit of zero
  const options = { maxOutputLength: entry.size + 1, info: true }
  let result: unknown
  try {
    result = inflateRawSync(packed, options)
  } catch (cause) {
    throw broken(entry, 'cannot be inflated', cause)
  }
  if (!isInflated(result) || result.engine.bytesWritten !== packed.length) {
    throw broken(entry, 'has bytes after its end')
  }
  return result.buffer
}

/** What zlib returns with the option `info`, which the declared type does not know. */
function isInflated(value: unknown): value is { buffer: Uint8Array; engine: { bytesWritten: number } } {
  return typeof value === 'object' && value !== null && 'buffer' in value && 'engine' in value
}

async function* inflate(packed: AsyncIterable<Uint8Array>, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  const inflater = createInflateRaw()
  const fed = feed(inflater, packed)
  try {
    for await (const chunk of inflater) if (chunk instanceof Uint8Array) yield chunk
    // zlib stops at the end of the deflate stream and drops what follows: that could hide anything
    if (inflater.bytesWritten !== entry.compressedSize) throw broken(entry, 'has bytes after its end')
  } catch (cause) {
    throw cause instanceof MalformedError ? cause : broken(entry, 'cannot be inflated', cause)
  } finally {
    inflater.destroy()
    await fed
  }
}

/** Writes the packed bytes as fast as they are taken. Never rejects: an error destroys the inflater with it. */
async function feed(inflater: InflateRaw, packed: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const chunk of packed) {
      if (inflater.destroyed || inflater.readableEnded) return
      if (!inflater.write(chunk)) await drained(inflater)
    }
    inflater.end()
  } catch (error) {
    inflater.destroy(error instanceof Error ? error : new Error(String(error)))
  }
}

/** The inflater takes more, has reached its end (and will take no more), or was destroyed. */
function drained(inflater: InflateRaw): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of ['drain', 'end', 'close']) inflater.off(event, done)
      resolve()
    }
    for (const event of ['drain', 'end', 'close']) inflater.on(event, done)
    if (inflater.destroyed || inflater.readableEnded) done()
  })
}

function broken(entry: ZipEntry, problem: string, cause?: unknown): MalformedError {
  const where = `offset ${entry.headerOffset}`
  return new MalformedError('MALFORMED_PACKAGE', `zip entry '${shown(entry.name)}' ${problem}`, {
    where,
    cause,
  })
}
