import { asBuffer } from '../trust/encoding.ts'
import type { ZipArchive, ZipEntry } from './container/zip.ts'
import { shown } from './shown.ts'

/** Maven coordinates, as the build tool wrote them into the archive. */
export interface Coordinates {
  readonly group: string
  readonly artifact: string
  readonly version: string
}

export interface FoundCoordinates {
  /** undefined where the archive does not say, or says several things. */
  readonly coordinates: Coordinates | undefined
  /** Why they are what they are, for reports. */
  readonly notes: readonly string[]
}

const POM_PROPERTIES = /^META-INF\/maven\/([^/]+)\/([^/]+)\/pom\.properties$/
const PROPERTIES_LIMIT = 64 * 1024
/** A jar that holds its dependencies may have hundreds; those that do not fit the file's name are not read. */
const CANDIDATE_LIMIT = 100
/** What Maven itself accepts for group and artifact. */
const ID = /^[A-Za-z0-9_.-]{1,200}$/
const VERSION = /^[A-Za-z0-9_.+~-]{1,200}$/

interface Candidate {
  readonly group: string
  readonly artifact: string
  readonly entry: ZipEntry
}

/**
 * Reads `META-INF/maven/<group>/<artifact>/pom.properties`. One such file names the archive. With several (a jar
 * that has its dependencies inside) only the one that is called like the file itself does; where none is, nothing
 * is guessed.
 */
export async function readCoordinates(archive: ZipArchive, filename: string): Promise<FoundCoordinates> {
  const candidates: Candidate[] = []
  for (const entry of archive.entries.values()) {
    const [, group, artifact] = POM_PROPERTIES.exec(entry.name) ?? []
    if (group !== undefined && artifact !== undefined) candidates.push({ group, artifact, entry })
  }
  const [first, second] = candidates
  if (first === undefined) {
    return { coordinates: undefined, notes: ['no Maven coordinates inside: the jar has no pom.properties'] }
  }
  if (second === undefined) return readOnly(archive, first, filename)
  return pickByFilename(archive, candidates, filename)
}

async function readOnly(
  archive: ZipArchive,
  candidate: Candidate,
  filename: string,
): Promise<FoundCoordinates> {
  const coordinates = await readProperties(archive, candidate)
  if (coordinates === undefined) return { coordinates, notes: [unreadable(candidate)] }
  const notes = filename.startsWith(`${coordinates.artifact}-`)
    ? []
    : [
        `the file is not called like its Maven artifact '${shown(`${coordinates.artifact}-${coordinates.version}`)}'`,
      ]
  return { coordinates, notes }
}

async function pickByFilename(
  archive: ZipArchive,
  candidates: readonly Candidate[],
  filename: string,
): Promise<FoundCoordinates> {
  const stem = filename.replace(/\.[^.]*$/, '')
  const fitting = candidates.filter(({ artifact }) => stem.startsWith(`${artifact}-`))
  const several = `the jar names ${candidates.length} Maven artifacts`
  if (fitting.length > CANDIDATE_LIMIT)
    return { coordinates: undefined, notes: [`${several}: none was taken`] }
  const found: Coordinates[] = []
  for (const candidate of fitting) {
    const coordinates = await readProperties(archive, candidate)
    if (coordinates !== undefined && stem === `${coordinates.artifact}-${coordinates.version}`)
      found.push(coordinates)
  }
  const [first, second] = found
  if (first === undefined)
    return { coordinates: first, notes: [`${several}, none of them called like the file`] }
  if (second !== undefined)
    return { coordinates: undefined, notes: [`${several}, several of them called like the file`] }
  return { coordinates: first, notes: [`${several}; the one that is called like the file was taken`] }
}

function unreadable({ entry }: Candidate): string {
  return `no Maven coordinates: '${shown(entry.name)}' is not readable or contradicts its own path`
}

/** The three properties, which must repeat the path; undefined for anything that is not plainly so. */
async function readProperties(archive: ZipArchive, candidate: Candidate): Promise<Coordinates | undefined> {
  if (candidate.entry.size > PROPERTIES_LIMIT) return undefined
  const bytes = await archive.read(candidate.entry, PROPERTIES_LIMIT)
  const properties = parseProperties(asBuffer(bytes).toString('latin1'))
  const group = properties?.get('groupId')
  const artifact = properties?.get('artifactId')
  const version = properties?.get('version')
  if (group !== candidate.group || artifact !== candidate.artifact || version === undefined) return undefined
  return ID.test(group) && ID.test(artifact) && VERSION.test(version)
    ? { group, artifact, version }
    : undefined
}

/**
 * The part of the Java properties format that Maven writes: `key=value` lines and comments. A backslash (escape or
 * continuation) and a key with two values make the file unreadable: other readers might see something else.
 */
function parseProperties(text: string): ReadonlyMap<string, string> | undefined {
  const properties = new Map<string, string>()
  if (text.includes('\\')) return undefined
  for (const line of text.split(/\r\n|\r|\n/)) {
    const trimmed = line.replace(/^[ \t\f]+/, '')
    if (trimmed === '' || trimmed.startsWith('#') || trimmed.startsWith('!')) continue
    const key = /^[^=: \t\f]*/.exec(trimmed)?.[0] ?? ''
    const value = trimmed.slice(key.length).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '')
    if (properties.has(key) && properties.get(key) !== value) return undefined
    properties.set(key, value)
  }
  return properties
}
