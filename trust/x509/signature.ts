import type { DigestAlgorithm } from '../digest.ts'
import { encodeHex } from '../encoding.ts'
import { CheckFailed } from '../errors.ts'
import { schemeFits, verifySignature, type MessageScheme, type PublicKey } from '../keys.ts'
import type { Certificate } from './certificate.ts'
import { contextTag, Cursor, readOid, readSmallInteger, readWhole, TAG, type Element } from './der.ts'

/** Signature algorithms of certificates: an AlgorithmIdentifier of few exact encodings, and RSASSA-PSS. */

/** Whole AlgorithmIdentifier elements in hex: RFC 5758 section 3.2, RFC 4055 section 5, RFC 8410 section 3. */
const EXACT: ReadonlyMap<string, MessageScheme> = new Map<string, MessageScheme>([
  ['300a06082a8648ce3d040302', { kind: 'ecdsa', hash: 'sha256' }],
  ['300a06082a8648ce3d040303', { kind: 'ecdsa', hash: 'sha384' }],
  ['300a06082a8648ce3d040304', { kind: 'ecdsa', hash: 'sha512' }],
  ['300d06092a864886f70d01010b0500', { kind: 'rsa-pkcs1', hash: 'sha256' }],
  ['300d06092a864886f70d01010c0500', { kind: 'rsa-pkcs1', hash: 'sha384' }],
  ['300d06092a864886f70d01010d0500', { kind: 'rsa-pkcs1', hash: 'sha512' }],
  ['300506032b6570', { kind: 'ed25519' }],
])

const RSASSA_PSS = '1.2.840.113549.1.1.10'
const MGF1 = '1.2.840.113549.1.1.8'
const HASHES: ReadonlyMap<string, DigestAlgorithm> = new Map([
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
])

/**
 * The scheme that an AlgorithmIdentifier element names; undefined for anything else, such as SHA-1. Errors:
 * `MALFORMED_DER` where the element cannot be read.
 */
export function readSignatureScheme(algorithmIdentifier: Uint8Array): MessageScheme | undefined {
  const exact = EXACT.get(encodeHex(algorithmIdentifier))
  if (exact !== undefined) return exact
  const parts = new Cursor(readWhole(algorithmIdentifier, TAG.sequence).content)
  if (readOid(parts.any()) !== RSASSA_PSS) return undefined
  const parameters = parts.optional(TAG.sequence)
  return parameters === undefined || !parts.done ? undefined : readPss(parameters)
}

/** RSASSA-PSS-params, RFC 4055 section 3.1. The default of both hashes is SHA-1, so both must stand there and agree. */
function readPss(element: Element): MessageScheme | undefined {
  const parts = new Cursor(element.content)
  const digest = readHash(parts.optional(contextTag(0)))
  const mask = parts.optional(contextTag(1))
  const salt = parts.optional(contextTag(2))
  if (digest === undefined || mask === undefined || !parts.done) return undefined
  const generator = new Cursor(readWhole(mask.content, TAG.sequence).content)
  if (readOid(generator.any()) !== MGF1 || readHash({ ...mask, content: generator.any().raw }) !== digest)
    return undefined
  const saltLength = salt === undefined ? 20 : readSmallInteger(readWhole(salt.content))
  return generator.done ? { kind: 'rsa-pss', hash: digest, saltLength } : undefined
}

/** The hash whose AlgorithmIdentifier fills the content; parameters are NULL or absent. */
function readHash(element: Element | undefined): DigestAlgorithm | undefined {
  if (element === undefined) return undefined
  const parts = new Cursor(readWhole(element.content, TAG.sequence).content)
  const hash = HASHES.get(readOid(parts.any()))
  const parameters = parts.optional(TAG.null)
  return parts.done && (parameters === undefined || parameters.content.length === 0) ? hash : undefined
}

/**
 * Whether `issuerKey` signed the certificate. Throws `SIGNATURE_ALGORITHM` when the certificate names an algorithm
 * that is not trusted, such as SHA-1; an algorithm for another kind of key is simply not a signature by this one.
 */
export function verifyCertificateSignature(certificate: Certificate, issuerKey: PublicKey): boolean {
  const scheme = readSignatureScheme(certificate.signatureAlgorithm)
  if (scheme === undefined) {
    throw new CheckFailed(
      'certificate',
      'SIGNATURE_ALGORITHM',
      'certificate is signed with an unknown or unsafe algorithm',
      {
        got: encodeHex(certificate.signatureAlgorithm),
      },
    )
  }
  return (
    schemeFits(issuerKey, scheme) &&
    verifySignature(issuerKey, scheme, certificate.tbs, certificate.signature)
  )
}
