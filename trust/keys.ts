import { Buffer } from 'node:buffer'
import { constants, createPublicKey, hash, verify, type KeyObject } from 'node:crypto'
import { DIGEST_LENGTH, type DigestAlgorithm } from './digest.ts'
import { encodeHex, equalBytes } from './encoding.ts'
import { CheckFailed, MalformedError } from './errors.ts'
import { encodePem, readPem } from './pem.ts'
import {
  encodeElement,
  readAll,
  readBitString,
  readInteger,
  readOid,
  readWhole,
  TAG,
  type Element,
} from './x509/der.ts'

/** Public keys as SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7): only algorithms that Sigward verifies get in. */

/** ECDSA keys, by curve. */
export type EcdsaKeyType = 'ecdsa-p256' | 'ecdsa-p384' | 'ecdsa-p521'
/** ML-DSA keys (FIPS 204), by parameter set; read only where this Node can verify them. */
export type MlDsaKeyType = 'ml-dsa-44' | 'ml-dsa-65' | 'ml-dsa-87'
/** Keys whose signatures are verified. */
export type KeyType = EcdsaKeyType | 'rsa' | 'ed25519' | MlDsaKeyType

/** A public key, as {@link parsePublicKey} and {@link parsePublicKeyPem} read it. */
export interface PublicKey {
  /** Algorithm and curve. */
  readonly type: KeyType
  /** Modulus bits of an RSA key; undefined for other types. */
  readonly bits: number | undefined
  /** DER of the SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  /** The same key for `node:crypto`. */
  readonly keyObject: KeyObject
}

const RSA_ENCRYPTION = '1.2.840.113549.1.1.1'
const EC_PUBLIC_KEY = '1.2.840.10045.2.1'
const ED25519 = '1.3.101.112'
/** AlgorithmIdentifier of an RSA key, parameters NULL (RFC 3279 section 2.3.1). */
const RSA_ALGORITHM = Uint8Array.of(0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0)

interface Curve {
  readonly type: EcdsaKeyType
  readonly coordinateLength: number
}
const CURVES: ReadonlyMap<string, Curve> = new Map([
  ['1.2.840.10045.3.1.7', { type: 'ecdsa-p256', coordinateLength: 32 }],
  ['1.3.132.0.34', { type: 'ecdsa-p384', coordinateLength: 48 }],
  ['1.3.132.0.35', { type: 'ecdsa-p521', coordinateLength: 66 }],
])

interface MlDsa {
  readonly type: MlDsaKeyType
  readonly keyLength: number
}
/** RFC 9881: no parameters, key bytes of a fixed length. */
const ML_DSA: ReadonlyMap<string, MlDsa> = new Map([
  ['2.16.840.1.101.3.4.3.17', { type: 'ml-dsa-44', keyLength: 1312 }],
  ['2.16.840.1.101.3.4.3.18', { type: 'ml-dsa-65', keyLength: 1952 }],
  ['2.16.840.1.101.3.4.3.19', { type: 'ml-dsa-87', keyLength: 2592 }],
])

const MIN_RSA_BITS = 2048
const MAX_RSA_BITS = 8192

/**
 * Reads a SubjectPublicKeyInfo: exact DER, exact parameters, a valid key. Errors: `MALFORMED_KEY`, and
 * `SIGNATURE_ALGORITHM` for a key of an algorithm that Sigward, or this Node, does not verify.
 */
export function parsePublicKey(spkiDer: Uint8Array): PublicKey {
  try {
    return readSpki(spkiDer)
  } catch (error) {
    if (error instanceof MalformedError && error.code === 'MALFORMED_DER') {
      const where = error.where === undefined ? {} : { where: error.where }
      throw new MalformedError('MALFORMED_KEY', `public key: ${error.message}`, { cause: error, ...where })
    }
    throw error
  }
}

function readSpki(spki: Uint8Array): PublicKey {
  const [algorithm, key, ...rest] = readAll(readWhole(spki, TAG.sequence).content)
  if (algorithm?.tag !== TAG.sequence || key === undefined || rest.length > 0)
    malformed('not a SubjectPublicKeyInfo')
  const [oidElement, parameters, ...more] = readAll(algorithm.content)
  if (oidElement === undefined || more.length > 0) malformed('key algorithm has unexpected parts')
  const oid = readOid(oidElement)
  const bytes = readBitString(key)
  if (oid === EC_PUBLIC_KEY) return ecdsaKey(spki, parameters, bytes)
  if (oid === RSA_ENCRYPTION) return rsaKey(spki, parameters, bytes)
  if (oid === ED25519) return ed25519Key(spki, parameters, bytes)
  const mlDsa = ML_DSA.get(oid)
  if (mlDsa === undefined) {
    throw new MalformedError('SIGNATURE_ALGORITHM', 'public key is of an unknown algorithm', { got: oid })
  }
  return mlDsaKey(spki, mlDsa, parameters, bytes)
}

function malformed(message: string, got?: string): never {
  throw new MalformedError('MALFORMED_KEY', message, got === undefined ? {} : { got })
}

/** Only named curves and uncompressed points: explicit curve parameters were CVE-2020-0601. */
function ecdsaKey(spki: Uint8Array, parameters: Element | undefined, point: Uint8Array): PublicKey {
  if (parameters?.tag !== TAG.oid) malformed('elliptic curve key does not name its curve')
  const oid = readOid(parameters)
  const curve = CURVES.get(oid)
  if (curve === undefined) {
    throw new MalformedError('SIGNATURE_ALGORITHM', 'public key is on an unknown curve', { got: oid })
  }
  if (point.length !== 1 + 2 * curve.coordinateLength || point[0] !== 4)
    malformed('curve point is not uncompressed')
  return { type: curve.type, bits: undefined, spki, keyObject: importKey(spki) }
}

function rsaKey(spki: Uint8Array, parameters: Element | undefined, pkcs1: Uint8Array): PublicKey {
  if (parameters?.tag !== TAG.null || parameters.content.length > 0) malformed('RSA key algorithm lacks NULL')
  const [n, e, ...rest] = readAll(readWhole(pkcs1, TAG.sequence).content)
  if (n === undefined || e === undefined || rest.length > 0)
    malformed('RSA key is not a modulus and an exponent')
  const modulus = positive(readInteger(n))
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS)
    malformed('RSA modulus is of an unsafe size', `${bits} bits`)
  const exponent = positive(readInteger(e))
  const value = exponent.reduce((sum, byte) => sum * 256 + byte, 0)
  if (exponent.length > 4 || value < 3 || value % 2 === 0) malformed('RSA exponent is unsafe')
  return { type: 'rsa', bits, spki, keyObject: importKey(spki) }
}

/** Magnitude without the sign byte; refuses zero and negative numbers. */
function positive(integer: Uint8Array): Uint8Array {
  const magnitude = integer[0] === 0 ? integer.subarray(1) : integer
  if (magnitude.length === 0 || (integer[0] ?? 0) >= 0x80)
    malformed('RSA key has a number that is not positive')
  return magnitude
}

/**
 * Encodings of the points of order 1, 2, 4 and 8, sign bit cleared, also those that are not canonical. With such a
 * key a signature fits many messages, so it would say nothing about the one at hand.
 */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
])

function ed25519Key(spki: Uint8Array, parameters: Element | undefined, bytes: Uint8Array): PublicKey {
  if (parameters !== undefined || bytes.length !== 32)
    malformed('Ed25519 key has parameters or a wrong length')
  const y = Uint8Array.from(bytes)
  y[31] = (y[31] ?? 0) & 0x7f
  if (SMALL_ORDER.has(encodeHex(y))) malformed('Ed25519 key is a point of small order')
  return { type: 'ed25519', bits: undefined, spki, keyObject: importKey(spki) }
}

function mlDsaKey(
  spki: Uint8Array,
  { type, keyLength }: MlDsa,
  parameters: Element | undefined,
  bytes: Uint8Array,
): PublicKey {
  if (parameters !== undefined || bytes.length !== keyLength)
    malformed('ML-DSA key has parameters or a wrong length')
  try {
    return { type, bits: undefined, spki, keyObject: importPem(spki) }
  } catch (cause) {
    // Every byte string of that length is a key, so the runtime does not know the algorithm.
    const hint = 'use a Node whose OpenSSL is 3.5 or newer'
    throw new MalformedError('SIGNATURE_ALGORITHM', `this Node cannot verify ${type}`, { cause, hint })
  }
}

/**
 * From text, for speed: whether an object is a key or bytes Node finds out by exceptions inside, which take longer
 * than all the rest.
 */
function importPem(spki: Uint8Array): KeyObject {
  return createPublicKey(encodePem('PUBLIC KEY', spki))
}

function importKey(spki: Uint8Array): KeyObject {
  try {
    return importPem(spki)
  } catch (cause) {
    // The structure was read above: what is left is a point that is not on its curve, and the like.
    throw new MalformedError('MALFORMED_KEY', 'public key has no valid value', { cause })
  }
}

/** Raw PKCS#1 RSAPublicKey, the deprecated `PKCS1_RSA_PKCS1V5` of trusted roots. */
export function parseRsaPkcs1(der: Uint8Array): PublicKey {
  return parsePublicKey(
    encodeElement(TAG.sequence, RSA_ALGORITHM, encodeElement(TAG.bitString, Uint8Array.of(0), der)),
  )
}

/** Exactly one block, `PUBLIC KEY` or `RSA PUBLIC KEY`, with nothing but white space around it. */
export function parsePublicKeyPem(text: string): PublicKey {
  const pem = readPem(text)
  const block = pem?.blocks[0]
  if (pem === undefined || block === undefined) malformed('not a PEM public key')
  if (block.label.endsWith('PRIVATE KEY'))
    malformed('this is a private key; give the public one', block.label)
  if (block.label.endsWith('CERTIFICATE'))
    malformed('this is a certificate; give the public key', block.label)
  if (pem.blocks.length > 1 || pem.outside !== '') malformed('more than one PEM block, or text around it')
  if (block.label === 'PUBLIC KEY') return parsePublicKey(block.der)
  if (block.label === 'RSA PUBLIC KEY') return parseRsaPkcs1(block.der)
  malformed('this PEM block is not a public key', block.label)
}

/** Lower-case hex of the SHA-256 of the SubjectPublicKeyInfo. */
export function keyId(key: PublicKey): string {
  return hash('sha256', key.spki, 'hex')
}

export function equalKeys(a: PublicKey, b: PublicKey): boolean {
  return equalBytes(a.spki, b.spki)
}

/** How a signature is made. Which of them fits a key is decided by the key, never by what was signed. */
export type SignatureScheme =
  | { readonly kind: 'ecdsa'; readonly hash: DigestAlgorithm }
  | { readonly kind: 'rsa-pkcs1'; readonly hash: DigestAlgorithm }
  /** Mask generation with the same hash; the salt is as long as the digest unless its length is given. */
  | { readonly kind: 'rsa-pss'; readonly hash: DigestAlgorithm; readonly saltLength?: number }
  | { readonly kind: 'ed25519' }
  /** RFC 8032 section 5.1 with the SHA-512 of the message and an empty context. */
  | { readonly kind: 'ed25519ph' }
  | { readonly kind: 'ml-dsa' }

/** Schemes that node:crypto verifies over a message; Ed25519ph is in `prehash.ts`. */
export type MessageScheme = Exclude<SignatureScheme, { readonly kind: 'ed25519ph' }>

const SCHEMES: Readonly<Record<KeyType, readonly SignatureScheme[]>> = {
  'ecdsa-p256': [{ kind: 'ecdsa', hash: 'sha256' }],
  // Older clients signed with SHA-256 whatever the curve.
  'ecdsa-p384': [
    { kind: 'ecdsa', hash: 'sha384' },
    { kind: 'ecdsa', hash: 'sha256' },
  ],
  'ecdsa-p521': [
    { kind: 'ecdsa', hash: 'sha512' },
    { kind: 'ecdsa', hash: 'sha256' },
  ],
  rsa: [
    { kind: 'rsa-pkcs1', hash: 'sha256' },
    { kind: 'rsa-pss', hash: 'sha256' },
  ],
  ed25519: [{ kind: 'ed25519ph' }, { kind: 'ed25519' }],
  'ml-dsa-44': [{ kind: 'ml-dsa' }],
  'ml-dsa-65': [{ kind: 'ml-dsa' }],
  'ml-dsa-87': [{ kind: 'ml-dsa' }],
}

/** Schemes that a signature in a bundle may use with this key, the preferred one first. */
export function schemesFor(key: PublicKey): readonly SignatureScheme[] {
  return SCHEMES[key.type]
}

/** Whether a scheme can be used with a key at all; `verifySignature` refuses the others. */
export function schemeFits(key: PublicKey, scheme: SignatureScheme): boolean {
  switch (scheme.kind) {
    case 'ecdsa':
      return key.type in CURVE_ORDERS
    case 'rsa-pkcs1':
    case 'rsa-pss':
      return key.type === 'rsa'
    case 'ed25519':
    case 'ed25519ph':
      return key.type === 'ed25519'
    case 'ml-dsa':
      return key.type.startsWith('ml-dsa')
  }
}

/** Refuses a scheme that is not for this key: `SIGNATURE_ALGORITHM`. */
export function requireScheme(key: PublicKey, scheme: SignatureScheme): void {
  if (schemeFits(key, scheme)) return
  throw new CheckFailed('signature', 'SIGNATURE_ALGORITHM', 'the signature scheme does not fit the key', {
    got: scheme.kind,
    wanted: `a scheme for ${key.type}`,
  })
}

/** Verifies over the whole message. False means exactly one thing: these bytes are not a signature by this key. */
export function verifySignature(
  key: PublicKey,
  scheme: MessageScheme,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  requireScheme(key, scheme)
  if (scheme.kind === 'ecdsa') {
    return isStrictEcdsa(key, signature) && nativeVerify(scheme.hash, message, key.keyObject, signature)
  }
  if (scheme.kind === 'rsa-pkcs1') {
    const options = { padding: constants.RSA_PKCS1_PADDING }
    return nativeVerify(scheme.hash, message, { key: key.keyObject, ...options }, signature)
  }
  if (scheme.kind === 'rsa-pss') {
    const saltLength = scheme.saltLength ?? DIGEST_LENGTH[scheme.hash]
    const options = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }
    return nativeVerify(scheme.hash, message, { key: key.keyObject, ...options }, signature)
  }
  return nativeVerify(null, message, key.keyObject, signature)
}

type VerifyKey =
  | KeyObject
  | { readonly key: KeyObject; readonly padding: number; readonly saltLength?: number }

function nativeVerify(
  algorithm: DigestAlgorithm | null,
  message: Uint8Array,
  key: VerifyKey,
  signature: Uint8Array,
): boolean {
  try {
    return verify(algorithm, message, key, signature)
  } catch (error) {
    if (isOpensslError(error)) return false
    throw error
  }
}

/** OpenSSL says some kinds of "no" as an error; everything else that is thrown is a bug and stays one. */
export function isOpensslError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_OSSL_')
}

function order(hex: string): Uint8Array {
  return Buffer.from(hex, 'hex')
}

/** Orders of the base points (SEC 2); r and s lie below them. */
const CURVE_ORDERS: Readonly<Partial<Record<KeyType, Uint8Array>>> = {
  'ecdsa-p256': order('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'),
  'ecdsa-p384': order(
    'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
  ),
  'ecdsa-p521': order(
    '01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409',
  ),
}

/**
 * Whether the signature is `SEQUENCE { r, s }` in exact DER with both in [1, n-1] (SEC 1 section 4.1.4): what
 * OpenSSL tolerates beyond that would be a second spelling of one signature. High s is a signature like any other.
 */
export function isStrictEcdsa(key: PublicKey, signature: Uint8Array): boolean {
  const n = CURVE_ORDERS[key.type]
  // Every order is below 132 bytes of content for two integers: P-521 needs one long-form length byte.
  const long = signature[1] === 0x81
  const start = long ? 3 : 2
  const length = signature[long ? 2 : 1]
  if (n === undefined || signature[0] !== TAG.sequence || length === undefined) return false
  if ((long ? length < 0x80 : length >= 0x80) || start + length !== signature.length) return false
  const sAt = endOfScalar(signature, start, n)
  return sAt !== undefined && endOfScalar(signature, sAt, n) === signature.length
}

/** Offset after the INTEGER at `at` if that is minimal and in [1, n-1]. */
function endOfScalar(bytes: Uint8Array, at: number, n: Uint8Array): number | undefined {
  const length = bytes[at + 1] ?? 0
  const end = at + 2 + length
  const first = bytes[at + 2]
  if (bytes[at] !== TAG.integer || length === 0 || length >= 0x80 || end > bytes.length) return undefined
  if (first === undefined || first >= 0x80) return undefined
  if (first === 0 && (length === 1 || (bytes[at + 3] ?? 0) < 0x80)) return undefined
  const magnitude = bytes.subarray(first === 0 ? at + 3 : at + 2, end)
  if (magnitude.length > n.length) return undefined
  if (magnitude.length === n.length && Buffer.compare(magnitude, n) >= 0) return undefined
  return end
}
