import { Buffer } from 'node:buffer'
import {
  constants,
  createPrivateKey,
  createPublicKey,
  generatePrimeSync,
  hash,
  sign,
  type KeyObject,
} from 'node:crypto'
import { ed25519, ed25519ph } from '@noble/curves/ed25519.js'
import { describe, expect, it } from 'vitest'
import {
  isStrictEcdsa,
  parsePublicKey,
  verifySignature,
  type MessageScheme,
  type PublicKey,
} from '../../trust/keys.ts'
import { digestAlgorithmOf, verifyDigestSignature, verifyMessageSignature } from '../../trust/prehash.ts'
import { bits, newKey, oid, seq, type TestKey } from '../support/test-der.ts'
import { readVector, vectorCases, vectorInput } from '../support/vectors.ts'

const withCode = (code: string): unknown => expect.objectContaining({ code })
const message = Buffer.from('the message')

interface Signed {
  readonly name: string
  readonly key: PublicKey
  readonly scheme: MessageScheme
  readonly signature: Uint8Array
}

const keys = {
  p256: newKey('p256'),
  p384: newKey('p384'),
  p521: newKey('p521'),
  rsa2048: newKey('rsa2048'),
  rsa3072: newKey('rsa3072'),
} as const

function signed(test: TestKey, scheme: MessageScheme, data: Uint8Array = message): Signed {
  const name = `${test.type} ${scheme.kind}${'hash' in scheme ? ` ${scheme.hash}` : ''}`
  const algorithm = 'hash' in scheme ? scheme.hash : null
  const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
  const options = scheme.kind === 'rsa-pss' ? { key: test.privateKey, ...padding } : test.privateKey
  return { name, key: parsePublicKey(test.spki), scheme, signature: sign(algorithm, data, options) }
}

function prehashed(): readonly Signed[] {
  const hashes = ['sha256', 'sha384', 'sha512'] as const
  return hashes.flatMap((algorithm) => [
    signed(keys.p256, { kind: 'ecdsa', hash: algorithm }),
    signed(keys.p384, { kind: 'ecdsa', hash: algorithm }),
    signed(keys.p521, { kind: 'ecdsa', hash: algorithm }),
    signed(keys.rsa2048, { kind: 'rsa-pkcs1', hash: algorithm }),
    signed(keys.rsa3072, { kind: 'rsa-pkcs1', hash: algorithm }),
    signed(keys.rsa2048, { kind: 'rsa-pss', hash: algorithm }),
    signed(keys.rsa3072, { kind: 'rsa-pss', hash: algorithm }),
  ])
}

/** A key of 2049 bits, put together from primes: key generation itself only gives even sizes. */
function oddRsaKey(): KeyObject {
  const e = 65537n
  for (;;) {
    const p = generatePrimeSync(1025, { bigint: true })
    const q = generatePrimeSync(1024, { bigint: true })
    const phi = (p - 1n) * (q - 1n)
    if ((p * q).toString(2).length !== 2049 || phi % e === 0n) continue
    const d = inverse(e, phi)
    const numbers = { n: p * q, e, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) }
    const jwk = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, base64url(value)]))
    return createPrivateKey({ key: { kty: 'RSA', ...jwk }, format: 'jwk' })
  }
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [value, modulus, 1n, 0n]
  while (b !== 0n) [a, b, x, y] = [b, a % b, y, x - (a / b) * y]
  return ((x % modulus) + modulus) % modulus
}

function base64url(value: bigint): string {
  const hex = value.toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').toString('base64url')
}

const digestFor = ({ scheme }: Signed, data: Uint8Array = message): Uint8Array =>
  hash(digestAlgorithmOf(scheme) ?? 'sha256', data, 'buffer')

describe('verifyDigestSignature', () => {
  it.each(prehashed().map((s) => [s.name, s] as const))('agrees with the whole message: %s', (_, s) => {
    expect(verifySignature(s.key, s.scheme, message, s.signature)).toBe(true)
    expect(verifyMessageSignature(s.key, s.scheme, message, s.signature)).toBe(true)
    expect(verifyDigestSignature(s.key, s.scheme, digestFor(s), s.signature)).toBe(true)
    const other = Buffer.from('another message')
    expect(verifySignature(s.key, s.scheme, other, s.signature)).toBe(false)
    expect(verifyDigestSignature(s.key, s.scheme, digestFor(s, other), s.signature)).toBe(false)
  })

  it.each(
    prehashed()
      .filter((_, i) => i < 7)
      .map((s) => [s.name, s] as const),
  )('notices every changed byte of a signature: %s', (_, s) => {
    const digest = digestFor(s)
    const accepted: number[] = []
    for (let i = 0; i < s.signature.length; i++) {
      const changed = Uint8Array.from(s.signature)
      changed[i] = (changed[i] ?? 0) ^ (1 << (i % 8))
      if (verifySignature(s.key, s.scheme, message, changed)) accepted.push(i)
      // the curves are slow: one byte in four, and all of the encoding around the numbers
      if (s.scheme.kind === 'ecdsa' && i % 4 !== 0 && isStrictEcdsa(s.key, changed)) continue
      if (verifyDigestSignature(s.key, s.scheme, digest, changed)) accepted.push(i)
    }
    expect(accepted).toEqual([])
  })

  it('says no, and does not throw, for signatures of every length', () => {
    for (const s of prehashed()) {
      const digest = digestFor(s)
      for (const length of [0, 1, 64, 72, 255, 256, 257, 384]) {
        expect(verifyDigestSignature(s.key, s.scheme, digest, new Uint8Array(length))).toBe(false)
        expect(verifyDigestSignature(s.key, s.scheme, digest, Buffer.alloc(length, 0xff))).toBe(false)
      }
    }
  })

  it('agrees with node:crypto on many messages, whatever the size of s', () => {
    for (let i = 0; i < 40; i++) {
      const data = Buffer.from(`message ${i}`)
      const s = signed(keys.p256, { kind: 'ecdsa', hash: 'sha256' }, data)
      expect(verifyDigestSignature(s.key, s.scheme, digestFor(s, data), s.signature)).toBe(true)
    }
  })

  it.each([0, 20, 32, 64, 222])(
    'reads a salt of %d bytes where it is told to, and only there',
    (saltLength) => {
      const key = parsePublicKey(keys.rsa2048.spki)
      const padding = constants.RSA_PKCS1_PSS_PADDING
      const signature = sign('sha256', message, { key: keys.rsa2048.privateKey, padding, saltLength })
      const digest = hash('sha256', message, 'buffer')
      for (const wanted of [undefined, 0, 20, 32, 64, 222, 223, 400]) {
        const scheme = {
          kind: 'rsa-pss',
          hash: 'sha256',
          ...(wanted === undefined ? {} : { saltLength: wanted }),
        } as const
        const expected = (wanted ?? 32) === saltLength
        expect(verifySignature(key, scheme, message, signature)).toBe(expected)
        expect(verifyDigestSignature(key, scheme, digest, signature)).toBe(expected)
      }
    },
  )

  it('verifies PSS where the encoding is a whole byte shorter than the modulus', () => {
    const privateKey = oddRsaKey()
    const key = parsePublicKey(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }))
    const padding = constants.RSA_PKCS1_PSS_PADDING
    const signature = sign('sha256', message, { key: privateKey, padding, saltLength: 32 })
    const scheme = { kind: 'rsa-pss', hash: 'sha256' } as const
    expect(key.bits).toBe(2049)
    expect(verifyDigestSignature(key, scheme, hash('sha256', message, 'buffer'), signature)).toBe(true)
    expect(verifyDigestSignature(key, scheme, hash('sha256', 'other', 'buffer'), signature)).toBe(false)
  })

  it('cannot verify pure Ed25519 or ML-DSA from a digest: SIGNATURE_NEEDS_ARTIFACT', () => {
    const digest = new Uint8Array(64)
    for (const [type, kind] of [
      ['ed25519', 'ed25519'],
      ['ml-dsa-44', 'ml-dsa'],
    ] as const) {
      const s = signed(newKey(type), { kind })
      expect(verifyMessageSignature(s.key, s.scheme, message, s.signature)).toBe(true)
      const attempt = (): boolean => verifyDigestSignature(s.key, s.scheme, digest, s.signature)
      expect(attempt).toThrow(withCode('SIGNATURE_NEEDS_ARTIFACT'))
    }
  })

  it('refuses a scheme of another kind of key: SIGNATURE_ALGORITHM', () => {
    const key = parsePublicKey(keys.p256.spki)
    const attempt = (): boolean =>
      verifyDigestSignature(key, { kind: 'ed25519ph' }, new Uint8Array(64), new Uint8Array(64))
    expect(attempt).toThrow(withCode('SIGNATURE_ALGORITHM'))
  })

  it('takes a digest of the wrong length for a mistake of the caller', () => {
    const key = parsePublicKey(keys.p256.spki)
    const attempt = (): boolean =>
      verifyDigestSignature(key, { kind: 'ecdsa', hash: 'sha256' }, new Uint8Array(48), new Uint8Array(70))
    expect(attempt).toThrow(TypeError)
  })
})

describe('Ed25519ph', () => {
  const scheme = { kind: 'ed25519ph' } as const
  const spkiOf = (publicKey: Uint8Array): Uint8Array => seq(seq(oid('1.3.101.112')), bits(publicKey))

  it('verifies the example of RFC 8032 section 7.3', () => {
    const publicKey = 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf'
    const key = parsePublicKey(spkiOf(Buffer.from(publicKey, 'hex')))
    const signature = Buffer.from(
      '98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406',
      'hex',
    )
    expect(verifyMessageSignature(key, scheme, Buffer.from('abc'), signature)).toBe(true)
    expect(verifyMessageSignature(key, scheme, Buffer.from('abd'), signature)).toBe(false)
  })

  it('agrees with an independent implementation and is not pure Ed25519', () => {
    const { secretKey, publicKey } = ed25519ph.keygen()
    const key = parsePublicKey(spkiOf(publicKey))
    const signature = ed25519ph.sign(message, secretKey)
    expect(verifyDigestSignature(key, scheme, hash('sha512', message, 'buffer'), signature)).toBe(true)
    expect(verifyMessageSignature(key, scheme, message, ed25519.sign(message, secretKey))).toBe(false)
    const withContext = ed25519ph.sign(message, secretKey, { context: Buffer.from('context') })
    expect(verifyMessageSignature(key, scheme, message, withContext)).toBe(false)
    for (let i = 0; i < signature.length; i++) {
      const changed = Uint8Array.from(signature)
      changed[i] = (changed[i] ?? 0) ^ (1 << (i % 8))
      expect(verifyMessageSignature(key, scheme, message, changed)).toBe(false)
    }
    for (const length of [0, 63, 65]) {
      expect(verifyMessageSignature(key, scheme, message, new Uint8Array(length))).toBe(false)
    }
  })
})

interface Group {
  readonly publicKeyDer: string
  readonly sha?: string
  readonly tests: readonly { tcId: number; msg: string; sig: string; result: string; comment: string }[]
}

it.each(vectorCases('crypto').map((vector) => [vector.id, vector] as const))(
  'published signature vectors: %s',
  (_, vector) => {
    const { testGroups } = JSON.parse(readVector(vectorInput(vector, 'vectors')).toString('utf8')) as {
      readonly testGroups: readonly Group[]
    }
    let count = 0
    const wrong: string[] = []
    for (const group of testGroups) {
      const key = parsePublicKey(Buffer.from(group.publicKeyDer, 'hex'))
      const scheme: MessageScheme =
        key.type === 'ed25519' ? { kind: 'ed25519' } : { kind: 'ecdsa', hash: 'sha256' }
      for (const test of group.tests) {
        const data = Buffer.from(test.msg, 'hex')
        const signature = Buffer.from(test.sig, 'hex')
        // none of these two files has a case that is merely acceptable
        expect(['valid', 'invalid']).toContain(test.result)
        const expected = test.result === 'valid'
        const digest = hash('sha256', data, 'buffer')
        const ofMessage = verifySignature(key, scheme, data, signature)
        const ofDigest =
          scheme.kind === 'ecdsa' ? verifyDigestSignature(key, scheme, digest, signature) : ofMessage
        if (ofMessage !== expected || ofDigest !== expected) wrong.push(`${test.tcId} ${test.comment}`)
        count++
      }
    }
    expect(wrong).toEqual([])
    expect(count).toBeGreaterThan(100)
  },
)
