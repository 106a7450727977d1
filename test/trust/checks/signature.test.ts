import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parseBundle, type BundleContent } from '../../../trust/bundle.ts'
import { checkSignature, describeAlgorithm, type SignedContent } from '../../../trust/checks/signature.ts'
import { contentOfDigest, prehashed, type ArtifactContent } from '../../../trust/content.ts'
import { digestOf, type DigestAlgorithm } from '../../../trust/digest.ts'
import { parsePublicKey } from '../../../trust/keys.ts'
import { newKey, type TestKey, type TestKeyType } from '../../support/test-der.ts'
import {
  ARTIFACT,
  BreakableInstance,
  bytesOf,
  statementAbout,
  type SignRequest,
} from '../../support/breakable-instance.ts'
import type { TestScheme } from '../../support/test-signing.ts'
import { changed, damaged } from '../../support/verdicts.ts'

const instance = new BreakableInstance()
const ALL = ['sha256', 'sha384', 'sha512'] as const

const contentOf = (request: SignRequest): BundleContent =>
  parseBundle(bytesOf(instance.sign(request))).content
const digests = (
  of: readonly DigestAlgorithm[] = ALL,
  bytes: Uint8Array = ARTIFACT,
): Map<DigestAlgorithm, Uint8Array> => new Map(of.map((algorithm) => [algorithm, digestOf(algorithm, bytes)]))
const whole = async (bytes: Uint8Array = ARTIFACT): Promise<ArtifactContent> => ({
  digests: digests(ALL, bytes),
  bytes,
  verifyDigest: await prehashed(),
})
const onlyDigest = (
  of: readonly DigestAlgorithm[] = ALL,
  bytes: Uint8Array = ARTIFACT,
): Promise<ArtifactContent> => contentOfDigest(digests(of, bytes))
const check = (content: BundleContent, key: TestKey, artifact: ArtifactContent): SignedContent =>
  checkSignature(content, parsePublicKey(key.spki), artifact)
const refusal = (code: string): unknown =>
  expect.objectContaining({ code, check: 'signature', name: 'CheckFailed' })

const SCHEMES: readonly (readonly [TestKeyType, TestScheme, string])[] = [
  ['p256', { kind: 'ecdsa', hash: 'sha256' }, 'ecdsa-p256 sha256'],
  ['p384', { kind: 'ecdsa', hash: 'sha384' }, 'ecdsa-p384 sha384'],
  ['p384', { kind: 'ecdsa', hash: 'sha256' }, 'ecdsa-p384 sha256'],
  ['p521', { kind: 'ecdsa', hash: 'sha512' }, 'ecdsa-p521 sha512'],
  ['p521', { kind: 'ecdsa', hash: 'sha256' }, 'ecdsa-p521 sha256'],
  ['rsa2048', { kind: 'rsa-pkcs1', hash: 'sha256' }, 'rsa-pkcs1 sha256 of 2048 bits'],
  ['rsa3072', { kind: 'rsa-pss', hash: 'sha256' }, 'rsa-pss sha256 of 3072 bits'],
  ['ed25519', { kind: 'ed25519ph' }, 'ed25519ph'],
  ['ed25519', { kind: 'ed25519' }, 'ed25519'],
  ['ml-dsa-44', { kind: 'ml-dsa' }, 'ml-dsa-44'],
]
const NEEDS_BYTES: ReadonlySet<string> = new Set(['ed25519', 'ml-dsa'])

for (const [type, scheme, name] of SCHEMES) {
  const key = newKey(type)
  const stranger = newKey(type)

  describe(`a signature with ${name}`, () => {
    const message = contentOf({ managed: key, scheme })
    const envelope = contentOf({ managed: key, scheme, statement: statementAbout(ARTIFACT) })

    it('holds over a message and over an envelope', async () => {
      const signed = check(message, key, await whole())
      expect(signed.scheme).toMatchObject(scheme)
      expect(describeAlgorithm(parsePublicKey(key.spki), signed.scheme)).toBe(name)
      expect(signed.signedDigest.bytes).toEqual(digestOf(signed.signedDigest.algorithm, ARTIFACT))
      // an envelope comes with its bytes, so that a digest of the artifact is enough
      expect(check(envelope, key, await onlyDigest()).scheme).toMatchObject(scheme)
    })

    it('holds over a digest alone, where the scheme can do that', async () => {
      const content = await onlyDigest()
      if (NEEDS_BYTES.has(scheme.kind))
        expect(() => check(message, key, content)).toThrow(refusal('SIGNATURE_NEEDS_ARTIFACT'))
      else expect(check(message, key, content).scheme).toMatchObject(scheme)
    })

    it('is refused by another key', async () => {
      const content = await whole()
      expect(() => check(message, stranger, content)).toThrow(refusal('SIGNATURE_INVALID'))
      expect(() => check(envelope, stranger, content)).toThrow(refusal('SIGNATURE_INVALID'))
    })

    it('is refused over another artifact, also when the bundle claims its digest', async () => {
      const other = Buffer.from('another artifact')
      expect(() => check(message, key, { ...wholeOf(other), verifyDigest: undefined })).toThrow(
        refusal('ARTIFACT_DIGEST'),
      )
      const lying = {
        ...message,
        digest: digestOf('digestAlgorithm' in message ? message.digestAlgorithm : 'sha256', other),
      }
      const content = await whole(other)
      expect(() => check(lying, key, content)).toThrow(refusal('SIGNATURE_INVALID'))
      const digest = await onlyDigest(ALL, other)
      if (!NEEDS_BYTES.has(scheme.kind)) {
        expect(() => check(lying, key, digest)).toThrow(
          refusal(type === 'ed25519' ? 'SIGNATURE_NEEDS_ARTIFACT' : 'SIGNATURE_INVALID'),
        )
      }
    })

    it('is refused with a changed signature, payload or payload type', async () => {
      const content = await whole()
      const signature = Buffer.from(damaged(Buffer.from(message.signature).toString('base64')), 'base64')
      expect(() => check({ ...message, signature }, key, content)).toThrow(refusal('SIGNATURE_INVALID'))
      expect(() => check({ ...message, signature: new Uint8Array(0) }, key, content)).toThrow(
        refusal('SIGNATURE_INVALID'),
      )
      for (const change of [
        { payload: Buffer.from('{}') },
        { payloadType: 'application/vnd.in-toto+jso' },
        { signature },
      ]) {
        expect(() => check({ ...envelope, ...change }, key, content)).toThrow(refusal('SIGNATURE_INVALID'))
      }
    })
  })
}

function wholeOf(bytes: Uint8Array): Omit<ArtifactContent, 'verifyDigest'> {
  return { digests: digests(ALL, bytes), bytes }
}

describe('a message signature', () => {
  it('goes with the hash of its key, not with the one that the bundle names', async () => {
    const content = await whole()
    for (const [type, algorithm] of [
      ['p256', 'sha512'],
      ['p256', 'sha384'],
      ['p384', 'sha512'],
      ['rsa2048', 'sha384'],
    ] as const) {
      const key = newKey(type)
      const scheme = { kind: type === 'rsa2048' ? 'rsa-pkcs1' : 'ecdsa', hash: algorithm } as const
      expect(() => check(contentOf({ managed: key, scheme }), key, content)).toThrow(
        refusal('SIGNATURE_ALGORITHM'),
      )
    }
  })

  it('needs the digest that it is over', async () => {
    const key = newKey('p384')
    const content = contentOf({ managed: key })
    const sha256 = await onlyDigest(['sha256'])
    expect(() => check(content, key, sha256)).toThrow(refusal('SIGNATURE_NEEDS_ARTIFACT'))
  })

  it('is not believed about its digest: a cut one is refused', () => {
    const key = newKey()
    const bundle = changed(instance.sign({ managed: key }), (copy) => {
      const digest = createHash('sha256').update(ARTIFACT).digest().subarray(0, 31).toString('base64')
      Object.assign(copy.messageSignature ?? {}, { messageDigest: { algorithm: 'SHA2_256', digest } })
    })
    const { content } = parseBundle(bytesOf(bundle))
    expect(() => check(content, key, { ...wholeOf(ARTIFACT), verifyDigest: undefined })).toThrow(
      refusal('ARTIFACT_DIGEST'),
    )
  })
})

describe('an envelope', () => {
  it('is signed in its encoding: moving bytes between type and payload breaks it', async () => {
    const key = newKey()
    const content = contentOf({ managed: key, payload: Buffer.from('abc'), payloadType: 'x' })
    const moved = { ...content, payload: Buffer.from('bc'), payloadType: 'xa' }
    const artifact = await whole()
    expect(check(content, key, artifact).content).toBe(content)
    expect(() => check(moved, key, artifact)).toThrow(refusal('SIGNATURE_INVALID'))
  })

  it('measures its type in bytes', async () => {
    const key = newKey()
    const content = contentOf({ managed: key, payload: Buffer.from('abc'), payloadType: 'é漢' })
    expect(check(content, key, await whole()).content.kind).toBe('envelope')
  })
})
