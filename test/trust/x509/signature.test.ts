import { describe, expect, it } from 'vitest'
import { parsePublicKey } from '../../../trust/keys.ts'
import { parseCertificate } from '../../../trust/x509/certificate.ts'
import { contextTag, encodeElement } from '../../../trust/x509/der.ts'
import { readSignatureScheme, verifyCertificateSignature } from '../../../trust/x509/signature.ts'
import { certificateFields, signCertificate } from '../../support/test-certificates.ts'
import {
  algorithmIdentifier,
  integer,
  newKey,
  oid,
  pssParameters,
  seq,
  type TestAlgorithm,
} from '../../support/test-der.ts'

const withCode = (code: string): unknown => expect.objectContaining({ code })
const key = newKey()

describe('verifyCertificateSignature', () => {
  const signers = [newKey('p256'), newKey('p384'), newKey('p521'), newKey('rsa2048'), newKey('ed25519')]
  const algorithms: readonly TestAlgorithm[] = [
    'ecdsa-sha256',
    'ecdsa-sha384',
    'ecdsa-sha512',
    'rsa-sha256',
    'rsa-sha384',
    'rsa-sha512',
    'rsa-pss-sha256',
    'ed25519',
  ]

  it.each(algorithms)('accepts %s by the right key, and by no other', (algorithm) => {
    const fit = signers.filter(({ type }) =>
      algorithm.startsWith(type.startsWith('rsa') ? 'rsa' : type === 'ed25519' ? 'ed25519' : 'ecdsa'),
    )
    expect(fit.length).toBeGreaterThan(0)
    for (const signer of fit) {
      const fields = certificateFields(signer, { algorithm, extensions: undefined })
      const certificate = parseCertificate(signCertificate(signer, fields))
      for (const candidate of signers) {
        const verified = verifyCertificateSignature(certificate, parsePublicKey(candidate.spki))
        expect(verified).toBe(candidate === signer)
      }
      expect(verifyCertificateSignature(certificate, parsePublicKey(newKey(signer.type).spki))).toBe(false)
    }
  })

  it.each<[string, Uint8Array]>([
    ['ECDSA with SHA-1', algorithmIdentifier('ecdsa-sha1')],
    ['RSA with SHA-1', algorithmIdentifier('rsa-sha1')],
    ['RSA with MD5', seq(oid('1.2.840.113549.1.1.4'), Uint8Array.of(5, 0))],
    ['RSA with SHA-256 without NULL', seq(oid('1.2.840.113549.1.1.11'))],
    ['ECDSA with NULL', seq(oid('1.2.840.10045.4.3.2'), Uint8Array.of(5, 0))],
    ['Ed25519 with NULL', seq(oid('1.3.101.112'), Uint8Array.of(5, 0))],
    ['PSS without parameters', seq(oid('1.2.840.113549.1.1.10'))],
    ['PSS with SHA-1 by default', seq(oid('1.2.840.113549.1.1.10'), seq())],
    [
      'PSS with something after the parameters',
      seq(oid('1.2.840.113549.1.1.10'), pssParameters(), Uint8Array.of(5, 0)),
    ],
  ])('refuses %s: SIGNATURE_ALGORITHM', (_, identifier) => {
    const fields = { innerAlgorithm: identifier, outerAlgorithm: identifier, extensions: undefined }
    const certificate = parseCertificate(signCertificate(key, certificateFields(key, fields)))
    const attempt = (): boolean => verifyCertificateSignature(certificate, parsePublicKey(key.spki))
    expect(attempt).toThrow(withCode('SIGNATURE_ALGORITHM'))
  })

  it('reads the parameters of PSS', () => {
    const pss = (...parts: readonly Uint8Array[]): Uint8Array =>
      seq(oid('1.2.840.113549.1.1.10'), seq(...parts))
    const tagged = (n: number, content: Uint8Array): Uint8Array => encodeElement(contextTag(n), content)
    const sha = (n: number): Uint8Array => seq(oid(`2.16.840.1.101.3.4.2.${n}`))
    const mask = (n: number): Uint8Array => seq(oid('1.2.840.113549.1.1.8'), sha(n))
    const read = (...parts: readonly Uint8Array[]): unknown => readSignatureScheme(pss(...parts))
    expect(read(tagged(0, sha(2)), tagged(1, mask(2)), tagged(2, integer(48)))).toEqual({
      kind: 'rsa-pss',
      hash: 'sha384',
      saltLength: 48,
    })
    expect(read(tagged(0, sha(3)), tagged(1, mask(3)))).toMatchObject({ saltLength: 20 })
    expect(read(tagged(0, sha(1)), tagged(1, mask(2)), tagged(2, integer(32)))).toBeUndefined()
    expect(read(tagged(0, sha(1)))).toBeUndefined()
    expect(read(tagged(1, mask(1)))).toBeUndefined()
    expect(read(tagged(0, sha(4)), tagged(1, mask(4)))).toBeUndefined()
    expect(read(tagged(0, sha(1)), tagged(1, seq(oid('1.2.3'), sha(1))))).toBeUndefined()
    expect(
      read(tagged(0, sha(1)), tagged(1, mask(1)), tagged(2, integer(32)), tagged(3, integer(2))),
    ).toBeUndefined()
  })
})
