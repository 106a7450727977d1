import { lstatSync, readdirSync, statSync, type Dirent } from 'node:fs'
import type { Target } from '../../daemon/api.ts'
import { StoreError, UsageError, type CodedError } from '../../trust/errors.ts'

/** One thing to judge, by the name that reports call it, or the reason why it cannot be. */
export type Item =
  | { readonly name: string; readonly target: Target }
  | { readonly name: string; readonly error: CodedError }

export interface Targets {
  readonly items: readonly Item[]
  /** What was met in folders and is not judged, each named: nothing is left out in silence. */
  readonly remarks: readonly string[]
}

const HEX_LENGTH: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 }

/** Names of files that hold evidence about the file beside them. */
const SIDECAR = /^(?<of>.+)(?:\.sigstore(?:\.jsonl?)?|\.attestations\.json|\.prov)$/

/**
 * Finds what the arguments of `verify` name: files, every file of a folder and its folders, digests. A name that a
 * file has is a file, even where it looks like a digest.
 * @throws UsageError USAGE_ARGUMENT
 */
export function findTargets(names: readonly string[]): Targets {
  const items: Item[] = []
  const remarks: string[] = []
  for (const name of names) {
    const found = lookUp(name)
    const digest = found === 'absent' ? readDigest(name) : undefined
    if (digest !== undefined) items.push({ name, target: digest })
    else if (found === 'folder') walk(name, items, remarks)
    else if (found === 'file') items.push({ name, target: { kind: 'file', path: name } })
    else items.push({ name, error: found === 'absent' ? absent(name) : found })
  }
  if (items.length === 0) {
    const hint = 'name the folder that holds the packages'
    throw new UsageError('USAGE_ARGUMENT', `${names.map((n) => `'${n}'`).join(', ')}: no file to judge`, {
      hint,
    })
  }
  return { items, remarks }
}

/** What a name leads to. Links are followed here, because somebody has named them. */
function lookUp(path: string): 'file' | 'folder' | 'absent' | StoreError {
  try {
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats !== undefined) return stats.isDirectory() ? 'folder' : 'file'
    return lstatSync(path, { throwIfNoEntry: false }) === undefined ? 'absent' : absent(path)
  } catch (cause) {
    // a name such as `file/` or one with a NUL leads nowhere
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (code === 'ENOTDIR' || code === 'ENAMETOOLONG' || code === 'ERR_INVALID_ARG_VALUE') return 'absent'
    return new StoreError('STORE_UNREADABLE', `'${path}' cannot be read`, { where: path, cause })
  }
}

function absent(path: string): StoreError {
  return new StoreError('STORE_NOT_FOUND', `there is no file '${path}'`, { where: path })
}

function readDigest(text: string): Target | undefined {
  const [, algorithm = '', hex = ''] = /^(sha256|sha384|sha512):(.*)$/.exec(text) ?? []
  const length = HEX_LENGTH[algorithm]
  if (length === undefined) return undefined
  if (hex.length !== length || !/^[0-9a-fA-F]+$/.test(hex)) {
    throw new UsageError('USAGE_ARGUMENT', `'${text}' is neither a file nor a digest`, {
      wanted: `${algorithm}: and ${length} hexadecimal digits`,
      got: `${hex.length} characters`,
      hint: 'check the path, or give the whole digest',
    })
  }
  return { kind: 'digest', text: `${algorithm}:${hex.toLowerCase()}` }
}

function walk(folder: string, items: Item[], remarks: string[]): void {
  let entries: Dirent[]
  try {
    entries = readdirSync(folder, { withFileTypes: true })
  } catch (cause) {
    const error = new StoreError('STORE_UNREADABLE', `the folder '${folder}' cannot be read`, {
      where: folder,
      cause,
    })
    items.push({ name: folder, error })
    return
  }
  const files = new Set(entries.filter((entry) => entry.isFile()).map((entry) => entry.name))
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = `${folder.replace(/\/+$/, '')}/${entry.name}`
    if (entry.isDirectory()) walk(path, items, remarks)
    else if (entry.isSymbolicLink())
      remarks.push(`'${path}' is a symbolic link and is not followed; name it to judge it`)
    else if (!entry.isFile()) remarks.push(`'${path}' is not a regular file and is not judged`)
    else if (!isSidecar(entry.name, files)) items.push({ name: path, target: { kind: 'file', path } })
  }
}

/** Only beside the file that it speaks about; alone, a file of such a name is judged like any other. */
function isSidecar(name: string, files: ReadonlySet<string>): boolean {
  const of = SIDECAR.exec(name)?.groups?.['of']
  return of !== undefined && files.has(of)
}
