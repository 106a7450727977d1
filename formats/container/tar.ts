import { MalformedError } from '../../trust/errors.ts'
import { ByteReader, isZero, truncated } from './byte-reader.ts'
import type { EntryKind } from './paths.ts'
import {
  BLOCK,
  parseLongName,
  parsePax,
  parseTarHeader,
  type Extended,
  type TarHeader,
} from './tar-header.ts'

export interface TarLimits {
  /** Entries, those that describe others included. */
  readonly entries: number
  /** Bytes of all files together. */
  readonly total: number
  /** Bytes of one entry that describes others (pax header, long name). */
  readonly metadata: number
  /**
   * `required` where nothing else tells that the archive is complete: a plain tar that is cut between two entries
   * looks like one with fewer. Inside gzip the checksum at the end tells.
   */
  readonly endMarker: 'required' | 'optional'
}

export const TAR_LIMITS: TarLimits = {
  entries: 100_000,
  total: 1024 * 1024 * 1024,
  metadata: 1024 * 1024,
  endMarker: 'optional',
}

export interface TarEntry {
  /** As the archive writes it: judge it with `PathLedger` before use. */
  readonly path: string
  readonly kind: EntryKind
  readonly size: number
  readonly mode: number
  /** Of a symbolic link, from the folder of the link; of a hard link, from the top of the archive. */
  readonly linkTarget: string | undefined
  /** The bytes, once, before the next entry is asked for; what is not read is skipped. */
  body(): AsyncIterable<Uint8Array>
}

const KINDS: Readonly<Record<string, EntryKind>> = {
  '0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '5': 'directory',
}

const SPECIAL: Readonly<Record<string, string>> = {
  '3': 'a character device',
  '4': 'a block device',
  '6': 'a pipe',
  S: 'a sparse file',
}

/**
 * The entries of a tar archive, in order, from a stream. Throws MALFORMED_PACKAGE for what tar readers disagree on
 * or what has no place in a package, PACKAGE_TRUNCATED and PACKAGE_LIMIT. Memory is one chunk and one extended
 * header, whatever the size. Leaving early closes the source.
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
  limits: TarLimits = TAR_LIMITS,
): AsyncGenerator<TarEntry, void, void> {
  const reader = new ByteReader(source)
  const counter = new Counter(limits)
  try {
    for (;;) {
      const found = await nextHeader(reader, counter)
      if (found === undefined) break
      const entry = describe(found, reader.offset)
      counter.addSize(entry.size)
      const end = reader.offset + padded(entry.size)
      const bodyEnd = reader.offset + entry.size
      yield { ...entry, body: () => bodyOf(reader, bodyEnd) }
      await skipTo(reader, end)
    }
  } finally {
    await reader.close()
  }
}

interface Found {
  readonly header: TarHeader
  readonly extended: Extended
}

/** Reads on to the next entry that is a file of its own; undefined at the end of the archive. */
async function nextHeader(reader: ByteReader, counter: Counter): Promise<Found | undefined> {
  let extended: Extended | undefined
  for (;;) {
    const offset = reader.offset
    const block = await reader.exactly(BLOCK)
    if (block === undefined || isZero(block)) {
      if (extended !== undefined) throw malformed('the archive ends after an extended header', offset)
      await finish(reader, block !== undefined, counter.limits.endMarker)
      return undefined
    }
    const header = parseTarHeader(block, offset)
    counter.addEntry()
    if (!/^[xgLK]$/.test(header.type)) return { header, extended: extended ?? {} }
    if (header.size > counter.limits.metadata) {
      throw new MalformedError('PACKAGE_LIMIT', 'an extended header is too large', {
        got: `${header.size} bytes`,
        wanted: `at most ${counter.limits.metadata} bytes`,
        where: `offset ${offset}`,
      })
    }
    const body = header.size === 0 ? new Uint8Array(0) : await reader.exactly(header.size)
    if (body === undefined) throw truncated(reader.offset)
    await skipTo(reader, reader.offset + padded(header.size) - header.size)
    if (header.type === 'g') parsePax(body, true, offset)
    else extended = merge(extended, readExtended(header.type, body, offset), offset)
  }
}

function readExtended(type: string, body: Uint8Array, offset: number): Extended {
  if (type === 'x') return parsePax(body, false, offset)
  const name = parseLongName(body, offset)
  return type === 'L' ? { path: name } : { linkTarget: name }
}

/** Two extended headers may follow each other only when they speak of different things: readers pick differently. */
function merge(first: Extended | undefined, second: Extended, offset: number): Extended {
  const before = first ?? {}
  for (const key of ['path', 'linkTarget', 'size'] as const) {
    if (before[key] !== undefined && second[key] !== undefined) {
      throw malformed(`two extended headers give the ${key} of one entry`, offset)
    }
  }
  return { ...before, ...second }
}

function describe({ header, extended }: Found, offset: number): Omit<TarEntry, 'body'> {
  const special = SPECIAL[header.type]
  if (special !== undefined) throw malformed(`an entry is ${special}`, offset)
  let kind = KINDS[header.type]
  if (kind === undefined) throw malformed('an entry is of an unknown type', offset)
  // readers that ignore one of the two sizes see other entries behind this one
  if (extended.size !== undefined && extended.size !== header.size) {
    throw malformed('an entry has two different sizes', offset)
  }
  const path = extended.path ?? header.name
  if (path === '') throw malformed('an entry has no name', offset)
  // how archives marked folders before there was a type for them
  if (kind === 'file' && path.endsWith('/')) kind = 'directory'
  if (kind !== 'file' && header.size !== 0) throw malformed('an entry that has no data gives a size', offset)
  const isLink = kind === 'symlink' || kind === 'hardlink'
  const linkTarget = isLink ? (extended.linkTarget ?? header.linkTarget) : undefined
  return { path, kind, size: header.size, mode: header.mode, linkTarget }
}

/** After the end marker only zeros may follow: readers that skip the marker would find more. */
async function finish(
  reader: ByteReader,
  sawZero: boolean,
  endMarker: TarLimits['endMarker'],
): Promise<void> {
  const second = sawZero ? await reader.exactly(BLOCK) : undefined
  if (second === undefined) {
    if (endMarker === 'required') throw truncated(reader.offset)
    return
  }
  for (let rest: Uint8Array | undefined = second; rest !== undefined; rest = await reader.some(64 * 1024)) {
    if (!isZero(rest)) throw malformed('something follows the end of the archive', reader.offset)
  }
}

async function* bodyOf(reader: ByteReader, end: number): AsyncGenerator<Uint8Array, void, void> {
  while (reader.offset < end) {
    const part = await reader.some(end - reader.offset)
    if (part === undefined) throw truncated(reader.offset)
    yield part
  }
}

async function skipTo(reader: ByteReader, end: number): Promise<void> {
  while (reader.offset < end) {
    if ((await reader.some(end - reader.offset)) === undefined) throw truncated(reader.offset)
  }
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK
}

class Counter {
  readonly limits: TarLimits
  private entries = 0
  private total = 0

  constructor(limits: TarLimits) {
    this.limits = limits
  }

  addEntry(): void {
    this.entries++
    if (this.entries > this.limits.entries) {
      throw new MalformedError('PACKAGE_LIMIT', `the archive has more than ${this.limits.entries} entries`)
    }
  }

  addSize(size: number): void {
    this.total += size
    if (this.total > this.limits.total) {
      throw new MalformedError(
        'PACKAGE_LIMIT',
        `the files of the archive are larger than ${this.limits.total} bytes`,
      )
    }
  }
}

function malformed(message: string, offset: number): MalformedError {
  return new MalformedError('MALFORMED_PACKAGE', message, { where: `offset ${offset}` })
}
