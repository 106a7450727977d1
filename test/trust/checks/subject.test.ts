import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import type { BundleContent } from '../../../trust/bundle.ts'
import { checkSubject, type SignedSubject } from '../../../trust/checks/subject.ts'
import { digestOf, type ArtifactDigests, type DigestAlgorithm } from '../../../trust/digest.ts'
import { encodeHex } from '../../../trust/encoding.ts'
import { ARTIFACT, IN_TOTO, statementAbout } from '../../support/breakable-instance.ts'

const digestsOf = (bytes: Uint8Array, ...algorithms: readonly DigestAlgorithm[]): ArtifactDigests =>
  new Map(algorithms.map((algorithm) => [algorithm, digestOf(algorithm, bytes)]))
const both = digestsOf(ARTIFACT, 'sha256', 'sha512')
const signedDigest = { algorithm: 'sha256', bytes: digestOf('sha256', ARTIFACT) } as const
const signature = Buffer.of(1)

function check(payloadType: string, payload: Uint8Array, digests: ArtifactDigests = both): SignedSubject {
  const content: BundleContent = { kind: 'envelope', payloadType, payload, signature, keyId: '' }
  return checkSubject(
    { content, scheme: { kind: 'ecdsa', hash: 'sha256' }, signature, signedDigest },
    digests,
  )
}
const refusal = (code: string): unknown => expect.objectContaining({ code, check: 'subject' })
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

describe('what was signed', () => {
  it('is the artifact, where it is a message', () => {
    const content: BundleContent = {
      kind: 'message',
      digestAlgorithm: 'sha256',
      digest: signedDigest.bytes,
      signature,
    }
    const signed = { content, scheme: { kind: 'ecdsa', hash: 'sha256' }, signature, signedDigest } as const
    expect(checkSubject(signed, both)).toEqual({
      digest: signedDigest,
      statement: undefined,
      index: undefined,
    })
  })

  it('is the artifact, where it is one of the subjects', () => {
    const statement = statementAbout(ARTIFACT)
    const other = { name: 'artifact', digest: { sha256: encodeHex(digestOf('sha256', Buffer.from('x'))) } }
    const [own] = statement['subject'] as unknown[]
    const found = check(IN_TOTO, json({ ...statement, subject: [other, own] }))
    expect(found).toMatchObject({
      digest: signedDigest,
      index: 1,
      statement: { predicateType: 'https://slsa.dev/provenance/v1' },
    })
  })

  it('is another file, whatever its name', () => {
    expect(() => check(IN_TOTO, json(statementAbout(Buffer.from('x'), { name: 'artifact' })))).toThrow(
      refusal('SUBJECT_NOT_FOUND'),
    )
  })

  it('cannot be told under a digest that was not computed', () => {
    const statement = json(statementAbout(ARTIFACT))
    expect(() => check(IN_TOTO, statement, digestsOf(ARTIFACT, 'sha512'))).toThrow(
      refusal('SUBJECT_NOT_FOUND'),
    )
  })
})

describe('an envelope of another type', () => {
  it('covers the artifact that is its payload', () => {
    expect(check('text/plain', ARTIFACT)).toEqual({
      digest: signedDigest,
      statement: undefined,
      index: undefined,
    })
  })

  it('says nothing about any other, even if it looks like a statement', () => {
    const statement = json(statementAbout(ARTIFACT))
    for (const type of [
      'text/plain',
      '',
      'application/vnd.in-toto+JSON',
      'application/vnd.in-toto+json ',
      'application/json',
    ]) {
      expect(() => check(type, statement)).toThrow(refusal('STATEMENT_PAYLOAD_TYPE'))
    }
  })

  it('covers it only when all digests agree', () => {
    const mixed = new Map([...digestsOf(ARTIFACT, 'sha256'), ...digestsOf(Buffer.from('x'), 'sha512')])
    expect(() => check('text/plain', ARTIFACT, mixed)).toThrow(refusal('STATEMENT_PAYLOAD_TYPE'))
    expect(() => check('text/plain', ARTIFACT, new Map())).toThrow(refusal('STATEMENT_PAYLOAD_TYPE'))
  })
})
