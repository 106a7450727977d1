import { Buffer } from 'node:buffer'
import { constants, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { contextTag, encodeElement, TAG } from '../../trust/x509/der.ts'

/** Keys of every kind, signatures with them, and the pieces of DER that tests put together. */

export type TestKeyType = 'p256' | 'p384' | 'p521' | 'rsa2048' | 'rsa3072' | 'ed25519' | 'ml-dsa-44'

export interface TestKey {
  readonly type: TestKeyType
  readonly privateKey: KeyObject
  readonly spki: Uint8Array
}

export function newKey(type: TestKeyType = 'p256'): TestKey {
  const { privateKey } = generate(type)
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return { type, privateKey, spki }
}

function generate(type: TestKeyType): { readonly privateKey: KeyObject } {
  switch (type) {
    case 'p256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    case 'p384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' })
    case 'p521':
      return generateKeyPairSync('ec', { namedCurve: 'P-521' })
    case 'rsa2048':
      return generateKeyPairSync('rsa', { modulusLength: 2048 })
    case 'rsa3072':
      return generateKeyPairSync('rsa', { modulusLength: 3072 })
    case 'ed25519':
      return generateKeyPairSync('ed25519')
    case 'ml-dsa-44':
      return generateKeyPairSync('ml-dsa-44')
  }
}

// DER

export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes: number[] = []
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc % 128]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      groups.unshift((left % 128) | 0x80)
    bytes.push(...groups)
  }
  return encodeElement(TAG.oid, Uint8Array.from(bytes))
}

export const seq = (...parts: readonly Uint8Array[]): Uint8Array => encodeElement(TAG.sequence, ...parts)
export const octets = (...parts: readonly Uint8Array[]): Uint8Array =>
  encodeElement(TAG.octetString, ...parts)
export const utf8 = (text: string): Uint8Array => encodeElement(TAG.utf8String, Buffer.from(text))
export const bits = (bytes: Uint8Array): Uint8Array => encodeElement(TAG.bitString, Uint8Array.of(0), bytes)
export const integer = (content: Uint8Array | number): Uint8Array =>
  encodeElement(TAG.integer, typeof content === 'number' ? Uint8Array.of(content) : content)

/** UTCTime until 2049, GeneralizedTime after. */
export function time(date: Date): Uint8Array {
  const text = date.toISOString().replace(/[-:T]|\.\d+/g, '')
  const short = date.getUTCFullYear() < 2050
  return encodeElement(short ? TAG.utcTime : TAG.generalizedTime, Buffer.from(short ? text.slice(2) : text))
}

/** A Name of one common name; the empty text makes the empty Name. */
export function commonName(text: string): Uint8Array {
  return text === '' ? seq() : seq(encodeElement(TAG.set, seq(oid('2.5.4.3'), utf8(text))))
}

// Signatures

export type TestAlgorithm =
  | 'ecdsa-sha1'
  | 'ecdsa-sha256'
  | 'ecdsa-sha384'
  | 'ecdsa-sha512'
  | 'rsa-sha1'
  | 'rsa-sha256'
  | 'rsa-sha384'
  | 'rsa-sha512'
  | 'rsa-pss-sha256'
  | 'ed25519'

const ALGORITHM_OIDS: Readonly<Record<TestAlgorithm, string>> = {
  'ecdsa-sha1': '1.2.840.10045.4.1',
  'ecdsa-sha256': '1.2.840.10045.4.3.2',
  'ecdsa-sha384': '1.2.840.10045.4.3.3',
  'ecdsa-sha512': '1.2.840.10045.4.3.4',
  'rsa-sha1': '1.2.840.113549.1.1.5',
  'rsa-sha256': '1.2.840.113549.1.1.11',
  'rsa-sha384': '1.2.840.113549.1.1.12',
  'rsa-sha512': '1.2.840.113549.1.1.13',
  'rsa-pss-sha256': '1.2.840.113549.1.1.10',
  ed25519: '1.3.101.112',
}

const NULL = Uint8Array.of(5, 0)

/** Parameters of RSASSA-PSS with SHA-256 in all three places. */
export function pssParameters(saltLength = 32): Uint8Array {
  const sha256 = seq(oid('2.16.840.1.101.3.4.2.1'), NULL)
  const mgf1 = seq(oid('1.2.840.113549.1.1.8'), sha256)
  return seq(
    encodeElement(contextTag(0), sha256),
    encodeElement(contextTag(1), mgf1),
    encodeElement(contextTag(2), integer(saltLength)),
  )
}

export function algorithmIdentifier(name: TestAlgorithm): Uint8Array {
  if (name === 'rsa-pss-sha256') return seq(oid(ALGORITHM_OIDS[name]), pssParameters())
  return name.startsWith('rsa') ? seq(oid(ALGORITHM_OIDS[name]), NULL) : seq(oid(ALGORITHM_OIDS[name]))
}

export function defaultAlgorithm(type: TestKeyType): TestAlgorithm {
  if (type.startsWith('rsa')) return 'rsa-sha256'
  if (type === 'ed25519') return 'ed25519'
  return type === 'p384' ? 'ecdsa-sha384' : type === 'p521' ? 'ecdsa-sha512' : 'ecdsa-sha256'
}

export function signBytes(key: TestKey, algorithm: TestAlgorithm, message: Uint8Array): Uint8Array {
  if (algorithm === 'ed25519') return sign(null, message, key.privateKey)
  const digest = /sha\d+$/.exec(algorithm)?.[0] ?? 'sha256'
  if (!algorithm.startsWith('rsa-pss')) return sign(digest, message, key.privateKey)
  return sign(digest, message, {
    key: key.privateKey,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: 32,
  })
}
