import { MalformedError } from '../../trust/errors.ts'
import { shown } from '../shown.ts'

/** What the tool that unpacks does with paths: names are judged as that tool will see them. */
export interface PathRules {
  /** Leading components that the tool removes whatever they are called. */
  readonly strip: 0 | 1
  /** False for packages that are never unpacked on Windows: backslashes and colons are ordinary characters there. */
  readonly windows: boolean
  /** True where packages rightly hold symbolic links that point outside; nothing may be written through them. */
  readonly outwardLinks: boolean
}

export type EntryKind = 'file' | 'directory' | 'symlink' | 'hardlink'

export interface PathLimits {
  /** Bytes of one path, near enough: UTF-16 units. */
  readonly pathLength: number
  /** Distinct files and folders, also those that are only implied. */
  readonly nodes: number
  /** Characters of all their full names together: what is kept in memory. */
  readonly characters: number
}

export const PATH_LIMITS: PathLimits = { pathLength: 4096, nodes: 250_000, characters: 32 * 1024 * 1024 }

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/
const DRIVE = /^[A-Za-z]:/

/**
 * Components of a path that stays inside the folder it is unpacked to, without `.` and empty ones. Absolute paths,
 * `..`, drive letters, backslashes and control characters are refused with PACKAGE_PATH: no honest packer writes
 * them and unpackers differ on what they mean. An empty list is the folder itself.
 */
export function splitPath(path: string, rules: Pick<PathRules, 'windows'>, limits = PATH_LIMITS): string[] {
  if (path.length > limits.pathLength) {
    throw new MalformedError('PACKAGE_LIMIT', `a path is longer than ${limits.pathLength} characters`)
  }
  if (CONTROL.test(path)) throw badPath(path, 'holds a control character')
  if (path.startsWith('/')) throw badPath(path, 'is absolute')
  if (rules.windows && path.includes('\\')) throw badPath(path, 'holds a backslash')
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  for (const part of parts) {
    if (part === '..') throw badPath(path, "holds '..'")
    if (rules.windows && DRIVE.test(part)) throw badPath(path, 'holds a drive letter')
  }
  return parts
}

function badPath(path: string, what: string): MalformedError {
  return new MalformedError('PACKAGE_PATH', `the path '${shown(path)}' ${what}`)
}

/**
 * One spelling for all names that some file system takes for the same: upper and lower case, composed and
 * decomposed, compatibility forms.
 */
export function foldName(name: string): string {
  return name.normalize('NFKD').toUpperCase().toLowerCase().normalize('NFKD')
}

/**
 * Remembers every path of one archive and refuses what would make unpackers disagree or write elsewhere: the same
 * file twice, a file where a folder must be (a link that later entries pass through), links that point outside.
 * The order of entries does not matter.
 */
export class PathLedger {
  private readonly rules: PathRules
  private readonly limits: PathLimits
  private readonly nodes = new Map<string, 'file' | 'symlink' | 'folder'>()
  private readonly folded = new Map<string, string>()
  private characters = 0
  /** Remarks for the artifact: names that differ only in case, links that point outside where that is allowed. */
  readonly notes: string[] = []

  constructor(rules: PathRules, limits: PathLimits = PATH_LIMITS) {
    this.rules = rules
    this.limits = limits
  }

  /**
   * Judges one entry; returns its components after stripping, empty for what vanishes. `target` is what a link
   * points to: for a hard link a path from the top of the archive.
   */
  add(path: string, kind: EntryKind, target?: string): readonly string[] {
    const whole = splitPath(path, this.rules, this.limits)
    if (whole.length === 0 && kind !== 'directory') throw badPath(path, 'names the folder itself')
    const parts = this.stripped(path, whole)
    if (kind === 'symlink') this.checkSymlink(path, parts, target ?? '')
    if (kind === 'hardlink') this.checkHardLink(path, target ?? '')
    this.enter(path, parts, kind)
    return parts
  }

  /**
   * Tools strip the first component as it is written, so that `./a` loses its dot and becomes `a`. What has only
   * one component is not unpacked by them and gets an empty list.
   */
  private stripped(path: string, whole: readonly string[]): readonly string[] {
    if (this.rules.strip === 0) return whole
    return path.startsWith('./') ? whole : whole.slice(1)
  }

  private enter(path: string, parts: readonly string[], kind: EntryKind): void {
    let key = ''
    for (const [i, part] of parts.entries()) {
      key = i === 0 ? part : `${key}/${part}`
      const known = this.nodes.get(key)
      const isLast = i === parts.length - 1
      if (isLast && kind !== 'directory') {
        if (known === 'folder') throw badPath(path, 'is a folder and something else')
        if (known !== undefined) throw duplicate(path)
        this.remember(key, kind === 'symlink' ? 'symlink' : 'file')
      } else if (known === undefined) {
        this.remember(key, 'folder')
      } else if (known !== 'folder') {
        throw badPath(path, 'passes through something that is not a folder')
      }
    }
  }

  private remember(key: string, kind: 'file' | 'symlink' | 'folder'): void {
    this.characters += key.length
    if (this.nodes.size >= this.limits.nodes || this.characters > this.limits.characters) {
      throw new MalformedError(
        'PACKAGE_LIMIT',
        'the package has too many files and folders, or too long names',
        {
          wanted: `at most ${this.limits.nodes} names with ${this.limits.characters} characters`,
        },
      )
    }
    this.nodes.set(key, kind)
    const fold = foldName(key)
    const other = this.folded.get(fold)
    if (other === undefined) this.folded.set(fold, key)
    else this.note(`'${shown(other)}' and '${shown(key)}' are one file on some systems`)
  }

  private checkSymlink(path: string, parts: readonly string[], target: string): void {
    if (CONTROL.test(target) || target === '') throw badPath(path, 'links to nothing that can be a path')
    if (!this.leavesRoot(parts, target)) return
    if (!this.rules.outwardLinks) throw badPath(path, `links to '${shown(target)}' outside the package`)
    this.note(`'${shown(path)}' links to '${shown(target)}' outside the package`)
  }

  /** A hard link repeats a file that came before it: anything else could be a file outside. */
  private checkHardLink(path: string, target: string): void {
    const parts = this.stripped(target, splitPath(target, this.rules, this.limits))
    if (this.nodes.get(parts.join('/')) === 'file') return
    throw badPath(path, `is a hard link to '${shown(target)}', which is no file before it`)
  }

  private leavesRoot(parts: readonly string[], target: string): boolean {
    if (target.startsWith('/')) return true
    if (this.rules.windows && (target.includes('\\') || DRIVE.test(target))) return true
    const steps = target.split('/').filter((part) => part !== '' && part !== '.')
    const down = steps.findIndex((part) => part !== '..')
    const up = down === -1 ? steps.length : down
    // a step up after a step down may start from wherever another link leads to: not to be judged from the text
    return up > parts.length - 1 || steps.includes('..', up)
  }

  private note(text: string): void {
    // a hostile package could fill memory with remarks
    if (this.notes.length < 20) this.notes.push(text)
  }
}

function duplicate(path: string): MalformedError {
  return new MalformedError('PACKAGE_DUPLICATE', `the package holds '${shown(path)}' twice`)
}
