import type { Artifact } from '../trust/artifact.ts'
import { decodeUtf8 } from '../trust/encoding.ts'
import { MalformedError } from '../trust/errors.ts'
import { parseJsonText } from '../trust/json.ts'
import type { Attachment, FormatAdapter, PackageFile } from './adapter.ts'
import { looksLikeGzip } from './container/gzip.ts'
import { foldName, PathLedger } from './container/paths.ts'
import { judgedTarballEntries, outlineOf, readBody, type PackageEntry } from './container/tarball.ts'
import { membersAt } from './json-spans.ts'
import { buildPurl } from './purl.ts'
import { bundleSidecars, sidecarAttachment } from './sidecars.ts'
import { shown } from './shown.ts'

const FORMAT = 'npm-tarball'
const MANIFEST = 'package.json'
const MANIFEST_LIMIT = 5 * 1024 * 1024

/** npm removes the first folder whatever its name, and unpacks on every system. */
const RULES = { strip: 1, windows: true, outwardLinks: false } as const

/** What npm, pnpm and Yarn install: a compressed tar with one top folder, usually `package/`. */
export const npmTarball: FormatAdapter = {
  format: FORMAT,
  title: 'npm package (.tgz)',
  matches: (_filename, head) => looksLikeGzip(head),
  async recognizes(file: PackageFile): Promise<boolean> {
    const { files } = await outlineOf(file)
    return files.some((parts) => parts.length === 2 && parts[1] === MANIFEST)
  },
  open: openNpmTarball,
  sidecars: (filename) => [...bundleSidecars(filename), `${filename}.attestations.json`],
  attach(file: PackageFile, bundle: Uint8Array): Promise<Attachment> {
    return Promise.resolve(sidecarAttachment(file, bundle))
  },
}

async function openNpmTarball(file: PackageFile): Promise<Artifact> {
  const ledger = new PathLedger(RULES)
  const notes: string[] = []
  const tops = new Set<string>()
  let manifest: Uint8Array | undefined
  for await (const entry of judgedTarballEntries(file.stream(), ledger)) {
    const top = entry.path.split('/', 1)[0] ?? ''
    if (tops.size < 2) tops.add(top)
    if (entry.kind === 'symlink' || entry.kind === 'hardlink')
      notes[0] ??= 'holds links, which npm leaves out'
    if (!isManifest(entry)) continue
    if (manifest !== undefined) {
      throw new MalformedError(
        'PACKAGE_DUPLICATE',
        'the package has two files that some system takes for package.json',
      )
    }
    manifest = await readBody(entry, MANIFEST_LIMIT)
    if (entry.parts[0] !== MANIFEST || entry.kind !== 'file') {
      throw new MalformedError(
        'PACKAGE_METADATA',
        `'${shown(entry.path)}' is not a regular file named package.json`,
      )
    }
  }
  if (manifest === undefined) throw new MalformedError('PACKAGE_METADATA', 'the package has no package.json')
  if (tops.size > 1) notes.push('files stand under several top folders, which npm merges')
  return describe(file, parseManifest(manifest), [...notes, ...ledger.notes])
}

/** Also every other spelling that a file system may take for it. */
function isManifest(entry: PackageEntry): boolean {
  return entry.kind !== 'directory' && entry.parts.length === 1 && foldName(entry.parts[0] ?? '') === MANIFEST
}

function describe(file: PackageFile, manifest: Manifest, notes: readonly string[]): Artifact {
  const { name, version } = manifest
  const [scope, base] = name.startsWith('@') ? name.split('/') : [undefined, name]
  const purl = buildPurl('npm', base ?? name, version, scope === undefined ? {} : { namespace: scope })
  return {
    format: FORMAT,
    subject: {
      name,
      version,
      purl,
      // the name that `npm pack` gives to the file is what generic attestation tools sign
      statementNames: [purl],
    },
    embedded: [],
    nativeSignatures: [],
    notes: [...manifest.notes, ...notes],
    signedBytes: () => file.stream(),
  }
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly notes: readonly string[]
}

/**
 * Name and version as npm reads them. A byte order mark is passed over as npm does. Only what is read must be
 * unambiguous: `name` and `version` stand exactly once; published packages do repeat keys elsewhere.
 */
function parseManifest(bytes: Uint8Array): Manifest {
  const whole = decodeUtf8(bytes)
  if (whole === undefined) throw bad('package.json is not valid UTF-8')
  const notes = whole.startsWith('\uFEFF') ? ['package.json starts with a byte order mark'] : []
  const text = whole.startsWith('\uFEFF') ? whole.slice(1) : whole
  try {
    JSON.parse(text)
  } catch (cause) {
    throw new MalformedError('PACKAGE_METADATA', 'package.json is not valid JSON', { cause })
  }
  const members = membersAt(text, 0)
  if (members === undefined) throw bad('package.json is not an object')
  const field = (key: string): string => {
    const [first, second] = members.filter((member) => member.key === key)
    if (second !== undefined) {
      throw new MalformedError('PACKAGE_DUPLICATE', `package.json has the key '${key}' twice`)
    }
    if (first === undefined) throw bad(`package.json has no '${key}'`)
    const limits = {
      size: 1024,
      depth: 1,
      code: 'PACKAGE_METADATA',
      what: `'${key}' of package.json`,
    } as const
    const value = parseJsonText(text.slice(first.value.start, first.value.end), limits)
    return typeof value === 'string' ? value : bad2(`'${key}' of package.json is not a text`)
  }
  const name = field('name')
  if (!isPackageName(name)) throw bad(`package.json has a name that npm does not allow`, name)
  const written = field('version')
  const version = cleanVersion(written)
  if (version === undefined) throw bad('package.json has a version that is not semantic', written)
  if (version !== written)
    notes.push(`the version is written '${shown(written)}', which registries store as '${version}'`)
  return { name, version, notes }
}

/** Names as the registry has them, also the old ones with capitals: nothing that a URL would have to escape. */
function isPackageName(name: string): boolean {
  const match =
    /^(?:(@[A-Za-z0-9~*'()!-][A-Za-z0-9._~*'()!-]*)\/)?([A-Za-z0-9~*'()!-][A-Za-z0-9._~*'()!-]*)$/.exec(name)
  return match !== null && name.length <= 214 && !/^(?:node_modules|favicon\.ico)$/i.test(name)
}

const SEMVER =
  /^[v=\s]*((?:0|[1-9][0-9]{0,15})(?:\.(?:0|[1-9][0-9]{0,15})){2}(?:-(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?)(?:\+[0-9A-Za-z.-]+)?\s*$/

/** The version as a registry stores it: without a leading `v` or `=` and without build metadata. */
function cleanVersion(text: string): string | undefined {
  return text.length > 256 ? undefined : SEMVER.exec(text)?.[1]
}

function bad(message: string, got?: string): MalformedError {
  return new MalformedError('PACKAGE_METADATA', message, got === undefined ? {} : { got })
}

function bad2(message: string): never {
  throw bad(message)
}
