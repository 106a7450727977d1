import { decodeUtf8 } from '../trust/encoding.ts'
import type { PackageFile } from './adapter.ts'
import { parseLeb, type WasmBinary, type WasmSection } from './wasm-sections.ts'
import { shown } from './shown.ts'

/** What a module or component says about itself, in custom sections that nothing vouches for. */
export interface WasmMetadata {
  readonly name: string | undefined
  readonly version: string | undefined
  readonly notes: readonly string[]
}

/** Custom sections that hold one text each, named as the OCI image annotations are (tool-conventions). */
const TEXT_SECTIONS: readonly string[] = [
  'version',
  'revision',
  'source',
  'homepage',
  'licenses',
  'authors',
  'description',
]
/** Bytes that are looked at of one section: metadata is short, and these sections may be of any size. */
const TEXT_LIMIT = 4096
const PRODUCERS_LIMIT = 64 * 1024
const PRODUCER_FIELDS = 8
const SHOWN = 20

/** Never throws for content: a runtime ignores a custom section that it cannot read, and so does this. */
export async function readMetadata(file: PackageFile, binary: WasmBinary): Promise<WasmMetadata> {
  const texts = new Map<string, string>()
  const notes = new Set<string>()
  for (const name of TEXT_SECTIONS) {
    const found = binary.sections.filter((section) => section.name === name)
    const [section] = found
    if (section === undefined) continue
    const text = found.length === 1 ? await readText(file, section) : undefined
    if (text === undefined) {
      notes.add(`section '${name}' is there more than once, or is not a short text`)
    } else {
      texts.set(name, text)
      notes.add(`section '${name}' says: ${shown(text)}`)
    }
  }
  const name = await readModuleName(file, binary)
  if (name !== undefined) notes.add(`its name section says: ${shown(name)}`)
  const producers = binary.sections.find((section) => section.name === 'producers')
  if (producers !== undefined) for (const note of await readProducers(file, producers)) notes.add(note)
  return { name: plain(name), version: plain(texts.get('version')), notes: [...notes] }
}

/** Names and versions that would have to be escaped or cut to be shown are none. */
function plain(text: string | undefined): string | undefined {
  return text !== undefined && shown(text) === text ? text : undefined
}

/** One line: kind, number of sections, names of the custom ones. */
export function describeBinary({ kind, sections }: WasmBinary): string {
  const names = [...new Set(sections.flatMap(({ name }) => name ?? []))]
  const custom = names.slice(0, SHOWN).join(', ')
  return `${kind} with ${sections.length} sections${custom === '' ? '' : `, custom: ${shown(custom)}`}`
}

async function readText(file: PackageFile, section: WasmSection): Promise<string | undefined> {
  const length = section.end - section.content
  if (length === 0 || length > TEXT_LIMIT) return undefined
  return decodeUtf8(await file.read(section.content, length))
}

/**
 * The name of the whole module or component: subsection 0, which comes first, of the section `name` (core
 * specification, appendix) or `component-name` (component model). `id(1) size(LEB128) length(LEB128) text`.
 */
async function readModuleName(
  file: PackageFile,
  { kind, sections }: WasmBinary,
): Promise<string | undefined> {
  const wanted = kind === 'module' ? 'name' : 'component-name'
  const [section, second] = sections.filter(({ name }) => name === wanted)
  if (section === undefined || second !== undefined) return undefined
  const bytes = await file.read(section.content, Math.min(section.end - section.content, TEXT_LIMIT))
  if (bytes[0] !== 0) return undefined
  const size = parseLeb(bytes, 1)
  const length = size === undefined ? undefined : parseLeb(bytes, size.next)
  if (size === undefined || length === undefined) return undefined
  const end = length.next + length.value
  if (end !== size.next + size.value || end > bytes.length || length.value === 0) return undefined
  return decodeUtf8(bytes.subarray(length.next, end))
}

/** Fields of name and version pairs (tool-conventions, ProducersSection): `processed-by: clang 9.0.0`. */
async function readProducers(file: PackageFile, section: WasmSection): Promise<readonly string[]> {
  const unreadable = ["section 'producers' cannot be read"]
  const length = section.end - section.content
  if (length > PRODUCERS_LIMIT) return unreadable
  const cursor = new Cursor(await file.read(section.content, length))
  const notes: string[] = []
  const fields = cursor.number() ?? 0
  for (let i = 0; i < Math.min(fields, PRODUCER_FIELDS); i++) {
    const field = cursor.text()
    const count = cursor.number()
    if (field === undefined || count === undefined) return unreadable
    for (let j = 0; j < count; j++) {
      const name = cursor.text()
      const version = cursor.text()
      if (name === undefined || version === undefined) return unreadable
      if (notes.length < SHOWN) notes.push(shown(`${field}: ${name} ${version}`.trimEnd()))
    }
  }
  return notes
}

class Cursor {
  private readonly bytes: Uint8Array
  private at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  number(): number | undefined {
    const found = parseLeb(this.bytes, this.at)
    if (found !== undefined) this.at = found.next
    return found?.value
  }

  text(): string | undefined {
    const length = this.number()
    if (length === undefined || this.at + length > this.bytes.length) return undefined
    this.at += length
    return decodeUtf8(this.bytes.subarray(this.at - length, this.at))
  }
}
