import { Buffer, isAscii, isUtf8 } from 'node:buffer'

/**
 * Strict text codecs. Each decoder returns `undefined` for anything that its encoder would not have written:
 * Node's own decoders skip what they do not understand, and two spellings of one value are a way to smuggle.
 */

/** Standard base64 with padding (RFC 4648 section 4), canonical: unused bits are zero. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const { length } = text
  if (length % 4 !== 0) return undefined
  const bytes = Buffer.from(text, 'base64')
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  // the decoder skips what it does not know, which shortens the result, and takes the two characters of base64url
  if (bytes.length !== (length / 4) * 3 - padding || text.includes('-') || text.includes('_'))
    return undefined
  // only the last group can have unused bits
  const isCanonical = padding === 0 || bytes.subarray(padding - 3).toString('base64') === text.slice(-4)
  return isCanonical ? bytes : undefined
}

export function encodeBase64(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('base64')
}

/** Hexadecimal of an even length; upper case is accepted because subject digests come in both cases. */
export function decodeHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined
  return Buffer.from(text, 'hex')
}

export function encodeHex(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('hex')
}

/** UTF-8 without ill-formed sequences. A byte order mark is kept as a character, not swallowed. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  if (isAscii(bytes)) return asBuffer(bytes).toString('latin1')
  return isUtf8(bytes) ? asBuffer(bytes).toString('utf8') : undefined
}

export function encodeUtf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8')
}

/** Decimal without sign, leading zeros or anything else; at most 19 digits, so below 10^19. */
export function decodeDecimal(text: string): bigint | undefined {
  return /^(?:0|[1-9][0-9]{0,18})$/.test(text) ? BigInt(text) : undefined
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && asBuffer(a).equals(b)
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts)
}

/** A Buffer over the same memory: its codecs are native, those of Uint8Array are not there yet. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/**
 * Makes a string from outside safe to print: control, bidirectional, zero-width and other invisible characters
 * come out as `\u{...}`; a lone surrogate too. Ordinary text, spaces and non-Latin letters stay as they are.
 */
export function escapeForDisplay(text: string): string {
  return text.replace(INVISIBLE, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`)
}

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu
