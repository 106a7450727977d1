import { Buffer } from 'node:buffer'
import { createPublicKey, generateKeyPairSync, hash, sign } from 'node:crypto'
import { ed25519, ed25519ph } from '@noble/curves/ed25519.js'
import { describe, expect, it } from 'vitest'
import {
  equalKeys,
  isStrictEcdsa,
  keyId,
  parsePublicKey,
  parsePublicKeyPem,
  parseRsaPkcs1,
  schemeFits,
  schemesFor,
  verifySignature,
  type PublicKey,
} from '../../trust/keys.ts'
import { encodeElement, TAG } from '../../trust/x509/der.ts'
import { bits, integer, newKey, oid, seq, type TestKeyType } from '../support/test-der.ts'

const withCode = (code: string): unknown => expect.objectContaining({ code })
const KEY_TYPES: readonly TestKeyType[] = [
  'p256',
  'p384',
  'p521',
  'rsa2048',
  'rsa3072',
  'ed25519',
  'ml-dsa-44',
]
const NULL = Uint8Array.of(5, 0)
const RSA = oid('1.2.840.113549.1.1.1')
const EC = oid('1.2.840.10045.2.1')
const P256 = oid('1.2.840.10045.3.1.7')
const ED25519 = oid('1.3.101.112')

const rsaKey = (n: Uint8Array, e: Uint8Array, parameters: readonly Uint8Array[] = [NULL]): Uint8Array =>
  seq(seq(RSA, ...parameters), bits(seq(integer(n), integer(e))))
const modulus = (length: number, top = 0x80): Uint8Array => {
  const n = Buffer.alloc(length, 0xa5)
  n[0] = top
  return top >= 0x80 ? Buffer.concat([Uint8Array.of(0), n]) : n
}
const E65537 = Uint8Array.of(1, 0, 1)
const point = (key = newKey()): Uint8Array => key.spki.subarray(-65)

describe('parsePublicKey', () => {
  it.each([
    ['p256', 'ecdsa-p256', undefined],
    ['p384', 'ecdsa-p384', undefined],
    ['p521', 'ecdsa-p521', undefined],
    ['rsa2048', 'rsa', 2048],
    ['rsa3072', 'rsa', 3072],
    ['ed25519', 'ed25519', undefined],
    ['ml-dsa-44', 'ml-dsa-44', undefined],
  ] as const)('reads a key of type %s', (type, expected, size) => {
    const { spki } = newKey(type)
    const key = parsePublicKey(spki)
    expect(key).toMatchObject({ type: expected, bits: size })
    expect(Buffer.from(key.spki).equals(spki)).toBe(true)
    expect(keyId(key)).toBe(hash('sha256', spki, 'hex'))
    expect(equalKeys(key, parsePublicKey(Uint8Array.from(spki)))).toBe(true)
    expect(equalKeys(key, parsePublicKey(newKey(type).spki))).toBe(false)
  })

  it.each(['ml-dsa-65', 'ml-dsa-87'] as const)('reads %s', (type) => {
    // one literal each: the declarations of the library have no union here
    const pair = type === 'ml-dsa-65' ? generateKeyPairSync('ml-dsa-65') : generateKeyPairSync('ml-dsa-87')
    expect(parsePublicKey(pair.publicKey.export({ format: 'der', type: 'spki' })).type).toBe(type)
  })

  it.each(KEY_TYPES)(
    'refuses a key of type %s that is cut short or has bytes after it: MALFORMED_KEY',
    (type) => {
      const { spki } = newKey(type)
      for (const length of [0, 1, 2, 10, spki.length - 1]) {
        expect(() => parsePublicKey(spki.subarray(0, length))).toThrow(withCode('MALFORMED_KEY'))
      }
      expect(() => parsePublicKey(Buffer.concat([spki, Uint8Array.of(0)]))).toThrow(withCode('MALFORMED_KEY'))
    },
  )

  it.each<[string, Uint8Array]>([
    [
      'a compressed point',
      seq(seq(EC, P256), bits(Buffer.concat([Uint8Array.of(2), point().subarray(1, 33)]))),
    ],
    ['a hybrid point', seq(seq(EC, P256), bits(Buffer.concat([Uint8Array.of(6), point().subarray(1)])))],
    [
      'a point off the curve',
      seq(seq(EC, P256), bits(Buffer.concat([Uint8Array.of(4), Buffer.alloc(64, 7)]))),
    ],
    ['the point at infinity', seq(seq(EC, P256), bits(Uint8Array.of(0)))],
    ['no curve', seq(seq(EC), bits(point()))],
    ['curve parameters written out', seq(seq(EC, seq(integer(1))), bits(point()))],
    ['parameters twice', seq(seq(EC, P256, P256), bits(point()))],
    ['a third element', seq(seq(EC, P256), bits(point()), NULL)],
    ['RSA without NULL', rsaKey(modulus(256), E65537, [])],
    ['RSA of 1024 bits', rsaKey(modulus(128), E65537)],
    ['RSA of 2047 bits', rsaKey(modulus(256, 0x7f), E65537)],
    ['RSA of 8200 bits', rsaKey(modulus(1025), E65537)],
    ['RSA with exponent 1', rsaKey(modulus(256), Uint8Array.of(1))],
    ['RSA with an even exponent', rsaKey(modulus(256), Uint8Array.of(1, 0, 0))],
    ['RSA with an exponent of 33 bits', rsaKey(modulus(256), Uint8Array.of(1, 0, 0, 0, 1))],
    ['RSA with a negative exponent', rsaKey(modulus(256), Uint8Array.of(0x83))],
    ['RSA with a negative modulus', rsaKey(modulus(256).subarray(1), E65537)],
    ['RSA with a zero modulus', rsaKey(Uint8Array.of(0), E65537)],
    [
      'RSA with a third number',
      seq(seq(RSA, NULL), bits(seq(integer(modulus(256)), integer(E65537), integer(1)))),
    ],
    ['Ed25519 with NULL', seq(seq(ED25519, NULL), bits(Buffer.alloc(32, 9)))],
    ['Ed25519 of 31 bytes', seq(seq(ED25519), bits(Buffer.alloc(31, 9)))],
    ['ML-DSA of a wrong length', seq(seq(oid('2.16.840.1.101.3.4.3.17')), bits(Buffer.alloc(1311, 9)))],
    ['ML-DSA with NULL', seq(seq(oid('2.16.840.1.101.3.4.3.17'), NULL), bits(Buffer.alloc(1312, 9)))],
    ['a bit string with unused bits', seq(seq(ED25519), encodeElement(TAG.bitString, Buffer.alloc(33, 1)))],
  ])('refuses %s: MALFORMED_KEY', (_, der) => {
    expect(() => parsePublicKey(der)).toThrow(withCode('MALFORMED_KEY'))
  })

  it.each<[string, Uint8Array]>([
    ['an unknown algorithm', seq(seq(oid('1.2.840.10040.4.1')), bits(Buffer.alloc(64, 1)))],
    ['RSASSA-PSS as key type', seq(seq(oid('1.2.840.113549.1.1.10')), bits(Buffer.alloc(64, 1)))],
    ['the curve secp256k1', seq(seq(EC, oid('1.3.132.0.10')), bits(point()))],
    ['X25519', seq(seq(oid('1.3.101.110')), bits(Buffer.alloc(32, 9)))],
  ])('refuses %s: SIGNATURE_ALGORITHM', (_, der) => {
    expect(() => parsePublicKey(der)).toThrow(withCode('SIGNATURE_ALGORITHM'))
  })

  it('refuses every Ed25519 point of small order, in each spelling', () => {
    const y = (hex: string): string => hex.padEnd(64, 'f').slice(0, 62)
    const encodings = [
      `${y('ec')}7f`,
      `${y('ed')}7f`,
      `${y('ee')}7f`,
      `${y('ec')}ff`,
      `${y('ed')}ff`,
      `${y('ee')}ff`,
    ]
    // all multiples of a point of order 8, found by clearing the prime order part of points on the curve
    let generator = ed25519.Point.ZERO
    for (
      let i = 2;
      !generator.multiplyUnsafe(4n).equals(ed25519.Point.fromAffine({ x: 0n, y: -1n + P25519 }));
      i++
    ) {
      const candidate = decodePoint(i)
      if (candidate !== undefined) generator = candidate.multiplyUnsafe(ORDER - 1n).add(candidate)
    }
    for (let i = 0n; i < 8n; i++) {
      const low = i === 0n ? ed25519.Point.ZERO : generator.multiplyUnsafe(i)
      encodings.push(low.toHex())
    }
    expect(new Set(encodings).size).toBeGreaterThanOrEqual(12)
    for (const hex of encodings) {
      const der = seq(seq(ED25519), bits(Buffer.from(hex, 'hex')))
      expect(() => parsePublicKey(der)).toThrow(withCode('MALFORMED_KEY'))
    }
  })
})

const P25519 = 2n ** 255n - 19n
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

function decodePoint(y: number): typeof ed25519.Point.ZERO | undefined {
  const bytes = new Uint8Array(32)
  bytes[0] = y
  try {
    return ed25519.Point.fromBytes(bytes)
  } catch {
    return undefined
  }
}

describe('parsePublicKeyPem', () => {
  const key = newKey()
  const pem = createPublicKey(key.privateKey).export({ format: 'pem', type: 'spki' }).toString()

  it('reads one block, with LF or CRLF and white space around it', () => {
    for (const text of [pem, pem.replaceAll('\n', '\r\n'), `\n  \n${pem}\n\n`, pem.trimEnd()]) {
      expect(keyId(parsePublicKeyPem(text))).toBe(hash('sha256', key.spki, 'hex'))
    }
  })

  it('reads a PKCS#1 RSA key and gives it its SubjectPublicKeyInfo', () => {
    const rsa = newKey('rsa2048')
    const exported = createPublicKey(rsa.privateKey)
    const parsed = parsePublicKeyPem(exported.export({ format: 'pem', type: 'pkcs1' }).toString())
    expect(keyId(parsed)).toBe(hash('sha256', rsa.spki, 'hex'))
    expect(keyId(parseRsaPkcs1(exported.export({ format: 'der', type: 'pkcs1' })))).toBe(keyId(parsed))
  })

  it('says what it is when it is a private key or a certificate', () => {
    const privatePem = key.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
    expect(() => parsePublicKeyPem(privatePem)).toThrow(/private key/)
    expect(() => parsePublicKeyPem(pem.replaceAll('PUBLIC KEY', 'CERTIFICATE'))).toThrow(/certificate/)
  })

  it.each<[string, string]>([
    ['nothing', ''],
    ['plain text', 'hello'],
    ['two keys', pem + pem],
    ['text before it', `hello\n${pem}`],
    ['text after it', `${pem}hello`],
    ['an unknown label', pem.replaceAll('PUBLIC KEY', 'SSH KEY')],
    ['two different labels', pem.replace('BEGIN PUBLIC KEY', 'BEGIN RSA PUBLIC KEY')],
    ['an open block', pem.replace(/-----END.*/s, '')],
    ['a block inside a block', pem.replace('\n', '\n-----BEGIN PUBLIC KEY-----\n')],
    ['an end without a begin', pem.replace(/-----BEGIN.*-----\n/, '')],
    ['base64 with noise', pem.replace('\n', '\n!')],
    ['an empty block', '-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n'],
    ['headers', pem.replace('\n', '\nProc-Type: 4\n\n')],
  ])('refuses %s: MALFORMED_KEY', (_, text) => {
    expect(() => parsePublicKeyPem(text)).toThrow(withCode('MALFORMED_KEY'))
  })
})

describe('schemesFor', () => {
  it.each([
    ['p256', ['ecdsa sha256']],
    ['p384', ['ecdsa sha384', 'ecdsa sha256']],
    ['p521', ['ecdsa sha512', 'ecdsa sha256']],
    ['rsa2048', ['rsa-pkcs1 sha256', 'rsa-pss sha256']],
    ['ed25519', ['ed25519ph', 'ed25519']],
    ['ml-dsa-44', ['ml-dsa']],
  ] as const)('gives the schemes of %s in order of preference', (type, expected) => {
    const key = parsePublicKey(newKey(type).spki)
    const schemes = schemesFor(key)
    expect(
      schemes.map((scheme) => ('hash' in scheme ? `${scheme.kind} ${scheme.hash}` : scheme.kind)),
    ).toEqual(expected)
    expect(schemes.every((scheme) => schemeFits(key, scheme))).toBe(true)
  })
})

describe('verifySignature', () => {
  const message = Buffer.from('the message')

  it('refuses a scheme of another kind of key: SIGNATURE_ALGORITHM', () => {
    for (const type of KEY_TYPES) {
      const key = parsePublicKey(newKey(type).spki)
      for (const other of KEY_TYPES) {
        for (const scheme of schemesFor(parsePublicKey(newKey(other).spki))) {
          if (scheme.kind === 'ed25519ph' || schemeFits(key, scheme)) continue
          const attempt = (): boolean => verifySignature(key, scheme, message, new Uint8Array(64))
          expect(attempt).toThrow(withCode('SIGNATURE_ALGORITHM'))
        }
      }
    }
  })

  it('says no, and does not throw, for signatures of every length', () => {
    for (const type of KEY_TYPES) {
      const key = parsePublicKey(newKey(type).spki)
      for (const scheme of schemesFor(key)) {
        if (scheme.kind === 'ed25519ph') continue
        for (const length of [0, 1, 8, 63, 64, 65, 72, 255, 256, 257, 384, 2420]) {
          expect(verifySignature(key, scheme, message, new Uint8Array(length))).toBe(false)
          expect(verifySignature(key, scheme, message, Buffer.alloc(length, 0xff))).toBe(false)
        }
      }
    }
  })

  it('does not take an Ed25519ph signature for a pure one', () => {
    const { secretKey, publicKey } = ed25519ph.keygen()
    const key = parsePublicKey(seq(seq(ED25519), bits(publicKey)))
    expect(verifySignature(key, { kind: 'ed25519' }, message, ed25519ph.sign(message, secretKey))).toBe(false)
    expect(verifySignature(key, { kind: 'ed25519' }, message, ed25519.sign(message, secretKey))).toBe(true)
  })
})

describe('isStrictEcdsa', () => {
  const test = newKey()
  const key = parsePublicKey(test.spki)
  const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const number = (value: bigint): Uint8Array => {
    const hex = value.toString(16)
    const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
    return integer((bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Uint8Array.of(0), bytes]) : bytes)
  }

  it('accepts both of the two signatures that belong together', () => {
    for (let i = 0; i < 20; i++) {
      const message = Buffer.from(`message ${i}`)
      const plain = sign('sha256', message, { key: test.privateKey, dsaEncoding: 'ieee-p1363' })
      const r = BigInt(`0x${plain.toString('hex', 0, 32)}`)
      const s = BigInt(`0x${plain.toString('hex', 32)}`)
      for (const value of [s, N - s]) {
        expect(
          verifySignature(key, { kind: 'ecdsa', hash: 'sha256' }, message, seq(number(r), number(value))),
        ).toBe(true)
      }
    }
  })

  it('knows the range of r and s', () => {
    expect(isStrictEcdsa(key, seq(number(1n), number(N - 1n)))).toBe(true)
    for (const value of [0n, N, N + 1n, 2n ** 256n, 2n ** 300n]) {
      expect(isStrictEcdsa(key, seq(number(value), number(5n)))).toBe(false)
      expect(isStrictEcdsa(key, seq(number(5n), number(value)))).toBe(false)
    }
  })

  it('knows only one spelling', () => {
    const ok = seq(number(5n), number(6n))
    expect(isStrictEcdsa(key, ok)).toBe(true)
    const others = [
      Buffer.concat([ok, Uint8Array.of(0)]),
      Buffer.concat([Uint8Array.of(0x30, 0x81, 6), ok.subarray(2)]),
      Buffer.concat([Uint8Array.of(0x30, 0x80), ok.subarray(2), Uint8Array.of(0, 0)]),
      seq(number(5n), number(6n), number(7n)),
      seq(number(5n)),
      seq(integer(Uint8Array.of(0, 5)), number(6n)),
      seq(integer(Uint8Array.of(0x85)), number(6n)),
      seq(integer(new Uint8Array(0)), number(6n)),
      seq(Uint8Array.of(2, 0x81, 1, 5), number(6n)),
      seq(encodeElement(TAG.octetString, Uint8Array.of(5)), number(6n)),
      encodeElement(TAG.set, number(5n), number(6n)),
      ok.subarray(0, 5),
      new Uint8Array(0),
    ]
    expect(others.filter((other) => isStrictEcdsa(key, other))).toEqual([])
  })

  it('is for ECDSA keys only', () => {
    const other: PublicKey = parsePublicKey(newKey('ed25519').spki)
    expect(isStrictEcdsa(other, seq(number(5n), number(6n)))).toBe(false)
  })
})
