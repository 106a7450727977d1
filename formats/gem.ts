import type { Artifact, NativeSignature } from '../trust/artifact.ts'
import { MalformedError } from '../trust/errors.ts'
import type { Attachment, FormatAdapter, PackageFile } from './adapter.ts'
import { collect } from './container/byte-reader.ts'
import { gunzip } from './container/gzip.ts'
import { PathLedger } from './container/paths.ts'
import { judgedEntries, judgedTarballEntries, readBody, type PackageEntry } from './container/tarball.ts'
import { TAR_LIMITS } from './container/tar.ts'
import { firstName } from './container/tar-header.ts'
import { repairGemBundles } from './gem-bundles.ts'
import { parseGemSpecification, type GemIdentity } from './gem-specification.ts'
import { buildPurl } from './purl.ts'
import { bundleSidecars, sidecarAttachment } from './sidecars.ts'
import { parseYamlFields } from './yaml-map.ts'
import { shown } from './shown.ts'

const FORMAT = 'gem'
const METADATA = 'metadata.gz'
const DATA = 'data.tar.gz'
const CHECKSUMS = 'checksums.yaml.gz'
const MEMBERS: ReadonlySet<string> = new Set([METADATA, DATA, CHECKSUMS])
/** The first entry of a gem; `metadata` alone is the form before compression, recognised to be refused by name. */
const FIRST_NAMES: ReadonlySet<string> = new Set([
  ...MEMBERS,
  'metadata',
  ...[...MEMBERS].map((m) => `${m}.sig`),
])

const RULES = { strip: 0, windows: true, outwardLinks: false } as const
/** The outer archive has a handful of members and nothing but its end marker tells that it is complete. */
const OUTER_LIMITS = { ...TAR_LIMITS, entries: 64, endMarker: 'required' } as const
const SMALL = 4 * 1024 * 1024
const SIGNATURE_LIMIT = 16 * 1024

/** A Ruby gem: a tar of compressed specification, files and checksums. */
export const gem: FormatAdapter = {
  format: FORMAT,
  title: 'Ruby gem (.gem)',
  promisedBy: /\.gem$/i,
  matches: (_filename, head) => FIRST_NAMES.has(firstName(head)),
  open: openGem,
  sidecars: bundleSidecars,
  attach(file: PackageFile, bundle: Uint8Array): Promise<Attachment> {
    return Promise.resolve(sidecarAttachment(file, bundle))
  },
  repairBundle: repairGemBundles,
}

interface GemParts {
  specification: Uint8Array | undefined
  checksums: Uint8Array | undefined
  hasData: boolean
  readonly signatures: NativeSignature[]
  readonly notes: string[]
}

async function openGem(file: PackageFile): Promise<Artifact> {
  const parts: GemParts = {
    specification: undefined,
    checksums: undefined,
    hasData: false,
    signatures: [],
    notes: [],
  }
  const ledger = new PathLedger(RULES)
  for await (const entry of judgedEntries(file.stream(), ledger, OUTER_LIMITS)) await readMember(entry, parts)
  if (parts.specification === undefined) {
    throw new MalformedError('PACKAGE_METADATA', `the gem has no ${METADATA}`)
  }
  if (!parts.hasData) throw new MalformedError('PACKAGE_METADATA', `the gem has no ${DATA}`)
  const identity = await parseGemSpecification(parts.specification)
  await noteChecksums(parts)
  const { filename } = file
  const ownName = fileNameOf(identity)
  if (filename.endsWith('.gem') && filename !== ownName) {
    parts.notes.push(`the file is named '${shown(filename)}', but holds ${ownName}`)
  }
  return {
    format: FORMAT,
    subject: subjectOf(identity),
    embedded: [],
    nativeSignatures: parts.signatures,
    notes: [...parts.notes, ...ledger.notes],
    signedBytes: () => file.stream(),
  }
}

function fileNameOf({ name, version, platform }: GemIdentity): string {
  return platform === 'ruby' ? `${name}-${version}.gem` : `${name}-${version}-${platform}.gem`
}

function subjectOf({ name, version, platform }: GemIdentity): Artifact['subject'] {
  const purl = buildPurl('gem', name, version, platform === 'ruby' ? {} : { qualifiers: { platform } })
  return { name, version, purl, statementNames: [purl] }
}

async function readMember(entry: PackageEntry, parts: GemParts): Promise<void> {
  const { path } = entry
  if (entry.kind !== 'file') {
    if (entry.kind !== 'directory')
      throw new MalformedError('MALFORMED_PACKAGE', `'${shown(path)}' in the gem is a link`)
    parts.notes.push(`holds the folder '${shown(path)}', which does not belong into a gem`)
  } else if (path === METADATA) {
    parts.specification = await inflateSmall(entry)
  } else if (path === CHECKSUMS) {
    parts.checksums = await inflateSmall(entry)
  } else if (path === DATA) {
    parts.hasData = true
    await checkData(entry, parts)
  } else if (path.endsWith('.sig') && MEMBERS.has(path.slice(0, -4))) {
    parts.signatures.push(await nativeSignature(entry))
  } else {
    parts.notes.push(`holds '${shown(path)}', which does not belong into a gem`)
  }
}

function inflateSmall(entry: PackageEntry): Promise<Uint8Array> {
  return collect(gunzip(entry.body(), { inflated: SMALL }), SMALL, `'${shown(entry.path)}' in the gem`)
}

/** Reads through the files only to refuse what must not be unpacked; archives inside are not looked into. */
async function checkData(entry: PackageEntry, parts: GemParts): Promise<void> {
  const ledger = new PathLedger(RULES)
  let files = 0
  for await (const inner of judgedTarballEntries(entry.body(), ledger)) files += inner.kind === 'file' ? 1 : 0
  if (files === 0) parts.notes.push('holds no files')
  parts.notes.push(...ledger.notes)
}

/** Signatures of RubyGems' own X.509 scheme: reported, for there is no authority that could vouch for them. */
async function nativeSignature(entry: PackageEntry): Promise<NativeSignature> {
  return {
    scheme: 'rubygems-x509',
    keyId: undefined,
    message: undefined,
    signature: await readBody(entry, SIGNATURE_LIMIT),
    algorithm: 'rsa-pkcs1-sha256',
    covers: `member ${entry.path.slice(0, -4)}`,
    contentMatches: false,
  }
}

/** The signature covers the whole file, so the list inside adds nothing: what it claims is only told. */
async function noteChecksums(parts: GemParts): Promise<void> {
  if (parts.checksums === undefined) {
    parts.notes.push(`has no ${CHECKSUMS}`)
    return
  }
  const context = { code: 'MALFORMED_PACKAGE', what: 'checksums.yaml' } as const
  const fields = await parseYamlFields(parts.checksums, context)
  for (const algorithm of fields.keys) {
    const members = fields.map(algorithm)
    if (!/^[A-Za-z0-9-]{1,16}$/.test(algorithm) || members === undefined) continue
    const strange = members.keys.filter((key) => !MEMBERS.has(key))
    if (strange.length > 0) parts.notes.push(`checksums.yaml lists ${strange.length} members that no gem has`)
    for (const key of members.keys.filter((known) => MEMBERS.has(known))) {
      const value = members.text(key) ?? ''
      if (/^[0-9a-f]{32,128}$/.test(value))
        parts.notes.push(`checksums.yaml claims ${algorithm} of ${key}: ${value}`)
    }
  }
}
