import type { Artifact } from '../trust/artifact.ts'
import { asBuffer } from '../trust/encoding.ts'
import { MalformedError } from '../trust/errors.ts'
import type { FormatAdapter, PackageFile } from './adapter.ts'
import { openZip, type ZipArchive, type ZipEntry } from './container/zip.ts'
import { readCoordinates, type Coordinates } from './jar-coordinates.ts'
import { parseManifest, type Manifest } from './jar-manifest.ts'
import { readJarSignatures, SIGNATURE_FILE_LIMIT } from './jarsigner.ts'
import { buildPurl } from './purl.ts'
import { bundleSidecars, sidecarAttachment } from './sidecars.ts'
import { shown } from './shown.ts'

const PROMISED = /\.(?:jar|war|ear)$/i
const META_INF = 'META-INF/'
const MANIFEST = `${META_INF}MANIFEST.MF`
/** Bytes of a zip local header before its name. */
const LOCAL_HEADER = 30
/** Attributes that say what the jar may be; they name products and bundles, not Maven coordinates. */
const TELLING = [
  'Implementation-Title',
  'Implementation-Version',
  'Bundle-SymbolicName',
  'Bundle-Version',
  'Automatic-Module-Name',
]

/**
 * Java archives: jar, war, ear. The whole file is signed (Maven's bundles are message signatures over it), so the
 * name is bound only by what the archive says inside.
 */
export const jar: FormatAdapter = {
  format: 'jar',
  title: 'Java archive (jar, war, ear)',
  promisedBy: PROMISED,

  matches(filename: string, head: Uint8Array): boolean {
    const isZip = startsWith(head, 'PK\u0003\u0004') || startsWith(head, 'PK\u0005\u0006')
    // an executable jar starts with its launcher, and only its name tells it from any other program
    return isZip || (PROMISED.test(filename) && (startsWith(head, '#!') || startsWith(head, 'MZ')))
  },

  async recognizes(file: PackageFile): Promise<boolean> {
    // a jar by its name or its first entry is opened even when it is broken, so that it is refused for the reason
    if (PROMISED.test(file.filename) || (await startsWithMetadata(file))) return true
    try {
      const { entries } = await openZip(file)
      return [...entries.values()].some((entry) => isManifest(entry))
    } catch (error) {
      if (error instanceof MalformedError) return false
      throw error
    }
  },

  async open(file: PackageFile): Promise<Artifact> {
    const archive = await openZip(file)
    const notes = describe(archive)
    const manifest = await readManifest(archive, notes)
    const { coordinates, notes: remarks } = await readCoordinates(archive, file.filename)
    const { signatures, notes: findings } = await readJarSignatures(archive, manifest)
    notes.push(...remarks, ...(coordinates === undefined ? tellingAttributes(manifest) : []), ...findings)
    return {
      format: 'jar',
      subject: subjectOf(coordinates),
      embedded: [],
      nativeSignatures: signatures,
      notes,
      signedBytes: () => file.stream(),
    }
  },

  sidecars: bundleSidecars,
  attach: (file, bundle) => Promise.resolve(sidecarAttachment(file, bundle)),
}

function startsWith(head: Uint8Array, text: string): boolean {
  return asBuffer(head).toString('latin1', 0, text.length) === text
}

/** The first local header names something in META-INF, as the specification asks of jars. */
async function startsWithMetadata(file: PackageFile): Promise<boolean> {
  const name = await file.read(0, Math.min(LOCAL_HEADER + META_INF.length, file.size))
  return startsWith(name, 'PK\u0003\u0004') && startsWith(name.subarray(LOCAL_HEADER), META_INF)
}

function isManifest(entry: ZipEntry): boolean {
  return entry.name.toUpperCase() === MANIFEST
}

function subjectOf(coordinates: Coordinates | undefined): Artifact['subject'] {
  // statements about Maven files carry the name of a file, which gets renamed: the digest binds, not that name
  if (coordinates === undefined)
    return { name: undefined, version: undefined, purl: undefined, statementNames: [] }
  const { group, artifact, version } = coordinates
  return {
    name: `${group}:${artifact}`,
    version,
    purl: buildPurl('maven', artifact, version, { namespace: group }),
    statementNames: [],
  }
}

function describe(archive: ZipArchive): string[] {
  const names = [...archive.entries.keys()]
  const notes = [...archive.notes]
  if (names.some((name) => name.startsWith('WEB-INF/'))) notes.push('web application archive')
  if (archive.entries.has('META-INF/application.xml')) notes.push('enterprise application archive')
  if (archive.prefixLength > 0)
    notes.push(`${archive.prefixLength} bytes stand before the archive: a launcher`)
  return notes
}

/** Java finds the manifest whatever its case, so two spellings of its name would be two manifests. */
async function readManifest(archive: ZipArchive, notes: string[]): Promise<Manifest | undefined> {
  const [entry, second] = [...archive.entries.values()].filter((candidate) => isManifest(candidate))
  if (entry === undefined) {
    notes.push('no manifest inside')
    return undefined
  }
  if (second !== undefined) {
    throw new MalformedError('PACKAGE_DUPLICATE', 'the jar holds two manifests', {
      got: `${entry.name}, ${second.name}`,
    })
  }
  const manifest = parseManifest(await archive.read(entry, SIGNATURE_FILE_LIMIT), entry.name)
  notes.push(...manifest.remarks)
  return manifest
}

function tellingAttributes(manifest: Manifest | undefined): string[] {
  return TELLING.flatMap((name) => {
    const value = manifest?.main.attributes.get(name.toLowerCase())
    return value === undefined ? [] : [`the manifest says ${name}: ${shown(value)}`]
  })
}
