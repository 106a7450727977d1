import { asBuffer, decodeUtf8, encodeUtf8, concatBytes } from '../trust/encoding.ts'
import { MalformedError } from '../trust/errors.ts'
import type { PackageFile } from './adapter.ts'
import { readWindowed, type ReadAt } from './container/window.ts'

/** One section of a module or component: `id(1) size(u32 LEB128) body`; a custom section's body starts with a name. */
export interface WasmSection {
  readonly id: number
  /** Where the section starts: its id. */
  readonly start: number
  /** Where its content starts: behind the size, and behind the name of a custom section. */
  readonly content: number
  readonly end: number
  /** Of custom sections only. */
  readonly name: string | undefined
}

export interface WasmBinary {
  readonly kind: 'module' | 'component'
  /** Top level only: what nested modules and components hold lies inside a section here. */
  readonly sections: readonly WasmSection[]
}

export const WASM_LIMITS = {
  sections: 100_000,
  /** Bytes of a custom section's name. */
  name: 4096,
  /** Bytes of all those names together. */
  names: 8 * 1024 * 1024,
  /** Bytes of a custom section whose content is read. */
  content: 1024 * 1024,
}

export const WASM_MAGIC: readonly number[] = [0x00, 0x61, 0x73, 0x6d]
const PREAMBLE_LENGTH = 8
const LEB_LENGTH = 5
const CUSTOM = 0

/** Version and layer, and the highest section id that the format knows (core specification 5.5.2; component model). */
const KINDS = [
  { kind: 'module', version: 0x0000_0001, lastId: 13 },
  { kind: 'component', version: 0x0001_000d, lastId: 12 },
] as const

/**
 * Walks the sections without reading their bodies. Sizes are held to the file; the order of sections is the
 * business of whoever runs the module. Throws MALFORMED_PACKAGE, PACKAGE_TRUNCATED or PACKAGE_LIMIT.
 */
export async function readSections(file: PackageFile): Promise<WasmBinary> {
  const read = readWindowed(file)
  const { kind, lastId } = await readPreamble(read, file.size)
  const sections: WasmSection[] = []
  let names = 0
  for (let at = PREAMBLE_LENGTH; at < file.size;) {
    if (sections.length === WASM_LIMITS.sections)
      throw overLimit(`more than ${WASM_LIMITS.sections} sections`, at)
    const section = await readSection(read, at, file.size)
    if (section.id > lastId) throw broken(`section id ${section.id} is unknown`, at)
    names += section.name?.length ?? 0
    if (names > WASM_LIMITS.names) throw overLimit(`more than ${WASM_LIMITS.names} bytes of names`, at)
    sections.push(section)
    at = section.end
  }
  return { kind, sections }
}

async function readPreamble(read: ReadAt, size: number): Promise<(typeof KINDS)[number]> {
  const bytes = asBuffer(await read(0, Math.min(PREAMBLE_LENGTH, size)))
  if (WASM_MAGIC.some((byte, i) => i < bytes.length && bytes[i] !== byte))
    throw broken('this is not WebAssembly', 0)
  if (bytes.length < PREAMBLE_LENGTH) throw cutOff(0)
  const version = bytes.readUInt32LE(4)
  const found = KINDS.find((kind) => kind.version === version)
  if (found === undefined) {
    throw new MalformedError(
      'MALFORMED_PACKAGE',
      'the WebAssembly version is neither that of modules nor of components',
      {
        got: `0x${version.toString(16).padStart(8, '0')}`,
        wanted: KINDS.map((kind) => `0x${kind.version.toString(16).padStart(8, '0')}`).join(' or '),
        where: 'offset 4',
      },
    )
  }
  return found
}

async function readSection(read: ReadAt, start: number, fileSize: number): Promise<WasmSection> {
  const [id] = await read(start, 1)
  const size = await readLeb(read, start + 1, fileSize)
  const end = size.next + size.value
  if (end > fileSize) throw cutOff(start)
  if (id !== CUSTOM) return { id: id ?? 0, start, content: size.next, end, name: undefined }
  const length = await readLeb(read, size.next, end)
  const content = length.next + length.value
  if (content > end) throw broken('the name of a custom section is longer than the section', start)
  if (length.value > WASM_LIMITS.name) throw overLimit(`a section name of ${length.value} bytes`, start)
  const name = decodeUtf8(await read(length.next, length.value))
  if (name === undefined) throw broken('the name of a custom section is not UTF-8', start)
  return { id: CUSTOM, start, content, end, name }
}

/** An unsigned 32-bit LEB128 in the bytes up to `limit`, which is the file's end or the section's. */
async function readLeb(read: ReadAt, at: number, limit: number): Promise<{ value: number; next: number }> {
  const room = Math.min(LEB_LENGTH, limit - at)
  const bytes = await read(at, room)
  const found = parseLeb(bytes, 0)
  if (found !== undefined) return { value: found.value, next: at + found.next }
  if (room < LEB_LENGTH) throw cutOff(at)
  throw broken('a number is longer than 32 bits', at)
}

/**
 * Unsigned 32-bit LEB128 (core specification 5.2.2): at most 5 bytes, the unused bits of the fifth zero. Longer
 * spellings of a small number are allowed within that, as in the specification; undefined for anything else.
 */
export function parseLeb(bytes: Uint8Array, start: number): { value: number; next: number } | undefined {
  let value = 0
  for (let i = 0; i < LEB_LENGTH; i++) {
    const byte = bytes[start + i]
    if (byte === undefined || (i === LEB_LENGTH - 1 && byte > 0x0f)) return undefined
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return { value, next: start + i + 1 }
  }
  return undefined
}

export function encodeLeb(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  while (rest > 0x7f) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  return Uint8Array.of(...bytes, rest)
}

export function encodeCustomSection(name: string, content: Uint8Array): Uint8Array {
  const text = encodeUtf8(name)
  const body = concatBytes(encodeLeb(text.length), text, content)
  return concatBytes(Uint8Array.of(CUSTOM), encodeLeb(body.length), body)
}

/** The content of a custom section; PACKAGE_LIMIT above 1 MiB. */
export function readContent(file: PackageFile, section: WasmSection): Promise<Uint8Array> {
  const length = section.end - section.content
  if (length > WASM_LIMITS.content)
    throw overLimit(`a section '${section.name}' of ${length} bytes`, section.start)
  return file.read(section.content, length)
}

function broken(problem: string, offset: number): MalformedError {
  return new MalformedError('MALFORMED_PACKAGE', problem, { where: `offset ${offset}` })
}

function cutOff(offset: number): MalformedError {
  return new MalformedError('PACKAGE_TRUNCATED', 'the WebAssembly binary ends inside a section', {
    where: `offset ${offset}`,
  })
}

function overLimit(got: string, offset: number): MalformedError {
  return new MalformedError('PACKAGE_LIMIT', 'the WebAssembly binary exceeds a safety limit', {
    got,
    where: `offset ${offset}`,
  })
}
