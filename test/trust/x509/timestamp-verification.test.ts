import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import type { TimestampAuthority } from '../../../trust/authority.ts'
import {
  checkTimestamp,
  type TimestampEvidence,
  type UnknownAuthority,
} from '../../../trust/x509/timestamp-verification.ts'
import { encodeUtf8 } from '../../../trust/encoding.ts'
import { contextTag, encodeElement } from '../../../trust/x509/der.ts'
import {
  basicConstraints,
  EKU,
  extendedKeyUsage,
  extension,
  keyIdentifierOf,
  keyUsage,
  newAuthority,
  newTimestampLeaf,
  type CertificateFields,
  type LeafOptions,
} from '../../support/test-certificates.ts'
import { bits, newKey, oid, seq, type TestKeyType } from '../../support/test-der.ts'
import {
  newTimestampAuthority,
  signingCertificate,
  signingCertificateV2,
  stamp,
  type StampOptions,
  type TestTimestampAuthority,
} from '../../support/test-timestamp.ts'

const SIGNATURE = encodeUtf8('the raw bytes of a signature')
const tsa = newTimestampAuthority()
type Outcome = TimestampEvidence | UnknownAuthority

/** Checks a timestamp by `by` under the authorities given, or its own. */
function check(
  options: StampOptions = {},
  by: TestTimestampAuthority = tsa,
  authorities = [by.authority],
): Outcome {
  return checkTimestamp(stamp(by.leaf, SIGNATURE, options), SIGNATURE, authorities)
}

const failing = (code: string): unknown =>
  expect.objectContaining({ name: 'CheckFailed', check: 'time', code })
const known: unknown = expect.objectContaining({ known: true, source: 'timestamp' })
const unknown: unknown = expect.objectContaining({ known: false })
const atTime = (genTime: string): StampOptions => ({ info: { genTime } })
const other = (by: TestTimestampAuthority, change: Partial<TimestampAuthority>): TimestampAuthority => ({
  ...by.authority,
  ...change,
})

describe('a timestamp of a known authority', () => {
  it('is evidence of a time', () => {
    expect(check({ info: { imprintAlgorithm: 'sha384', genTime: '20260301120500.25Z' } })).toEqual({
      known: true,
      source: 'timestamp',
      at: new Date('2026-03-01T12:05:00.250Z'),
      latest: new Date('2026-03-01T12:05:00.250Z'),
      authority: 'test timestamp authority',
      operator: 'timestamp.example',
      serial: '2a07',
      policy: '1.3.6.1.4.1.57264.2',
      hash: 'sha384',
    })
  })

  it.each<[string, TestKeyType, StampOptions]>([
    ['P-384 with SHA-256', 'p384', { algorithm: 'ecdsa-sha256' }],
    ['P-384 with SHA-384 over a digest by SHA-512', 'p384', { digest: 'sha512', announced: [] }],
    ['P-521', 'p521', {}],
    ['RSA', 'rsa2048', { algorithm: 'rsa-sha512' }],
    ['RSA-PSS', 'rsa2048', { algorithm: 'rsa-pss-sha256' }],
    ['Ed25519', 'ed25519', {}],
  ])('may be by a key of %s', (_, type, options) => {
    expect(check(options, newTimestampAuthority({ leaf: { key: newKey(type) } }))).toEqual(known)
  })

  it.each<[string, StampOptions]>([
    ['no hash of its certificate', { attributes: [] }],
    ['a hash by SHA-1', { attributes: [signingCertificate(tsa.leaf.certificate)] }],
    ['a hash by SHA-512', { attributes: [signingCertificateV2(tsa.leaf.certificate, 'sha512')] }],
    ['the certificate', { certificates: [tsa.leaf.certificate] }],
    ['certificates that are none', { certificates: [seq(), tsa.ca.certificate] }],
  ])('may bring %s', (_, options) => {
    expect(check(options)).toEqual(known)
  })

  it('may name its key instead of its certificate', () => {
    const signerId = encodeElement(contextTag(0, false), keyIdentifierOf(tsa.leaf.key.spki))
    expect(check({ signerId, signerVersion: 3 })).toEqual(known)
    expect(
      check({ signerId: encodeElement(contextTag(0, false), Uint8Array.of(1)), signerVersion: 3 }),
    ).toEqual(unknown)
  })

  it('of another signature is refused: TIME_IMPRINT', () => {
    const token = stamp(tsa.leaf, encodeUtf8('another signature'))
    expect(() => checkTimestamp(token, SIGNATURE, [tsa.authority])).toThrow(failing('TIME_IMPRINT'))
    // decided before the signature, which is not good here either
    const forged = {
      signature: (s: Uint8Array): Uint8Array => s.toReversed(),
      info: { imprint: new Uint8Array(32) },
    }
    expect(() => check(forged)).toThrow(failing('TIME_IMPRINT'))
  })

  it('of the base64 of the signature is refused: TIME_IMPRINT', () => {
    const token = stamp(tsa.leaf, Buffer.from(Buffer.from(SIGNATURE).toString('base64')))
    expect(() => checkTimestamp(token, SIGNATURE, [tsa.authority])).toThrow(failing('TIME_IMPRINT'))
  })

  it('that was refused or cannot be read is no timestamp: TIME_STATUS, TIME_MALFORMED', () => {
    expect(() => check({ status: 2 })).toThrow(failing('TIME_STATUS'))
    const malformed: unknown = expect.objectContaining({ name: 'MalformedError', code: 'TIME_MALFORMED' })
    expect(() => checkTimestamp(Uint8Array.of(0x30, 0), SIGNATURE, [])).toThrow(malformed)
  })

  const foreign = newTimestampAuthority({ leaf: { key: newKey('rsa2048') } })
  it.each<[string, () => Outcome]>([
    [
      'whose content was changed after signing',
      () => checkTimestamp(withOtherTime(), SIGNATURE, [tsa.authority]),
    ],
    ['whose signature was changed', () => check({ signature: flipLast })],
    ['whose signature is empty', () => check({ signature: () => new Uint8Array() })],
    ['by another key', () => check({}, { ...tsa, leaf: { ...tsa.leaf, key: newKey() } })],
    [
      'by a key of another kind',
      () => check({ algorithm: 'rsa-sha256' }, { ...tsa, leaf: { ...tsa.leaf, key: foreign.leaf.key } }),
    ],
    [
      'that says another hash than it was signed with',
      () => check({ algorithmIdentifier: seq(oid('1.2.840.10045.4.3.3')) }),
    ],
  ])('%s is refused: TIME_SIGNATURE', (_, run) => {
    expect(run).toThrow(failing('TIME_SIGNATURE'))
  })

  it('that names another certificate as its own is refused: TIME_SIGNER', () => {
    const twin = newTimestampLeaf(tsa.ca, { key: tsa.leaf.key })
    for (const hashes of [signingCertificate, signingCertificateV2]) {
      expect(() => check({ attributes: [hashes(twin.certificate)] })).toThrow(failing('TIME_SIGNER'))
    }
    const both = [signingCertificateV2(tsa.leaf.certificate), signingCertificate(twin.certificate)]
    expect(() => check({ attributes: both })).toThrow(failing('TIME_SIGNER'))
  })
})

/** A timestamp of 12:05 that says 12:06. */
function withOtherTime(): Uint8Array {
  const token = Buffer.from(stamp(tsa.leaf, SIGNATURE))
  token.write('20260301120600Z', token.indexOf('20260301120500Z'))
  return token
}

function flipLast(signature: Uint8Array): Uint8Array {
  return Uint8Array.from(signature, (byte, i) => (i === signature.length - 1 ? byte ^ 1 : byte))
}

describe('the certificate of a timestamp authority', () => {
  const usual = [keyUsage('digitalSignature'), extendedKeyUsage([EKU.timeStamping], true)]
  const leafOf = (leaf: LeafOptions): TestTimestampAuthority => newTimestampAuthority({ leaf })
  const leafWith = (...extensions: Uint8Array[]): TestTimestampAuthority => leafOf({ extensions })
  const nonRepudiation = extension('2.5.29.15', true, encodeElement(3, Uint8Array.of(6, 0x40)))

  it.each<[string, TestTimestampAuthority]>([
    ['no key usage', leafWith(extendedKeyUsage([EKU.timeStamping], true))],
    ['a key usage of non-repudiation', leafWith(nonRepudiation, extendedKeyUsage([EKU.timeStamping], true))],
    ['the statement that it is no authority', leafWith(...usual, basicConstraints(false))],
    [
      'a purpose of its issuer that fits',
      newTimestampAuthority({ ca: newAuthority({ purposes: [EKU.timeStamping] }) }),
    ],
    ['an issuer for any purpose', newTimestampAuthority({ ca: newAuthority({ purposes: [EKU.any] }) })],
    [
      'an issuer between it and the anchor',
      newTimestampAuthority({ ca: newAuthority({ parent: newAuthority() }) }),
    ],
  ])('may have %s', (_, by) => {
    expect(check({}, by)).toEqual(known)
  })

  const expired = { notBefore: new Date('2025-01-01T00:00:00Z'), notAfter: new Date('2026-03-01T12:04:59Z') }
  const stranger = newTimestampAuthority()
  const forCertificates = [keyUsage('keyCertSign'), extendedKeyUsage([EKU.timeStamping], true)]
  const inChain = (fields: Partial<CertificateFields>): TestTimestampAuthority =>
    newTimestampAuthority({ ca: newAuthority({ fields }) })
  it.each<[string, string, TestTimestampAuthority]>([
    ['that is an authority', 'it is an authority', leafWith(...usual, basicConstraints(true))],
    ['without a purpose', 'timestamps alone', leafWith(keyUsage('digitalSignature'))],
    ['whose purpose is not critical', 'timestamps alone', leafWith(extendedKeyUsage([EKU.timeStamping]))],
    [
      'with two purposes',
      'timestamps alone',
      leafWith(extendedKeyUsage([EKU.timeStamping, EKU.codeSigning], true)),
    ],
    ['with another purpose', 'timestamps alone', leafWith(extendedKeyUsage([EKU.codeSigning], true))],
    ['for any purpose', 'timestamps alone', leafWith(extendedKeyUsage([EKU.any], true))],
    ['that is for certificates', 'not for signatures', leafWith(...forCertificates)],
    [
      'with a critical extension that nobody knows',
      'not understood',
      leafWith(...usual, extension('1.2.3', true, seq())),
    ],
    ['that had expired', 'not valid at that time', leafOf({ fields: expired })],
    ['whose issuer had expired', 'not valid at that time', inChain({ notAfter: expired.notAfter })],
    [
      'whose issuer is for other purposes',
      'is not for timeStamping',
      newTimestampAuthority({ ca: newAuthority({ purposes: [EKU.codeSigning] }) }),
    ],
    ['whose issuer is none', 'is not an authority', inChain({ extensions: [keyUsage('keyCertSign')] })],
    [
      'whose issuer did not sign it',
      'no trusted authority issued',
      { ...tsa, authority: other(tsa, { chain: stranger.authority.chain }) },
    ],
    [
      'with an unknown kind of key',
      'unknown algorithm',
      leafOf({ fields: { spki: seq(seq(oid('1.2.3')), bits(Uint8Array.of(1))) } }),
    ],
  ])('%s is refused: TIME_CERTIFICATE', (_, why, by) => {
    expect(() => check({}, by)).toThrow(failing('TIME_CERTIFICATE'))
    expect(() => check({}, by)).toThrow(why)
  })

  it('counts at the time of the timestamp, both ends included', () => {
    const by = leafOf({
      fields: { notBefore: new Date('2026-03-01T12:00:00Z'), notAfter: new Date('2026-03-01T12:10:00Z') },
    })
    for (const time of ['20260301120000Z', '20260301121000Z']) expect(check(atTime(time), by)).toEqual(known)
    for (const time of ['20260301115959.9999Z', '20260301121000.0001Z', '20260301121000.5Z']) {
      expect(() => check(atTime(time), by)).toThrow(failing('TIME_CERTIFICATE'))
    }
  })
})

describe('the time for which an authority is trusted', () => {
  const window = { start: new Date('2026-03-01T12:00:00.000Z'), end: new Date('2026-03-01T12:10:00.000Z') }
  const by = newTimestampAuthority({ validFor: window })

  it.each(['20260301120000Z', '20260301120000.0005Z', '20260301121000Z', '20260301120959.9999Z'])(
    'contains %s',
    (time) => {
      expect(check(atTime(time), by)).toEqual(known)
    },
  )

  it.each([
    '20260301115959Z',
    '20260301115959.9995Z',
    '20260301121000.0005Z',
    '20260301121000.001Z',
    '20260301121001Z',
  ])('does not contain %s: TIME_WINDOW', (time) => {
    expect(() => check(atTime(time), by)).toThrow(failing('TIME_WINDOW'))
  })

  it('may be open at its end', () => {
    expect(check(atTime('20341231235959Z'))).toEqual(known)
  })

  it('is told in both directions of rounding', () => {
    const at = new Date('2026-03-01T12:05:00.123Z')
    expect(check(atTime('20260301120500.1234Z'))).toMatchObject({ at, latest: new Date(at.getTime() + 1) })
  })
})
