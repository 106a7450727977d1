import type { NativeSignature } from '../trust/artifact.ts'
import { digestStream } from '../trust/digest.ts'
import { asBuffer, concatBytes, decodeUtf8, encodeHex, encodeUtf8, equalBytes } from '../trust/encoding.ts'
import type { PackageFile } from './adapter.ts'
import { parseLeb, readContent, WASM_LIMITS, type WasmBinary, type WasmSection } from './wasm-sections.ts'

/**
 * Embedded WebAssembly signatures (WebAssembly/tool-conventions, Signatures.md, specification version 1). The first
 * section is a custom section `signature`; delimiters end the parts of the module, and hash i covers everything
 * from behind the signature section up to and with delimiter i. A signature is over all listed hashes.
 */
export interface WasmSignatures {
  readonly signatures: readonly NativeSignature[]
  readonly notes: readonly string[]
}

const SIGNATURE = 'signature'
const DELIMITER = 'signature_delimiter'
const DELIMITER_LENGTH = 16
/** Sections of older tools under other names, with other contents. */
const FOREIGN: readonly string[] = ['signature_wasmsign']

/** Specification version, content type (module), hash function (SHA-256). */
const HEADER = Uint8Array.of(1, 1, 1)
const DOMAIN = encodeUtf8('wasmsig')
const HASH_LENGTH = 32
const ED25519 = 1
/** Each part is hashed from the start again, so their number bounds the work. Tools write one to three. */
const PART_LIMIT = 16
const SIGNATURE_LIMIT = 256

export interface SignatureData {
  readonly sets: readonly SignedHashes[]
}

export interface SignedHashes {
  /** Concatenated, as they are signed. */
  readonly hashes: Uint8Array
  readonly signatures: readonly SignatureRecord[]
}

export interface SignatureRecord {
  readonly keyId: Uint8Array
  readonly algorithm: number
  readonly signature: Uint8Array
}

/** `own` is the section with a Sigstore bundle, which no signature of this kind can cover. */
export async function readWasmSignatures(
  file: PackageFile,
  binary: WasmBinary,
  own: WasmSection | undefined,
): Promise<WasmSignatures> {
  const notes: string[] = [...oddDelimiters(binary)]
  for (const [index, { name }] of binary.sections.entries()) {
    if (name !== undefined && FOREIGN.includes(name))
      notes.push(`section '${name}' is of an older scheme: not read`)
    if (name === SIGNATURE && index > 0)
      notes.push(`a section '${SIGNATURE}' that is not the first one does not count`)
  }
  const [first] = binary.sections
  if (first?.name !== SIGNATURE) return { signatures: [], notes: capped(notes) }
  const data = parseSignatureData(await readContent(file, first))
  if (data === undefined) {
    notes.push(`section '${SIGNATURE}' is not of specification version 1 for SHA-256: not read`)
    return { signatures: [], notes: capped(notes) }
  }
  const parts = findParts(binary, own)
  const isComparable = parts.ends.length <= PART_LIMIT
  const computed = isComparable ? await hashParts(file, first.end, parts.ends) : []
  if (!isComparable) notes.push(`more than ${PART_LIMIT} signed parts: their hashes were not compared`)
  const signatures = data.sets.flatMap((set) => {
    const last = matchHashes(set.hashes, computed)
    const covers = last === undefined ? undefined : coverage(parts, last)
    return set.signatures.map((record) => describe(set, record, covers))
  })
  if (signatures.length === 0) notes.push(`section '${SIGNATURE}' holds no signature`)
  return { signatures, notes: capped(notes) }
}

/** A hostile module may repeat itself a hundred thousand times. */
function capped(notes: readonly string[]): readonly string[] {
  return [...new Set(notes)].slice(0, 20)
}

/** Exactly the bytes under a signature: `"wasmsig" version content-type hash-function hashes`. */
export function signedMessage(hashes: Uint8Array): Uint8Array {
  return concatBytes(DOMAIN, HEADER, hashes)
}

function describe(set: SignedHashes, record: SignatureRecord, covers: string | undefined): NativeSignature {
  return {
    scheme: 'wasm-signature',
    keyId: keyIdText(record.keyId),
    message: signedMessage(set.hashes),
    signature: record.signature,
    algorithm: record.algorithm === ED25519 ? 'ed25519' : `unknown (${record.algorithm})`,
    covers: covers ?? 'nothing that was found in this file',
    contentMatches: covers !== undefined,
  }
}

/** Key IDs are free bytes: text where they are plain text, else hexadecimal. */
function keyIdText(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return undefined
  const text = decodeUtf8(bytes)
  return text !== undefined && /^[\x21-\x7e]+$/.test(text) ? text : encodeHex(bytes)
}

interface Parts {
  /** Where each part ends, its delimiter included. */
  readonly ends: readonly number[]
  readonly sections: readonly WasmSection[]
  readonly own: WasmSection | undefined
}

/** A module without delimiters is one part. */
function findParts({ sections }: WasmBinary, own: WasmSection | undefined): Parts {
  const ends = sections.filter(({ name }) => name === DELIMITER).map(({ end }) => end)
  const last = sections.at(-1)
  if (ends.length === 0 && last !== undefined) ends.push(last.end)
  return { ends, sections, own }
}

async function hashParts(
  file: PackageFile,
  start: number,
  ends: readonly number[],
): Promise<readonly Uint8Array[]> {
  const hashes: Uint8Array[] = []
  for (const end of ends) {
    const digest = (await digestStream(file.stream(start, end), ['sha256'])).get('sha256')
    if (digest !== undefined) hashes.push(digest)
  }
  return hashes
}

/**
 * The listed hashes must be hashes of parts, in order; some may be left out (a partial signature). Returns the last
 * part that is covered: each hash covers all that stands before it.
 */
function matchHashes(listed: Uint8Array, computed: readonly Uint8Array[]): number | undefined {
  let part = -1
  for (let at = 0; at < listed.length; at += HASH_LENGTH) {
    const hash = listed.subarray(at, at + HASH_LENGTH)
    part = computed.findIndex((candidate, i) => i > part && equalBytes(candidate, hash))
    if (part < 0) return undefined
  }
  return part < 0 ? undefined : part
}

function coverage({ ends, sections, own }: Parts, last: number): string {
  const end = ends[last] ?? 0
  const uncovered = sections.filter((section) => section.start >= end)
  if (uncovered.length === 0) return 'whole module'
  if (uncovered.length === 1 && uncovered[0] === own)
    return `whole module except its section '${own?.name ?? ''}'`
  const covered = sections.filter((section) => section.end <= end).length - 1
  return `only sections 1 to ${covered} of ${sections.length - 1}`
}

/** Splits the payload of a signature section; undefined for another version or anything that does not add up. */
export function parseSignatureData(payload: Uint8Array): SignatureData | undefined {
  const bytes = asBuffer(payload)
  if (bytes.length > WASM_LIMITS.content || !equalBytes(bytes.subarray(0, HEADER.length), HEADER))
    return undefined
  const reader = new PayloadReader(bytes, HEADER.length)
  const count = reader.number(SIGNATURE_LIMIT)
  const sets: SignedHashes[] = []
  let signatures = 0
  for (let i = 0; i < count && !reader.failed; i++) {
    const hashes = reader.bytes(reader.number(SIGNATURE_LIMIT) * HASH_LENGTH)
    const records: SignatureRecord[] = []
    const recordCount = reader.number(SIGNATURE_LIMIT)
    for (let j = 0; j < recordCount && !reader.failed; j++) {
      const keyId = reader.bytes(reader.number(bytes.length))
      const [algorithm = 0] = reader.bytes(1)
      records.push({ keyId, algorithm, signature: reader.bytes(reader.number(bytes.length)) })
    }
    signatures += records.length
    sets.push({ hashes, signatures: records })
  }
  return reader.failed || !reader.isAtEnd || signatures > SIGNATURE_LIMIT ? undefined : { sets }
}

/** Reads on with empty values after the first failure, which is asked for at the end. */
class PayloadReader {
  private readonly payload: Uint8Array
  private at: number
  failed = false

  constructor(payload: Uint8Array, start: number) {
    this.payload = payload
    this.at = start
  }

  get isAtEnd(): boolean {
    return this.at === this.payload.length
  }

  number(limit: number): number {
    const found = this.failed ? undefined : parseLeb(this.payload, this.at)
    if (found === undefined || found.value > limit) {
      this.failed = true
      return 0
    }
    this.at = found.next
    return found.value
  }

  bytes(length: number): Uint8Array {
    if (this.failed || this.at + length > this.payload.length) {
      this.failed = true
      return new Uint8Array(0)
    }
    this.at += length
    return this.payload.subarray(this.at - length, this.at)
  }
}

/** Delimiters hold 16 random bytes, so that nobody can guess a part that was removed. */
function oddDelimiters({ sections }: WasmBinary): readonly string[] {
  const odd = sections.filter(
    ({ name, end, content }) => name === DELIMITER && end - content !== DELIMITER_LENGTH,
  )
  return odd.length === 0
    ? []
    : [`${odd.length} of the section delimiters are not ${DELIMITER_LENGTH} bytes long`]
}

/**
 * True where the module is signed as one part without a delimiter: anything that is appended breaks that
 * signature.
 */
export function isClosed({ sections }: WasmBinary): boolean {
  return sections[0]?.name === SIGNATURE && !sections.some(({ name }) => name === DELIMITER)
}
