import type { Digest } from '../digest.ts'
import { DIGEST_LENGTH } from '../digest.ts'
import { decodeUtf8 } from '../encoding.ts'
import { CheckFailed, MalformedError } from '../errors.ts'
import {
  contextTag,
  Cursor,
  readAll,
  readBoolean,
  readInteger,
  readOid,
  readSmallInteger,
  readTime,
  readWhole,
  TAG,
  type Element,
} from './der.ts'
import { malformedTime, readDigestAlgorithm, readSignedData, type SignerInfo } from './signed-data.ts'

/**
 * A timestamp as its authority sent it: TimeStampResp of RFC 3161 section 2.4.2. What is read here is what the
 * token says; `x509/timestamp-verification.ts` decides whether it is true.
 */
export interface TimestampResponse {
  readonly info: TimestampInfo
  /** The DER of the TSTInfo: the octets whose digest is the signed attribute `message-digest`. */
  readonly content: Uint8Array
  readonly signer: SignerInfo
  /** DER of the embedded certificates, at most 16: material for a path, never trusted. */
  readonly certificates: readonly Uint8Array[]
}

/** TSTInfo. */
export interface TimestampInfo {
  /** Dotted object identifier. */
  readonly policy: string
  /** Digest of what was stamped. */
  readonly imprint: Digest
  /** Content of the INTEGER, two's complement: negative serial numbers are met. */
  readonly serial: Uint8Array
  /**
   * The whole milliseconds around `genTime`: a fraction may be finer than a Date. The two are equal where it is
   * not. Whoever compares with an interval compares both, so that rounding never moves a time into it.
   */
  readonly earliest: Date
  readonly latest: Date
  /** Microseconds by which the clock may be off on either side, as the authority says. */
  readonly accuracy: number | undefined
  readonly ordering: boolean
  /** Content of the INTEGER: what the request held. */
  readonly nonce: Uint8Array | undefined
}

const MAX_SIZE = 64 * 1024
const SIGNED_DATA = '1.2.840.113549.1.7.2'
const TST_INFO = '1.2.840.113549.1.9.16.1.4'
const STATUS_NAMES = [
  'granted',
  'granted with modifications',
  'rejection',
  'waiting',
  'revocation warning',
  'revoked',
]

/**
 * Reads one DER-encoded TimeStampResp to its last byte.
 *
 * Errors: `TIME_STATUS` (the authority refused), `TIME_MALFORMED` as MalformedError for everything else that is not
 * a timestamp in the profile of RFC 3161 with algorithms that are accepted.
 */
export function parseTimestampResponse(der: Uint8Array): TimestampResponse {
  if (der.length > MAX_SIZE)
    malformedTime('timestamp is too large', `${der.length} bytes`, `at most ${MAX_SIZE} bytes`)
  try {
    // a plain view: slices of a Buffer cost several times as much
    return readResponse(new Uint8Array(der.buffer, der.byteOffset, der.length))
  } catch (error) {
    if (!(error instanceof MalformedError) || error.code !== 'MALFORMED_DER') throw error
    const where = error.where === undefined ? {} : { where: error.where }
    throw new MalformedError('TIME_MALFORMED', `timestamp: ${error.message}`, { cause: error, ...where })
  }
}

/** TimeStampResp ::= SEQUENCE { status PKIStatusInfo, timeStampToken ContentInfo OPTIONAL }. */
function readResponse(der: Uint8Array): TimestampResponse {
  const fields = new Cursor(readWhole(der, TAG.sequence).content)
  requireGranted(fields.next(TAG.sequence))
  const token = fields.optional(TAG.sequence)
  fields.end()
  if (token === undefined) malformedTime('the response is granted and holds no timestamp')
  const contentInfo = new Cursor(token.content)
  requireOid(contentInfo.next(TAG.oid), SIGNED_DATA, 'the token is not signed data')
  const explicit = contentInfo.next(contextTag(0))
  contentInfo.end()
  const { contentType, content, certificates, signer } = readSignedData(
    readWhole(explicit.content, TAG.sequence),
  )
  if (contentType !== TST_INFO) malformedTime('the signed content is not a timestamp', contentType, TST_INFO)
  if (signer.contentType !== TST_INFO)
    malformedTime('the signer signed another type', signer.contentType, TST_INFO)
  if (signer.messageDigest.length !== DIGEST_LENGTH[signer.digestAlgorithm]) {
    malformedTime('the signed digest is of a wrong length')
  }
  return { info: readInfo(content), content, signer, certificates }
}

/** PKIStatusInfo ::= SEQUENCE { status INTEGER, statusString SEQUENCE OF UTF8String OPTIONAL, failInfo OPTIONAL }. */
function requireGranted(element: Element): void {
  const fields = new Cursor(element.content)
  const status = readSmallInteger(fields.next(TAG.integer))
  const texts = readAll(fields.optional(TAG.sequence)?.content ?? new Uint8Array()).map(readText)
  const failInfo = fields.optional(TAG.bitString)
  fields.end()
  if ((status === 0 || status === 1) && failInfo === undefined) return
  throw new CheckFailed('time', 'TIME_STATUS', 'the timestamp authority did not grant the request', {
    got: [`${STATUS_NAMES[status] ?? 'unknown status'} (${status})`, ...texts].join(': '),
    wanted: 'granted (0) or granted with modifications (1)',
  })
}

function readText(element: Element): string {
  const text = element.tag === TAG.utf8String ? decodeUtf8(element.content) : undefined
  if (text === undefined) malformedTime('the text of the status is not UTF-8')
  return text
}

function requireOid(element: Element, wanted: string, message: string): void {
  const oid = readOid(element)
  if (oid !== wanted) malformedTime(message, oid, wanted)
}

/**
 * TSTInfo ::= SEQUENCE { version, policy, messageImprint, serialNumber, genTime, accuracy OPTIONAL,
 * ordering DEFAULT FALSE, nonce OPTIONAL, tsa [0] OPTIONAL, extensions [1] IMPLICIT OPTIONAL }
 */
function readInfo(content: Uint8Array): TimestampInfo {
  const fields = new Cursor(readWhole(content, TAG.sequence).content)
  const version = readSmallInteger(fields.next(TAG.integer))
  if (version !== 1) malformedTime('timestamp is of another version', `${version}`, '1')
  const policy = readOid(fields.next(TAG.oid))
  const imprint = readImprint(fields.next(TAG.sequence))
  const serial = readInteger(fields.next(TAG.integer))
  const times = readGenTime(fields.next(TAG.generalizedTime))
  const accuracy = fields.optional(TAG.sequence)
  const ordering = fields.optional(TAG.boolean)
  const nonce = fields.optional(TAG.integer)
  const tsa = fields.optional(contextTag(0))
  const extensions = fields.optional(contextTag(1))
  fields.end()
  if (tsa !== undefined) readWhole(tsa.content)
  if (extensions !== undefined) refuseCriticalExtensions(extensions)
  return {
    policy,
    imprint,
    serial,
    ...times,
    accuracy: accuracy === undefined ? undefined : readAccuracy(accuracy),
    ordering: ordering !== undefined && readBoolean(ordering),
    nonce: nonce === undefined ? undefined : readInteger(nonce),
  }
}

function readImprint(element: Element): Digest {
  const fields = new Cursor(element.content)
  const algorithm = readDigestAlgorithm(fields.next(TAG.sequence), 'message imprint')
  const bytes = fields.next(TAG.octetString).content
  fields.end()
  if (bytes.length !== DIGEST_LENGTH[algorithm]) malformedTime('the message imprint is of a wrong length')
  return { algorithm, bytes }
}

function readGenTime(element: Element): { readonly earliest: Date; readonly latest: Date } {
  const earliest = readTime(element, true)
  // YYYYMMDDhhmmss.fffZ: DER has no trailing zeros, so a fourth digit means that there is a remainder
  const isFiner = element.content.length > 'YYYYMMDDhhmmss.fffZ'.length
  return { earliest, latest: isFiner ? new Date(earliest.getTime() + 1) : earliest }
}

/** Accuracy ::= SEQUENCE { seconds OPTIONAL, millis [0] IMPLICIT OPTIONAL, micros [1] IMPLICIT OPTIONAL }. */
function readAccuracy(element: Element): number {
  const fields = new Cursor(element.content)
  const parts = [
    fields.optional(TAG.integer),
    fields.optional(contextTag(0, false)),
    fields.optional(contextTag(1, false)),
  ]
  fields.end()
  const [seconds = 0, millis = 0, micros = 0] = parts.map((part) =>
    part === undefined ? 0 : readSmallInteger({ ...part, tag: TAG.integer }),
  )
  if (millis > 999 || micros > 999) malformedTime('the accuracy has a part above 999')
  return seconds * 1_000_000 + millis * 1000 + micros
}

/** None is defined that changes what a timestamp means, so whatever is critical is unknown (section 2.4.2). */
function refuseCriticalExtensions(element: Element): void {
  for (const extension of readAll(element.content)) {
    if (extension.tag !== TAG.sequence) malformedTime('an extension of the timestamp is not a sequence')
    const fields = new Cursor(extension.content)
    const oid = readOid(fields.next(TAG.oid))
    const critical = fields.optional(TAG.boolean)
    fields.next(TAG.octetString)
    fields.end()
    if (critical !== undefined && readBoolean(critical))
      malformedTime('the timestamp has a critical extension', oid)
  }
}
