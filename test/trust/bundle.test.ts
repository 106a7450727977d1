import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { BUNDLE_LIMITS, parseBundle } from '../../trust/bundle.ts'
import { newKey } from '../support/test-der.ts'
import {
  ARTIFACT,
  BreakableInstance,
  bytesOf,
  hintOf,
  statementAbout,
  type SignRequest,
  type TestBundle,
} from '../support/breakable-instance.ts'
import { changed } from '../support/verdicts.ts'

const first = new BreakableInstance({ generation: 1 })
const second = new BreakableInstance({ generation: 2 })
const managed = newKey()
const statement = statementAbout(ARTIFACT)
const v1 = first.sign()
const v2 = second.sign()
const envelope = second.sign({ statement })
const keyed = second.sign({ managed, statement })
const MATERIAL = '$.verificationMaterial'

type Member = Record<string, unknown>
const entryOf = (bundle: TestBundle, i = 0): Member => bundle.verificationMaterial.tlogEntries[i] ?? {}
const signaturesOf = ({ dsseEnvelope = {} }: TestBundle): readonly Member[] =>
  dsseEnvelope['signatures'] as Member[]
const member = (of: Member, name: string): Member => of[name] as Member

/** What a change of a valid bundle makes of it. */
function parsing(bundle: TestBundle, change: (copy: TestBundle) => void): () => unknown {
  return () => parseBundle(bytesOf(changed(bundle, change)))
}

const refusal = (code: string, where?: string): unknown =>
  expect.objectContaining({ name: 'MalformedError', code, ...(where === undefined ? {} : { where }) })

describe('a bundle', () => {
  it('is read with everything that it holds', () => {
    const bundle = parseBundle(bytesOf(v2))
    expect(bundle).toMatchObject({
      version: '0.3',
      keyMaterial: { kind: 'certificate', untrusted: [] },
      content: { kind: 'message', digestAlgorithm: 'sha256' },
      entries: [
        { kind: 'hashedrekord', version: '0.0.2', generation: 2, logId: second.logs[0]?.authority.logId },
      ],
    })
    expect(bundle.timestamps).toHaveLength(1)
    expect(parseBundle(bytesOf(keyed))).toMatchObject({
      keyMaterial: { kind: 'key', hint: hintOf(managed) },
      content: { kind: 'envelope', payloadType: 'application/vnd.in-toto+json', keyId: '' },
    })
  })

  const versions: readonly (readonly [string, SignRequest])[] = [
    ['bundle+json;version=0.1', { version: '0.1' }],
    ['bundle+json;version=0.2', { version: '0.2' }],
    ['bundle.v0.3+json', { version: '0.3' }],
  ]
  for (const [name, request] of versions) {
    it(`is read in version ${name}`, () => {
      const bundle = first.sign(request)
      expect(bundle.mediaType).toContain(name)
      expect(parseBundle(bytesOf(bundle)).version).toBe(request.version)
    })
  }

  it('is read in the other spelling of version 0.3, and in no other', () => {
    const named = (mediaType: unknown): (() => unknown) =>
      parsing(v2, (copy) => Object.assign(copy, { mediaType }))
    expect(named('application/vnd.dev.sigstore.bundle+json;version=0.3')()).toMatchObject({ version: '0.3' })
    const wrong = [
      '',
      'application/json',
      'application/vnd.dev.sigstore.bundle.v0.1+json',
      'application/vnd.dev.sigstore.bundle.v0.4+json',
      'application/vnd.dev.sigstore.bundle+json;version=99.9',
      'application/vnd.dev.sigstore.bundle+json; version=0.3',
      'APPLICATION/VND.DEV.SIGSTORE.BUNDLE.V0.3+JSON',
      'application/vnd.dev.sigstore.bundle.v0.3+json ',
    ]
    for (const mediaType of wrong)
      expect(named(mediaType)).toThrow(refusal('BUNDLE_MEDIA_TYPE', '$.mediaType'))
    expect(named(undefined)).toThrow(refusal('BUNDLE_FIELD', '$.mediaType'))
    expect(named(3)).toThrow(refusal('BUNDLE_FIELD', '$.mediaType'))
  })

  it('is JSON', () => {
    expect(() => parseBundle(Buffer.from('{'))).toThrow(refusal('BUNDLE_JSON'))
    expect(() => parseBundle(Buffer.from('[]'))).toThrow(refusal('BUNDLE_FIELD', '$'))
    const twice = JSON.stringify(v2).replace('{', '{"mediaType":"x",')
    expect(() => parseBundle(Buffer.from(twice))).toThrow(refusal('BUNDLE_JSON'))
  })

  it('is no larger than the limit', () => {
    const bytes = bytesOf(v2)
    const padded = (size: number): Buffer => Buffer.concat([bytes, Buffer.alloc(size - bytes.length, ' ')])
    expect(parseBundle(padded(BUNDLE_LIMITS.size))).toMatchObject({ version: '0.3' })
    expect(() => parseBundle(padded(BUNDLE_LIMITS.size + 1))).toThrow(refusal('BUNDLE_TOO_LARGE'))
  })
})

describe('key material', () => {
  const certificate = v2.verificationMaterial['certificate'] as Member
  const chain = (...certificates: unknown[]): Member => ({ x509CertificateChain: { certificates } })
  const materials: readonly (readonly [string, string, SignRequest['version'], Member])[] = [
    ['none', 'BUNDLE_KEY_MATERIAL', '0.3', {}],
    ['null', 'BUNDLE_KEY_MATERIAL', '0.3', { certificate: null }],
    ['certificate and key', 'BUNDLE_KEY_MATERIAL', '0.3', { certificate, publicKey: { hint: 'x' } }],
    ['certificate and chain', 'BUNDLE_KEY_MATERIAL', '0.3', { certificate, ...chain(certificate) }],
    ['a chain in version 0.3', 'BUNDLE_CHAIN', '0.3', chain(certificate)],
    ['a certificate in version 0.2', 'BUNDLE_CHAIN', '0.2', { certificate }],
    ['a certificate in version 0.1', 'BUNDLE_CHAIN', '0.1', { certificate }],
    ['an empty chain', 'BUNDLE_CHAIN', '0.2', chain()],
    ['too many certificates', 'BUNDLE_LIMIT', '0.2', chain(...Array.from({ length: 11 }, () => certificate))],
    ['an empty certificate', 'BUNDLE_FIELD', '0.3', { certificate: { rawBytes: '' } }],
    ['a certificate that is not base64', 'BUNDLE_FIELD', '0.3', { certificate: { rawBytes: 'YQ' } }],
    ['a hint that is no text', 'BUNDLE_FIELD', '0.3', { publicKey: { hint: 7 } }],
  ]
  for (const [name, code, version = '0.3', material] of materials) {
    it(`is refused: ${name}`, () => {
      const good = first.sign({ version })
      expect(parseBundle(bytesOf(good))).toMatchObject({ version })
      const replaced = parsing(good, (copy) => {
        copy.verificationMaterial = { ...material, tlogEntries: copy.verificationMaterial.tlogEntries }
      })
      expect(replaced).toThrow(refusal(code))
    })
  }

  it('may be a key without a hint', () => {
    const parse = parsing(keyed, (copy) => Object.assign(copy.verificationMaterial, { publicKey: {} }))
    expect(parse()).toMatchObject({ keyMaterial: { kind: 'key', hint: '' } })
  })
})

describe('content', () => {
  it('is one of message and envelope', () => {
    expect(parsing(v2, (copy) => delete copy.messageSignature)).toThrow(refusal('BUNDLE_CONTENT', '$'))
    expect(parsing(v2, (copy) => Object.assign(copy, { dsseEnvelope: envelope.dsseEnvelope }))).toThrow(
      refusal('BUNDLE_CONTENT', '$'),
    )
  })

  const fields: readonly (readonly [string, Member])[] = [
    ['no digest', { messageDigest: null }],
    ['another digest algorithm', { messageDigest: { algorithm: 'SHA1', digest: 'YQ==' } }],
    ['an algorithm by number', { messageDigest: { algorithm: 1, digest: 'YQ==' } }],
    ['an empty digest', { messageDigest: { algorithm: 'SHA2_256', digest: '' } }],
    ['no signature', { signature: null }],
    ['an empty signature', { signature: '' }],
    ['a signature that is not base64', { signature: 'Y*Q=' }],
  ]
  for (const [name, values] of fields) {
    it(`is refused: a message with ${name}`, () => {
      expect(parsing(v2, (copy) => Object.assign(copy.messageSignature ?? {}, values))).toThrow(
        refusal('BUNDLE_FIELD'),
      )
    })
  }

  it('has exactly one signature in its envelope', () => {
    const signatures = '$.dsseEnvelope.signatures'
    const [only] = signaturesOf(envelope)
    for (const list of [[], [only, only], null]) {
      const parse = parsing(envelope, (copy) => Object.assign(copy.dsseEnvelope ?? {}, { signatures: list }))
      expect(parse).toThrow(refusal('BUNDLE_SIGNATURE_COUNT', signatures))
    }
    const many = Array.from({ length: 65 }, () => only)
    expect(parsing(envelope, (copy) => Object.assign(copy.dsseEnvelope ?? {}, { signatures: many }))).toThrow(
      refusal('BUNDLE_LIMIT'),
    )
  })

  it('names no other key than the bundle', () => {
    const withKeyId = (bundle: TestBundle, keyid: string): (() => unknown) =>
      parsing(bundle, (copy) => Object.assign(signaturesOf(copy)[0] ?? {}, { keyid }))
    expect(withKeyId(keyed, 'another')).toThrow(refusal('BUNDLE_KEYID', '$.dsseEnvelope.signatures[0].keyid'))
    expect(withKeyId(keyed, hintOf(managed))()).toMatchObject({ content: { keyId: hintOf(managed) } })
    expect(withKeyId(keyed, '')()).toMatchObject({ content: { keyId: '' } })
    // certificates have no hint to contradict
    expect(withKeyId(envelope, 'another')()).toMatchObject({ content: { keyId: 'another' } })
  })
})

describe('a log entry', () => {
  const entry = (bundle: TestBundle, change: (entry: Member) => void): (() => unknown) =>
    parsing(bundle, (copy) => change(entryOf(copy)))
  const where = `${MATERIAL}.tlogEntries[0]`

  it('is of a kind that is verified', () => {
    for (const kindVersion of [
      { kind: 'hashedrekord', version: '0.0.3' },
      { kind: 'rekord', version: '0.0.1' },
      { kind: 'intoto', version: '0.0.1' },
    ]) {
      expect(entry(v1, (one) => Object.assign(one, { kindVersion }))).toThrow(
        refusal('BUNDLE_ENTRY_KIND', `${where}.kindVersion`),
      )
    }
    expect(entry(v1, (one) => delete one['kindVersion'])).toThrow(
      refusal('BUNDLE_FIELD', `${where}.kindVersion`),
    )
  })

  it('has a proof with a checkpoint from version 0.2 on, every entry of them', () => {
    expect(entry(v2, (one) => delete one['inclusionProof'])).toThrow(refusal('BUNDLE_ENTRY_PROOF', where))
    expect(entry(v1, (one) => delete one['inclusionProof'])).toThrow(refusal('BUNDLE_ENTRY_PROOF', where))
    for (const checkpoint of [null, {}, { envelope: '' }]) {
      const parse = entry(v1, (one) => Object.assign(member(one, 'inclusionProof'), { checkpoint }))
      expect(parse).toThrow(refusal('BUNDLE_ENTRY_PROOF', `${where}.inclusionProof`))
    }
    const two = new BreakableInstance({ logs: [{ generation: 1 }, { generation: 2 }] }).sign()
    const parse = parsing(two, (copy) => delete entryOf(copy, 1)['inclusionProof'])
    expect(parse).toThrow(refusal('BUNDLE_ENTRY_PROOF', `${MATERIAL}.tlogEntries[1]`))
  })

  it('has a promise in version 0.1, and needs no proof then', () => {
    const old = first.sign({ version: '0.1' })
    expect(entry(old, (one) => delete one['inclusionPromise'])).toThrow(
      refusal('BUNDLE_ENTRY_PROMISE', where),
    )
    expect(entry(old, (one) => delete one['inclusionProof'])()).toMatchObject({
      entries: [{ proof: undefined }],
    })
    const bare = entry(old, (one) => delete member(one, 'inclusionProof')['checkpoint'])
    expect(bare()).toMatchObject({ entries: [{ proof: undefined }] })
    const tiles = second.sign({ version: '0.1' })
    expect(entry(tiles, (one) => delete one['inclusionProof'])).toThrow(refusal('BUNDLE_ENTRY_PROOF', where))
  })

  it('has no promise where the log makes none', () => {
    const promise = { inclusionPromise: { signedEntryTimestamp: 'YQ==' } }
    expect(entry(v2, (one) => Object.assign(one, promise))).toThrow(
      refusal('BUNDLE_ENTRY_PROMISE', `${where}.inclusionPromise`),
    )
  })

  it('may be the first of its log', () => {
    const zero = entry(new BreakableInstance().sign(), (one) => {
      delete one['logIndex']
      delete member(one, 'inclusionProof')['logIndex']
    })
    expect(zero()).toMatchObject({ entries: [{ logIndex: 0n, proof: { logIndex: 0n } }] })
  })

  const broken: readonly (readonly [string, (entry: Member) => unknown])[] = [
    ['a negative index', (one) => (one['logIndex'] = '-1')],
    ['an index beyond 2^63', (one) => (one['logIndex'] = '9223372036854775808')],
    ['no log ID', (one) => delete one['logId']],
    ['an empty log ID', (one) => (one['logId'] = { keyId: '' })],
    ['no body', (one) => delete one['canonicalizedBody']],
    ['an empty body', (one) => (one['canonicalizedBody'] = '')],
    ['an integrated time that is no number', (one) => (one['integratedTime'] = 'now')],
    [
      'a proof hash of 31 bytes',
      (one) => (member(one, 'inclusionProof')['hashes'] = [Buffer.alloc(31).toString('base64')]),
    ],
    ['a proof hash that is no text', (one) => (member(one, 'inclusionProof')['hashes'] = [7])],
    ['a negative tree size', (one) => (member(one, 'inclusionProof')['treeSize'] = '-1')],
    ['an empty root hash', (one) => (member(one, 'inclusionProof')['rootHash'] = '')],
  ]
  for (const [name, change] of broken) {
    it(`is refused with ${name}`, () => {
      expect(entry(v1, change)).toThrow(refusal('BUNDLE_FIELD'))
    })
  }

  it('is bounded in number, proof and checkpoint', () => {
    const many = parsing(v2, (copy) => {
      const [one] = copy.verificationMaterial.tlogEntries
      copy.verificationMaterial.tlogEntries = Array.from({ length: 33 }, (_, i) => ({
        ...one,
        logIndex: `${i}`,
      }))
    })
    expect(many).toThrow(refusal('BUNDLE_LIMIT', `${MATERIAL}.tlogEntries`))
    const hashes = Array.from({ length: 65 }, () => Buffer.alloc(32).toString('base64'))
    expect(entry(v2, (one) => Object.assign(member(one, 'inclusionProof'), { hashes }))).toThrow(
      refusal('BUNDLE_LIMIT'),
    )
    const checkpoint = { envelope: 'x'.repeat(64 * 1024 + 1) }
    expect(entry(v2, (one) => Object.assign(member(one, 'inclusionProof'), { checkpoint }))).toThrow(
      refusal('BUNDLE_LIMIT'),
    )
  })
})

describe('repetition', () => {
  it('is refused for entries at one place of one log, even if they are spelt differently', () => {
    const twice = parsing(v2, (copy) =>
      copy.verificationMaterial.tlogEntries.push({ ...entryOf(copy), integratedTime: '7' }),
    )
    expect(twice).toThrow(refusal('BUNDLE_DUPLICATE', `${MATERIAL}.tlogEntries`))
  })

  it('is refused for timestamps', () => {
    const list = (copy: TestBundle): unknown[] =>
      member(copy.verificationMaterial, 'timestampVerificationData')['rfc3161Timestamps'] as unknown[]
    expect(parsing(v2, (copy) => list(copy).push(list(copy)[0]))).toThrow(
      refusal('BUNDLE_DUPLICATE', `${MATERIAL}.timestampVerificationData.rfc3161Timestamps[1]`),
    )
    const many = parsing(v2, (copy) => {
      list(copy).push(
        ...Array.from({ length: 32 }, (_, i) => ({ signedTimestamp: Buffer.of(i).toString('base64') })),
      )
    })
    expect(many).toThrow(refusal('BUNDLE_LIMIT'))
    expect(parsing(v2, (copy) => (list(copy)[0] = { signedTimestamp: '' }))).toThrow(refusal('BUNDLE_FIELD'))
  })
})
