import { describe, expect, it } from 'vitest'
import type { CertificateAuthority } from '../../../trust/authority.ts'
import { checkCertificate, requireSigner } from '../../../trust/checks/certificate.ts'
import { parseCertificate, parseCertificates, type Certificate } from '../../../trust/x509/certificate.ts'
import { isAuthority } from '../../../trust/x509/extensions.ts'
import { linkAuthority } from '../../../trust/x509/path.ts'
import {
  basicConstraints,
  dnsName,
  EKU,
  emailName,
  extendedKeyUsage,
  extension,
  fulcioExtension,
  keyUsage,
  leafExtensions,
  newAuthority,
  newLeaf,
  NOT_AFTER,
  NOT_BEFORE,
  type LeafOptions,
  type TestAuthority,
} from '../../support/test-certificates.ts'
import { bits, commonName, newKey, oid, seq } from '../../support/test-der.ts'
import { readVector, vectorCases, vectorInput, vectorPath } from '../../support/vectors.ts'

const withCode = (code: string): unknown => expect.objectContaining({ code, check: 'certificate' })
const FOREVER = { start: new Date(0), end: undefined }
const root = newAuthority()
const intermediate = newAuthority({ parent: root, pathLength: 0, purposes: [EKU.codeSigning] })

function trusted(
  authority: TestAuthority,
  validFor: CertificateAuthority['validFor'] = FOREVER,
): CertificateAuthority {
  const chain = linkAuthority(
    authority.chain.map((der) => parseCertificate(der)),
    'codeSigning',
  )
  return { purpose: 'ca', name: 'example', uri: 'https://ca.example', operator: 'example', chain, validFor }
}
const authorities = [trusted(intermediate)]
const during = { at: new Date('2026-03-01T12:05:00Z'), source: 'timestamp' }
const first = { at: NOT_BEFORE, source: 'log-promise' }
const last = { at: NOT_AFTER, source: 'timestamp' }
const before = { at: new Date(NOT_BEFORE.getTime() - 1), source: 'timestamp' }
const after = { at: new Date(NOT_AFTER.getTime() + 1), source: 'timestamp' }

const leafOf = (options: LeafOptions = {}): Certificate =>
  parseCertificate(newLeaf(intermediate, options).certificate)
const check = (leaf: Certificate): unknown => checkCertificate(leaf, [], authorities, [during])

describe('checkCertificate', () => {
  it('gives identity, key, authority, issuer, and a path for each time', () => {
    const leaf = leafOf()
    const evidence = checkCertificate(leaf, [], authorities, [first, during, last])
    expect(evidence.identity.subject).toEqual({ kind: 'email', value: 'dev@example.com' })
    expect(evidence.identity.issuer).toBe('https://issuer.example')
    expect(evidence.key).toBe(leaf.publicKey)
    expect(evidence.authority).toBe('example')
    expect(evidence.paths.map(({ time }) => time)).toEqual([first, during, last])
    expect(evidence.paths.map(({ path }) => path.certificates.length)).toEqual([3, 3, 3])
    expect(evidence.issuer).toBe(authorities[0]?.chain[0])
    expect(evidence.issuerOfIssuer).toBe(authorities[0]?.chain[1])
  })

  it('has no issuer of the issuer where the anchor signs leaves', () => {
    const leaf = parseCertificate(newLeaf(root).certificate)
    expect(checkCertificate(leaf, [], [trusted(root)], [during]).issuerOfIssuer).toBeUndefined()
  })

  it('takes intermediates from outside below a listed anchor', () => {
    const untrusted = [parseCertificate(intermediate.certificate)]
    const evidence = checkCertificate(leafOf(), untrusted, [trusted(root)], [during])
    expect(evidence.paths[0].path.certificates).toHaveLength(3)
  })

  it.each([[[before]], [[after]], [[during, after]], [[after, during]], [[first, last, before]]])(
    'fails when one of the times is outside of the validity, whichever it is: CERT_TIME',
    ([time, ...more]) => {
      if (time === undefined) throw new TypeError('a case needs a time')
      expect(() => checkCertificate(leafOf(), [], authorities, [time, ...more])).toThrow(
        withCode('CERT_TIME'),
      )
    },
  )

  it('fails when the authority was trusted at one time and not at the other: CERT_AUTHORITY_WINDOW', () => {
    const until = [trusted(intermediate, { start: new Date(0), end: during.at })]
    expect(checkCertificate(leafOf(), [], until, [first, during]).paths).toHaveLength(2)
    expect(() => checkCertificate(leafOf(), [], until, [first, last])).toThrow(
      withCode('CERT_AUTHORITY_WINDOW'),
    )
    expect(() => checkCertificate(leafOf(), [], until, [last, first])).toThrow(
      withCode('CERT_AUTHORITY_WINDOW'),
    )
  })

  const key = newKey()
  const without = (index: number): Uint8Array[] =>
    leafExtensions(intermediate, key, [emailName('a@b.example')]).filter((_, i) => i !== index)
  const instead = (index: number, value: Uint8Array): Uint8Array[] =>
    leafExtensions(intermediate, key, [emailName('a@b.example')]).with(index, value)
  const smallOrder = seq(seq(oid('1.3.101.112')), bits(new Uint8Array(32)))

  it.each<[string, string, LeafOptions]>([
    ['CERT_IS_CA', 'an authority', { extensions: [...without(-1), basicConstraints(true)] }],
    ['CERT_KEY_USAGE', 'no key usage', { extensions: without(0) }],
    ['CERT_KEY_USAGE', 'another key usage', { extensions: instead(0, keyUsage('keyEncipherment')) }],
    ['CERT_EXTENDED_KEY_USAGE', 'no purpose', { extensions: without(1) }],
    [
      'CERT_EXTENDED_KEY_USAGE',
      'another purpose',
      { extensions: instead(1, extendedKeyUsage([EKU.timeStamping])) },
    ],
    ['CERT_EXTENDED_KEY_USAGE', 'any purpose', { extensions: instead(1, extendedKeyUsage([EKU.any])) }],
    ['CERT_SUBJECT_ALT_NAME', 'no name', { extensions: without(4) }],
    ['CERT_SUBJECT_ALT_NAME', 'two names', { names: [emailName('a@b.example'), emailName('c@d.example')] }],
    ['CERT_SUBJECT_ALT_NAME', 'a host name', { names: [dnsName('example.com')] }],
    [
      'CERT_ISSUER_CONFLICT',
      'two issuers',
      { extensions: instead(5, fulcioExtension(1, 'https://other.example')) },
    ],
    ['CERT_EXTENSION', 'an unreadable name', { names: [emailName('a\0b')] }],
    [
      'CERT_EXTENSION',
      'an unknown critical extension',
      { extensions: [...without(-1), extension('1.2.3', true, seq())] },
    ],
    ['CERT_SUBJECT', 'a subject', { fields: { subject: commonName('me') } }],
    ['CERT_MALFORMED', 'a key that cannot be used', { fields: { spki: smallOrder } }],
  ])('%s: %s', (code, _, options) => {
    expect(() => check(leafOf(options))).toThrow(withCode(code))
  })

  it('accepts CA:FALSE written as an empty sequence, and further purposes', () => {
    const extensions = [
      ...instead(1, extendedKeyUsage([EKU.serverAuth, EKU.codeSigning])),
      basicConstraints(false),
    ]
    expect(() => check(leafOf({ extensions }))).not.toThrow()
  })

  it('says nothing about the identity before the path holds', () => {
    const stranger = newAuthority({ name: 'stranger' })
    const leaf = parseCertificate(
      newLeaf(stranger, { names: [emailName('a@b'), emailName('c@d')] }).certificate,
    )
    expect(() => check(leaf)).toThrow(withCode('CERT_UNKNOWN_AUTHORITY'))
  })
})

describe('published certificates', () => {
  const roles = vectorCases('fulcio-cert').filter(({ id }) => id.startsWith('python/x509/'))

  it.each(roles.map((vector) => [vector.id, vector] as const))('%s', (id, vector) => {
    const [certificate] = parseCertificates(readVector(vectorInput(vector, 'cert')))
    if (certificate === undefined) throw new TypeError('no certificate')
    const name = id.slice('python/x509/bogus-'.length)
    if (name.startsWith('leaf')) {
      expect(isAuthority(certificate)).toBe(false)
      if (vector.expected.result === 'pass') expect(() => requireSigner(certificate)).not.toThrow()
      else expect(() => requireSigner(certificate)).toThrow(withCode('CERT_EXTENDED_KEY_USAGE'))
    } else {
      expect(() => requireSigner(certificate)).toThrow(withCode('CERT_IS_CA'))
      const link = (): unknown => linkAuthority([certificate], 'codeSigning')
      if (vector.expected.result === 'pass') expect(link).not.toThrow()
      else expect(link).toThrow(expect.objectContaining({ code: 'MALFORMED_TRUSTED_ROOT' }))
    }
  })

  const core = (name: string): Certificate => {
    const [certificate] = parseCertificates(readVector(`sigstore-js/fixtures-as-json/core.cert.${name}.pem`))
    if (certificate === undefined) throw new TypeError('no certificate')
    return certificate
  }

  it.skipIf(vectorPath('sigstore-js/fixtures-as-json') === undefined)(
    'walks the chain of another implementation',
    () => {
      const chain = linkAuthority([core('intermediate'), core('root')], 'codeSigning')
      const authority = { ...trusted(root), chain }
      const at = new Date('2026-01-01T00:00:00Z')
      // two names: a path, and no identity
      expect(() => checkCertificate(core('leaf'), [], [authority], [{ at }])).toThrow(
        withCode('CERT_SUBJECT_ALT_NAME'),
      )
      const failing =
        (name: string, ...untrusted: readonly Certificate[]): (() => unknown) =>
        () =>
          checkCertificate(core(name), untrusted, [authority], [{ at }])
      expect(failing('invalidleaf')).toThrow(withCode('CERT_UNKNOWN_AUTHORITY'))
      expect(failing('nokeyusage')).toThrow(withCode('CERT_KEY_USAGE'))
      expect(failing('nosan')).toThrow(withCode('CERT_SUBJECT'))
      expect(failing('poisoned')).toThrow(withCode('CERT_IS_CA'))
      expect(failing('deepleaf')).toThrow(withCode('CERT_UNKNOWN_AUTHORITY'))
      expect(failing('deepleaf', core('invalidint'))).toThrow(withCode('CERT_PATH_LENGTH'))
      const deep = (): unknown =>
        linkAuthority([core('invalidint'), core('intermediate'), core('root')], 'codeSigning')
      expect(deep).toThrow(/longer than an authority/)
    },
  )
})
