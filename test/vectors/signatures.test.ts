import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { checkSignature } from '../../trust/checks/signature.ts'
import { contentOfDigest } from '../../trust/content.ts'
import { digestOf } from '../../trust/digest.ts'
import { parsePublicKeyPem, schemesFor, type PublicKey } from '../../trust/keys.ts'
import { verifyDigestSignature, verifyMessageSignature } from '../../trust/prehash.ts'
import { parseCertificates, type Certificate } from '../../trust/x509/certificate.ts'
import { linkAuthority } from '../../trust/x509/path.ts'
import { claimedCases, SIGNATURES } from '../support/vector-coverage.ts'
import { readVector, vectorInput, type VectorCase } from '../support/vectors.ts'

const byId = (list: readonly VectorCase[]): readonly (readonly [string, VectorCase])[] =>
  list.map((vector) => [vector.id, vector] as const)
const passes = ({ expected }: VectorCase): boolean => expected.result === 'pass'

const entries = claimedCases(SIGNATURES, 'rekor-entry')
const certificates = claimedCases(SIGNATURES, 'fulcio-cert')

function keyOf(vector: VectorCase): PublicKey {
  return parsePublicKeyPem(readVector(vectorInput(vector, 'key')).toString('utf8'))
}

/** Under any scheme that a bundle could use with this key. */
function holds(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  return schemesFor(key).some((scheme) => verifyMessageSignature(key, scheme, message, signature))
}

describe.runIf(entries.length > 0)('signatures of log entries', () => {
  const detached = entries.filter(({ inputs }) => 'signature' in inputs)

  it.each(byId(detached))('%s', (_, vector) => {
    const key = keyOf(vector)
    const message = readVector(vectorInput(vector, 'data'))
    const signature = readVector(vectorInput(vector, 'signature'))
    expect(holds(key, message, signature)).toBe(passes(vector))
    expect(holds(key, Buffer.concat([message, Buffer.of(0)]), signature)).toBe(false)
    signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1
    expect(holds(key, message, signature)).toBe(false)
  })

  it.each(byId(detached.filter(({ inputs }) => inputs['hash'] === 'sha256')))(
    '%s: over the digest too',
    (_, vector) => {
      const key = keyOf(vector)
      const digest = digestOf('sha256', readVector(vectorInput(vector, 'data')))
      const signature = readVector(vectorInput(vector, 'signature'))
      const schemes = schemesFor(key).filter((scheme) => 'hash' in scheme && scheme.hash === 'sha256')
      expect(schemes.some((scheme) => verifyDigestSignature(key, scheme, digest, signature))).toBe(true)
      const other = digestOf('sha256', digest)
      expect(schemes.some((scheme) => verifyDigestSignature(key, scheme, other, signature))).toBe(false)
    },
  )

  const enveloped = entries.filter(({ inputs }) => 'envelope' in inputs)

  it.each(byId(enveloped))('%s', async (_, vector) => {
    const text = readVector(vectorInput(vector, 'envelope')).toString('utf8')
    const envelope = JSON.parse(text) as {
      readonly payloadType: string
      readonly payload: string
      readonly signatures: readonly { readonly sig: string }[]
    }
    const signature = Buffer.from(envelope.signatures[0]?.sig ?? '', 'base64')
    const payload = Buffer.from(envelope.payload, 'base64')
    const content = {
      kind: 'envelope',
      payloadType: envelope.payloadType,
      payload,
      signature,
      keyId: '',
    } as const
    const artifact = await contentOfDigest(new Map())
    expect(checkSignature(content, keyOf(vector), artifact)).toMatchObject({ signature, content })
    const retyped = { ...content, payloadType: 'text/plain' }
    expect(() => checkSignature(retyped, keyOf(vector), artifact)).toThrow(
      expect.objectContaining({ code: 'SIGNATURE_INVALID' }),
    )
  })

  it('are of every kind of key that the log admits', () => {
    const types = new Set(detached.map((vector) => keyOf(vector).type))
    expect([...types].toSorted()).toEqual(['ecdsa-p256', 'ed25519', 'rsa'])
  })
})

describe.runIf(certificates.length > 0)('certificates with a detached signature', () => {
  const detached = certificates.filter(({ inputs }) => 'signature' in inputs)

  it.each(byId(detached))('%s', (_, vector) => {
    // base64 around the PEM in one of them, a line end after the signature in both
    const text = readVector(vectorInput(vector, 'certificate')).toString('latin1')
    const pem = text.startsWith('LS0tLS1') ? Buffer.from(text, 'base64') : Buffer.from(text, 'latin1')
    const [certificate] = parseCertificates(pem)
    if (certificate === undefined) throw new Error('the file holds no certificate')
    const signature = Buffer.from(
      readVector(vectorInput(vector, 'signature')).toString('latin1').trim(),
      'base64',
    )
    const message = readVector(vectorInput(vector, 'artifact'))
    expect(holds(certificate.publicKey, message, signature)).toBe(passes(vector))
  })
})

describe.runIf(certificates.length > 0)('certificates of issuing authorities', () => {
  const authorities = certificates.filter(({ id }) => id.startsWith('fulcio/fileca-'))
  const chainOf = (vector: VectorCase): readonly Certificate[] =>
    parseCertificates(readVector(vectorInput(vector, 'cert')))

  it.each(byId(authorities))('%s', (id, vector) => {
    const link = (): unknown => linkAuthority(chainOf(vector), 'codeSigning')
    // that its private key is another one is nothing that a certificate tells
    if (passes(vector) || id.endsWith('-mismatch')) expect(link).not.toThrow()
    else expect(link).toThrow(expect.objectContaining({ code: 'MALFORMED_TRUSTED_ROOT' }))
  })
})
