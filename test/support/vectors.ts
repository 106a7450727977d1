import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'

/**
 * The published test vectors: data that this project did not make. They are never copied into the project. The
 * archive is `../shared/vectors/vectors.tar.gz` beside the checkout, or the file (or its folder) that
 * `SIGWARD_VECTORS` names; it is unpacked once per content into the system's folder for temporary files.
 */
export interface VectorCase {
  readonly id: string
  readonly kind: string
  /** Every file of the case, as names for `vectorPath`. */
  readonly files: readonly string[]
  readonly inputs: Readonly<Record<string, unknown>>
  readonly expected: { readonly result: string; readonly why: string; readonly basis?: string }
}

/**
 * How many cases of each kind the archive held when this was written: what is reported as skipped where the
 * archive is not there, because then nothing else knows.
 */
const KNOWN_CASES: Readonly<Record<string, number>> = {
  'bundle-verify': 80,
  checkpoint: 12,
  'cosign-key': 11,
  crypto: 2,
  'fulcio-cert': 19,
  gem: 14,
  helm: 6,
  homebrew: 2,
  jar: 16,
  'merkle-proof': 202,
  minisign: 3,
  npm: 31,
  pgp: 6,
  'rekor-entry': 13,
  sshsig: 4,
  timestamp: 5,
  tuf: 26,
  wasm: 12,
}

let unpacked: string | undefined
let searched = false
let cases: readonly VectorCase[] | undefined
const reported = new Set<string>()

/** Absolute path of a file or folder of the archive (`tessera/log`); undefined where the archive is not there. */
export function vectorPath(name: string): string | undefined {
  const folder = vectorFolder()
  if (folder === undefined) {
    reportSkip(basename(name), 1)
    return undefined
  }
  const path = join(folder, name)
  if (!existsSync(path)) throw new Error(`the vector archive has no '${name}'`)
  return path
}

/** All cases of one kind, in the order of the manifest; empty, and reported, where the archive is not there. */
export function vectorCases(kind: string): readonly VectorCase[] {
  const folder = vectorFolder()
  if (folder === undefined) {
    reportSkip(kind, KNOWN_CASES[kind] ?? 1)
    return []
  }
  cases ??= parseManifest(JSON.parse(readFileSync(join(folder, 'MANIFEST.json'), 'utf8')))
  const found = cases.filter((c) => c.kind === kind)
  if (found.length === 0) throw new Error(`the vector archive has no case of kind '${kind}'`)
  return found
}

/** One input of a case that is a text: `vectorInput(c, 'bundle')`. */
export function vectorInput(vector: VectorCase, name: string): string {
  const value = vector.inputs[name]
  if (typeof value !== 'string') throw new Error(`vector ${vector.id} has no input '${name}'`)
  return value
}

/** The bytes of a file of the archive, for use inside a test that a case of `vectorCases` started. */
export function readVector(name: string): Buffer {
  const path = vectorPath(name)
  if (path === undefined) throw new Error(`vector '${name}' is absent`)
  return readFileSync(path)
}

function vectorFolder(): string | undefined {
  if (!searched) {
    searched = true
    const archive = findArchive()
    if (archive !== undefined) unpacked = unpack(archive)
  }
  return unpacked
}

function findArchive(): string | undefined {
  const named = process.env['SIGWARD_VECTORS']
  if (named !== undefined && named !== '') {
    const archive = named.endsWith('.gz') ? named : join(named, 'vectors.tar.gz')
    // a path that somebody named and that is not there is a mistake, not an absence
    if (!existsSync(archive)) throw new Error(`SIGWARD_VECTORS names '${archive}', which does not exist`)
    return archive
  }
  const project = dirname(dirname(import.meta.dirname))
  const archive = join(dirname(project), 'shared', 'vectors', 'vectors.tar.gz')
  return existsSync(archive) ? archive : undefined
}

/** Several test processes may start at once: each unpacks beside the target and the first rename wins. */
function unpack(archive: string): string {
  const hash = createHash('sha256').update(readFileSync(archive)).digest('hex')
  const target = join(tmpdir(), `sigward-vectors-${hash}`)
  if (existsSync(target)) return target
  const draft = mkdtempSync(join(tmpdir(), 'sigward-vectors-draft-'))
  try {
    const content = join(draft, 'content')
    mkdirSync(content)
    execFileSync('tar', ['-xzf', archive, '-C', content], { stdio: ['ignore', 'ignore', 'inherit'] })
    try {
      renameSync(content, target)
    } catch (error) {
      if (!existsSync(target)) throw error
    }
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
  return target
}

function reportSkip(suite: string, skipped: number): void {
  const log = process.env['SIGWARD_SKIP_LOG']
  if (log === undefined || reported.has(suite)) return
  reported.add(suite)
  appendFileSync(log, `${JSON.stringify({ suite, skipped, why: 'vector archive absent' })}\n`)
}

function parseManifest(value: unknown): readonly VectorCase[] {
  if (typeof value !== 'object' || value === null || !('cases' in value) || !Array.isArray(value.cases)) {
    throw new Error('the manifest of the vector archive has no list of cases')
  }
  return value.cases.map((item: unknown) => parseCase(item))
}

function parseCase(item: unknown): VectorCase {
  if (typeof item === 'object' && item !== null && 'id' in item && 'kind' in item && 'expected' in item) {
    // the manifest is our own data; its three fields above tell that this is a case
    return { inputs: {}, files: [], ...item } as unknown as VectorCase
  }
  throw new Error('the manifest of the vector archive holds something that is not a case')
}
