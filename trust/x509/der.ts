import { MalformedError } from '../errors.ts'

/**
 * Distinguished Encoding Rules (X.690 section 10), read by slicing: an element keeps views into the input, so a
 * signature is always checked over the very bytes that were signed. Indefinite and non-minimal lengths, multi-byte
 * tags and trailing bytes are refused.
 */
export interface Element {
  /** Identifier octet: class, constructed bit and tag number below 31. */
  readonly tag: number
  /** Header and content. */
  readonly raw: Uint8Array
  readonly content: Uint8Array
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const

/** `[n]` of the context class, constructed (EXPLICIT or a constructed IMPLICIT) or primitive. */
export function contextTag(n: number, constructed = true): number {
  return (constructed ? 0xa0 : 0x80) | n
}

function fail(message: string, offset: number): never {
  throw new MalformedError('MALFORMED_DER', message, { where: `offset ${offset}` })
}

/** Reads the element at `offset`; what follows it is the caller's. */
export function readElement(bytes: Uint8Array, offset = 0): Element {
  const tag = bytes[offset]
  const first = bytes[offset + 1]
  if (tag === undefined || first === undefined) fail('the data ends inside an element header', offset)
  if ((tag & 0x1f) === 0x1f) fail('multi-byte tag', offset)
  let length = first
  let start = offset + 2
  if (first >= 0x80) {
    const count = first & 0x7f
    if (count === 0) fail('indefinite length', offset)
    if (count > 4) fail('length of more than four bytes', offset)
    length = 0
    for (let i = 0; i < count; i++) {
      const byte = bytes[start + i]
      if (byte === undefined) fail('the data ends inside a length', offset)
      length = length * 256 + byte
    }
    start += count
    if (length < 0x80 || (count > 1 && length < 256 ** (count - 1))) fail('length is not minimal', offset)
  }
  const end = start + length
  if (end > bytes.length) fail('element is longer than the data', offset)
  return { tag, raw: bytes.subarray(offset, end), content: bytes.subarray(start, end) }
}

/** The one element that fills `bytes` to the last byte. */
export function readWhole(bytes: Uint8Array, tag?: number): Element {
  const element = readElement(bytes)
  if (element.raw.length !== bytes.length) fail('bytes after the end', element.raw.length)
  if (tag !== undefined) expectTag(element, tag)
  return element
}

/** All elements inside constructed content, in order. */
export function readAll(content: Uint8Array): Element[] {
  const elements: Element[] = []
  for (let at = 0; at < content.length;) {
    const element = readElement(content, at)
    elements.push(element)
    at += element.raw.length
  }
  return elements
}

export function expectTag(element: Element | undefined, tag: number): Element {
  if (element === undefined) fail(`expected an element with tag 0x${tag.toString(16)}, found the end`, 0)
  if (element.tag !== tag) fail(`expected tag 0x${tag.toString(16)}, found 0x${element.tag.toString(16)}`, 0)
  return element
}

/** Walks the elements of a SEQUENCE one by one; optional ones are asked for by tag. */
export class Cursor {
  private readonly elements: readonly Element[]
  private at = 0

  constructor(content: Uint8Array) {
    this.elements = readAll(content)
  }

  next(tag: number): Element {
    return expectTag(this.elements[this.at++], tag)
  }

  any(): Element {
    const element = this.elements[this.at++]
    if (element === undefined) fail('expected another element, found the end', 0)
    return element
  }

  optional(tag: number): Element | undefined {
    const element = this.elements[this.at]
    if (element?.tag !== tag) return undefined
    this.at++
    return element
  }

  get done(): boolean {
    return this.at >= this.elements.length
  }

  end(): void {
    if (!this.done) fail('unexpected element', 0)
  }
}

/** Dotted form of an OBJECT IDENTIFIER; arcs are minimal and below 2^53. */
export function readOid(element: Element): string {
  expectTag(element, TAG.oid)
  const { content } = element
  if (content.length === 0) fail('empty object identifier', 0)
  const arcs: number[] = []
  let arc = 0
  let started = false
  for (const byte of content) {
    if (!started && byte === 0x80) fail('object identifier arc is not minimal', 0)
    arc = arc * 128 + (byte & 0x7f)
    if (arc > Number.MAX_SAFE_INTEGER) fail('object identifier arc is too large', 0)
    started = (byte & 0x80) !== 0
    if (!started) {
      if (arcs.length === 0) {
        const first = arc < 40 ? 0 : arc < 80 ? 1 : 2
        arcs.push(first, arc - first * 40)
      } else arcs.push(arc)
      arc = 0
    }
  }
  if (started) fail('object identifier ends inside an arc', 0)
  return arcs.join('.')
}

/** Content of an INTEGER, two's complement; minimal, may be negative (RFC 3161 serial numbers are met negative). */
export function readInteger(element: Element): Uint8Array {
  expectTag(element, TAG.integer)
  const { content } = element
  const [first, second] = content
  if (first === undefined) fail('empty integer', 0)
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    fail('integer is not minimal', 0)
  }
  return content
}

/** A non-negative INTEGER below 2^31, such as a version or a path length. */
export function readSmallInteger(element: Element): number {
  const content = readInteger(element)
  if (content.length > 4 || (content[0] ?? 0) >= 0x80) fail('integer is negative or too large', 0)
  return content.reduce((sum, byte) => sum * 256 + byte, 0)
}

export function readBoolean(element: Element): boolean {
  expectTag(element, TAG.boolean)
  const [byte] = element.content
  if (element.content.length !== 1 || (byte !== 0 && byte !== 0xff)) fail('boolean is neither 00 nor ff', 0)
  return byte === 0xff
}

/** BIT STRING that holds whole bytes, as keys and signatures do. */
export function readBitString(element: Element): Uint8Array {
  expectTag(element, TAG.bitString)
  if (element.content[0] !== 0) fail('bit string does not hold whole bytes', 0)
  return element.content.subarray(1)
}

/**
 * UTCTime or GeneralizedTime in the forms of RFC 5280 section 4.1.2.5 (Zulu, with seconds). Fractions of a second
 * are legal in timestamps only, so the caller says whether they may stand.
 */
export function readTime(element: Element, fractions = false): Date {
  const text = String.fromCharCode(...element.content.subarray(0, 40))
  const pattern =
    element.tag === TAG.utcTime
      ? /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/
      : element.tag === TAG.generalizedTime
        ? /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(?:\.(\d{1,9}))?Z$/
        : undefined
  const match = pattern?.exec(text)
  if (match === null || match === undefined || element.content.length > 40) fail('malformed time', 0)
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number)
  const fraction = match[7]
  if (fraction !== undefined && (!fractions || fraction.endsWith('0')))
    fail('malformed fraction of a second', 0)
  const fullYear = element.tag === TAG.utcTime ? year + (year < 50 ? 2000 : 1900) : year
  const millis = fraction === undefined ? 0 : Math.floor(Number(`0.${fraction}`) * 1000)
  const date = new Date(0)
  date.setUTCFullYear(fullYear, month - 1, day)
  date.setUTCHours(hour, minute, second, millis)
  const sameDay = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && date.getUTCHours() === hour
  if (!sameDay || minute > 59 || second > 59) fail('time does not exist', 0)
  return date
}

/** Header for an element of this tag and content length. */
export function encodeHeader(tag: number, length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(tag, length)
  if (length >= 0x100 && length < 0x10000) return Uint8Array.of(tag, 0x82, length >> 8, length & 0xff)
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return Uint8Array.of(tag, 0x80 | bytes.length, ...bytes)
}

export function encodeElement(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, part) => sum + part.length, 0)
  const header = encodeHeader(tag, length)
  const out = new Uint8Array(header.length + length)
  out.set(header)
  let at = header.length
  for (const part of contents) {
    out.set(part, at)
    at += part.length
  }
  return out
}
