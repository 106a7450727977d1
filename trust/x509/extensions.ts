import { decodeUtf8, encodeHex } from '../encoding.ts'
import { CheckFailed, MalformedError } from '../errors.ts'
import type { Certificate } from './certificate.ts'
import {
  contextTag,
  Cursor,
  expectTag,
  readAll,
  readBoolean,
  readOid,
  readSmallInteger,
  readWhole,
  TAG,
  type Element,
} from './der.ts'

/**
 * Certificate extensions (RFC 5280 section 4.2). A reader gives `undefined` when the extension is absent and throws
 * `CERT_EXTENSION` when it is there and cannot be read to the last byte.
 */

export const EXTENSION = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  /** RFC 6962 section 3.3. */
  certificateTimestamps: '1.3.6.1.4.1.11129.2.4.2',
} as const

export const PURPOSE = {
  any: '2.5.29.37.0',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  /** RFC 6962 section 3.1: may sign what a certificate log receives, in the name of its own issuer. */
  precertificateSigning: '1.3.6.1.4.1.11129.2.4.4',
} as const

/** Extensions whose meaning path checking and leaf rules apply; any other that is critical fails the certificate. */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  EXTENSION.subjectKeyIdentifier,
  EXTENSION.keyUsage,
  EXTENSION.basicConstraints,
  EXTENSION.authorityKeyIdentifier,
  EXTENSION.extendedKeyUsage,
])

function failed(oid: string, message: string, cause?: unknown): never {
  throw new CheckFailed('certificate', 'CERT_EXTENSION', message, { where: `extension ${oid}`, cause })
}

function read<T>(certificate: Certificate, oid: string, reader: (value: Uint8Array) => T): T | undefined {
  const extension = certificate.extensions.get(oid)
  if (extension === undefined) return undefined
  try {
    return reader(extension.value)
  } catch (error) {
    if (error instanceof MalformedError) failed(oid, `malformed extension: ${error.message}`, error)
    throw error
  }
}

/** RFC 5280 section 4.2: a critical extension that is not understood makes the certificate unusable. */
export function requireUnderstood(certificate: Certificate, role: 'leaf' | 'authority'): void {
  for (const { oid, critical } of certificate.extensions.values()) {
    // Name constraints are not applied here, so they are not ignored either, whatever the flag says.
    if (oid === EXTENSION.nameConstraints) failed(oid, 'name constraints are not supported')
    if (!critical || UNDERSTOOD.has(oid)) continue
    if (role === 'leaf' && oid === EXTENSION.subjectAltName) continue
    failed(oid, 'critical extension is not understood')
  }
}

export interface BasicConstraints {
  readonly ca: boolean
  /** Authorities that may stand below this one; undefined means any number. */
  readonly pathLength: number | undefined
}

export function readBasicConstraints(certificate: Certificate): BasicConstraints | undefined {
  return read(certificate, EXTENSION.basicConstraints, (value) => {
    const parts = new Cursor(readWhole(value, TAG.sequence).content)
    const flag = parts.optional(TAG.boolean)
    const ca = flag !== undefined && readBoolean(flag)
    const length = parts.optional(TAG.integer)
    parts.end()
    if (flag !== undefined && !ca) failed(EXTENSION.basicConstraints, 'FALSE is written out')
    return { ca, pathLength: length === undefined ? undefined : readSmallInteger(length) }
  })
}

export function isAuthority(certificate: Certificate): boolean {
  return readBasicConstraints(certificate)?.ca === true
}

export interface KeyUsage {
  readonly digitalSignature: boolean
  readonly keyCertSign: boolean
}

export function readKeyUsage(certificate: Certificate): KeyUsage | undefined {
  return read(certificate, EXTENSION.keyUsage, (value) => {
    const { content } = readWhole(value, TAG.bitString)
    const [unused = 8, first = 0, ...rest] = content
    const last = rest.at(-1) ?? first
    const set = content.length > 1
    const padded = unused > (set ? 7 : 0) || rest.length > 1 || (last & ((1 << unused) - 1)) !== 0
    if (padded) failed(EXTENSION.keyUsage, 'malformed bit string')
    return { digitalSignature: (first & 0x80) !== 0, keyCertSign: (first & 0x04) !== 0 }
  })
}

/** Purposes as dotted object identifiers. */
export function readExtendedKeyUsage(certificate: Certificate): readonly string[] | undefined {
  return read(certificate, EXTENSION.extendedKeyUsage, (value) => {
    const purposes = readAll(readWhole(value, TAG.sequence).content).map(readOid)
    if (purposes.length === 0) failed(EXTENSION.extendedKeyUsage, 'no purpose')
    return purposes
  })
}

export function readSubjectKeyIdentifier(certificate: Certificate): Uint8Array | undefined {
  return read(
    certificate,
    EXTENSION.subjectKeyIdentifier,
    (value) => readWhole(value, TAG.octetString).content,
  )
}

/** The key identifier of the authority key; undefined also when the extension names only issuer and serial. */
export function readAuthorityKeyIdentifier(certificate: Certificate): Uint8Array | undefined {
  return read(certificate, EXTENSION.authorityKeyIdentifier, (value) => {
    const parts = new Cursor(readWhole(value, TAG.sequence).content)
    const id = parts.optional(contextTag(0, false))?.content
    parts.optional(contextTag(1))
    parts.optional(contextTag(2, false))
    parts.end()
    return id
  })
}

/** The TLS-encoded list of certificate timestamps, still to be parsed. Throws `MALFORMED_DER`. */
export function readTimestampList(certificate: Certificate): Uint8Array | undefined {
  const { value } = certificate.extensions.get(EXTENSION.certificateTimestamps) ?? {}
  return value === undefined ? undefined : readWhole(value, TAG.octetString).content
}

export interface AlternativeName {
  readonly kind: 'email' | 'uri' | 'otherName' | 'unsupported'
  /** The name; for an unsupported kind, the encoded element in hex, for reports. */
  readonly value: string
}

/** OtherName type of Fulcio: user names of private issuers. */
const FULCIO_OTHER_NAME = '1.3.6.1.4.1.57264.1.7'

/** Names of the subject, in order. A name that is empty, has a NUL or is not of its character set is refused. */
export function readSubjectAltNames(certificate: Certificate): readonly AlternativeName[] | undefined {
  return read(certificate, EXTENSION.subjectAltName, (value) => {
    return readAll(readWhole(value, TAG.sequence).content).map(readAlternativeName)
  })
}

function readAlternativeName(element: Element): AlternativeName {
  const { tag, content } = element
  if (tag === contextTag(1, false)) return { kind: 'email', value: readAscii(content) }
  if (tag === contextTag(6, false)) return { kind: 'uri', value: readAscii(content) }
  if (tag === contextTag(0)) {
    const [type, wrapper, ...rest] = readAll(content)
    if (type !== undefined && readOid(type) === FULCIO_OTHER_NAME && rest.length === 0) {
      const text = readWhole(expectTag(wrapper, contextTag(0)).content, TAG.utf8String)
      return { kind: 'otherName', value: readText(EXTENSION.subjectAltName, text.content) }
    }
  }
  return { kind: 'unsupported', value: encodeHex(element.raw) }
}

function readAscii(content: Uint8Array): string {
  if (content.some((byte) => byte >= 0x80)) failed(EXTENSION.subjectAltName, 'text is not ASCII')
  return readText(EXTENSION.subjectAltName, content)
}

function readText(oid: string, content: Uint8Array): string {
  const text = decodeUtf8(content)
  if (text === undefined || text.includes('\0')) failed(oid, 'text is not UTF-8, or has a NUL')
  if (text === '') failed(oid, 'empty text')
  return text
}

/** Fulcio's extensions `1.3.6.1.4.1.57264.1.N` by number; both spellings of the issuer have one name. */
export const FULCIO_EXTENSIONS: Readonly<Record<number, string>> = {
  1: 'issuer',
  2: 'githubWorkflowTrigger',
  3: 'githubWorkflowSHA',
  4: 'githubWorkflowName',
  5: 'githubWorkflowRepository',
  6: 'githubWorkflowRef',
  8: 'issuer',
  9: 'buildSignerURI',
  10: 'buildSignerDigest',
  11: 'runnerEnvironment',
  12: 'sourceRepositoryURI',
  13: 'sourceRepositoryDigest',
  14: 'sourceRepositoryRef',
  15: 'sourceRepositoryIdentifier',
  16: 'sourceRepositoryOwnerURI',
  17: 'sourceRepositoryOwnerIdentifier',
  18: 'buildConfigURI',
  19: 'buildConfigDigest',
  20: 'buildTrigger',
  21: 'runInvocationURI',
  22: 'sourceRepositoryVisibilityAtSigning',
  23: 'deploymentEnvironment',
  24: 'tokenSubject',
}

const FULCIO_ARC = '1.3.6.1.4.1.57264.1.'
/** Up to this number the value is bare text, above it a UTF8String. */
const LAST_RAW_EXTENSION = 6

/** Who signed, in the words of the certificate authority. Text is as it stands there: escape it before printing. */
export interface CertificateIdentity {
  /** The one subject alternative name. */
  readonly subject: { readonly kind: 'email' | 'uri' | 'otherName'; readonly value: string }
  /** OIDC issuer that vouched for the subject; certificates of other authorities have none. */
  readonly issuer: string | undefined
  /** By the names of `FULCIO_EXTENSIONS`. */
  readonly extensions: ReadonlyMap<string, string>
}

/** Errors: `CERT_SUBJECT_ALT_NAME`, `CERT_ISSUER_CONFLICT`, `CERT_EXTENSION`. */
export function readIdentity(certificate: Certificate): CertificateIdentity {
  const names = readSubjectAltNames(certificate) ?? []
  const [name, ...others] = names
  if (name === undefined || others.length > 0 || name.kind === 'unsupported') {
    throw new CheckFailed(
      'certificate',
      'CERT_SUBJECT_ALT_NAME',
      'certificate does not name exactly one identity',
      {
        got: names.length === 0 ? 'no name' : names.map(({ kind, value }) => `${kind} ${value}`).join(', '),
        wanted: 'one e-mail address, URI or Fulcio user name',
      },
    )
  }
  const extensions = readFulcioExtensions(certificate)
  return { subject: { kind: name.kind, value: name.value }, issuer: extensions.get('issuer'), extensions }
}

function readFulcioExtensions(certificate: Certificate): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const { oid } of certificate.extensions.values()) {
    if (!oid.startsWith(FULCIO_ARC)) continue
    const number = Number(oid.slice(FULCIO_ARC.length))
    const name = FULCIO_EXTENSIONS[number]
    if (name === undefined) continue
    const text = readFulcioText(certificate, oid, number <= LAST_RAW_EXTENSION) ?? ''
    const before = found.get(name)
    if (before !== undefined && before !== text) {
      throw new CheckFailed('certificate', 'CERT_ISSUER_CONFLICT', 'certificate names two OIDC issuers', {
        got: `${before}, ${text}`,
      })
    }
    found.set(name, text)
  }
  return found
}

function readFulcioText(certificate: Certificate, oid: string, raw: boolean): string | undefined {
  return read(certificate, oid, (value) => {
    const text = decodeUtf8(raw ? value : readWhole(value, TAG.utf8String).content)
    if (text === undefined || text.includes('\0')) failed(oid, 'text is not UTF-8, or has a NUL')
    return text
  })
}
