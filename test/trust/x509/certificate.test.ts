import { Buffer } from 'node:buffer'
import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  parseCertificate,
  parseCertificatePem,
  parseCertificates,
  parseCertificatesPem,
} from '../../../trust/x509/certificate.ts'
import { contextTag, encodeElement, TAG } from '../../../trust/x509/der.ts'
import { readSignatureScheme } from '../../../trust/x509/signature.ts'
import {
  certificateFields,
  extension,
  keyUsage,
  newAuthority,
  newLeaf,
  signCertificate,
  type CertificateFields,
} from '../../support/test-certificates.ts'
import {
  algorithmIdentifier,
  bits,
  commonName,
  integer,
  newKey,
  octets,
  oid,
  seq,
  utf8,
} from '../../support/test-der.ts'
import { readVector, vectorCases, vectorInput, vectorPath } from '../../support/vectors.ts'

const withCode = (code: string): unknown => expect.objectContaining({ code })
const key = newKey()
const build = (fields: Partial<CertificateFields>): Uint8Array =>
  signCertificate(key, certificateFields(key, fields))
const pem = (der: Uint8Array, label = 'CERTIFICATE'): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der).toString('base64')}\n-----END ${label}-----\n`
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('parseCertificate', () => {
  it('gives every field as a view of the bytes', () => {
    const authority = newAuthority()
    const { certificate } = newLeaf(authority)
    // at an odd offset of a larger buffer, as it comes out of a bundle
    const larger = Buffer.concat([Buffer.from('xyz'), certificate, Buffer.from('xyz')])
    const parsed = parseCertificate(larger.subarray(3, 3 + certificate.length))
    expect(hex(parsed.der)).toBe(hex(certificate))
    expect(parsed.tbs.buffer).toBe(larger.buffer)
    expect(hex(parsed.issuer)).toBe(hex(authority.name))
    expect(hex(parsed.subject)).toBe('3000')
    expect(parsed.extensions.size).toBe(7)
    const [first] = parsed.extensions.values()
    expect(first).toMatchObject({ oid: '2.5.29.15', critical: true })
    expect(hex(first?.raw ?? key.spki)).toBe(hex(keyUsage('digitalSignature')))
    expect(hex(first?.value ?? key.spki)).toBe('03020780')
    expect(parsed.publicKey.type).toBe('ecdsa-p256')
    expect(parsed.publicKey).toBe(parsed.publicKey)
  })

  it('agrees with node:crypto about certificates of every kind of key', () => {
    for (const type of ['p256', 'p384', 'p521', 'rsa2048', 'ed25519'] as const) {
      const { certificate } = newAuthority({ key: newKey(type), pathLength: 3 })
      const ours = parseCertificate(certificate)
      const theirs = new X509Certificate(certificate)
      expect(hex(ours.serial).toUpperCase()).toBe(theirs.serialNumber)
      expect(ours.notBefore).toEqual(new Date(theirs.validFrom))
      expect(ours.notAfter).toEqual(new Date(theirs.validTo))
      expect(hex(ours.spki)).toBe(hex(theirs.publicKey.export({ format: 'der', type: 'spki' })))
    }
  })

  it.each<[string, string, string]>([
    ['the last second of the UTCTime window', '2049-12-31T23:59:59Z', '2050-01-01T00:00:00Z'],
    ['the first second of the UTCTime window', '1950-01-01T00:00:00Z', '1999-12-31T23:59:59Z'],
    ['leap days', '2024-02-29T00:00:00Z', '2096-02-29T12:00:00Z'],
    ['no end at all (RFC 5280 section 4.1.2.5)', '2026-01-01T00:00:00Z', '9999-12-31T23:59:59Z'],
    ['one instant', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
  ])('reads times: %s', (_, notBefore, notAfter) => {
    const parsed = parseCertificate(build({ notBefore: new Date(notBefore), notAfter: new Date(notAfter) }))
    expect(parsed.notBefore).toEqual(new Date(notBefore))
    expect(parsed.notAfter).toEqual(new Date(notAfter))
  })

  const times = (before: Uint8Array, after: Uint8Array): Uint8Array => {
    const ok = certificateFields(key, {})
    const tbs = seq(
      encodeElement(contextTag(0), integer(2)),
      integer(1),
      ok.innerAlgorithm,
      ok.issuer,
      seq(before, after),
      ok.subject,
      ok.spki,
    )
    return seq(tbs, ok.outerAlgorithm, bits(new Uint8Array(8)))
  }
  const utc = (text: string): Uint8Array => encodeElement(TAG.utcTime, Buffer.from(text))
  const generalized = (text: string): Uint8Array => encodeElement(TAG.generalizedTime, Buffer.from(text))
  const later = utc('491231235959Z')
  const extensionOf = (...parts: readonly Uint8Array[]): Uint8Array => build({ extensions: [seq(...parts)] })
  const id = oid('1.2.3')

  it.each<[string, string, Uint8Array]>([
    ['version 1', 'expected tag 0xa0', build({ version: undefined, extensions: undefined })],
    ['version 1, written out', 'not of version 3', build({ version: 0 })],
    ['version 2', 'not of version 3', build({ version: 1 })],
    ['version 4', 'not of version 3', build({ version: 3 })],
    ['a serial number of 21 bytes', 'serial number has a bad length', build({ serial: Buffer.alloc(21, 1) })],
    ['an empty serial number', 'serial number has a bad length', build({ serial: new Uint8Array(0) })],
    ['a negative serial number', 'serial number is negative', build({ serial: Uint8Array.of(0x80) })],
    [
      'a serial number that is not minimal',
      'serial number is not minimal',
      build({ serial: Uint8Array.of(0, 5) }),
    ],
    [
      'two signature algorithms',
      'two different signature algorithms',
      build({
        innerAlgorithm: algorithmIdentifier('ecdsa-sha384'),
        outerAlgorithm: algorithmIdentifier('ecdsa-sha256'),
      }),
    ],
    [
      'an issuer unique identifier',
      'expected tag 0xa3',
      build({ beforeExtensions: [encodeElement(contextTag(1, false), Uint8Array.of(0, 1))] }),
    ],
    [
      'a subject unique identifier',
      'expected tag 0xa3',
      build({ beforeExtensions: [encodeElement(contextTag(2, false), Uint8Array.of(0, 1))] }),
    ],
    ['an empty list of extensions', 'empty list of extensions', build({ extensions: [] })],
    [
      'the same extension twice',
      'stands twice',
      build({ extensions: [keyUsage('digitalSignature'), keyUsage('keyCertSign')] }),
    ],
    [
      'a critical flag FALSE written out',
      'malformed critical flag',
      extensionOf(id, Uint8Array.of(1, 1, 0), octets()),
    ],
    [
      'a critical flag of another value',
      'malformed critical flag',
      extensionOf(id, Uint8Array.of(1, 1, 1), octets()),
    ],
    [
      'a critical flag of two bytes',
      'malformed critical flag',
      extensionOf(id, Uint8Array.of(1, 2, 0xff, 0xff), octets()),
    ],
    ['an extension without a value', 'data ends', extensionOf(id)],
    ['an extension with two values', 'unexpected bytes', extensionOf(id, octets(), octets())],
    ['an extension without an identifier', 'expected tag 0x6', extensionOf(octets())],
    [
      'an extension identifier that is not minimal',
      'not minimal',
      extensionOf(Uint8Array.of(6, 3, 0x2a, 0x80, 3), octets()),
    ],
    [
      'a validity that ends before it starts',
      'validity ends before it starts',
      build({ notBefore: new Date(2e12), notAfter: new Date(1e12) }),
    ],
    ['a 13th month', 'time does not exist', times(utc('261301000000Z'), later)],
    ['month zero', 'time does not exist', times(utc('260001000000Z'), later)],
    ['the 30th of February', 'time does not exist', times(utc('260230000000Z'), later)],
    ['day zero', 'time does not exist', times(utc('260100000000Z'), later)],
    ['hour 24', 'time does not exist', times(utc('260101240000Z'), later)],
    ['a leap second', 'time does not exist', times(utc('260101235960Z'), later)],
    ['minute 60', 'time does not exist', times(utc('260101236000Z'), later)],
    ['a time without seconds', 'malformed time', times(utc('2601010000Z'), later)],
    ['a time with an offset', 'malformed time', times(utc('260101000000+0100'), later)],
    ['a time without a zone', 'malformed time', times(utc('2601010000000'), later)],
    ['a time with letters', 'malformed time', times(utc('26010100000aZ'), later)],
    ['a time with a fraction', 'malformed time', times(generalized('20260101000000.5Z'), later)],
    ['the year 0050', 'time does not exist', times(generalized('00500101000000Z'), later)],
    ['a time of another type', 'expected tag 0x18', times(utf8('260101000000Z'), later)],
    ['an empty time', 'malformed time', times(utc(''), later)],
    ['nothing', 'data ends', new Uint8Array(0)],
    ['one byte', 'data ends', Uint8Array.of(0x30)],
    ['an indefinite length', 'indefinite', Uint8Array.of(0x30, 0x80, 0, 0)],
    ['a length of four bytes', 'oversized length', Uint8Array.of(0x30, 0x84, 0, 0, 0, 0)],
    [
      'more than 64 KiB',
      'too large',
      build({ extensions: [extension('1.2.3', false, Buffer.alloc(70_000))] }),
    ],
  ])('refuses %s: MALFORMED_CERTIFICATE', (_, why, der) => {
    expect(() => parseCertificate(der)).toThrow(withCode('MALFORMED_CERTIFICATE'))
    expect(() => parseCertificate(der)).toThrow(why)
  })

  it('accepts what is rare and right', () => {
    expect(parseCertificate(build({ serial: Uint8Array.of(0) })).serial.length).toBe(1)
    expect(parseCertificate(build({ serial: Buffer.alloc(20, 0x7f) })).serial.length).toBe(20)
    expect(parseCertificate(build({ extensions: undefined })).extensions.size).toBe(0)
    const many = [
      extension('2.999.3', false, Buffer.alloc(300)),
      extension('1.3.6.1.4.1.57264.1.200', true, key.spki),
    ]
    expect([...parseCertificate(build({ extensions: many })).extensions.keys()]).toEqual([
      '2.999.3',
      '1.3.6.1.4.1.57264.1.200',
    ])
  })

  it('refuses a signature that is not whole bytes, or missing', () => {
    const der = build({ extensions: undefined })
    const { tbs, signatureAlgorithm } = parseCertificate(der)
    for (const last of [
      [],
      [encodeElement(TAG.bitString)],
      [encodeElement(TAG.bitString, Uint8Array.of(1, 2))],
      [octets()],
    ]) {
      expect(() => parseCertificate(seq(tbs, signatureAlgorithm, ...last))).toThrow(
        withCode('MALFORMED_CERTIFICATE'),
      )
    }
    const more = seq(tbs, signatureAlgorithm, bits(key.spki), octets())
    expect(() => parseCertificate(more)).toThrow(withCode('MALFORMED_CERTIFICATE'))
  })

  it('refuses every prefix, and every byte after the end', () => {
    const { certificate } = newLeaf(newAuthority())
    for (let length = 0; length < certificate.length; length++) {
      expect(() => parseCertificate(certificate.subarray(0, length))).toThrow(
        withCode('MALFORMED_CERTIFICATE'),
      )
    }
    const longer = Buffer.concat([certificate, Uint8Array.of(0)])
    expect(() => parseCertificate(longer)).toThrow(withCode('MALFORMED_CERTIFICATE'))
  })

  it('says where it went wrong', () => {
    // header of the certificate (4), header of the TBSCertificate (3), then the version
    expect(() => parseCertificate(build({ version: 1 }))).toThrow(
      expect.objectContaining({ where: 'offset 7' }),
    )
  })

  it('reports a key that cannot be used only when the key is asked for: MALFORMED_KEY', () => {
    const parsed = parseCertificate(build({ spki: seq(seq(oid('1.3.101.112')), bits(new Uint8Array(32))) }))
    expect(() => parsed.publicKey).toThrow(withCode('MALFORMED_KEY'))
  })
})

describe('PEM', () => {
  const der = build({})
  const other = build({ subject: commonName('other') })

  it('reads one certificate, or several, with text around them', () => {
    expect(hex(parseCertificatePem(pem(build({ extensions: undefined }))).subject)).toBe('3000')
    const text = `subject=/CN=x\n${pem(other)}\nissuer\n${pem(other)}`
    expect(parseCertificatesPem(text)).toHaveLength(2)
    expect(parseCertificates(Buffer.from(text))).toHaveLength(2)
    expect(parseCertificates(other)).toHaveLength(1)
  })

  it.each<[string, string]>([
    ['nothing', ''],
    ['a key', pem(key.spki, 'PUBLIC KEY')],
    ['a certificate and a key', pem(der) + pem(key.spki, 'PUBLIC KEY')],
    ['an open block', '-----BEGIN CERTIFICATE-----\nAAAA\n'],
    ['two certificates where one is wanted', pem(other) + pem(other)],
    ['a damaged certificate', pem(der.subarray(1))],
  ])('refuses %s: MALFORMED_CERTIFICATE', (_, text) => {
    expect(() => parseCertificatePem(text)).toThrow(withCode('MALFORMED_CERTIFICATE'))
  })
})

describe('published certificates', () => {
  it.each(
    vectorCases('fulcio-cert')
      .filter(({ id }) => id.startsWith('ct/x509-invalid/'))
      .map((c) => [c.id, c] as const),
  )('refuses %s', (_, vector) => {
    const text = readVector(vectorInput(vector, 'cert'))
    expect(() => parseCertificates(text)).toThrow(withCode('MALFORMED_CERTIFICATE'))
  })

  const files = vectorCases('fulcio-cert')
    .filter(({ id }) => !id.startsWith('ct/'))
    .flatMap((c) => c.files)
    .filter((name) => /\.(?:pem|crt|der)$/.test(name) && !/key|pub/.test(name))
  it.each(files)('reads %s as node:crypto does', (name) => {
    const file = readVector(name)
    const text = file.toString('latin1')
    // one of the files is base64 around its PEM
    const bytes = text.startsWith('LS0tLS1') ? Buffer.from(text, 'base64') : file
    const [certificate] = parseCertificates(bytes)
    // OpenSSL does not read the indented ones
    const theirs = new X509Certificate(
      bytes[0] === 0x30 ? bytes : bytes.toString('latin1').replaceAll(/^ +/gm, ''),
    )
    expect(hex(certificate?.der ?? bytes)).toBe(theirs.raw.toString('hex'))
    expect(certificate?.notAfter).toEqual(new Date(theirs.validTo))
    expect(certificate?.publicKey.keyObject.equals(theirs.publicKey)).toBe(true)
  })

  it.skipIf(vectorPath('ct-go/testdata/test-cert.pem') === undefined)(
    'reads a certificate of 1024 bits and SHA-1 as a structure, and uses neither',
    () => {
      const [certificate] = parseCertificates(readVector('ct-go/testdata/test-cert.pem'))
      expect(() => certificate?.publicKey).toThrow(withCode('MALFORMED_KEY'))
      expect(readSignatureScheme(certificate?.signatureAlgorithm ?? seq())).toBeUndefined()
    },
  )
})
