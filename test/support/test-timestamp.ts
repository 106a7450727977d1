import { Buffer } from 'node:buffer'
import { createHash, hash } from 'node:crypto'
import type { TimestampAuthority, Window } from '../../trust/authority.ts'
import { equalBytes } from '../../trust/encoding.ts'
import { parseCertificate, type Certificate } from '../../trust/x509/certificate.ts'
import { contextTag, encodeElement, readAll, readElement, TAG, type Element } from '../../trust/x509/der.ts'
import {
  newAuthority,
  newTimestampLeaf,
  type LeafOptions,
  type TestAuthority,
  type TestLeaf,
} from './test-certificates.ts'
import {
  algorithmIdentifier,
  defaultAlgorithm,
  integer,
  octets,
  oid,
  seq,
  signBytes,
  utf8,
  type TestAlgorithm,
} from './test-der.ts'

/**
 * A timestamp authority (RFC 3161) in which every field can be wrong, and the map of those bytes of a timestamp
 * that nothing signs. Independent of the code under test except for the bare DER reader and encoder.
 */

export const TST_INFO = '1.2.840.113549.1.9.16.1.4'
export const SIGNED_DATA = '1.2.840.113549.1.7.2'
export const DIGEST_OID = {
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
} as const
export type TestDigest = keyof typeof DIGEST_OID

const set = (...parts: readonly Uint8Array[]): Uint8Array => encodeElement(TAG.set, ...parts)
const some = (...parts: readonly (Uint8Array | undefined)[]): Uint8Array[] =>
  parts.filter((part) => part !== undefined)

export function digestIdentifier(digest: TestDigest, withNull = false): Uint8Array {
  return seq(oid(DIGEST_OID[digest]), ...(withNull ? [Uint8Array.of(5, 0)] : []))
}

/** Attribute ::= SEQUENCE { type, SET OF value }. */
export function attribute(type: string, ...values: readonly Uint8Array[]): Uint8Array {
  return seq(oid(type), set(...values))
}

/** SigningCertificate (RFC 2634): the SHA-1 of the certificate. */
export function signingCertificate(certificate: Uint8Array): Uint8Array {
  const sha1 = createHash('sha1').update(certificate).digest()
  return attribute('1.2.840.113549.1.9.16.2.12', seq(seq(seq(octets(sha1)))))
}

/** Value of SigningCertificateV2 (RFC 5035). */
export function signingCertificateV2Value(
  certificate: Uint8Array,
  digest: TestDigest = 'sha256',
): Uint8Array {
  const algorithm = digest === 'sha256' ? [] : [digestIdentifier(digest)]
  return seq(seq(seq(...algorithm, octets(hash(digest, certificate, 'buffer')))))
}

export function signingCertificateV2(certificate: Uint8Array, digest: TestDigest = 'sha256'): Uint8Array {
  return attribute('1.2.840.113549.1.9.16.2.47', signingCertificateV2Value(certificate, digest))
}

export function contentTypeAttribute(type = TST_INFO): Uint8Array {
  return attribute('1.2.840.113549.1.9.3', oid(type))
}

export function messageDigestAttribute(digest: Uint8Array): Uint8Array {
  return attribute('1.2.840.113549.1.9.4', octets(digest))
}

/** Every field of a TSTInfo. */
export interface InfoFields {
  readonly version: number
  readonly policy: string
  readonly imprintAlgorithm: TestDigest
  /** Undefined: the digest of the message under `imprintAlgorithm`. */
  readonly imprint: Uint8Array | undefined
  readonly serial: Uint8Array
  /** GeneralizedTime as text: `20260301120500.123Z`. */
  readonly genTime: string
  readonly ordering: boolean | undefined
  readonly nonce: Uint8Array | undefined
  /** Whole elements: accuracy, `tsa [0]`, `extensions [1]`. */
  readonly accuracy: Uint8Array | undefined
  readonly tsa: Uint8Array | undefined
  readonly extensions: Uint8Array | undefined
}

/** Every field around it. Elements are given whole; undefined leaves an optional one out. */
export interface ResponseFields {
  readonly status: number
  readonly texts: readonly string[]
  readonly failInfo: Uint8Array | undefined
  readonly hasToken: boolean
  readonly type: string
  readonly version: number
  readonly announced: readonly Uint8Array[]
  readonly contentType: string
  readonly certificates: readonly Uint8Array[] | undefined
  readonly revocationLists: readonly Uint8Array[] | undefined
  /** How often the signer information stands there. */
  readonly signers: number
  readonly signerVersion: number
  readonly signerId: Uint8Array
  readonly digest: TestDigest
  readonly digestIdentifier: Uint8Array
  /** What stands for certificate hashes and more, after content type and message digest. */
  readonly attributes: readonly Uint8Array[]
  /** Replaces all signed attributes; `'none'` leaves them out, and the content is signed itself. */
  readonly allAttributes: readonly Uint8Array[] | 'none' | undefined
  readonly unsignedAttributes: readonly Uint8Array[] | undefined
  readonly algorithm: TestAlgorithm
  readonly algorithmIdentifier: Uint8Array
  /** The last change to the signature before it goes in. */
  readonly signature: (signature: Uint8Array) => Uint8Array
}

export type StampOptions = Partial<ResponseFields> & { readonly info?: Partial<InfoFields> }

export function issuerAndSerial(certificate: Certificate): Uint8Array {
  return seq(certificate.issuer, integer(certificate.serial))
}

export function encodeInfo(message: Uint8Array, options: Partial<InfoFields> = {}): Uint8Array {
  const fields: InfoFields = {
    version: 1,
    policy: '1.3.6.1.4.1.57264.2',
    imprintAlgorithm: 'sha256',
    imprint: undefined,
    serial: Uint8Array.of(0x2a, 7),
    genTime: '20260301120500Z',
    accuracy: seq(integer(1)),
    ordering: undefined,
    nonce: undefined,
    tsa: undefined,
    extensions: undefined,
    ...options,
  }
  const imprint = fields.imprint ?? hash(fields.imprintAlgorithm, message, 'buffer')
  return seq(
    integer(fields.version),
    oid(fields.policy),
    seq(digestIdentifier(fields.imprintAlgorithm), octets(imprint)),
    integer(fields.serial),
    encodeElement(TAG.generalizedTime, Buffer.from(fields.genTime)),
    ...some(
      fields.accuracy,
      fields.ordering === undefined ? undefined : Uint8Array.of(1, 1, fields.ordering ? 0xff : 0),
      fields.nonce === undefined ? undefined : integer(fields.nonce),
      fields.tsa,
      fields.extensions,
    ),
  )
}

/** A TimeStampResp by `leaf` over `message`. */
export function stamp(leaf: TestLeaf, message: Uint8Array, options: StampOptions = {}): Uint8Array {
  const algorithm = options.algorithm ?? defaultAlgorithm(leaf.key.type)
  const digest = options.digest ?? (algorithm === 'ed25519' ? 'sha512' : 'sha256')
  const fields: ResponseFields = {
    status: 0,
    texts: [],
    failInfo: undefined,
    hasToken: true,
    type: SIGNED_DATA,
    version: 3,
    announced: [digestIdentifier(digest)],
    contentType: TST_INFO,
    certificates: undefined,
    revocationLists: undefined,
    signers: 1,
    signerVersion: 1,
    signerId: issuerAndSerial(parseCertificate(leaf.certificate)),
    digest,
    digestIdentifier: digestIdentifier(digest),
    attributes: [signingCertificateV2(leaf.certificate)],
    allAttributes: undefined,
    unsignedAttributes: undefined,
    algorithm,
    algorithmIdentifier: algorithmIdentifier(algorithm),
    signature: (signature) => signature,
    ...options,
  }
  return encodeResponse(fields, encodeInfo(message, options.info), leaf)
}

function encodeResponse(fields: ResponseFields, info: Uint8Array, leaf: TestLeaf): Uint8Array {
  const texts = fields.texts.length === 0 ? undefined : seq(...fields.texts.map((text) => utf8(text)))
  const status = seq(integer(fields.status), ...some(texts, fields.failInfo))
  if (!fields.hasToken) return seq(status)
  const signer = encodeSigner(fields, info, leaf)
  const { certificates, revocationLists: lists } = fields
  const signedData = seq(
    integer(fields.version),
    set(...fields.announced),
    seq(oid(fields.contentType), encodeElement(contextTag(0), octets(info))),
    ...some(
      certificates === undefined ? undefined : encodeElement(contextTag(0), ...certificates),
      lists === undefined ? undefined : encodeElement(contextTag(1), ...lists),
    ),
    set(...Array.from({ length: fields.signers }, () => signer)),
  )
  return seq(status, seq(oid(fields.type), encodeElement(contextTag(0), signedData)))
}

function encodeSigner(fields: ResponseFields, info: Uint8Array, leaf: TestLeaf): Uint8Array {
  const usual = [
    contentTypeAttribute(),
    messageDigestAttribute(hash(fields.digest, info, 'buffer')),
    ...fields.attributes,
  ]
  const attributes = fields.allAttributes === 'none' ? undefined : inOrder(fields.allAttributes ?? usual)
  const signed = attributes === undefined ? info : set(...attributes)
  const { unsignedAttributes: unsigned } = fields
  return seq(
    integer(fields.signerVersion),
    fields.signerId,
    fields.digestIdentifier,
    ...some(attributes === undefined ? undefined : encodeElement(contextTag(0), ...attributes)),
    fields.algorithmIdentifier,
    octets(fields.signature(signBytes(leaf.key, fields.algorithm, signed))),
    ...some(unsigned === undefined ? undefined : encodeElement(contextTag(1), ...unsigned)),
  )
}

/** DER sorts the elements of a SET OF. */
function inOrder(elements: readonly Uint8Array[]): Uint8Array[] {
  return elements.toSorted((a, b) => Buffer.compare(a, b))
}

export interface TestTimestampAuthority {
  readonly ca: TestAuthority
  readonly leaf: TestLeaf
  /** As a trusted root would give it. */
  readonly authority: TimestampAuthority
}

export interface TestTimestampAuthorityOptions {
  readonly name?: string
  readonly ca?: TestAuthority
  readonly leaf?: LeafOptions
  /** False: the trusted root does not list the signing certificate. */
  readonly listed?: boolean
  readonly validFor?: Window
}

/** A root and a signing certificate under it. */
export function newTimestampAuthority(options: TestTimestampAuthorityOptions = {}): TestTimestampAuthority {
  const { name = 'test timestamp authority', listed = true } = options
  const ca = options.ca ?? newAuthority({ name: `${name} root` })
  const leaf = newTimestampLeaf(ca, options.leaf ?? {})
  const [first, ...rest] = ca.chain.map((der) => parseCertificate(der))
  if (first === undefined) throw new Error('an authority has a certificate')
  const authority: TimestampAuthority = {
    purpose: 'tsa',
    name,
    uri: 'https://timestamp.example/api/v1/timestamp',
    operator: 'timestamp.example',
    leaf: listed ? parseCertificate(leaf.certificate) : undefined,
    chain: [first, ...rest],
    validFor: options.validFor ?? { start: new Date('2025-01-01T00:00:00Z'), end: undefined },
  }
  return { ca, leaf, authority }
}

/**
 * What of a timestamp no signature covers and no rule fixes: another value there leaves the timestamp as true as it
 * was. Every other byte matters. Mutation suites assert both.
 */
export const UNSIGNED_CLASSES = {
  status: 'RFC 3161 section 2.4.2: granted and granted with modifications both come with a timestamp',
  'status text': 'RFC 3161 section 2.4.2: words for people, outside of the token',
  'signed data version': 'RFC 5652 section 5.1: 3 is right and 1 is met; the version is not signed',
  'announced digest algorithms':
    'RFC 5652 section 5.1: a hint for one-pass readers; only the one of the signer is asked for',
  'embedded certificates':
    'RFC 5652 section 5.1: path material, needed only where the trusted root lists no signing certificate',
  'revocation lists': 'RFC 5652 section 5.1: not signed and not used',
  'signature algorithm':
    'RFC 3370 section 3.2: rsaEncryption and the name with the hash mean the same signature',
  'unsigned attributes': 'RFC 5652 section 5.3: added after signing by anyone',
} as const
export type UnsignedClass = keyof typeof UNSIGNED_CLASSES

export interface UnsignedSpan {
  readonly name: UnsignedClass
  /** Byte offsets in the TimeStampResp; `to` is the first byte after. */
  readonly from: number
  readonly to: number
}

/** Where the unsigned classes lie in a well-formed TimeStampResp. */
export function unsignedSpans(response: Uint8Array): readonly UnsignedSpan[] {
  const spans: UnsignedSpan[] = []
  const add = (name: UnsignedClass, ...elements: readonly (Element | undefined)[]): void => {
    for (const { raw } of elements.filter((element) => element !== undefined)) {
      const from = raw.byteOffset - response.byteOffset
      spans.push({ name, from, to: from + raw.length })
    }
  }
  const inside = (element: Element | undefined): Element[] =>
    element === undefined ? [] : readAll(element.content)
  const [status, contentInfo] = inside(readElement(response))
  const [code, text] = inside(status)
  add('status', code)
  add('status text', text)
  const [version, announced, , ...rest] = inside(inside(inside(contentInfo)[1])[0])
  add('signed data version', version)
  const [signer] = inside(rest.at(-1))
  const signerParts = inside(signer)
  const digest = signerParts[2]
  const others = inside(announced).filter((a) => digest === undefined || !equalBytes(a.raw, digest.raw))
  add('announced digest algorithms', ...others)
  add('embedded certificates', ...rest.filter(({ tag }) => tag === contextTag(0)))
  add('revocation lists', ...rest.filter(({ tag }) => tag === contextTag(1)))
  const afterAttributes = signerParts.slice(signerParts.findIndex(({ tag }) => tag === contextTag(0)) + 1)
  const [algorithm, , unsigned] = afterAttributes
  add('signature algorithm', inside(algorithm)[0])
  add('unsigned attributes', unsigned)
  return spans
}

/** The class of one byte; undefined where every other value must be refused. */
export function unsignedClassAt(spans: readonly UnsignedSpan[], offset: number): UnsignedClass | undefined {
  return spans.find(({ from, to }) => offset >= from && offset < to)?.name
}
