import { Buffer } from 'node:buffer'
import { hash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../../trust/encoding.ts'
import { contextTag, encodeElement, TAG } from '../../../trust/x509/der.ts'
import { parseTimestampResponse, type TimestampResponse } from '../../../trust/x509/timestamp.ts'
import { extension } from '../../support/test-certificates.ts'
import { bits, integer, newKey, octets, oid, pssParameters, seq, utf8 } from '../../support/test-der.ts'
import {
  attribute,
  contentTypeAttribute,
  digestIdentifier,
  encodeInfo,
  messageDigestAttribute,
  newTimestampAuthority,
  signingCertificate,
  signingCertificateV2,
  signingCertificateV2Value,
  stamp,
  type InfoFields,
  type StampOptions,
} from '../../support/test-timestamp.ts'
import { readVector, vectorCases } from '../../support/vectors.ts'

const MESSAGE = encodeUtf8('a signature')
const { leaf, ca } = newTimestampAuthority()
const NULL = Uint8Array.of(5, 0)
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47'

const parse = (options: StampOptions = {}): TimestampResponse =>
  parseTimestampResponse(stamp(leaf, MESSAGE, options))
const withInfo = (info: Partial<InfoFields>): TimestampResponse => parse({ info })
const malformed: unknown = expect.objectContaining({ name: 'MalformedError', code: 'TIME_MALFORMED' })
const refused: unknown = expect.objectContaining({ name: 'CheckFailed', check: 'time', code: 'TIME_STATUS' })
const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex')

describe('a timestamp', () => {
  it('says what was stamped, when and by whom', () => {
    const { info, content, signer, certificates } = parse()
    expect(info).toMatchObject({
      policy: '1.3.6.1.4.1.57264.2',
      accuracy: 1_000_000,
      ordering: false,
      nonce: undefined,
    })
    expect(info.imprint.algorithm).toBe('sha256')
    expect(hex(info.imprint.bytes)).toBe(hash('sha256', MESSAGE))
    expect(info.earliest.toISOString()).toBe('2026-03-01T12:05:00.000Z')
    expect(hex(info.serial)).toBe('2a07')
    expect(hex(content)).toBe(hex(encodeInfo(MESSAGE)))
    expect(signer).toMatchObject({ digestAlgorithm: 'sha256', scheme: { kind: 'ecdsa', hash: 'sha256' } })
    expect(hex(signer.messageDigest)).toBe(hash('sha256', content))
    expect(signer.signedAttributes[0]).toBe(TAG.set)
    expect(certificates).toEqual([])
  })

  it.each(['sha256', 'sha384', 'sha512'] as const)('may use %s in every place', (digest) => {
    const { info, signer } = parse({
      digest,
      digestIdentifier: digestIdentifier(digest, true),
      announced: [digestIdentifier(digest, true)],
      attributes: [signingCertificateV2(leaf.certificate, digest)],
      info: { imprintAlgorithm: digest },
    })
    expect(info.imprint.algorithm).toBe(digest)
    expect(signer.digestAlgorithm).toBe(digest)
    const [certificateHash] = signer.certificateHashes
    expect([certificateHash?.algorithm, hex(certificateHash?.hash)]).toEqual([
      digest,
      hash(digest, leaf.certificate),
    ])
  })

  it('may be granted with modifications, and with words', () => {
    expect(parse({ status: 1, texts: ['ça va', 'ok'] }).info.policy).toBe('1.3.6.1.4.1.57264.2')
  })

  it.each([2, 3, 4, 5, 6, 127])('with status %i was refused: TIME_STATUS', (status) => {
    expect(() => parse({ status, texts: ['no clock'], hasToken: false })).toThrow(refused)
    expect(() => parse({ status })).toThrow(refused)
  })

  it('says why it was refused', () => {
    const response = stamp(leaf, MESSAGE, { status: 2, texts: ['no clock'], hasToken: false })
    expect(() => parseTimestampResponse(response)).toThrow(
      expect.objectContaining({ got: 'rejection (2): no clock' }),
    )
  })

  it('is not granted and a failure at once: TIME_STATUS', () => {
    expect(() => parse({ failInfo: bits(Uint8Array.of(0x80)) })).toThrow(refused)
  })

  it.each([
    ['20260301120500Z', '2026-03-01T12:05:00.000Z', 0],
    ['20260301120500.5Z', '2026-03-01T12:05:00.500Z', 0],
    ['20260301120500.057Z', '2026-03-01T12:05:00.057Z', 0],
    ['20260301120500.0005Z', '2026-03-01T12:05:00.000Z', 1],
    ['20260301120500.999999999Z', '2026-03-01T12:05:00.999Z', 1],
    ['20261231235959.9991Z', '2026-12-31T23:59:59.999Z', 1],
  ])('at %s lies in the millisecond after %s', (genTime, earliest, difference) => {
    const { info } = withInfo({ genTime })
    expect(info.earliest.toISOString()).toBe(earliest)
    expect(info.latest.getTime() - info.earliest.getTime()).toBe(difference)
  })

  it('may have a negative serial number, a nonce and an accuracy of all parts', () => {
    const accuracy = seq(
      integer(2),
      encodeElement(contextTag(0, false), Uint8Array.of(1, 0xf4)),
      encodeElement(contextTag(1, false), Uint8Array.of(7)),
    )
    const { info } = withInfo({
      serial: Uint8Array.of(0xde, 0xad),
      nonce: Uint8Array.of(0x80, 1),
      ordering: true,
      accuracy,
      tsa: encodeElement(
        contextTag(0),
        encodeElement(contextTag(6, false), encodeUtf8('https://timestamp.example')),
      ),
      extensions: encodeElement(contextTag(1), extension('1.2.3', false, octets())),
    })
    expect([hex(info.serial), hex(info.nonce), info.accuracy, info.ordering]).toEqual([
      'dead',
      '8001',
      2_500_007,
      true,
    ])
  })

  it('may say that it is not ordered, and nothing about its accuracy', () => {
    expect(withInfo({ ordering: false, accuracy: undefined }).info).toMatchObject({
      ordering: false,
      accuracy: undefined,
    })
  })

  it.each<[string, Partial<InfoFields>]>([
    ['another version', { version: 2 }],
    ['a SHA-1 imprint', { imprintAlgorithm: 'sha1' }],
    ['an imprint of another length', { imprint: hash('sha512', MESSAGE, 'buffer') }],
    ['an empty imprint', { imprint: new Uint8Array() }],
    ['a time without seconds', { genTime: '202603011205Z' }],
    ['a local time', { genTime: '20260301120500' }],
    ['a time with an offset', { genTime: '20260301120500+0100' }],
    ['a time that does not exist', { genTime: '20260230120500Z' }],
    ['a fraction of nothing', { genTime: '20260301120500.Z' }],
    ['a fraction with a trailing zero', { genTime: '20260301120500.50Z' }],
    [
      'an accuracy of 1000 milliseconds',
      { accuracy: seq(encodeElement(contextTag(0, false), Uint8Array.of(3, 0xe8))) },
    ],
    ['an accuracy with more in it', { accuracy: seq(integer(1), octets()) }],
    [
      'a critical extension',
      { extensions: encodeElement(contextTag(1), extension('1.2.3', true, octets())) },
    ],
    ['an extension that is none', { extensions: encodeElement(contextTag(1), octets()) }],
    ['a name of the authority that is two', { tsa: encodeElement(contextTag(0), octets(), octets()) }],
    ['a serial number that is not minimal', { serial: Uint8Array.of(0, 1) }],
    ['an empty serial number', { serial: new Uint8Array() }],
  ])('with %s is refused: TIME_MALFORMED', (_, info) => {
    expect(() => withInfo(info)).toThrow(malformed)
  })
})

describe('the envelope of a timestamp', () => {
  it('takes the version that is right and the one that is met', () => {
    expect(parse({ version: 3 }).certificates).toEqual(parse({ version: 1 }).certificates)
  })

  it('brings certificates and lists along, in order, unread', () => {
    const certificates = [ca.certificate, leaf.certificate, seq(octets())]
    const response = parse({ certificates, revocationLists: [seq()], unsignedAttributes: [octets()] })
    expect(response.certificates.map(hex)).toEqual(certificates.map(hex))
    expect(parse({ certificates: [] }).certificates).toEqual([])
    expect(parse({ certificates: Array.from({ length: 16 }, () => seq()) }).certificates).toHaveLength(16)
  })

  it('takes a signer that is named by its key', () => {
    const signerId = encodeElement(contextTag(0, false), Uint8Array.of(1, 2, 3))
    expect(parse({ signerId, signerVersion: 3 }).signer.id).toEqual({
      kind: 'key-id',
      keyId: Uint8Array.of(1, 2, 3),
    })
  })

  it('takes no announcement of digest algorithms, or several', () => {
    expect(parse({ announced: [] }).signer.digestAlgorithm).toBe('sha256')
    const announced = [digestIdentifier('sha1'), digestIdentifier('sha256', true)]
    expect(parse({ announced }).signer.digestAlgorithm).toBe('sha256')
  })

  const rsa = newTimestampAuthority({ leaf: { key: newKey('rsa2048') } }).leaf
  it.each<[string, StampOptions, unknown]>([
    ['sha384WithRSAEncryption', { algorithm: 'rsa-sha384' }, { kind: 'rsa-pkcs1', hash: 'sha384' }],
    [
      'rsaEncryption and the digest of the signer',
      {
        digest: 'sha512',
        algorithm: 'rsa-sha512',
        algorithmIdentifier: seq(oid('1.2.840.113549.1.1.1'), NULL),
      },
      { kind: 'rsa-pkcs1', hash: 'sha512' },
    ],
    ['RSASSA-PSS', { algorithm: 'rsa-pss-sha256' }, { kind: 'rsa-pss', hash: 'sha256', saltLength: 32 }],
  ])('takes %s', (_, options, scheme) => {
    expect(parseTimestampResponse(stamp(rsa, MESSAGE, options)).signer.scheme).toEqual(scheme)
  })

  it('takes the name of the key for that of the signature', () => {
    const algorithmIdentifier = seq(oid('1.2.840.10045.2.1'), NULL)
    expect(parse({ digest: 'sha384', algorithmIdentifier }).signer.scheme).toEqual({
      kind: 'ecdsa',
      hash: 'sha384',
    })
  })

  it('reads the hashes of the signing certificate in every version', () => {
    const wrapped = attribute(SIGNING_CERTIFICATE_V2, octets(signingCertificateV2Value(leaf.certificate)))
    const hashes = (...attributes: Uint8Array[]): unknown =>
      parse({ attributes }).signer.certificateHashes.map(({ algorithm, hash: value }) => [
        algorithm,
        hex(value),
      ])
    const sha1 = ['sha1', hash('sha1', leaf.certificate)]
    const sha256 = ['sha256', hash('sha256', leaf.certificate)]
    expect(hashes()).toEqual([])
    expect(hashes(signingCertificate(leaf.certificate))).toEqual([sha1])
    expect(hashes(signingCertificateV2(leaf.certificate), signingCertificate(leaf.certificate))).toEqual([
      sha1,
      sha256,
    ])
    expect(hashes(wrapped)).toEqual([sha256])
  })

  const digestAttribute = messageDigestAttribute(hash('sha256', encodeInfo(MESSAGE), 'buffer'))
  const v2 = (value: Uint8Array): StampOptions => ({ attributes: [attribute(SIGNING_CERTIFICATE_V2, value)] })
  it.each<[string, StampOptions]>([
    ['no token', { hasToken: false }],
    ['content that is not signed data', { type: '1.2.840.113549.1.7.3' }],
    ['another version', { version: 2 }],
    ['another type of content', { contentType: '1.2.840.113549.1.7.1' }],
    [
      'another signed type',
      { allAttributes: [contentTypeAttribute('1.2.840.113549.1.7.1'), digestAttribute] },
    ],
    ['no signer', { signers: 0 }],
    ['two signers', { signers: 2 }],
    ['a signer of another version', { signerVersion: 3 }],
    [
      'a signer named by key, of another version',
      { signerId: encodeElement(contextTag(0, false), octets()) },
    ],
    ['a signer named in another way', { signerId: octets() }],
    ['17 certificates', { certificates: Array.from({ length: 17 }, () => leaf.certificate) }],
    ['an attribute certificate', { certificates: [encodeElement(contextTag(2), octets())] }],
    ['a signer with SHA-1', { digestIdentifier: digestIdentifier('sha1') }],
    [
      'parameters of the digest algorithm',
      { digestIdentifier: seq(oid('2.16.840.1.101.3.4.2.1'), octets()) },
    ],
    ['NULL with content', { digestIdentifier: seq(oid('2.16.840.1.101.3.4.2.1'), Uint8Array.of(5, 1, 0)) }],
    ['the digest algorithm of another signer', { announced: [digestIdentifier('sha512')] }],
    ['an announcement that is no algorithm', { announced: [octets()] }],
    ['ecdsa-with-SHA1', { algorithmIdentifier: seq(oid('1.2.840.10045.4.1')) }],
    ['an unknown signature algorithm', { algorithmIdentifier: seq(oid('1.2.3.4')) }],
    ['rsaEncryption with parameters', { algorithmIdentifier: seq(oid('1.2.840.113549.1.1.1'), octets()) }],
    ['RSASSA-PSS without parameters', { algorithmIdentifier: seq(oid('1.2.840.113549.1.1.10')) }],
    [
      'RSASSA-PSS with the defaults, which are SHA-1',
      { algorithmIdentifier: seq(oid('1.2.840.113549.1.1.10'), seq()) },
    ],
    [
      'RSASSA-PSS and more',
      { algorithmIdentifier: seq(oid('1.2.840.113549.1.1.10'), pssParameters(), NULL) },
    ],
    ['no signed attributes', { allAttributes: 'none' }],
    ['empty signed attributes', { allAttributes: [] }],
    ['no content type', { allAttributes: [digestAttribute] }],
    ['no digest of the content', { allAttributes: [contentTypeAttribute()] }],
    [
      'a digest that is not bytes',
      { allAttributes: [contentTypeAttribute(), attribute('1.2.840.113549.1.9.4', integer(1))] },
    ],
    [
      'a digest of another length',
      { allAttributes: [contentTypeAttribute(), messageDigestAttribute(new Uint8Array(48))] },
    ],
    ['an attribute that stands twice', { attributes: [contentTypeAttribute()] }],
    ['an attribute without a value', { attributes: [attribute('1.2.3')] }],
    ['an attribute with two values', { attributes: [attribute('1.2.3', octets(), octets())] }],
    ['an attribute that is none', { attributes: [octets()] }],
    ['a certificate hash of nothing', v2(seq(seq()))],
    ['a certificate hash that is a text', v2(utf8('x'))],
    ['a certificate hash of another length', v2(seq(seq(seq(octets(new Uint8Array(20))))))],
    [
      'a certificate hash by SHA-1, in the second version',
      v2(seq(seq(seq(digestIdentifier('sha1'), octets(new Uint8Array(20)))))),
    ],
  ])('with %s is refused: TIME_MALFORMED', (_, options) => {
    expect(() => parse(options)).toThrow(malformed)
  })

  it('is DER to the last byte, of at most 64 KiB: TIME_MALFORMED', () => {
    const good = stamp(leaf, MESSAGE)
    const bad = [
      new Uint8Array(),
      Buffer.concat([good, Uint8Array.of(0)]),
      good.subarray(0, -1),
      Buffer.concat([Uint8Array.of(0x30, 0x80), good.subarray(4), Uint8Array.of(0, 0)]),
      stamp(leaf, MESSAGE, { certificates: [seq(octets(new Uint8Array(65_536)))] }),
    ]
    for (const der of bad) expect(() => parseTimestampResponse(der)).toThrow(malformed)
    expect(parse({ certificates: [seq(octets(new Uint8Array(64_000)))] }).certificates).toHaveLength(1)
  })

  it('of which any end is cut off is refused: TIME_MALFORMED', () => {
    const good = stamp(leaf, MESSAGE, { certificates: [leaf.certificate] })
    for (let length = 0; length < good.length; length++) {
      expect(() => parseTimestampResponse(good.subarray(0, length))).toThrow(malformed)
    }
  })
})

describe('published timestamps', () => {
  const tokens = vectorCases('timestamp').flatMap(({ files }) =>
    files.filter((file) => file.endsWith('.tsr')),
  )
  const broken: Readonly<Record<string, string>> = {
    'sigstore-js/rfc3161/token-1.tsr': 'the token is not signed data',
    'sigstore-js/rfc3161/token-2.tsr': 'the signed content is not a timestamp',
  }

  it.runIf(tokens.length > 0)('are there', () => {
    expect(tokens.length).toBeGreaterThan(7)
  })

  it.each(tokens.filter((file) => file in broken))('%s is refused', (file) => {
    expect(() => parseTimestampResponse(readVector(file))).toThrow(malformed)
    expect(() => parseTimestampResponse(readVector(file))).toThrow(broken[file])
  })

  it.each(tokens.filter((file) => !(file in broken)))('%s is read', (file) => {
    const { info, signer } = parseTimestampResponse(readVector(file))
    expect(info.earliest.getTime()).toBeGreaterThan(Date.UTC(2021))
    expect(info.imprint.algorithm).toBe('sha256')
    expect(signer.certificateHashes).toHaveLength(1)
  })
})
