import type { Artifact } from '../trust/artifact.ts'
import { MalformedError, UsageError } from '../trust/errors.ts'
import { HEAD_LENGTH, type FormatAdapter, type PackageFile } from './adapter.ts'
import { bottle } from './bottle.ts'
import { looksLikeGzip } from './container/gzip.ts'
import { outlineOf } from './container/tarball.ts'
import { gem } from './gem.ts'
import { helmChart } from './helm-chart.ts'
import { jar } from './jar.ts'
import { npmTarball } from './npm-tarball.ts'
import { plainFile } from './plain-file.ts'
import { statementFile } from './statement-file.ts'
import { wasm } from './wasm.ts'

/**
 * All formats. Where a file could be of several, the first wins: the more particular mark comes first (a chart may
 * hold a package.json for its own tools). `plain-file` takes what is left.
 */
export const FORMATS: readonly FormatAdapter[] = [
  gem,
  bottle,
  helmChart,
  npmTarball,
  jar,
  wasm,
  statementFile,
  plainFile,
]

export function formatNamed(format: string): FormatAdapter | undefined {
  return FORMATS.find((adapter) => adapter.format === format)
}

export interface Opened {
  readonly adapter: FormatAdapter
  readonly artifact: Artifact
}

/**
 * Finds the format of a file by its content and opens it. A caller who knows what it must be (a gate, a package
 * URL that was asked for) names the format: then it is that or an error.
 */
export async function openPackage(file: PackageFile, format?: string): Promise<Opened> {
  const { adapter, notes } = format === undefined ? await detect(file) : await required(file, format)
  const artifact = await adapter.open(file)
  if (notes.length === 0) return { adapter, artifact }
  return { adapter, artifact: { ...artifact, notes: [...notes, ...artifact.notes] } }
}

async function required(file: PackageFile, format: string): Promise<Detection> {
  const adapter = formatNamed(format)
  if (adapter === undefined) {
    throw new UsageError('USAGE_ARGUMENT', 'there is no such format', {
      got: format,
      wanted: FORMATS.map((known) => known.format).join(', '),
    })
  }
  if (adapter.matches(file.filename, await headOf(file))) return { adapter, notes: [] }
  throw new MalformedError('MALFORMED_PACKAGE', 'the file is of another kind than was asked for', {
    wanted: adapter.title,
  })
}

function headOf(file: PackageFile): Promise<Uint8Array> {
  return file.read(0, Math.min(HEAD_LENGTH, file.size))
}

export interface Detection {
  readonly adapter: FormatAdapter
  /** Remarks on what the name promised and the content is not. */
  readonly notes: readonly string[]
}

/**
 * The format of a file. Content decides; the name never makes a file into something. A name that promises one
 * format over the content of another is refused (MALFORMED_PACKAGE): somebody is about to unpack it as that.
 */
export async function detect(file: PackageFile): Promise<Detection> {
  const head = await headOf(file)
  const promised = FORMATS.find((adapter) => adapter.promisedBy?.test(file.filename) === true)
  if (promised !== undefined) {
    if (await isOf(promised, file, head)) return { adapter: promised, notes: [] }
    await throwIfCut(file, head)
    throw new MalformedError('MALFORMED_PACKAGE', `the file is named like a ${promised.title} and is none`, {
      got: file.filename,
    })
  }
  for (const adapter of FORMATS) {
    if (adapter !== plainFile && (await isOf(adapter, file, head))) return { adapter, notes: [] }
  }
  return { adapter: plainFile, notes: await explainPlain(file, head) }
}

async function isOf(adapter: FormatAdapter, file: PackageFile, head: Uint8Array): Promise<boolean> {
  if (!adapter.matches(file.filename, head)) return false
  return adapter.recognizes === undefined || (await adapter.recognizes(file))
}

const ARCHIVE_NAME = /\.(?:tgz|tar\.gz)$/i

/** A name like that of an archive promises a package, but of which kind is open. */
async function explainPlain(file: PackageFile, head: Uint8Array): Promise<readonly string[]> {
  if (!ARCHIVE_NAME.test(file.filename)) return []
  await throwIfCut(file, head)
  return ['named like a package, but of no known kind: taken as a plain file']
}

/** An archive that ends too early or beyond limits before it shows what it is: to call it plain would hide that. */
async function throwIfCut(file: PackageFile, head: Uint8Array): Promise<void> {
  if (!looksLikeGzip(head)) return
  const { failure } = await outlineOf(file)
  if (failure?.code === 'PACKAGE_TRUNCATED' || failure?.code === 'PACKAGE_LIMIT') throw failure
}

export type { Attachment, FormatAdapter, PackageFile, RepairedBundle } from './adapter.ts'
export { parseProvenance, provenanceSignature, type Provenance } from './helm-provenance.ts'
export { MOST_PARTS, splitJson } from './json-parts.ts'
export {
  integrityOf,
  looksLikeAttestations,
  parseAttestations,
  parseRegistryKeys,
  PUBLISH_ATTESTATION,
  registrySignatureMessage,
  type NpmAttestation,
  type RegistryKey,
} from './npm-attestations.ts'
export { buildPurl, comparePurl, encodePurl, parsePurl, type Purl, type PurlComparison } from './purl.ts'
