import type { NativeSignature } from '../trust/artifact.ts'
import { digestOf, digestStream, equalDigests, type DigestAlgorithm } from '../trust/digest.ts'
import { decodeBase64 } from '../trust/encoding.ts'
import { MalformedError } from '../trust/errors.ts'
import type { ZipArchive, ZipEntry } from './container/zip.ts'
import { parseManifest, type Manifest, type ManifestSection } from './jar-manifest.ts'
import { shown } from './shown.ts'

/**
 * Signatures made by jarsigner (JAR File Specification, "Signed JAR File"): a PKCS #7 block signs a signature file,
 * that has digests of the manifest or its sections, and the manifest has digests of the entries. All digests are
 * compared here; the block itself is handed out. None of this ever makes a package verified.
 */
export interface JarSignatures {
  readonly signatures: readonly NativeSignature[]
  readonly notes: readonly string[]
}

export const SIGNATURE_FILE_LIMIT = 16 * 1024 * 1024
const BLOCK_LIMIT = 1024 * 1024
/** Together they hold at most so many times the limit above. */
const SIGNER_LIMIT = 8
/** Claimed bytes of entries that are hashed for this report. */
const CONTENT_LIMIT = 1024 * 1024 * 1024

const ACCEPTED: ReadonlyMap<string, DigestAlgorithm> = new Map([
  ['sha-256', 'sha256'],
  ['sha-384', 'sha384'],
  ['sha-512', 'sha512'],
])
const SIGNATURE_FILE = /^META-INF\/([^/]+)\.SF$/i
const SIGNATURE_RELATED = /^META-INF\/(?:[^/]+\.(?:SF|RSA|DSA|EC)|SIG-[^/]+|MANIFEST\.MF)$/i

/** How bytes compare with the digests that are listed for them; `absent` when either is not there. */
type Listed = 'same' | 'differs' | 'absent' | 'not accepted'

export async function readJarSignatures(
  archive: ZipArchive,
  manifest: Manifest | undefined,
): Promise<JarSignatures> {
  const notes: string[] = []
  const signers = findSigners(archive, notes)
  if (signers.length === 0) return { signatures: [], notes }
  const contents =
    manifest === undefined ? new Map<string, Listed>() : await compareContents(archive, manifest)
  if (contents === undefined)
    notes.push(`more than ${CONTENT_LIMIT} bytes are signed: their digests were not compared`)
  const total = [...archive.entries.values()].filter(
    (e) => !e.isDirectory && !SIGNATURE_RELATED.test(e.name),
  ).length
  const signatures: NativeSignature[] = []
  for (const { alias, file, blocks } of signers) {
    const message = await archive.read(file, SIGNATURE_FILE_LIMIT)
    const covered = judge(message, file.name, manifest, contents ?? new Map<string, Listed>())
    for (const problem of covered.problems) notes.push(`${shown(file.name)}: ${problem}`)
    for (const block of blocks) {
      signatures.push({
        scheme: 'jarsigner',
        keyId: alias,
        message,
        signature: await archive.read(block, BLOCK_LIMIT),
        algorithm: 'pkcs7',
        covers: `manifest, ${covered.count} of ${total} entries`,
        contentMatches: covered.problems.length === 0 && covered.count > 0,
      })
    }
  }
  return { signatures, notes }
}

interface Signer {
  readonly alias: string
  readonly file: ZipEntry
  readonly blocks: readonly ZipEntry[]
}

/** Signature files with the blocks of the same base name; names in META-INF are compared without case. */
function findSigners(archive: ZipArchive, notes: string[]): readonly Signer[] {
  const byName = new Map<string, ZipEntry>()
  for (const entry of archive.entries.values()) {
    if (!SIGNATURE_RELATED.test(entry.name)) continue
    const key = entry.name.toUpperCase()
    if (byName.has(key)) {
      throw new MalformedError('PACKAGE_DUPLICATE', `the jar holds '${shown(entry.name)}' in two spellings`, {
        got: entry.name,
      })
    }
    byName.set(key, entry)
  }
  const signers: Signer[] = []
  const orphans: string[] = []
  for (const [name, file] of byName) {
    const alias = SIGNATURE_FILE.exec(file.name)?.[1]
    if (alias === undefined) continue
    const stem = name.slice(0, -'.SF'.length)
    const blocks = ['.RSA', '.DSA', '.EC'].flatMap((suffix) => byName.get(stem + suffix) ?? [])
    if (blocks.length === 0) orphans.push(file.name)
    else signers.push({ alias, file, blocks })
  }
  const [orphan] = orphans
  if (orphan !== undefined)
    notes.push(`${shown(orphan)} has no signature block (${orphans.length} such files)`)
  if (signers.length > SIGNER_LIMIT) {
    throw new MalformedError('PACKAGE_LIMIT', `the jar has more than ${SIGNER_LIMIT} signers`)
  }
  return signers
}

/** Hashes every entry that the manifest names with an accepted digest; undefined where that is too much. */
async function compareContents(
  archive: ZipArchive,
  manifest: Manifest,
): Promise<Map<string, Listed> | undefined> {
  const contents = new Map<string, Listed>()
  let size = 0
  for (const [name, section] of manifest.sections) {
    const entry = archive.entries.get(name)
    size += entry?.size ?? 0
    if (size > CONTENT_LIMIT) return undefined
    if (!hasDigest(section, '-digest')) continue
    contents.set(name, entry === undefined ? 'absent' : await compareEntry(archive, entry, section))
  }
  return contents
}

async function compareEntry(archive: ZipArchive, entry: ZipEntry, section: ManifestSection): Promise<Listed> {
  const wanted = digestsIn(section, '-digest')
  if (wanted.length === 0) return 'not accepted'
  const digests = await digestStream(
    archive.stream(entry),
    wanted.map(({ algorithm }) => algorithm),
  )
  return wanted.every(({ algorithm, digest }) => equal(digests.get(algorithm), digest)) ? 'same' : 'differs'
}

interface Coverage {
  /** Entries that this signature covers down to their bytes. */
  readonly count: number
  readonly problems: readonly string[]
}

/** Follows one signature file down to the bytes of the entries it names. */
function judge(
  message: Uint8Array,
  filename: string,
  manifest: Manifest | undefined,
  contents: ReadonlyMap<string, Listed>,
): Coverage {
  if (manifest === undefined) return { count: 0, problems: ['there is no manifest that it could cover'] }
  const file = readSignatureFile(message, filename)
  if (file === undefined) return { count: 0, problems: ['it cannot be read'] }
  const problems = new Map<string, number>()
  const add = (problem: string): unknown => problems.set(problem, (problems.get(problem) ?? 0) + 1)
  // a digest of the whole manifest that agrees covers all of its sections; otherwise each is compared by itself
  const wholeManifest = covers(file.main, '-digest-manifest', manifest.bytes)
  if (wholeManifest !== 'same') {
    const main = covers(file.main, '-digest-manifest-main-attributes', manifest.main.bytes)
    if (main === 'differs') add('the main attributes of the manifest differ')
    if (main === 'not accepted') add(WEAK)
  }
  let count = 0
  for (const [name, section] of file.sections) {
    const inManifest = manifest.sections.get(name)
    if (file.ambiguous.has(name) || manifest.ambiguous.has(name)) add('entries are named twice')
    else if (inManifest === undefined) add('entries are missing from the manifest')
    else {
      const listed = wholeManifest === 'same' ? 'same' : covers(section, '-digest', inManifest.bytes)
      const problem = SECTION_PROBLEMS[listed] ?? CONTENT_PROBLEMS[contents.get(name) ?? 'not compared']
      if (problem === undefined) count++
      else add(problem)
    }
  }
  if (count === 0 && problems.size === 0) add('it covers no entry')
  return {
    count,
    problems: [...problems].map(([problem, times]) => (times === 1 ? problem : `${problem} (${times})`)),
  }
}

const WEAK = 'digests that are not accepted: MD5 and SHA-1 count as none'

const SECTION_PROBLEMS: Readonly<Record<Listed, string | undefined>> = {
  same: undefined,
  differs: 'sections of the manifest differ',
  absent: 'sections of the manifest have no digest',
  'not accepted': WEAK,
}

const CONTENT_PROBLEMS: Readonly<Record<Listed | 'not compared', string | undefined>> = {
  same: undefined,
  differs: 'entries differ from what was signed',
  absent: 'entries that were signed are missing',
  'not accepted': WEAK,
  'not compared': 'entries were not compared',
}

function readSignatureFile(message: Uint8Array, filename: string): Manifest | undefined {
  try {
    return parseManifest(message, filename)
  } catch (error) {
    if (error instanceof MalformedError) return undefined
    throw error
  }
}

function covers(section: ManifestSection, suffix: string, bytes: Uint8Array): Listed {
  const wanted = digestsIn(section, suffix)
  if (wanted.length === 0) return hasDigest(section, suffix) ? 'not accepted' : 'absent'
  return wanted.every(({ algorithm, digest }) => equal(digestOf(algorithm, bytes), digest))
    ? 'same'
    : 'differs'
}

function equal(computed: Uint8Array | undefined, listed: Uint8Array | undefined): boolean {
  return computed !== undefined && listed !== undefined && equalDigests(computed, listed)
}

/** Digests under accepted algorithms: attributes `<algorithm><suffix>`; a value that is not base64 never agrees. */
function digestsIn(
  section: ManifestSection,
  suffix: string,
): readonly { readonly algorithm: DigestAlgorithm; readonly digest: Uint8Array | undefined }[] {
  return [...ACCEPTED].flatMap(([name, algorithm]) => {
    const value = section.attributes.get(name + suffix)
    return value === undefined ? [] : [{ algorithm, digest: decodeBase64(value) }]
  })
}

function hasDigest(section: ManifestSection, suffix: string): boolean {
  return [...section.attributes.keys()].some((name) => name.endsWith(suffix))
}
