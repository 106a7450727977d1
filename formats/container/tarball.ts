import { MalformedError } from '../../trust/errors.ts'
import type { PackageFile } from '../adapter.ts'
import { collect } from './byte-reader.ts'
import { gunzip, looksLikeGzip } from './gzip.ts'
import type { PathLedger } from './paths.ts'
import { readTar, TAR_LIMITS, type TarEntry, type TarLimits } from './tar.ts'
import { shown } from '../shown.ts'

/** An entry whose path has been judged. */
export interface PackageEntry extends TarEntry {
  /** Components of the path as the unpacking tool sees it; empty for what it does not unpack. */
  readonly parts: readonly string[]
}

/** Headers and padding come on top of the files themselves: 1 KiB for each entry is plenty. */
function inflateLimit(limits: TarLimits): number {
  return limits.total + limits.entries * 1024
}

/** Entries of a tar stream with every path, link and repetition judged by the ledger. */
export async function* judgedEntries(
  source: AsyncIterable<Uint8Array>,
  ledger: PathLedger,
  limits: TarLimits = TAR_LIMITS,
): AsyncGenerator<PackageEntry, void, void> {
  for await (const entry of readTar(source, limits)) {
    const parts = ledger.add(entry.path, entry.kind, entry.linkTarget)
    yield { ...entry, parts }
  }
}

/** As `judgedEntries`, for a gzip-compressed archive. */
export function judgedTarballEntries(
  source: AsyncIterable<Uint8Array>,
  ledger: PathLedger,
  limits: TarLimits = TAR_LIMITS,
): AsyncGenerator<PackageEntry, void, void> {
  return judgedEntries(gunzip(source, { inflated: inflateLimit(limits) }), ledger, limits)
}

/** The bytes of a small file in the package; PACKAGE_LIMIT beyond `limit`. */
export function readBody(entry: TarEntry, limit: number): Promise<Uint8Array> {
  return collect(entry.body(), limit, `'${shown(entry.path)}' in the package`)
}

/** What a quick look into a compressed archive shows: enough to tell the formats apart, judged by nobody yet. */
export interface Outline {
  /**
   * Components of the paths of all files with at most four of them. The first is as written, even when it is `.`:
   * tools that strip one folder strip that.
   */
  readonly files: readonly (readonly string[])[]
  /** Why the look ended before the end of the archive, if it did; undefined for data that is no archive at all. */
  readonly failure: MalformedError | undefined
}

const OUTLINE_LIMITS: TarLimits = { ...TAR_LIMITS, total: 512 * 1024 * 1024 }
const OUTLINE_DEPTH = 4
const EMPTY: Outline = { files: [], failure: undefined }

// The bytes behind a PackageFile do not change, and several formats ask in turn.
const outlines = new WeakMap<PackageFile, Promise<Outline>>()

/** Never throws for a broken archive: what was seen up to there is the answer. */
export function outlineOf(file: PackageFile): Promise<Outline> {
  const known = outlines.get(file)
  if (known !== undefined) return known
  const outline = readOutline(file)
  outlines.set(file, outline)
  return outline
}

async function readOutline(file: PackageFile): Promise<Outline> {
  if (!looksLikeGzip(await file.read(0, Math.min(3, file.size)))) return EMPTY
  const files: (readonly string[])[] = []
  const gzip = new WatchedSource(gunzip(file.stream(), { inflated: inflateLimit(OUTLINE_LIMITS) }))
  let isTar = false
  try {
    for await (const entry of readTar(gzip.stream(), OUTLINE_LIMITS)) {
      isTar = true
      if (entry.kind !== 'file') continue
      const parts = entry.path.split('/').filter((part, i) => i === 0 || (part !== '' && part !== '.'))
      if (parts.length <= OUTLINE_DEPTH) files.push(parts)
    }
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    return { files, failure: isTar || gzip.failure === error ? error : undefined }
  }
  return { files, failure: undefined }
}

/** Remembers whether an error came out of a stream or arose from what its reader made of it. */
class WatchedSource {
  private readonly source: AsyncIterable<Uint8Array>
  failure: unknown

  constructor(source: AsyncIterable<Uint8Array>) {
    this.source = source
  }

  async *stream(): AsyncGenerator<Uint8Array, void, void> {
    try {
      yield* this.source
    } catch (error) {
      this.failure = error
      throw error
    }
  }
}
