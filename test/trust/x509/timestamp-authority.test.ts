import { describe, expect, it } from 'vitest'
import type { TimestampAuthority } from '../../../trust/authority.ts'
import {
  checkTimestamp,
  type TimestampEvidence,
  type UnknownAuthority,
} from '../../../trust/x509/timestamp-verification.ts'
import { encodeUtf8 } from '../../../trust/encoding.ts'
import { parseCertificate } from '../../../trust/x509/certificate.ts'
import { contextTag, encodeElement } from '../../../trust/x509/der.ts'
import {
  EKU,
  extendedKeyUsage,
  extension,
  keyIdentifierOf,
  keyUsage,
  newAuthority,
  newTimestampLeaf,
  subjectKeyIdentifier,
  type CertificateFields,
} from '../../support/test-certificates.ts'
import { newKey, seq } from '../../support/test-der.ts'
import {
  newTimestampAuthority,
  stamp,
  type StampOptions,
  type TestTimestampAuthority,
} from '../../support/test-timestamp.ts'

const SIGNATURE = encodeUtf8('the raw bytes of a signature')
const tsa = newTimestampAuthority()
const open = newTimestampAuthority({ name: 'open', listed: false })
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
const other = (by: TestTimestampAuthority, change: Partial<TimestampAuthority>): TimestampAuthority => ({
  ...by.authority,
  ...change,
})

function flipLast(signature: Uint8Array): Uint8Array {
  return Uint8Array.from(signature, (byte, i) => (i === signature.length - 1 ? byte ^ 1 : byte))
}

describe('several authorities', () => {
  const past = { start: new Date('2025-01-01T00:00:00Z'), end: new Date('2025-12-31T00:00:00Z') }
  const wrongKey = newTimestampLeaf(tsa.ca, {
    fields: { serial: parseCertificate(tsa.leaf.certificate).serial },
  })
  const imposter = other(tsa, { name: 'imposter', leaf: parseCertificate(wrongKey.certificate) })
  const closed = other(tsa, { name: 'closed', validFor: past })

  it('are all tried: one of them is enough', () => {
    for (const authorities of [
      [imposter, closed, tsa.authority],
      [tsa.authority, imposter],
      [open.authority, closed, tsa.authority],
    ]) {
      expect(check({}, tsa, authorities)).toMatchObject({
        known: true,
        authority: 'test timestamp authority',
      })
    }
  })

  it('fail with what came furthest, in any order and whatever is embedded: TIME_WINDOW', () => {
    const brings = { certificates: [tsa.leaf.certificate] }
    expect(() => check(brings, tsa, [closed, imposter])).toThrow(failing('TIME_WINDOW'))
    expect(() => check({}, tsa, [imposter, closed])).toThrow(failing('TIME_WINDOW'))
    expect(() => check({}, tsa, [closed, imposter])).toThrow(failing('TIME_WINDOW'))
  })

  it('leave alone what none of them signed, even where it is wrong', () => {
    expect(check({}, tsa, [])).toEqual(unknown)
    expect(
      check({ certificates: [tsa.leaf.certificate, tsa.ca.certificate] }, tsa, [
        newTimestampAuthority({ name: 'else' }).authority,
      ]),
    ).toEqual(unknown)
    expect(
      check({ signature: flipLast, info: { imprint: new Uint8Array(32) } }, tsa, [open.authority]),
    ).toEqual(unknown)
    const { issuer } = parseCertificate(tsa.leaf.certificate)
    const signerId = seq(seq(), encodeElement(2, Uint8Array.of(9)))
    expect(check({ signerId }, tsa)).toMatchObject({
      known: false,
      reason: "no known timestamp authority is certificate 09 of ''",
    })
    const broken = seq(encodeElement(0x31, Uint8Array.of(1)), encodeElement(0x31, issuer))
    expect(check({ signerId: seq(broken, encodeElement(2, Uint8Array.of(9))) }, tsa)).toMatchObject({
      known: false,
      reason: 'no known timestamp authority is certificate 09 of an issuer without a readable name',
    })
  })
})

describe('an authority whose signing certificate the trusted root does not list', () => {
  const brings = { certificates: [open.leaf.certificate] }

  it('is known by the certificate in the timestamp', () => {
    expect(check(brings, open)).toMatchObject({ known: true, authority: 'open' })
    expect(check({ certificates: [seq(), open.ca.certificate, open.leaf.certificate] }, open)).toEqual(known)
    const signerId = encodeElement(contextTag(0, false), keyIdentifierOf(open.leaf.key.spki))
    expect(check({ ...brings, signerId, signerVersion: 3 }, open)).toEqual(known)
  })

  it('is reached through certificates in the timestamp, which are never trusted', () => {
    const between = newAuthority({ name: 'between', parent: open.ca })
    const leaf = newTimestampLeaf(between)
    const by = { ...open, leaf }
    expect(check({ certificates: [between.certificate, leaf.certificate] }, by)).toEqual(known)
    expect(check({ certificates: [leaf.certificate] }, by)).toEqual(unknown)
    const self = newAuthority({ name: 'between' })
    const own = { ...open, leaf: newTimestampLeaf(self) }
    expect(
      check({ certificates: [own.leaf.certificate, self.certificate, open.ca.certificate] }, own),
    ).toEqual(unknown)
  })

  it('is not vouched for by what only bears its name: TIME_CERTIFICATE', () => {
    const bare: Partial<CertificateFields> = {
      extensions: [keyUsage('digitalSignature'), extendedKeyUsage([EKU.timeStamping], true)],
    }
    const pretender = newTimestampLeaf({ ...open.ca, key: newKey() }, { extensions: bare.extensions ?? [] })
    const by = { ...open, leaf: pretender }
    expect(() => check({ certificates: [pretender.certificate] }, by)).toThrow(failing('TIME_CERTIFICATE'))
    const unreadable = newTimestampLeaf(
      { ...open.ca, key: newKey() },
      { extensions: [...(bare.extensions ?? []), extension('2.5.29.35', false, seq(seq()))] },
    )
    expect(() => check({ certificates: [unreadable.certificate] }, { ...open, leaf: unreadable })).toThrow(
      failing('TIME_CERTIFICATE'),
    )
  })

  it('is found among certificates of one name, or by a key identifier that can be read', () => {
    const fields = { serial: parseCertificate(open.leaf.certificate).serial }
    const decoy = newTimestampLeaf({ ...open.ca, key: newKey() }, { fields })
    expect(check({ certificates: [decoy.certificate, open.leaf.certificate] }, open)).toEqual(known)
    const unreadable = newTimestampLeaf(open.ca, { extensions: [extension('2.5.29.14', false, seq())] })
    const signerId = encodeElement(contextTag(0, false), keyIdentifierOf(open.leaf.key.spki))
    const certificates = [unreadable.certificate, open.leaf.certificate]
    expect(check({ certificates, signerId, signerVersion: 3 }, open)).toEqual(known)
  })

  it('is not looked for through five intermediates: TIME_CERTIFICATE', () => {
    let authority = open.ca
    for (let i = 0; i < 5; i++) authority = newAuthority({ name: `step ${i}`, parent: authority })
    const leaf = newTimestampLeaf(authority)
    const certificates = [leaf.certificate, ...authority.chain]
    expect(() => check({ certificates }, { ...open, leaf })).toThrow(failing('TIME_CERTIFICATE'))
  })

  it('is another one where the key identifiers differ', () => {
    const twin = newAuthority({ name: 'open root' })
    const by = { ...open, leaf: newTimestampLeaf(twin) }
    expect(check({ certificates: [by.leaf.certificate, twin.certificate] }, by)).toEqual(unknown)
  })

  it('cannot be checked without the certificate: TIME_SIGNER', () => {
    expect(() => check({}, open)).toThrow(failing('TIME_SIGNER'))
    expect(() => check({ certificates: [seq()] }, open)).toThrow(failing('TIME_SIGNER'))
  })

  it('must be trusted at the time, and have signed: TIME_WINDOW, TIME_SIGNATURE', () => {
    const late = { start: new Date('2027-01-01T00:00:00Z'), end: undefined }
    expect(() => check(brings, open, [other(open, { validFor: late })])).toThrow(failing('TIME_WINDOW'))
    expect(() => check({ ...brings, signature: flipLast }, open)).toThrow(failing('TIME_SIGNATURE'))
  })
})

describe('a certificate that the trusted root does not list beside those that it lists', () => {
  const newer = { ...tsa, leaf: newTimestampLeaf(tsa.ca) }
  const brings = { certificates: [newer.leaf.certificate] }

  it('is unknown when its issuer did issue it', () => {
    expect(check(brings, newer)).toMatchObject({
      known: false,
      reason: expect.stringContaining('the trusted root lists others') as string,
    })
    expect(check({}, newer)).toEqual(unknown)
  })

  it('is a forgery when it did not: TIME_CERTIFICATE, TIME_SIGNATURE, TIME_IMPRINT', () => {
    const forged = {
      ...tsa,
      leaf: newTimestampLeaf(
        { ...tsa.ca, key: newKey() },
        { extensions: [subjectKeyIdentifier(Uint8Array.of(1)), extendedKeyUsage([EKU.timeStamping], true)] },
      ),
    }
    expect(() => check({ certificates: [forged.leaf.certificate] }, forged)).toThrow(
      failing('TIME_CERTIFICATE'),
    )
    expect(() => check({ ...brings, signature: flipLast }, newer)).toThrow(failing('TIME_SIGNATURE'))
    expect(() => check({ ...brings, info: { imprint: new Uint8Array(32) } }, newer)).toThrow(
      failing('TIME_IMPRINT'),
    )
  })
})
