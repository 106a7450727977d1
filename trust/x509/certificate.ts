import { asBuffer, equalBytes } from '../encoding.ts'
import { MalformedError } from '../errors.ts'
import { parsePublicKey, type PublicKey } from '../keys.ts'
import { readPem } from '../pem.ts'
import { contextTag, readElement, readOid, TAG } from './der.ts'

/**
 * X.509 certificates (RFC 5280 section 4.1), read by offsets: the parts are views into the input and nothing is ever
 * encoded again. This is on the path of every verification, so elements are walked without an object for each.
 */

/** An extension of a certificate. */
export interface Extension {
  /** Dotted object identifier. */
  readonly oid: string
  /** Whoever does not understand it must refuse the certificate. */
  readonly critical: boolean
  /** Content of the OCTET STRING. */
  readonly value: Uint8Array
  /** The whole Extension element, as it stands in the certificate. */
  readonly raw: Uint8Array
}

/** A certificate, parsed and not verified. */
export interface Certificate {
  /** The whole certificate. */
  readonly der: Uint8Array
  /** The TBSCertificate element: the bytes that the issuer signed. */
  readonly tbs: Uint8Array
  /** Content of the INTEGER: minimal, not negative, at most 20 bytes. */
  readonly serial: Uint8Array
  /** Name elements, compared byte by byte. */
  readonly issuer: Uint8Array
  /** Name element, as `issuer`. */
  readonly subject: Uint8Array
  /** Both ends belong to the validity. */
  readonly notBefore: Date
  /** Belongs to the validity. */
  readonly notAfter: Date
  /** SubjectPublicKeyInfo element. */
  readonly spki: Uint8Array
  /** The key in `spki`, parsed when first asked for: `MALFORMED_KEY` or `SIGNATURE_ALGORITHM` if it is unfit. */
  readonly publicKey: PublicKey
  /** AlgorithmIdentifier element; the same bytes stand inside and outside of what is signed. */
  readonly signatureAlgorithm: Uint8Array
  /** Content of the BIT STRING. */
  readonly signature: Uint8Array
  /** By dotted object identifier, each at most once, in the order of the certificate. */
  readonly extensions: ReadonlyMap<string, Extension>
}

/** RFC 5280 section 4.1.2.2. */
const MAX_SERIAL_LENGTH = 20
/** No honest certificate comes near: Fulcio leaves have about 25 extensions in 2 to 4 KiB. */
const MAX_CERTIFICATE_LENGTH = 1 << 16

function fail(message: string, offset: number): never {
  throw new MalformedError('MALFORMED_CERTIFICATE', message, { where: `offset ${offset}` })
}

/** A walk over sibling elements: after `next`, the element is [`from`, `stop`) and its content [`start`, `stop`). */
class Walk {
  readonly bytes: Uint8Array
  at: number
  end: number
  from = 0
  start = 0
  stop = 0

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  /** Steps over one element with this tag. Same rules as `readElement`: minimal definite lengths only. */
  next(tag: number): void {
    const { bytes, at } = this
    if (at + 2 > this.end) fail('the data ends inside an element', at)
    if (bytes[at] !== tag) fail(`expected tag 0x${tag.toString(16)}`, at)
    let length = bytes[at + 1] ?? 0
    let start = at + 2
    if (length >= 0x80) {
      const count = length & 0x7f
      if (count === 0 || count > 3) fail('indefinite or oversized length', at)
      length = 0
      for (let i = 0; i < count; i++) length = length * 256 + (bytes[start + i] ?? 0)
      start += count
      if (length < 0x80 || (count > 1 && length < 1 << (8 * (count - 1)))) fail('length is not minimal', at)
    }
    if (start + length > this.end) fail('element is longer than what holds it', at)
    this.from = at
    this.start = start
    this.stop = this.at = start + length
  }

  /** Tag of the next element, or -1 at the end. */
  peek(): number {
    return this.at < this.end ? (this.bytes[this.at] ?? -1) : -1
  }

  /** A walk over the content of the current element. */
  inside(): Walk {
    return new Walk(this.bytes, this.start, this.stop)
  }

  raw(): Uint8Array {
    return this.bytes.subarray(this.from, this.stop)
  }

  content(): Uint8Array {
    return this.bytes.subarray(this.start, this.stop)
  }

  done(): void {
    if (this.at !== this.end) fail('unexpected bytes', this.at)
  }
}

class ParsedExtension implements Extension {
  readonly oid: string
  readonly critical: boolean
  readonly #bytes: Uint8Array
  readonly #from: number
  readonly #start: number
  readonly #stop: number

  constructor(oid: string, critical: boolean, { bytes, start, stop }: Walk, from: number) {
    this.oid = oid
    this.critical = critical
    this.#bytes = bytes
    this.#from = from
    this.#start = start
    this.#stop = stop
  }

  get value(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#stop)
  }

  get raw(): Uint8Array {
    return this.#bytes.subarray(this.#from, this.#stop)
  }
}

type Fields = Omit<Certificate, 'publicKey'>

class ParsedCertificate implements Certificate {
  readonly der: Uint8Array
  readonly tbs: Uint8Array
  readonly serial: Uint8Array
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly notBefore: Date
  readonly notAfter: Date
  readonly spki: Uint8Array
  readonly signatureAlgorithm: Uint8Array
  readonly signature: Uint8Array
  readonly extensions: ReadonlyMap<string, Extension>
  #publicKey: PublicKey | undefined

  constructor(fields: Fields) {
    this.der = fields.der
    this.tbs = fields.tbs
    this.serial = fields.serial
    this.issuer = fields.issuer
    this.subject = fields.subject
    this.notBefore = fields.notBefore
    this.notAfter = fields.notAfter
    this.spki = fields.spki
    this.signatureAlgorithm = fields.signatureAlgorithm
    this.signature = fields.signature
    this.extensions = fields.extensions
  }

  get publicKey(): PublicKey {
    return (this.#publicKey ??= parsePublicKey(this.spki))
  }
}

/** Reads one certificate to its last byte. Error: `MALFORMED_CERTIFICATE` with the offset. */
export function parseCertificate(der: Uint8Array): Certificate {
  try {
    return readCertificate(der)
  } catch (error) {
    if (error instanceof MalformedError && error.code === 'MALFORMED_DER') {
      const where = error.where === undefined ? {} : { where: error.where }
      throw new MalformedError('MALFORMED_CERTIFICATE', `certificate: ${error.message}`, {
        cause: error,
        ...where,
      })
    }
    throw error
  }
}

function readCertificate(der: Uint8Array): Certificate {
  if (der.length > MAX_CERTIFICATE_LENGTH) fail('certificate is too large', MAX_CERTIFICATE_LENGTH)
  // A plain view: slices of a Buffer cost several times as much.
  const bytes = new Uint8Array(der.buffer, der.byteOffset, der.length)
  const file = new Walk(bytes, 0, bytes.length)
  file.next(TAG.sequence)
  file.done()
  const outer = file.inside()
  outer.next(TAG.sequence)
  const tbs = outer.raw()
  const body = readTbs(outer.inside())
  outer.next(TAG.sequence)
  const signatureAlgorithm = outer.raw()
  if (!equalBytes(signatureAlgorithm, body.algorithm)) fail('two different signature algorithms', outer.from)
  outer.next(TAG.bitString)
  if (bytes[outer.start] !== 0 || outer.stop === outer.start) fail('signature is not whole bytes', outer.from)
  const signature = bytes.subarray(outer.start + 1, outer.stop)
  outer.done()
  return new ParsedCertificate({ ...body, der: bytes, tbs, signatureAlgorithm, signature })
}

function readTbs(
  walk: Walk,
): Omit<Fields, 'der' | 'tbs' | 'signatureAlgorithm' | 'signature'> & { algorithm: Uint8Array } {
  const { bytes } = walk
  // [0] { INTEGER 2 }: only version 3 has extensions, and a certificate without them proves nothing here.
  walk.next(contextTag(0))
  if (walk.stop - walk.start !== 3 || bytes[walk.start] !== TAG.integer || bytes[walk.start + 1] !== 1) {
    fail('malformed version', walk.from)
  }
  if (bytes[walk.start + 2] !== 2) fail('certificate is not of version 3', walk.from)
  const serial = readSerial(walk)
  walk.next(TAG.sequence)
  const algorithm = walk.raw()
  walk.next(TAG.sequence)
  const issuer = walk.raw()
  walk.next(TAG.sequence)
  const validity = walk.inside()
  const notBefore = readDate(validity)
  const notAfter = readDate(validity)
  validity.done()
  if (notBefore > notAfter) fail('validity ends before it starts', walk.from)
  walk.next(TAG.sequence)
  const subject = walk.raw()
  walk.next(TAG.sequence)
  const spki = walk.raw()
  const extensions = readExtensions(walk)
  walk.done()
  return { serial, algorithm, issuer, notBefore, notAfter, subject, spki, extensions }
}

function readSerial(walk: Walk): Uint8Array {
  walk.next(TAG.integer)
  const serial = walk.content()
  const [first, second] = serial
  if (first === undefined || serial.length > MAX_SERIAL_LENGTH)
    fail('serial number has a bad length', walk.from)
  if (first >= 0x80) fail('serial number is negative', walk.from)
  if (first === 0 && second !== undefined && second < 0x80) fail('serial number is not minimal', walk.from)
  return serial
}

/** UTCTime or GeneralizedTime in the one form of RFC 5280 section 4.1.2.5: Zulu, with seconds, without fractions. */
function readDate(walk: Walk): Date {
  const short = walk.peek() === TAG.utcTime
  walk.next(short ? TAG.utcTime : TAG.generalizedTime)
  const { bytes, start, stop } = walk
  const month = start + (short ? 2 : 4)
  if (stop !== month + 11 || bytes[month + 10] !== 0x5a) fail('malformed time', start)
  // Two digits of a year stand for 1950 to 2049.
  const low = twoDigits(bytes, month - 2)
  const year = short ? low + (low < 50 ? 2000 : 1900) : twoDigits(bytes, start) * 100 + low
  const day = twoDigits(bytes, month + 2)
  const hour = twoDigits(bytes, month + 4)
  const minute = twoDigits(bytes, month + 6)
  const second = twoDigits(bytes, month + 8)
  const date = new Date(Date.UTC(year, twoDigits(bytes, month) - 1, day, hour, minute, second))
  // A month 13 or a day 31 that does not exist would roll over, and with it the day. Years below 100 are not years.
  const exists =
    year >= 100 && date.getUTCDate() === day && date.getUTCMonth() + 1 === twoDigits(bytes, month)
  if (!exists || hour > 23 || minute > 59 || second > 59) fail('time does not exist', start)
  return date
}

function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] ?? 0) - 0x30
  const ones = (bytes[at + 1] ?? 0) - 0x30
  if (tens < 0 || tens > 9 || ones < 0 || ones > 9) fail('malformed time', at)
  return tens * 10 + ones
}

function readExtensions(walk: Walk): ReadonlyMap<string, Extension> {
  const extensions = new Map<string, Extension>()
  // Unique identifiers ([1] and [2]) are of version 2 and refused as unexpected.
  if (walk.peek() === -1) return extensions
  walk.next(contextTag(3))
  const wrapper = walk.inside()
  wrapper.next(TAG.sequence)
  wrapper.done()
  const list = wrapper.inside()
  if (list.peek() === -1) fail('empty list of extensions', list.at)
  while (list.peek() !== -1) {
    list.next(TAG.sequence)
    const extension = readExtension(list)
    if (extensions.has(extension.oid)) fail(`extension ${extension.oid} stands twice`, list.from)
    extensions.set(extension.oid, extension)
  }
  return extensions
}

function readExtension(list: Walk): Extension {
  const { bytes } = list
  const parts = list.inside()
  parts.next(TAG.oid)
  const oid = extensionOid(bytes, parts.from, parts.stop)
  const critical = parts.peek() === TAG.boolean
  if (critical) {
    parts.next(TAG.boolean)
    // FALSE is the default and must not be written out (X.690 section 11.5).
    if (parts.stop - parts.start !== 1 || bytes[parts.start] !== 0xff)
      fail('malformed critical flag', parts.from)
  }
  parts.next(TAG.octetString)
  parts.done()
  return new ParsedExtension(oid, critical, parts, list.from)
}

/** Object identifier of an extension; the two families that fill a Fulcio certificate are not decoded arc by arc. */
function extensionOid(bytes: Uint8Array, from: number, stop: number): string {
  const last = bytes[stop - 1] ?? 0
  if (stop - from === 5 && bytes[from + 2] === 0x55 && bytes[from + 3] === 0x1d && last < 0x80)
    return `2.5.29.${last}`
  if (stop - from === 12 && last < 0x80 && isFulcioArc(bytes, from + 2)) return `1.3.6.1.4.1.57264.1.${last}`
  return readOid(readElement(bytes, from))
}

const FULCIO_ARC = [0x2b, 6, 1, 4, 1, 0x83, 0xbf, 0x30, 1]

function isFulcioArc(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 9; i++) if (bytes[at + i] !== FULCIO_ARC[i]) return false
  return true
}

/** All certificates of a text, in order; text around the blocks is ignored, other kinds of block are not. */
export function parseCertificatesPem(text: string): readonly Certificate[] {
  const pem = readPem(text)
  if (pem === undefined || pem.blocks.length === 0) {
    throw new MalformedError('MALFORMED_CERTIFICATE', 'not a PEM certificate')
  }
  return pem.blocks.map(({ label, der }) => {
    if (label === 'CERTIFICATE') return parseCertificate(der)
    throw new MalformedError('MALFORMED_CERTIFICATE', 'this PEM block is not a certificate', { got: label })
  })
}

/** Exactly one certificate. */
export function parseCertificatePem(text: string): Certificate {
  const [certificate, ...rest] = parseCertificatesPem(text)
  if (certificate === undefined || rest.length > 0) {
    throw new MalformedError('MALFORMED_CERTIFICATE', 'more than one certificate')
  }
  return certificate
}

/** Certificates of a file that is either PEM text or one DER certificate. */
export function parseCertificates(pemOrDer: Uint8Array): readonly Certificate[] {
  if (pemOrDer[0] === TAG.sequence) return [parseCertificate(pemOrDer)]
  return parseCertificatesPem(asBuffer(pemOrDer).toString('latin1'))
}
