import { asBuffer, decodeUtf8 } from '../trust/encoding.ts'
import { MalformedError } from '../trust/errors.ts'

/**
 * Manifests and signature files of jars (JAR File Specification, "Name-Value pairs and Sections"): a main section,
 * then one section per entry that starts with `Name:`, each ended by an empty line. What Java itself refuses is
 * refused; what it only shrugs at becomes a remark, and a name with two sections never counts as covered.
 */
export interface Manifest {
  readonly bytes: Uint8Array
  readonly main: ManifestSection
  /** By the value of `Name`. */
  readonly sections: ReadonlyMap<string, ManifestSection>
  /** Names that have more than one section. */
  readonly ambiguous: ReadonlySet<string>
  readonly remarks: readonly string[]
}

export interface ManifestSection {
  /** Names in lower case: they are compared without case. */
  readonly attributes: ReadonlyMap<string, string>
  /** Exactly what a digest of this section covers: from its first line to the empty line, included. */
  readonly bytes: Uint8Array
}

const LINE_LIMIT = 72
/** Sections and attributes: a jar has at most 100 000 entries with a handful of attributes each. */
const SECTION_LIMIT = 200_000
const ATTRIBUTE_LIMIT = 500_000
const NAME = /^[A-Za-z0-9_-]{1,70}$/
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20

interface Line {
  readonly start: number
  /** Without the line end. */
  readonly end: number
  /** With the line end. */
  readonly next: number
}

/** `what` names the file in errors: `META-INF/MANIFEST.MF`. Throws MALFORMED_PACKAGE or PACKAGE_LIMIT. */
export function parseManifest(bytes: Uint8Array, what: string): Manifest {
  return new Parser(asBuffer(bytes), what).manifest()
}

class Parser {
  private readonly bytes: Buffer
  private readonly what: string
  private readonly remarks = new Set<string>()
  private at = 0
  private attributes = 0

  constructor(bytes: Buffer, what: string) {
    this.bytes = bytes
    this.what = what
  }

  manifest(): Manifest {
    const main = this.section()
    const sections = new Map<string, ManifestSection>()
    const ambiguous = new Set<string>()
    for (;;) {
      this.skipEmptyLines()
      if (this.at >= this.bytes.length) break
      const start = this.at
      const section = this.section()
      const name = section.attributes.get('name')
      if (name === undefined || !this.startsWithName(start))
        this.fail('a section does not start with a name', start)
      if (sections.has(name)) {
        ambiguous.add(name)
        this.remarks.add('names an entry twice')
      }
      sections.set(name, section)
      if (sections.size > SECTION_LIMIT) this.overLimit(`${SECTION_LIMIT} sections`)
    }
    const remarks = [...this.remarks].map((remark) => `${this.what} ${remark}`)
    return { bytes: this.bytes, main, sections, ambiguous, remarks }
  }

  private startsWithName(start: number): boolean {
    return this.bytes.toString('latin1', start, start + 5).toLowerCase() === 'name:'
  }

  private section(): ManifestSection {
    const start = this.at
    const attributes = new Map<string, string>()
    for (let line = this.line(); line !== undefined && line.end > line.start; line = this.line()) {
      const [name, value] = this.attribute(line)
      if (++this.attributes > ATTRIBUTE_LIMIT) this.overLimit(`${ATTRIBUTE_LIMIT} attributes`)
      if (attributes.has(name)) {
        // Java takes the last one with a warning, other readers the first: neither may decide anything here
        this.remarks.add('gives an attribute twice in one section')
        attributes.set(name, '')
      } else {
        attributes.set(name, value)
      }
    }
    return { attributes, bytes: this.bytes.subarray(start, this.at) }
  }

  /** `name: value`, continued on lines that start with a space; a character may be split by the line end. */
  private attribute(first: Line): readonly [string, string] {
    const colon = this.bytes.subarray(first.start, first.end).indexOf(': ')
    const name = colon < 0 ? '' : this.bytes.toString('latin1', first.start, first.start + colon)
    if (!NAME.test(name)) this.fail('a line is no attribute', first.start)
    const parts = [this.bytes.subarray(first.start + colon + 2, first.end)]
    while (this.bytes[this.at] === SPACE) {
      const line = this.line()
      if (line === undefined) break
      parts.push(this.bytes.subarray(line.start + 1, line.end))
    }
    const value = parts.length === 1 ? (parts[0] ?? Buffer.alloc(0)) : Buffer.concat(parts)
    const text = decodeUtf8(value)
    if (text === undefined) this.remarks.add('has values that are not UTF-8')
    return [name.toLowerCase(), text ?? value.toString('latin1')]
  }

  private line(): Line | undefined {
    const start = this.at
    if (start >= this.bytes.length) return undefined
    let end = start
    while (end < this.bytes.length && this.bytes[end] !== LF && this.bytes[end] !== CR) {
      if (this.bytes[end] === 0) this.fail('a line holds a zero byte', end)
      end++
    }
    const isPair = this.bytes[end] === CR && this.bytes[end + 1] === LF
    this.at = Math.min(end + (isPair ? 2 : 1), this.bytes.length)
    if (end - start > LINE_LIMIT) this.remarks.add(`has lines longer than ${LINE_LIMIT} bytes`)
    return { start, end, next: this.at }
  }

  private skipEmptyLines(): void {
    while (this.bytes[this.at] === LF || this.bytes[this.at] === CR) this.at++
  }

  private overLimit(limit: string): never {
    throw new MalformedError('PACKAGE_LIMIT', `${this.what} has more than ${limit}`)
  }

  private fail(problem: string, offset: number): never {
    throw new MalformedError('MALFORMED_PACKAGE', `${this.what}: ${problem}`, { where: `offset ${offset}` })
  }
}
