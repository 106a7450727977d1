import { windowContains, type CertificateLog } from '../authority.ts'
import { digestOf } from '../digest.ts'
import { asBuffer, concatBytes, encodeHex } from '../encoding.ts'
import { CheckFailed, MalformedError } from '../errors.ts'
import type { CertificateTimestamp } from '../evidence.ts'
import { verifySignature, type MessageScheme, type PublicKey } from '../keys.ts'
import type { Certificate } from '../x509/certificate.ts'
import { contextTag, encodeHeader, TAG } from '../x509/der.ts'
import { EXTENSION, PURPOSE, readExtendedKeyUsage, readTimestampList } from '../x509/extensions.ts'

/** Certificate transparency (RFC 6962): logs promised to publish the certificate before it was issued. */

/** Where the leaf came from, as the path proved it. */
export interface Issuers {
  readonly issuer: Certificate
  /** The issuer's own issuer; undefined where the issuer is the anchor. */
  readonly issuerOfIssuer: Certificate | undefined
}

/** Section 3.2, parsed. */
interface SignedTimestamp {
  /** Lower-case hex. */
  readonly logId: string
  /** Eight bytes, milliseconds since 1970, as they are signed. */
  readonly time: Uint8Array
  readonly extensions: Uint8Array
  /** HashAlgorithm and SignatureAlgorithm of TLS 1.2. */
  readonly algorithm: readonly [number, number]
  readonly signature: Uint8Array
}

/** More would cost time and prove nothing; honest certificates have one or two. */
const MAX_TIMESTAMPS = 16
const LOG_ID_LENGTH = 32
/** RFC 5246 section 7.4.1.4.1. */
const TLS_SHA256 = 4
const TLS_RSA = 1
const TLS_ECDSA = 3

/**
 * Verifies every embedded timestamp of a known log; those of unknown logs are skipped, a bad one of a known log is
 * fatal even where the threshold is zero. The threshold counts operators. Errors: `SCT_MISSING`, `SCT_MALFORMED`,
 * `SCT_SIGNATURE`, `SCT_WINDOW`, `SCT_THRESHOLD`.
 */
export function checkScts(
  leaf: Certificate,
  issuers: Issuers,
  logs: readonly CertificateLog[],
  threshold: number,
): readonly CertificateTimestamp[] {
  const timestamps = readTimestamps(leaf)
  if (timestamps === undefined) {
    if (threshold === 0) return []
    throw new CheckFailed('sct', 'SCT_MISSING', 'the certificate has no certificate timestamp')
  }
  const verified: CertificateTimestamp[] = []
  for (const timestamp of timestamps) {
    const known = logs.filter(({ logId }) => logId === timestamp.logId)
    const [log] = known
    if (log === undefined) continue
    if (!isSigned(timestamp, leaf, issuers, log.key)) {
      throw new CheckFailed('sct', 'SCT_SIGNATURE', 'the log did not sign this certificate', {
        got: log.baseUrl,
      })
    }
    verified.push(admit(timestamp, known, log))
  }
  const operators = new Set(verified.map(({ operator }) => operator))
  // written so that a threshold that is no number fails
  if (!(operators.size >= threshold)) {
    throw new CheckFailed(
      'sct',
      'SCT_THRESHOLD',
      'too few known certificate logs vouch for the certificate',
      {
        got: `${operators.size} of ${timestamps.length} timestamps`,
        wanted: `${threshold} operators`,
      },
    )
  }
  return verified
}

/** One key may be listed several times, each with its own window: one of them must hold. */
function admit(
  { time }: SignedTimestamp,
  known: readonly CertificateLog[],
  { baseUrl, validFor }: CertificateLog,
): CertificateTimestamp {
  const millis = asBuffer(time).readBigUInt64BE()
  // Beyond the range of Date it becomes an invalid date, which lies in no window.
  const at = new Date(Number(millis))
  const log = known.find((candidate) => windowContains(candidate.validFor, at))
  if (log !== undefined) return { log: log.baseUrl, operator: log.operator, at }
  throw new CheckFailed('sct', 'SCT_WINDOW', 'the log key was not valid at the time of the timestamp', {
    got: `${baseUrl} at ${Number.isNaN(at.getTime()) ? `${millis} ms` : at.toISOString()}`,
    wanted: `${validFor.start.toISOString()} to ${validFor.end?.toISOString() ?? 'now'}`,
  })
}

function malformed(message: string, cause?: unknown): never {
  throw new CheckFailed('sct', 'SCT_MALFORMED', message, { cause })
}

/** `SignedCertificateTimestampList`, section 3.3: every length is used up exactly. */
function readTimestamps(leaf: Certificate): readonly SignedTimestamp[] | undefined {
  let list: Uint8Array | undefined
  try {
    list = readTimestampList(leaf)
  } catch (error) {
    if (error instanceof MalformedError) malformed(`certificate timestamps: ${error.message}`, error)
    throw error
  }
  if (list === undefined) return undefined
  const outer = new TlsReader(list)
  const items = new TlsReader(outer.vector())
  outer.end()
  const timestamps: SignedTimestamp[] = []
  do {
    timestamps.push(readTimestamp(items.vector()))
    if (timestamps.length > MAX_TIMESTAMPS) malformed('too many certificate timestamps')
  } while (!items.done)
  return timestamps
}

function readTimestamp(bytes: Uint8Array): SignedTimestamp {
  const reader = new TlsReader(bytes)
  if (reader.take(1)[0] !== 0) malformed('certificate timestamp is not of version 1')
  const logId = encodeHex(reader.take(LOG_ID_LENGTH))
  const time = reader.take(8)
  const extensions = reader.vector()
  const [hash = 0, algorithm = 0] = reader.take(2)
  const signature = reader.vector()
  reader.end()
  return { logId, time, extensions, algorithm: [hash, algorithm], signature }
}

/** TLS presentation language, RFC 5246 section 4: fixed fields and vectors with a length of two bytes. */
class TlsReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.#at === this.#bytes.length
  }

  take(length: number): Uint8Array {
    const part = this.#bytes.subarray(this.#at, this.#at + length)
    if (part.length !== length) malformed('certificate timestamp is cut short')
    this.#at += length
    return part
  }

  vector(): Uint8Array {
    const [high = 0, low = 0] = this.take(2)
    return this.take(high * 256 + low)
  }

  end(): void {
    if (!this.done) malformed('bytes after a certificate timestamp')
  }
}

function isSigned(timestamp: SignedTimestamp, leaf: Certificate, issuers: Issuers, key: PublicKey): boolean {
  const scheme = schemeOf(timestamp, key)
  if (scheme === undefined) return false
  return verifySignature(key, scheme, signedData(timestamp, leaf, issuers), timestamp.signature)
}

/** The two bytes must say what the key of the log is: RFC 6962 section 2.1.4 knows these two. */
function schemeOf(
  { algorithm: [hash, algorithm] }: SignedTimestamp,
  key: PublicKey,
): MessageScheme | undefined {
  if (hash !== TLS_SHA256) return undefined
  if (algorithm === TLS_ECDSA && key.type.startsWith('ecdsa')) return { kind: 'ecdsa', hash: 'sha256' }
  if (algorithm === TLS_RSA && key.type === 'rsa') return { kind: 'rsa-pkcs1', hash: 'sha256' }
  return undefined
}

/**
 * What the log signed, section 3.2:
 * version(1)=0 | signature type(1)=0 | time(8) | entry type(2)=1 | SHA-256 of the issuer's key(32) |
 * u24 length and TBSCertificate without the timestamps | u16 length and extensions.
 */
function signedData({ time, extensions }: SignedTimestamp, leaf: Certificate, issuers: Issuers): Uint8Array {
  const tbs = withoutTimestamps(leaf)
  return concatBytes(
    Uint8Array.of(0, 0),
    time,
    Uint8Array.of(0, 1),
    digestOf('sha256', precertificateIssuer(issuers).spki),
    Uint8Array.of(tbs.length >> 16, (tbs.length >> 8) & 0xff, tbs.length & 0xff),
    tbs,
    Uint8Array.of(extensions.length >> 8, extensions.length & 0xff),
    extensions,
  )
}

/** A certificate that exists to sign precertificates does so in the name of its own issuer (section 3.1). */
function precertificateIssuer({ issuer, issuerOfIssuer }: Issuers): Certificate {
  if (readExtendedKeyUsage(issuer)?.includes(PURPOSE.precertificateSigning) !== true) return issuer
  if (issuerOfIssuer !== undefined) return issuerOfIssuer
  throw new CheckFailed(
    'sct',
    'SCT_SIGNATURE',
    'the issuer signs precertificates for an authority that is not known',
  )
}

/**
 * The TBSCertificate as it was before the timestamps were added. Everything but that one extension and the three
 * lengths around it is copied byte by byte: the log signed the encoding, not the meaning.
 */
export function withoutTimestamps({ tbs, extensions }: Certificate): Uint8Array {
  const removed = extensions.get(EXTENSION.certificateTimestamps)
  const [first] = extensions.values()
  if (removed === undefined || first === undefined) throw new TypeError('the certificate has no timestamps')
  const listStart = first.raw.byteOffset - tbs.byteOffset
  const removedStart = removed.raw.byteOffset - tbs.byteOffset
  const before = tbs.subarray(listStart, removedStart)
  const after = tbs.subarray(removedStart + removed.raw.length)
  // The extensions end the TBSCertificate; before them stand the headers of the list and of its [3] wrapper.
  const listHeader = encodeHeader(TAG.sequence, tbs.length - listStart).length
  const wrapperHeader = encodeHeader(contextTag(3), listHeader + tbs.length - listStart).length
  const fieldsEnd = listStart - listHeader - wrapperHeader
  const fields = tbs.subarray(headerLength(tbs), fieldsEnd)
  const left = before.length + after.length
  const list = encodeHeader(TAG.sequence, left)
  const wrapper = encodeHeader(contextTag(3), list.length + left)
  const whole = encodeHeader(TAG.sequence, fields.length + wrapper.length + list.length + left)
  return concatBytes(whole, fields, wrapper, list, before, after)
}

/** Bytes of the header of an element that is known to be well formed. */
function headerLength(element: Uint8Array): number {
  const first = element[1] ?? 0
  return first < 0x80 ? 2 : 2 + (first & 0x7f)
}

export function describeScts(timestamps: readonly CertificateTimestamp[]): string {
  return timestamps.map(({ log, at }) => `${log} ${at.toISOString()}`).join(', ') || 'none asked for'
}
