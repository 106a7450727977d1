import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { parseCertificate, parseCertificates, type Certificate } from '../../../trust/x509/certificate.ts'
import { contextTag, encodeElement, TAG } from '../../../trust/x509/der.ts'
import {
  FULCIO_EXTENSIONS,
  isAuthority,
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readExtendedKeyUsage,
  readIdentity,
  readKeyUsage,
  readSubjectAltNames,
  readSubjectKeyIdentifier,
  readTimestampList,
  requireUnderstood,
} from '../../../trust/x509/extensions.ts'
import {
  authorityKeyIdentifier,
  basicConstraints,
  certificateFields,
  dnsName,
  EKU,
  emailName,
  extendedKeyUsage,
  extension,
  fulcioExtension,
  keyUsage,
  otherName,
  rawTimestampList,
  signCertificate,
  subjectAltName,
  subjectKeyIdentifier,
  uriName,
} from '../../support/test-certificates.ts'
import { bits, integer, newKey, octets, oid, seq, utf8 } from '../../support/test-der.ts'
import { readVector, vectorPath } from '../../support/vectors.ts'

const withCode = (code: string): unknown => expect.objectContaining({ code })
const key = newKey()
const TRUE = Uint8Array.of(1, 1, 0xff)
const FALSE = Uint8Array.of(1, 1, 0)

function certificate(...extensions: readonly Uint8Array[]): Certificate {
  const fields = certificateFields(key, extensions.length === 0 ? {} : { extensions })
  return parseCertificate(signCertificate(key, fields))
}

const bitString = (...content: readonly number[]): Uint8Array =>
  encodeElement(TAG.bitString, Uint8Array.from(content))
const ia5 = (tag: number, bytes: Uint8Array): Uint8Array => encodeElement(contextTag(tag, false), bytes)

describe('extension readers', () => {
  it('give undefined for what is absent', () => {
    const bare = certificate()
    expect(readBasicConstraints(bare)).toBeUndefined()
    expect(readKeyUsage(bare)).toBeUndefined()
    expect(readExtendedKeyUsage(bare)).toBeUndefined()
    expect(readSubjectKeyIdentifier(bare)).toBeUndefined()
    expect(readAuthorityKeyIdentifier(bare)).toBeUndefined()
    expect(readSubjectAltNames(bare)).toBeUndefined()
    expect(readTimestampList(bare)).toBeUndefined()
    expect(isAuthority(bare)).toBe(false)
  })

  it('read what is there', () => {
    const full = certificate(
      basicConstraints(true, 2),
      keyUsage('keyCertSign', 'cRLSign'),
      extendedKeyUsage([EKU.codeSigning, EKU.any]),
      subjectKeyIdentifier(Uint8Array.of(1, 2)),
      authorityKeyIdentifier(Uint8Array.of(3, 4)),
      rawTimestampList(Uint8Array.of(5, 6)),
    )
    expect(readBasicConstraints(full)).toEqual({ ca: true, pathLength: 2 })
    expect(isAuthority(full)).toBe(true)
    expect(readKeyUsage(full)).toEqual({ digitalSignature: false, keyCertSign: true })
    expect(readExtendedKeyUsage(full)).toEqual([EKU.codeSigning, EKU.any])
    expect(readSubjectKeyIdentifier(full)).toEqual(Uint8Array.of(1, 2))
    expect(readAuthorityKeyIdentifier(full)).toEqual(Uint8Array.of(3, 4))
    expect(readTimestampList(full)).toEqual(Uint8Array.of(5, 6))
  })

  it('read the rarer forms', () => {
    expect(readBasicConstraints(certificate(basicConstraints(false)))).toEqual({
      ca: false,
      pathLength: undefined,
    })
    expect(readKeyUsage(certificate(keyUsage()))).toEqual({ digitalSignature: false, keyCertSign: false })
    const nineBits = extension('2.5.29.15', true, bitString(7, 0x80, 0x80))
    expect(readKeyUsage(certificate(nineBits))).toEqual({ digitalSignature: true, keyCertSign: false })
    const issuerAndSerial = seq(
      encodeElement(contextTag(1), seq()),
      encodeElement(contextTag(2, false), Uint8Array.of(7)),
    )
    expect(
      readAuthorityKeyIdentifier(certificate(extension('2.5.29.35', false, issuerAndSerial))),
    ).toBeUndefined()
  })

  const cases: readonly (readonly [string, string, Uint8Array, (c: Certificate) => unknown])[] = [
    ['basic constraints with FALSE', '2.5.29.19', seq(FALSE), readBasicConstraints],
    ['basic constraints with a negative length', '2.5.29.19', seq(TRUE, integer(0x80)), readBasicConstraints],
    ['basic constraints in the wrong order', '2.5.29.19', seq(integer(1), TRUE), readBasicConstraints],
    ['basic constraints with more', '2.5.29.19', seq(TRUE, integer(1), integer(1)), readBasicConstraints],
    [
      'basic constraints with bytes after them',
      '2.5.29.19',
      Buffer.concat([seq(), TRUE]),
      readBasicConstraints,
    ],
    ['basic constraints of another type', '2.5.29.19', TRUE, readBasicConstraints],
    ['an empty bit string', '2.5.29.15', bitString(), readKeyUsage],
    ['unused bits that are set', '2.5.29.15', bitString(7, 0xff), readKeyUsage],
    ['eight unused bits', '2.5.29.15', bitString(8, 0x80), readKeyUsage],
    ['unused bits of nothing', '2.5.29.15', bitString(1), readKeyUsage],
    ['key usage of three bytes', '2.5.29.15', bitString(0, 0x80, 0x80, 0x80), readKeyUsage],
    ['no purpose', '2.5.29.37', seq(), readExtendedKeyUsage],
    ['a purpose that is not an identifier', '2.5.29.37', seq(utf8('x')), readExtendedKeyUsage],
    ['a key identifier of another type', '2.5.29.14', bits(Uint8Array.of(1)), readSubjectKeyIdentifier],
    [
      'bytes after a key identifier',
      '2.5.29.14',
      Buffer.concat([octets(), octets()]),
      readSubjectKeyIdentifier,
    ],
    ['an authority key identifier with more', '2.5.29.35', seq(utf8('x')), readAuthorityKeyIdentifier],
    [
      'an authority key identifier twice',
      '2.5.29.35',
      seq(ia5(0, key.spki), ia5(0, key.spki)),
      readAuthorityKeyIdentifier,
    ],
    ['names that are not a sequence', '2.5.29.17', octets(), readSubjectAltNames],
    [
      'an e-mail name that is not ASCII',
      '2.5.29.17',
      seq(ia5(1, Buffer.from('é@example.com'))),
      readSubjectAltNames,
    ],
    ['an e-mail name with NUL', '2.5.29.17', seq(emailName('a@example.com\0.evil')), readSubjectAltNames],
    ['an empty e-mail name', '2.5.29.17', seq(emailName('')), readSubjectAltNames],
    ['a URI that is not ASCII', '2.5.29.17', seq(ia5(6, Uint8Array.of(0x68, 0xff))), readSubjectAltNames],
    ['a URI with NUL', '2.5.29.17', seq(uriName('https://a\0b')), readSubjectAltNames],
    ['an other name with NUL', '2.5.29.17', seq(otherName('a\0b')), readSubjectAltNames],
    [
      'an other name that is not UTF-8',
      '2.5.29.17',
      seq(
        encodeElement(
          contextTag(0),
          oid('1.3.6.1.4.1.57264.1.7'),
          encodeElement(contextTag(0), encodeElement(TAG.utf8String, Uint8Array.of(0xc3))),
        ),
      ),
      readSubjectAltNames,
    ],
    [
      'an other name of another string type',
      '2.5.29.17',
      seq(
        encodeElement(
          contextTag(0),
          oid('1.3.6.1.4.1.57264.1.7'),
          encodeElement(contextTag(0), encodeElement(TAG.ia5String, Buffer.from('a'))),
        ),
      ),
      readSubjectAltNames,
    ],
    [
      'an other name without a value',
      '2.5.29.17',
      seq(encodeElement(contextTag(0), oid('1.3.6.1.4.1.57264.1.7'))),
      readSubjectAltNames,
    ],
  ]
  it.each(cases)('refuse %s: CERT_EXTENSION', (_, id, value, reader) => {
    expect(() => reader(certificate(extension(id, false, value)))).toThrow(withCode('CERT_EXTENSION'))
  })

  it('say when the list of timestamps is no OCTET STRING: MALFORMED_DER', () => {
    const broken = certificate(extension('1.3.6.1.4.1.11129.2.4.2', false, seq()))
    expect(() => readTimestampList(broken)).toThrow(withCode('MALFORMED_DER'))
  })
})

describe('requireUnderstood', () => {
  const names = seq(encodeElement(contextTag(0), seq(dnsName('example.com'))))

  it('accepts critical extensions that are applied', () => {
    const all = certificate(
      basicConstraints(true),
      keyUsage('keyCertSign'),
      extendedKeyUsage([EKU.any], true),
    )
    expect(() => requireUnderstood(all, 'authority')).not.toThrow()
    expect(() => requireUnderstood(certificate(subjectAltName([emailName('a@b')])), 'leaf')).not.toThrow()
    expect(() => requireUnderstood(certificate(extension('1.2.3', false, seq())), 'leaf')).not.toThrow()
  })

  it.each<[string, 'leaf' | 'authority', Uint8Array]>([
    ['an unknown critical extension', 'leaf', extension('1.2.3', true, seq())],
    ['an unknown critical extension', 'authority', extension('1.2.3', true, seq())],
    [
      'the poison of a precertificate',
      'leaf',
      extension('1.3.6.1.4.1.11129.2.4.3', true, Uint8Array.of(5, 0)),
    ],
    ['critical certificate policies', 'authority', extension('2.5.29.32', true, seq())],
    ['critical alternative names', 'authority', subjectAltName([emailName('a@b')])],
    ['critical name constraints', 'authority', extension('2.5.29.30', true, names)],
    ['name constraints that are not critical', 'authority', extension('2.5.29.30', false, names)],
    ['a critical Fulcio extension', 'leaf', extension('1.3.6.1.4.1.57264.1.8', true, utf8('x'))],
  ])('refuses %s in a certificate of a %s: CERT_EXTENSION', (_, role, broken) => {
    expect(() => requireUnderstood(certificate(broken), role)).toThrow(withCode('CERT_EXTENSION'))
  })
})

describe('readIdentity', () => {
  const email = subjectAltName([emailName('dev@example.com')])

  it.each<[string, Uint8Array, { kind: string; value: string }]>([
    ['an e-mail address', emailName('dev@example.com'), { kind: 'email', value: 'dev@example.com' }],
    ['a URI', uriName('https://example.com/a?b#c'), { kind: 'uri', value: 'https://example.com/a?b#c' }],
    ['a user name', otherName('dév!example.com'), { kind: 'otherName', value: 'dév!example.com' }],
    [
      'control characters as they are',
      uriName('https://example.com/\u001b'),
      { kind: 'uri', value: 'https://example.com/\u001b' },
    ],
  ])('reads %s', (_, name, subject) => {
    expect(readIdentity(certificate(subjectAltName([name])))).toMatchObject({ subject, issuer: undefined })
  })

  it.each<[string, readonly Uint8Array[]]>([
    ['no names at all', [keyUsage('digitalSignature')]],
    ['an empty list', [subjectAltName([])]],
    ['two names', [subjectAltName([emailName('a@b'), uriName('https://a')])]],
    ['the same name twice', [subjectAltName([emailName('a@b'), emailName('a@b')])]],
    ['a host name', [subjectAltName([dnsName('example.com')])]],
    ['a user name of another authority', [subjectAltName([otherName('a', '1.2.3.4')])]],
    ['an IP address', [subjectAltName([encodeElement(contextTag(7, false), Uint8Array.of(1, 2, 3, 4))])]],
  ])('refuses %s: CERT_SUBJECT_ALT_NAME', (_, extensions) => {
    expect(() => readIdentity(certificate(...extensions))).toThrow(withCode('CERT_SUBJECT_ALT_NAME'))
  })

  it('reads all extensions of Fulcio by name', () => {
    const numbers = Object.keys(FULCIO_EXTENSIONS).map(Number)
    expect(numbers).toEqual([1, 2, 3, 4, 5, 6, ...Array.from({ length: 17 }, (_, i) => i + 8)])
    const all = numbers.map((n) =>
      fulcioExtension(n, n === 1 || n === 8 ? 'https://issuer.example' : `välue ${n}`),
    )
    const { issuer, extensions } = readIdentity(certificate(email, ...all))
    expect(issuer).toBe('https://issuer.example')
    expect(extensions.size).toBe(numbers.length - 1)
    for (const n of numbers.slice(1)) {
      const name = FULCIO_EXTENSIONS[n] ?? ''
      expect(extensions.get(name)).toBe(n === 8 ? 'https://issuer.example' : `välue ${n}`)
    }
  })

  it('takes the issuer from either spelling', () => {
    expect(readIdentity(certificate(email, fulcioExtension(1, 'https://a'))).issuer).toBe('https://a')
    expect(readIdentity(certificate(email, fulcioExtension(8, 'https://a'))).issuer).toBe('https://a')
  })

  it.each([
    ['https://a', 'https://b'],
    ['', 'https://b'],
    ['https://b/', 'https://b'],
  ])('refuses issuers %j and %j in one certificate: CERT_ISSUER_CONFLICT', (old, current) => {
    for (const pair of [
      [fulcioExtension(1, old), fulcioExtension(8, current)],
      [fulcioExtension(8, current), fulcioExtension(1, old)],
    ]) {
      expect(() => readIdentity(certificate(email, ...pair))).toThrow(withCode('CERT_ISSUER_CONFLICT'))
    }
  })

  const fulcio = (number: number, value: Uint8Array): Uint8Array =>
    extension(`1.3.6.1.4.1.57264.1.${number}`, false, value)
  it.each<[string, Uint8Array]>([
    ['bare text where a UTF8String is due', fulcio(8, Buffer.from('https://a'))],
    ['bytes after the string', fulcio(9, Buffer.concat([utf8('a'), Uint8Array.of(0)]))],
    ['another string type', fulcio(10, encodeElement(TAG.printableString, Buffer.from('a')))],
    ['text that is not UTF-8', fulcio(1, Uint8Array.of(0xff))],
    ['text with NUL', fulcio(2, Buffer.from('a\0b'))],
    [
      'a UTF8String that is not UTF-8',
      fulcio(24, encodeElement(TAG.utf8String, Uint8Array.of(0xed, 0xa0, 0x80))),
    ],
  ])('refuses a Fulcio extension with %s: CERT_EXTENSION', (_, broken) => {
    expect(() => readIdentity(certificate(email, broken))).toThrow(withCode('CERT_EXTENSION'))
  })

  it('leaves alone what it does not know', () => {
    const { extensions } = readIdentity(
      certificate(email, fulcio(7, Uint8Array.of(0xff)), fulcio(25, Uint8Array.of(0xff))),
    )
    expect(extensions.size).toBe(0)
  })
})

describe('published certificates', () => {
  const absent = vectorPath('sigstore-java/samples/certs') === undefined

  it.skipIf(absent)('names the signer of a real certificate for an e-mail address', () => {
    const [leaf] = parseCertificates(readVector('sigstore-java/samples/certs/cert-single.pem'))
    const identity = readIdentity(leaf ?? certificate())
    expect(identity.subject.kind).toBe('email')
    expect(identity.issuer).toMatch(/^https:\/\//)
  })

  it.skipIf(absent)('names the signer of a real certificate for a build', () => {
    const [leaf] = parseCertificates(readVector('sigstore-java/samples/certs/cert-githuboidc.pem'))
    const { subject, issuer, extensions } = readIdentity(leaf ?? certificate())
    expect(subject.kind).toBe('uri')
    expect(issuer).toBe('https://token.actions.githubusercontent.com')
    expect(extensions.get('githubWorkflowSHA')).toMatch(/^[0-9a-f]{40}$/)
    expect(extensions.get('githubWorkflowRepository')).toBe('sigstore/sigstore-java')
  })

  it.skipIf(absent)('refuses the precertificate: CERT_EXTENSION', () => {
    const [poisoned] = parseCertificates(readVector('sigstore-js/fixtures-as-json/core.cert.poisoned.pem'))
    expect(() => requireUnderstood(poisoned ?? certificate(), 'authority')).toThrow(
      withCode('CERT_EXTENSION'),
    )
  })
})
