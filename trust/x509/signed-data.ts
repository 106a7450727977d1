import type { DigestAlgorithm } from '../digest.ts'
import { DIGEST_LENGTH } from '../digest.ts'
import { MalformedError } from '../errors.ts'
import type { MessageScheme } from '../keys.ts'
import {
  contextTag,
  Cursor,
  readAll,
  readInteger,
  readOid,
  readSmallInteger,
  readWhole,
  TAG,
  type Element,
} from './der.ts'
import { readSignatureScheme } from './signature.ts'

/**
 * CMS SignedData (RFC 5652 section 5) in the profile of timestamps (RFC 3161 section 2.4.2): one signer, signed
 * attributes, content inside. Everything here is what the token says; nothing is verified.
 */
export interface SignedData {
  readonly contentType: string
  /** The octets inside `eContent`: what `messageDigest` is a digest of. */
  readonly content: Uint8Array
  /** DER of the embedded certificates: material for a path, never trusted, not even parsed here. */
  readonly certificates: readonly Uint8Array[]
  readonly signer: SignerInfo
}

/** How a signer names its certificate. */
export type SignerId =
  | {
      readonly kind: 'issuer-serial'
      /** Name element. */
      readonly issuer: Uint8Array
      /** Content of the INTEGER. */
      readonly serial: Uint8Array
    }
  | { readonly kind: 'key-id'; readonly keyId: Uint8Array }

export interface SignerInfo {
  readonly id: SignerId
  /** Of `messageDigest`. */
  readonly digestAlgorithm: DigestAlgorithm
  readonly scheme: MessageScheme
  readonly signature: Uint8Array
  /** What the signature covers: the signed attributes as they stand, under the tag of a SET (section 5.4). */
  readonly signedAttributes: Uint8Array
  /** Value of the signed attribute `content-type`. */
  readonly contentType: string
  readonly messageDigest: Uint8Array
  /** Hashes of the signing certificate from the ESS attributes; at most one of each version. */
  readonly certificateHashes: readonly CertificateHash[]
}

export interface CertificateHash {
  /** SHA-1 is what the first version of the attribute has (RFC 2634 section 5.4); it only ever narrows. */
  readonly algorithm: DigestAlgorithm | 'sha1'
  readonly hash: Uint8Array
}

const MAX_CERTIFICATES = 16

const CONTENT_TYPE = '1.2.840.113549.1.9.3'
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4'
const SIGNING_CERTIFICATE = '1.2.840.113549.1.9.16.2.12'
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47'

const DIGESTS: ReadonlyMap<string, DigestAlgorithm> = new Map([
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
])

const RSA_ENCRYPTION = '1.2.840.113549.1.1.1'
const EC_PUBLIC_KEY = '1.2.840.10045.2.1'

export function malformedTime(message: string, got?: string, wanted?: string): never {
  throw new MalformedError('TIME_MALFORMED', message, {
    ...(got === undefined ? {} : { got }),
    ...(wanted === undefined ? {} : { wanted }),
  })
}

/** Errors: `TIME_MALFORMED`, and `MALFORMED_DER` from the reader underneath. */
export function readSignedData(element: Element): SignedData {
  const fields = new Cursor(element.content)
  const version = readSmallInteger(fields.next(TAG.integer))
  // Section 5.1 asks for 3 here; the authority of GitHub writes 1, as old libraries do.
  if (version !== 1 && version !== 3)
    malformedTime('signed data is of another version', `${version}`, '1 or 3')
  const announced = readAll(fields.next(TAG.set).content).map(readAlgorithm)
  const [contentType, content] = readContent(fields.next(TAG.sequence))
  const certificates = readAll(fields.optional(contextTag(0))?.content ?? new Uint8Array()).map(
    readCertificate,
  )
  if (certificates.length > MAX_CERTIFICATES) {
    malformedTime('too many embedded certificates', `${certificates.length}`, `at most ${MAX_CERTIFICATES}`)
  }
  fields.optional(contextTag(1)) // revocation lists: unsigned and not asked for
  const signers = readAll(fields.next(TAG.set).content)
  fields.end()
  const [signerElement] = signers
  if (signers.length !== 1 || signerElement?.tag !== TAG.sequence) {
    malformedTime('a timestamp has exactly one signer', `${signers.length} signers`)
  }
  const signer = readSigner(signerElement)
  const isSigners = (a: AlgorithmIdentifier): boolean =>
    DIGESTS.get(a.oid) === signer.digestAlgorithm && a.parameters === undefined
  if (announced.length > 0 && !announced.some(isSigners)) {
    malformedTime('the digest algorithm of the signer is not announced')
  }
  return { contentType, content, certificates, signer }
}

function readContent(element: Element): [contentType: string, content: Uint8Array] {
  const fields = new Cursor(element.content)
  const contentType = readOid(fields.next(TAG.oid))
  const explicit = fields.next(contextTag(0))
  fields.end()
  return [contentType, readWhole(explicit.content, TAG.octetString).content]
}

function readCertificate(element: Element): Uint8Array {
  if (element.tag !== TAG.sequence) malformedTime('an embedded certificate is not an X.509 certificate')
  return element.raw
}

function readSigner(element: Element): SignerInfo {
  const fields = new Cursor(element.content)
  const version = readSmallInteger(fields.next(TAG.integer))
  const id = readSignerId(fields.any())
  const wanted = id.kind === 'issuer-serial' ? 1 : 3
  if (version !== wanted) malformedTime('signer information is of another version', `${version}`, `${wanted}`)
  const digestAlgorithm = readDigestAlgorithm(fields.next(TAG.sequence), 'signer')
  const signed = fields.optional(contextTag(0))
  if (signed === undefined) malformedTime('the signed attributes are missing')
  const scheme = readScheme(fields.next(TAG.sequence), digestAlgorithm)
  const signature = fields.next(TAG.octetString).content
  fields.optional(contextTag(1)) // unsigned attributes prove nothing
  fields.end()
  const attributes = readAttributes(signed.content)
  const contentType = attributes.get(CONTENT_TYPE)
  const messageDigest = attributes.get(MESSAGE_DIGEST)
  if (contentType === undefined) malformedTime('the signed attribute content-type is missing')
  if (messageDigest?.tag !== TAG.octetString) malformedTime('the signed attribute message-digest is missing')
  const signedAttributes = Uint8Array.from(signed.raw)
  signedAttributes[0] = TAG.set
  return {
    id,
    digestAlgorithm,
    scheme,
    signature,
    signedAttributes,
    contentType: readOid(contentType),
    messageDigest: messageDigest.content,
    certificateHashes: readCertificateHashes(attributes),
  }
}

/** SignerIdentifier ::= CHOICE { SEQUENCE { issuer, serial }, [0] IMPLICIT SubjectKeyIdentifier }. */
function readSignerId(element: Element): SignerId {
  if (element.tag === contextTag(0, false)) return { kind: 'key-id', keyId: element.content }
  if (element.tag !== TAG.sequence) malformedTime('the signer is named in no known way')
  const fields = new Cursor(element.content)
  const issuer = fields.next(TAG.sequence).raw
  const serial = readInteger(fields.next(TAG.integer))
  fields.end()
  return { kind: 'issuer-serial', issuer, serial }
}

/** Attribute ::= SEQUENCE { type, values SET }: each type once, each with one value (section 5.3, section 11). */
function readAttributes(content: Uint8Array): ReadonlyMap<string, Element> {
  const attributes = new Map<string, Element>()
  for (const element of readAll(content)) {
    if (element.tag !== TAG.sequence) malformedTime('a signed attribute is not a sequence')
    const fields = new Cursor(element.content)
    const type = readOid(fields.next(TAG.oid))
    const values = readAll(fields.next(TAG.set).content)
    fields.end()
    const [value] = values
    if (attributes.has(type)) malformedTime('a signed attribute stands twice', type)
    if (values.length !== 1 || value === undefined)
      malformedTime('a signed attribute has not exactly one value', type)
    attributes.set(type, value)
  }
  return attributes
}

function readCertificateHashes(attributes: ReadonlyMap<string, Element>): CertificateHash[] {
  const hashes: CertificateHash[] = []
  for (const type of [SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2]) {
    const value = attributes.get(type)
    if (value !== undefined) hashes.push(readCertificateHash(value, type === SIGNING_CERTIFICATE_V2))
  }
  return hashes
}

/**
 * SigningCertificate and SigningCertificateV2 (RFC 5035): the first of the listed hashes is that of the signer.
 * ESSCertIDv2 ::= SEQUENCE { hashAlgorithm DEFAULT sha256, certHash, issuerSerial OPTIONAL }; the first version
 * has no algorithm. Older signers wrapped the value in an OCTET STRING; it means the same.
 */
function readCertificateHash(value: Element, v2: boolean): CertificateHash {
  const outer = value.tag === TAG.octetString ? readWhole(value.content) : value
  if (outer.tag !== TAG.sequence) malformedTime('the attribute signing-certificate is not a sequence')
  const list = new Cursor(outer.content)
  const [first] = readAll(list.next(TAG.sequence).content)
  list.optional(TAG.sequence) // policies
  list.end()
  if (first?.tag !== TAG.sequence) malformedTime('the attribute signing-certificate names no certificate')
  const fields = new Cursor(first.content)
  const algorithm = v2 ? fields.optional(TAG.sequence) : undefined
  const hash = fields.next(TAG.octetString).content
  fields.optional(TAG.sequence) // issuer and serial say less than the hash
  fields.end()
  const v2Algorithm =
    algorithm === undefined ? 'sha256' : readDigestAlgorithm(algorithm, 'signing-certificate')
  const length = v2 ? DIGEST_LENGTH[v2Algorithm] : 20
  if (hash.length !== length) malformedTime('the hash of the signing certificate is of a wrong length')
  return { algorithm: v2 ? v2Algorithm : 'sha1', hash }
}

interface AlgorithmIdentifier {
  readonly oid: string
  /** undefined when absent or NULL: signers write both and mean the same (RFC 5754 section 2). */
  readonly parameters: Element | undefined
}

function readAlgorithm(element: Element): AlgorithmIdentifier {
  if (element.tag !== TAG.sequence) malformedTime('an algorithm identifier is not a sequence')
  const fields = new Cursor(element.content)
  const oid = readOid(fields.next(TAG.oid))
  const parameters = fields.done ? undefined : fields.any()
  fields.end()
  if (parameters?.tag !== TAG.null) return { oid, parameters }
  if (parameters.content.length > 0) malformedTime('NULL has content')
  return { oid, parameters: undefined }
}

/** Exactly SHA-256, SHA-384 or SHA-512; `what` is for the message. */
export function readDigestAlgorithm(element: Element, what: string): DigestAlgorithm {
  const { oid, parameters } = readAlgorithm(element)
  const digest = DIGESTS.get(oid)
  if (digest === undefined || parameters !== undefined) {
    malformedTime(`the digest algorithm of the ${what} is not accepted`, oid, 'SHA-256, SHA-384 or SHA-512')
  }
  return digest
}

/** The algorithm of the signature, or of the key: then the hash is that of the signer (RFC 3370 section 3.2). */
function readScheme(element: Element, digest: DigestAlgorithm): MessageScheme {
  const scheme = readSignatureScheme(element.raw)
  if (scheme !== undefined) return scheme
  const { oid, parameters } = readAlgorithm(element)
  if (oid === RSA_ENCRYPTION && parameters === undefined) return { kind: 'rsa-pkcs1', hash: digest }
  // RFC 5753 does not know this one for signatures, and yet it is met.
  if (oid === EC_PUBLIC_KEY && parameters === undefined) return { kind: 'ecdsa', hash: digest }
  malformedTime('the signature algorithm is not accepted', oid)
}
