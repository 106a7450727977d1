import { Buffer } from 'node:buffer'
import { hash, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { CertificateLog, Window } from '../../../trust/authority.ts'
import { checkScts, withoutTimestamps, type Issuers } from '../../../trust/checks/sct.ts'
import { parsePublicKey } from '../../../trust/keys.ts'
import { parseCertificate, type Certificate } from '../../../trust/x509/certificate.ts'
import {
  certificateFields,
  EKU,
  emailName,
  encodeTbs,
  extension,
  leafExtensions,
  newAuthority,
  newLeaf,
  NOT_BEFORE,
  rawTimestampList,
  signCertificate,
  signTimestamp,
  timestampList,
  type TestAuthority,
  type TimestampOptions,
} from '../../support/test-certificates.ts'
import { newKey, seq, type TestKey } from '../../support/test-der.ts'

const withCode = (code: string): unknown => expect.objectContaining({ code, check: 'sct' })
const FOREVER: Window = { start: new Date(0), end: undefined }
const authority = newAuthority()
const issuers: Issuers = { issuer: parseCertificate(authority.certificate), issuerOfIssuer: undefined }

function logOf(test: TestKey, more: Partial<CertificateLog> = {}): CertificateLog {
  const logId = hash('sha256', test.spki, 'hex')
  const key = parsePublicKey(test.spki)
  return {
    purpose: 'ctlog',
    baseUrl: `https://${logId.slice(0, 8)}.example`,
    operator: logId,
    logId,
    key,
    validFor: FOREVER,
    ...more,
  }
}
const leafWith = (...logs: readonly TimestampOptions[]): Certificate =>
  parseCertificate(newLeaf(authority, { logs }).certificate)

const [one, two, stranger] = [newKey(), newKey(), newKey()]
const logs = [logOf(one), logOf(two)]

describe('checkScts', () => {
  it('gives log, operator and time of each verified timestamp', () => {
    const at = new Date(NOT_BEFORE.getTime() + 123)
    const verified = checkScts(leafWith({ log: one, at }, { log: two }), issuers, logs, 2)
    expect(verified).toEqual([
      { log: logs[0]?.baseUrl, operator: logs[0]?.operator, at },
      { log: logs[1]?.baseUrl, operator: logs[1]?.operator, at: NOT_BEFORE },
    ])
  })

  it.each(['p256', 'p384', 'p521', 'rsa2048'] as const)('verifies a log with a key of type %s', (type) => {
    const log = newKey(type)
    expect(checkScts(leafWith({ log }), issuers, [logOf(log)], 1)).toHaveLength(1)
    expect(() => checkScts(leafWith({ log, algorithm: [4, 2] }), issuers, [logOf(log)], 1)).toThrow(
      withCode('SCT_SIGNATURE'),
    )
  })

  it('has extensions signed', () => {
    const extensions = Uint8Array.of(0, 0, 5, 1, 2, 3, 4, 5)
    const signed = leafWith({ log: one, extensions })
    expect(checkScts(signed, issuers, logs, 1)).toHaveLength(1)
    const changed = Buffer.from(signed.der)
    const at = changed.indexOf(Buffer.from(extensions))
    changed[at + 4] = 9
    expect(() => checkScts(parseCertificate(changed), issuers, logs, 1)).toThrow(withCode('SCT_SIGNATURE'))
  })

  it('removes the timestamps wherever they stand among the extensions, and whatever the lengths', () => {
    const key = newKey()
    for (const padding of [0, 20, 40, 60, 80, 100, 127, 128, 200, 255, 256, 300, 60_000]) {
      const base = [
        ...leafExtensions(authority, key, [emailName('a@b')]),
        extension('1.2.3', false, randomBytes(padding)),
      ]
      for (const timestampAt of [0, 3, base.length]) {
        const options = { key, extensions: base, logs: [{ log: one }], timestampAt }
        const leaf = parseCertificate(newLeaf(authority, options).certificate)
        expect(checkScts(leaf, issuers, logs, 1)).toHaveLength(1)
      }
    }
  })

  it('gives the very bytes of the certificate without that extension', () => {
    const key = newKey()
    const fields = certificateFields(authority.key, { issuer: authority.name, spki: key.spki })
    const others = [extension('1.2.3', false, seq()), extension('1.2.4', true, seq())]
    for (let at = 0; at <= 2; at++) {
      const list = others.toSpliced(at, 0, timestampList([signTimestamp({ log: one }, key.spki, seq())]))
      const certificate = parseCertificate(signCertificate(authority.key, { ...fields, extensions: list }))
      expect(Buffer.from(withoutTimestamps(certificate))).toEqual(
        Buffer.from(encodeTbs({ ...fields, extensions: others })),
      )
    }
    expect(() => withoutTimestamps(parseCertificate(newLeaf(authority).certificate))).toThrow(TypeError)
  })

  it('skips unknown logs, before and after known ones', () => {
    expect(checkScts(leafWith({ log: stranger }, { log: one }), issuers, logs, 1)).toHaveLength(1)
    expect(checkScts(leafWith({ log: one }, { log: stranger }), issuers, logs, 1)).toHaveLength(1)
    expect(checkScts(leafWith({ log: stranger }), issuers, logs, 0)).toEqual([])
  })

  it('refuses a certificate without timestamps where one is wanted: SCT_MISSING', () => {
    const bare = parseCertificate(newLeaf(authority).certificate)
    expect(() => checkScts(bare, issuers, logs, 1)).toThrow(withCode('SCT_MISSING'))
    expect(checkScts(bare, issuers, logs, 0)).toEqual([])
  })

  it('counts operators, not timestamps or logs: SCT_THRESHOLD', () => {
    const both = leafWith({ log: one }, { log: two })
    const oneOperator = logs.map((log) => ({ ...log, operator: 'example' }))
    expect(checkScts(both, issuers, oneOperator, 1)).toHaveLength(2)
    expect(() => checkScts(both, issuers, oneOperator, 2)).toThrow(withCode('SCT_THRESHOLD'))
    const twice = leafWith({ log: one }, { log: one, at: new Date(NOT_BEFORE.getTime() + 1) })
    expect(() => checkScts(twice, issuers, logs, 2)).toThrow(withCode('SCT_THRESHOLD'))
    expect(() => checkScts(leafWith({ log: stranger }), issuers, logs, 1)).toThrow(withCode('SCT_THRESHOLD'))
    expect(() => checkScts(both, issuers, [], 1)).toThrow(withCode('SCT_THRESHOLD'))
  })

  const bad = { log: stranger, logId: hash('sha256', one.spki, 'buffer') }
  it.each<[string, () => Certificate, Issuers]>([
    ['another key under the identity of a known log', () => leafWith(bad), issuers],
    ['a bad one after a good one', () => leafWith({ log: one }, bad), issuers],
    ['a bad one before a good one', () => leafWith(bad, { log: two }), issuers],
    [
      'a certificate of another issuer',
      () => leafWith({ log: one }),
      { ...issuers, issuer: parseCertificate(newAuthority().certificate) },
    ],
    ['another hash', () => leafWith({ log: one, algorithm: [5, 3] }), issuers],
    ['the algorithm of another kind of key', () => leafWith({ log: one, algorithm: [4, 1] }), issuers],
  ])('refuses %s, whatever the threshold: SCT_SIGNATURE', (_, leaf, from) => {
    for (const threshold of [0, 1]) {
      expect(() => checkScts(leaf(), from, logs, threshold)).toThrow(withCode('SCT_SIGNATURE'))
    }
  })

  it('refuses logs with keys that certificate transparency has no name for: SCT_SIGNATURE', () => {
    const key = newKey('ed25519')
    const impostor = logOf(one, { key: parsePublicKey(key.spki) })
    expect(() => checkScts(leafWith({ log: one }), issuers, [impostor], 1)).toThrow(withCode('SCT_SIGNATURE'))
  })

  it('refuses a timestamp over the certificate of somebody else: SCT_SIGNATURE', () => {
    const key = newKey()
    const extensions = leafExtensions(authority, key, [emailName('a@b')])
    const fields = certificateFields(authority.key, { issuer: authority.name, spki: key.spki, extensions })
    const sct = signTimestamp(
      { log: one },
      authority.key.spki,
      encodeTbs({ ...fields, serial: Uint8Array.of(1) }),
    )
    const certificate = signCertificate(authority.key, {
      ...fields,
      extensions: [...extensions, timestampList([sct])],
    })
    expect(() => checkScts(parseCertificate(certificate), issuers, logs, 1)).toThrow(
      withCode('SCT_SIGNATURE'),
    )
  })

  it('includes both ends of the time for which a log is trusted, to the millisecond: SCT_WINDOW', () => {
    const at = new Date(NOT_BEFORE.getTime() + 500)
    const leaf = leafWith({ log: one, at })
    const within = (start: number, end: number): unknown => {
      const validFor = { start: new Date(at.getTime() + start), end: new Date(at.getTime() + end) }
      return checkScts(leaf, issuers, [logOf(one, { validFor })], 0)
    }
    expect(within(0, 0)).toHaveLength(1)
    expect(() => within(1, 2)).toThrow(withCode('SCT_WINDOW'))
    expect(() => within(-2, -1)).toThrow(withCode('SCT_WINDOW'))
  })

  it('accepts a key that is listed twice when one of the windows holds', () => {
    const past = logOf(one, { validFor: { start: new Date(0), end: new Date(1) } })
    const present = logOf(one, { operator: 'present' })
    expect(checkScts(leafWith({ log: one }), issuers, [past, present], 1)[0]?.operator).toBe('present')
    expect(() => checkScts(leafWith({ log: one }), issuers, [past, past], 1)).toThrow(withCode('SCT_WINDOW'))
  })

  it('refuses a time beyond all dates: SCT_WINDOW', () => {
    const never = { getTime: () => 8_640_000_000_000_001 } as unknown as Date
    expect(() => checkScts(leafWith({ log: one, at: never }), issuers, logs, 0)).toThrow(
      withCode('SCT_WINDOW'),
    )
  })

  describe('with an issuer that exists to sign precertificates', () => {
    const signer = newAuthority({
      parent: authority,
      name: 'signer',
      purposes: [EKU.codeSigning, EKU.precertificateSigning],
    })
    const issuer = parseCertificate(signer.certificate)
    const key = newKey()
    const made = (by: TestAuthority): Certificate => {
      const extensions = leafExtensions(signer, key, [emailName('a@b')])
      const fields = certificateFields(signer.key, { issuer: signer.name, spki: key.spki, extensions })
      const list = timestampList([signTimestamp({ log: one }, by.key.spki, encodeTbs(fields))])
      return parseCertificate(signCertificate(signer.key, { ...fields, extensions: [...extensions, list] }))
    }

    it('takes the key of its own issuer', () => {
      const from = { issuer, issuerOfIssuer: issuers.issuer }
      expect(checkScts(made(authority), from, logs, 1)).toHaveLength(1)
      expect(() => checkScts(made(signer), from, logs, 1)).toThrow(withCode('SCT_SIGNATURE'))
      expect(() => checkScts(made(signer), { issuer, issuerOfIssuer: undefined }, logs, 1)).toThrow(
        withCode('SCT_SIGNATURE'),
      )
    })
  })
})

describe('the encoding of the list: SCT_MALFORMED', () => {
  const valid = signTimestamp({ log: one }, authority.key.spki, seq())
  const u16 = (n: number): Uint8Array => Uint8Array.of(n >> 8, n & 0xff)
  const item = (bytes: Uint8Array): Uint8Array => Buffer.concat([u16(bytes.length), bytes])
  const list = (...items: readonly Uint8Array[]): Uint8Array => item(Buffer.concat(items))
  const cert = (value: Uint8Array): Certificate => {
    const extensions = [...leafExtensions(authority, newKey(), [emailName('a@b')]), value]
    const fields = certificateFields(authority.key, { issuer: authority.name, extensions })
    return parseCertificate(signCertificate(authority.key, fields))
  }
  const changed = (at: number, value: number): Uint8Array => Uint8Array.from(valid).with(at, value)

  it('is read to the last byte where it is right', () => {
    expect(checkScts(cert(rawTimestampList(list(item(valid)))), issuers, [], 0)).toEqual([])
    expect(
      checkScts(
        cert(rawTimestampList(list(...Array.from({ length: 16 }, () => item(valid))))),
        issuers,
        [],
        0,
      ),
    ).toEqual([])
  })

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['an empty list', list()],
    ['an empty timestamp', list(item(new Uint8Array(0)))],
    ['a byte after the list', Buffer.concat([list(item(valid)), Uint8Array.of(0)])],
    ['a list that is longer than its bytes', Buffer.concat([u16(valid.length + 3), item(valid)])],
    ['a list that is shorter than its bytes', Buffer.concat([u16(valid.length + 1), item(valid)])],
    ['half a length after the last timestamp', list(item(valid), Uint8Array.of(0))],
    ['a timestamp that is longer than the list', list(u16(valid.length + 1), valid)],
    ['a byte inside a timestamp after its signature', list(item(Buffer.concat([valid, Uint8Array.of(0)])))],
    ['a timestamp that is cut short', list(item(valid.subarray(0, -1)))],
    ['a timestamp without a signature', list(item(valid.subarray(0, 45)))],
    ['another version', list(item(changed(0, 1)))],
    ['extensions that are longer than the timestamp', list(item(changed(41, 0xff)))],
    ['a signature that is longer than the timestamp', list(item(changed(45, 0xff)))],
    ['seventeen timestamps', list(...Array.from({ length: 17 }, () => item(valid)))],
  ])('%s', (_, bytes) => {
    const certificate = cert(rawTimestampList(bytes))
    for (const threshold of [0, 1]) {
      expect(() => checkScts(certificate, issuers, logs, threshold)).toThrow(withCode('SCT_MALFORMED'))
    }
  })

  it('is an OCTET STRING inside of the extension', () => {
    const certificate = cert(extension('1.3.6.1.4.1.11129.2.4.2', false, list(item(valid))))
    expect(() => checkScts(certificate, issuers, logs, 1)).toThrow(withCode('SCT_MALFORMED'))
  })
})
