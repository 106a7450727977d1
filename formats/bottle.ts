import type { Artifact } from '../trust/artifact.ts'
import { MalformedError } from '../trust/errors.ts'
import type { Attachment, FormatAdapter, PackageFile } from './adapter.ts'
import { looksLikeGzip } from './container/gzip.ts'
import { PathLedger } from './container/paths.ts'
import { judgedTarballEntries, outlineOf } from './container/tarball.ts'
import { TAR_LIMITS } from './container/tar.ts'
import { buildPurl } from './purl.ts'
import { bundleSidecars, sidecarAttachment } from './sidecars.ts'
import { shown } from './shown.ts'

const FORMAT = 'bottle'

/**
 * Bottles unpack into the Cellar as they are and never on Windows. Some rightly link to files of the installation
 * around them.
 */
const RULES = { strip: 0, windows: false, outwardLinks: true } as const
/** Compilers and TeX are large. */
const LIMITS = { ...TAR_LIMITS, total: 8 * 1024 * 1024 * 1024, entries: 250_000 }

/** A Homebrew bottle: a compressed tar of `<name>/<version>/…` with an install receipt or the formula inside. */
export const bottle: FormatAdapter = {
  format: FORMAT,
  title: 'Homebrew bottle (.bottle.tar.gz)',
  promisedBy: /\.bottle(?:\.[0-9]+)?\.tar\.gz$/,
  matches: (_filename, head) => looksLikeGzip(head),
  async recognizes(file: PackageFile): Promise<boolean> {
    const { files } = await outlineOf(file)
    return files.some((parts) => parts[0] !== '.' && isMarker(parts))
  },
  open: openBottle,
  sidecars: bundleSidecars,
  attach(file: PackageFile, bundle: Uint8Array): Promise<Attachment> {
    return Promise.resolve(sidecarAttachment(file, bundle))
  },
}

/** `<name>/<version>/INSTALL_RECEIPT.json` or `<name>/<version>/.brew/<name>.rb`. */
function isMarker(parts: readonly string[]): boolean {
  if (parts.length === 3) return parts[2] === 'INSTALL_RECEIPT.json'
  return parts.length === 4 && parts[2] === '.brew' && parts[3] === `${parts[0]}.rb`
}

async function openBottle(file: PackageFile): Promise<Artifact> {
  const ledger = new PathLedger(RULES)
  let name: string | undefined
  let version: string | undefined
  let hasMarker = false
  for await (const { path, kind, parts } of judgedTarballEntries(file.stream(), ledger, LIMITS)) {
    name ??= parts[0]
    version ??= parts[1]
    // everything else would land in the folder of another formula
    if (parts[0] !== name || parts[1] !== (parts.length > 1 ? version : undefined)) {
      throw new MalformedError('PACKAGE_PATH', `'${shown(path)}' is outside the folder of the bottle`)
    }
    if (parts.length < 3 && kind !== 'directory') {
      throw new MalformedError('PACKAGE_PATH', `'${shown(path)}' is outside the folder of the bottle`)
    }
    hasMarker ||= kind === 'file' && isMarker(parts)
  }
  if (name === undefined || version === undefined || !hasMarker) {
    throw new MalformedError('PACKAGE_METADATA', 'the bottle has no install receipt and no formula')
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9@+._-]*$/.test(name) || !/^[A-Za-z0-9][A-Za-z0-9+._,~-]*$/.test(version)) {
    throw new MalformedError('PACKAGE_METADATA', 'the bottle has an impossible name or version', {
      got: `${name} ${version}`,
    })
  }
  const fromFile = statementNames(file.filename, name, version)
  return {
    format: FORMAT,
    subject: { name, version, purl: buildPurl('brew', name, version), statementNames: fromFile.names },
    embedded: [],
    nativeSignatures: [],
    notes: [...fromFile.notes, ...ledger.notes],
    signedBytes: () => file.stream(),
  }
}

/**
 * Attestations name a bottle by its file: `<name>--<version>.<tag>.bottle[.<rebuild>].tar.gz`. The tag stands only
 * in the file name, so a statement is held to it only where name and version agree with what is inside. Download
 * caches put a hash in front; older servers wrote one dash. A bottle for `all` systems was attested under the name
 * of the system that built it, so any name will do.
 */
function statementNames(
  filename: string,
  name: string,
  version: string,
): { names: string[]; notes: string[] } {
  const base = filename.replace(/^[0-9a-f]{64}--/, '')
  const match = /^(.+)\.([a-z0-9_]+)\.bottle(\.[0-9]+)?\.tar\.gz$/.exec(base)
  if (match === null) {
    return { names: [], notes: ['the file name is not that of a bottle, so no statement is held to it'] }
  }
  if (match[1] !== `${name}--${version}` && match[1] !== `${name}-${version}`) {
    return { names: [], notes: [`the file is named '${shown(filename)}', but holds ${name} ${version}`] }
  }
  if (match[2] === 'all')
    return { names: [], notes: ['a bottle for all systems may be attested under any of them'] }
  const rest = `${version}.${match[2]}.bottle${match[3] ?? ''}.tar.gz`
  return { names: [`${name}--${rest}`, `${name}-${rest}`], notes: [] }
}
