import { Buffer } from 'node:buffer'
import { constants, hash, publicDecrypt, timingSafeEqual } from 'node:crypto'
import { eddsa } from '@noble/curves/abstract/edwards.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256, p384, p521 } from '@noble/curves/nist.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { DIGEST_LENGTH, digestOf, type DigestAlgorithm } from './digest.ts'
import { concatBytes } from './encoding.ts'
import { CheckFailed } from './errors.ts'
import {
  isOpensslError,
  isStrictEcdsa,
  requireScheme,
  verifySignature,
  type PublicKey,
  type SignatureScheme,
} from './keys.ts'

/**
 * Signatures over a digest, for artifacts of which only the digest is known, and Ed25519ph. node:crypto always
 * hashes by itself, so ECDSA and Ed25519ph are done by @noble/curves here (some milliseconds each) and RSA by the raw
 * public operation. Apart from keys.ts because loading the curves costs start-up time.
 */

/** Digest that a scheme signs; undefined where the signer needs the message itself. */
export function digestAlgorithmOf(scheme: SignatureScheme): DigestAlgorithm | undefined {
  switch (scheme.kind) {
    case 'ecdsa':
    case 'rsa-pkcs1':
    case 'rsa-pss':
      return scheme.hash
    case 'ed25519ph':
      return 'sha512'
    case 'ed25519':
    case 'ml-dsa':
      return undefined
  }
}

/** Verifies over the whole message with any scheme. */
export function verifyMessageSignature(
  key: PublicKey,
  scheme: SignatureScheme,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return scheme.kind === 'ed25519ph'
    ? verifyDigestSignature(key, scheme, digestOf('sha512', message), signature)
    : verifySignature(key, scheme, message, signature)
}

/**
 * Verifies over a digest made with `digestAlgorithmOf(scheme)`. Throws `SIGNATURE_NEEDS_ARTIFACT` for schemes that
 * sign the message itself: a signature that cannot be checked is not a false one.
 */
export function verifyDigestSignature(
  key: PublicKey,
  scheme: SignatureScheme,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  requireScheme(key, scheme)
  const algorithm = digestAlgorithmOf(scheme)
  if (algorithm === undefined) {
    const message = `a signature of ${key.type} cannot be checked by a digest`
    throw new CheckFailed('signature', 'SIGNATURE_NEEDS_ARTIFACT', message)
  }
  if (digest.length !== DIGEST_LENGTH[algorithm]) throw new TypeError(`the digest is not a ${algorithm}`)
  switch (scheme.kind) {
    case 'ecdsa':
      return verifyEcdsa(key, digest, signature)
    case 'rsa-pkcs1':
      return verifyPkcs1(key, scheme.hash, digest, signature)
    case 'rsa-pss':
      return verifyPss(
        key,
        { hash: scheme.hash, saltLength: scheme.saltLength ?? digest.length },
        digest,
        signature,
      )
    case 'ed25519ph':
      return verifyEd25519ph(key, digest, signature)
    case 'ed25519':
    case 'ml-dsa':
      return false
  }
}

/** Content of the BIT STRING at the end of a SubjectPublicKeyInfo whose length the key type fixes. */
function rawKey(key: PublicKey, length: number): Uint8Array {
  return key.spki.subarray(key.spki.length - length)
}

function verifyEcdsa(key: PublicKey, digest: Uint8Array, signature: Uint8Array): boolean {
  if (!isStrictEcdsa(key, signature)) return false
  // lowS would refuse half of all honest signatures: ECDSA as standardised has no low-s rule.
  const options = { prehash: false, format: 'der', lowS: false } as const
  if (key.type === 'ecdsa-p256') return p256.verify(signature, digest, rawKey(key, 65), options)
  if (key.type === 'ecdsa-p384') return p384.verify(signature, digest, rawKey(key, 97), options)
  return p521.verify(signature, digest, rawKey(key, 133), options)
}

/** RFC 8032 section 2: dom2 with flag 1 (prehashed) and an empty context. */
const DOM2_PREHASHED = Buffer.from('SigEd25519 no Ed25519 collisions\u0001\u0000', 'latin1')

/** Ed25519ph over a digest that is already there: the prehash function of the instance is the identity. */
const ed25519Prehashed = eddsa(ed25519.Point, sha512, {
  domain: (data: Uint8Array) => concatBytes(DOM2_PREHASHED, data),
  prehash: Object.assign((digest: Uint8Array) => digest, sha512),
  zip215: false,
})

function verifyEd25519ph(key: PublicKey, digest: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === 64 && ed25519Prehashed.verify(signature, digest, rawKey(key, 32))
}

/** DER of DigestInfo up to the digest (RFC 8017 section 9.2, note 1). */
const DIGEST_INFO: Readonly<Record<DigestAlgorithm, Uint8Array>> = {
  sha256: Buffer.from('3031300d060960864801650304020105000420', 'hex'),
  sha384: Buffer.from('3041300d060960864801650304020205000430', 'hex'),
  sha512: Buffer.from('3051300d060960864801650304020305000440', 'hex'),
}

/** The encoded message (RFC 8017 section 5.2.2), as long as the modulus; undefined for an impossible signature. */
function recoverRsa(key: PublicKey, signature: Uint8Array): Uint8Array | undefined {
  if (signature.length !== Math.ceil((key.bits ?? 0) / 8)) return undefined
  try {
    return publicDecrypt({ key: key.keyObject, padding: constants.RSA_NO_PADDING }, signature)
  } catch (error) {
    // A signature that is not below the modulus.
    if (isOpensslError(error)) return undefined
    throw error
  }
}

/** EMSA-PKCS1-v1_5 by building the only encoding there is and comparing all of it, never by parsing. */
function verifyPkcs1(
  key: PublicKey,
  algorithm: DigestAlgorithm,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const encoded = recoverRsa(key, signature)
  if (encoded === undefined) return false
  const info = concatBytes(DIGEST_INFO[algorithm], digest)
  const expected = Buffer.alloc(encoded.length, 0xff)
  expected.set([0, 1])
  expected[encoded.length - info.length - 1] = 0
  expected.set(info, encoded.length - info.length)
  return timingSafeEqual(encoded, expected)
}

interface PssParameters {
  readonly hash: DigestAlgorithm
  readonly saltLength: number
}

/** EMSA-PSS-VERIFY, RFC 8017 section 9.1.2, with MGF1 over the same hash. */
function verifyPss(
  key: PublicKey,
  { hash: algorithm, saltLength }: PssParameters,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const recovered = recoverRsa(key, signature)
  if (recovered === undefined || key.bits === undefined) return false
  // The encoding has one bit less than the modulus: where that is a whole byte less, the first byte is zero.
  const bits = key.bits - 1
  const length = Math.ceil(bits / 8)
  if (length < recovered.length && recovered[0] !== 0) return false
  const encoded = recovered.subarray(recovered.length - length)
  const maskedLength = length - digest.length - 1
  if (maskedLength < saltLength + 1 || encoded[length - 1] !== 0xbc) return false
  const expectedHash = encoded.subarray(maskedLength, length - 1)
  const unused = 0xff & ~(0xff >> (8 * length - bits))
  if (((encoded[0] ?? 0) & unused) !== 0) return false
  const block = mgf1(algorithm, expectedHash, maskedLength)
  for (let i = 0; i < maskedLength; i++) block[i] = (block[i] ?? 0) ^ (encoded[i] ?? 0)
  block[0] = (block[0] ?? 0) & ~unused
  const saltAt = maskedLength - saltLength
  if (block[saltAt - 1] !== 1 || block.subarray(0, saltAt - 1).some((byte) => byte !== 0)) return false
  const actual = digestOf(algorithm, concatBytes(new Uint8Array(8), digest, block.subarray(saltAt)))
  return timingSafeEqual(actual, expectedHash)
}

/** Mask generation function, RFC 8017 appendix B.2.1. */
function mgf1(algorithm: DigestAlgorithm, seed: Uint8Array, length: number): Buffer {
  const blocks: Buffer[] = []
  const counter = Buffer.alloc(4)
  for (let i = 0; i * DIGEST_LENGTH[algorithm] < length; i++) {
    counter.writeUInt32BE(i)
    blocks.push(hash(algorithm, concatBytes(seed, counter), 'buffer'))
  }
  return Buffer.concat(blocks, length)
}
