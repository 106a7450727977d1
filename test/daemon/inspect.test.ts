import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Inspection, InspectionField } from '../../daemon/api.ts'
import { inspectFile } from '../../daemon/inspect.ts'
import { encodeBase64 } from '../../trust/encoding.ts'
import { buildVkey, encodeVkey } from '../../trust/log/vkey.ts'
import { parsePublicKey } from '../../trust/keys.ts'
import { gemPackage, npmPackage } from '../support/packages.ts'
import {
  EKU,
  emailName,
  fulcioExtension,
  leafExtensions,
  newAuthority,
  newLeaf,
  otherName,
  uriName,
} from '../support/test-certificates.ts'
import { newKey } from '../support/test-der.ts'
import { entryJson, TestLog, TestWitness } from '../support/test-log.ts'
import { newTimestampAuthority, stamp } from '../support/test-timestamp.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sigward-inspect-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function inspect(bytes: Uint8Array | string, name = 'file'): Promise<Inspection> {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return inspectFile({ path })
}

/** All texts as `label / label: value`, to look for one among them. */
function flat(fields: readonly InspectionField[], above = ''): readonly string[] {
  return fields.flatMap(({ label, value }) =>
    typeof value === 'string' ? [`${above}${label}: ${value}`] : flat(value, `${above}${label} / `),
  )
}

const authority = newAuthority({ name: 'example authority' })
const pem = (label: string, der: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der).toString('base64')}\n-----END ${label}-----\n`

describe('certificates', () => {
  it('whom they name, what Fulcio wrote into them by name, and which logs saw them', async () => {
    const key = newKey()
    const names = [uriName('https://git.example/acme/.ci/release.yml')]
    const numbers = [9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24]
    const extensions = [
      ...leafExtensions(authority, key, names),
      ...numbers.map((n) => fulcioExtension(n, `value ${n}`)),
    ]
    const { certificate } = newLeaf(authority, { key, names, extensions, logs: [{ log: newKey() }] })
    const { kind, fields } = await inspect(certificate)
    const lines = flat(fields)
    expect(kind).toBe('certificate')
    expect(lines).toEqual(
      expect.arrayContaining([
        'identity (URI): https://git.example/acme/.ci/release.yml',
        'not before: 2026-03-01T12:00:00.000Z',
        'not after: 2026-03-01T12:10:00.000Z',
        'issued by: CN=example authority',
        'is an authority: no',
        'may sign: signatures',
        'purposes: code signing',
        'OIDC issuer: https://issuer.example',
        'what the issuer said of the build / buildSignerURI: value 9',
        'what the issuer said of the build / sourceRepositoryURI: value 12',
        'what the issuer said of the build / deploymentEnvironment: value 23',
        'what the issuer said of the build / tokenSubject: value 24',
      ]),
    )
    expect(lines.filter((line) => line.startsWith('what the issuer said'))).toHaveLength(numbers.length)
    expect(lines.filter((line) => /^certificate log: [0-9a-f]{64}, 20\d\d-.*Z$/.test(line))).toHaveLength(1)
  })

  it.each([
    [emailName('dev@example.com'), 'identity (e-mail): dev@example.com'],
    [otherName('user!realm'), 'identity (user name): user!realm'],
  ])('in PEM, too: %#', async (name, line) => {
    const { certificate } = newLeaf(authority, { names: [name] })
    expect(flat((await inspect(pem('CERTIFICATE', certificate))).fields)).toContain(line)
  })

  it('several in one file', async () => {
    const child = newAuthority({ parent: authority, pathLength: 0, purposes: [EKU.codeSigning] })
    const { title, fields } = await inspect(child.chain.map((der) => pem('CERTIFICATE', der)).join(''))
    expect(title).toBe('several certificates')
    expect(flat(fields)).toContain(
      'certificate 1 of 2 / is an authority: yes, with at most 0 authorities below it',
    )
    expect(flat(fields)).toContain('certificate 2 of 2 / subject: CN=example authority')
  })

  it('a broken one is told by its code', async () => {
    const { certificate } = newLeaf(authority)
    const broken = Buffer.from(certificate)
    broken[4 + 2] = 0x7f
    const { fields } = await inspect(pem('CERTIFICATE', broken))
    expect(flat(fields)[0]).toMatch(/^problem \/ code: MALFORMED_(?:CERTIFICATE|DER)$/)
  })
})

describe('keys', () => {
  it('in PEM, in DER, and as verifier keys', async () => {
    const { spki } = newKey('ed25519')
    const key = parsePublicKey(spki)
    for (const form of [spki, pem('PUBLIC KEY', spki)]) {
      const { kind, fields } = await inspect(form)
      expect(kind).toBe('key')
      expect(flat(fields)[0]).toBe('type: ed25519')
    }
    const { kind, fields } = await inspect(`${encodeVkey(buildVkey('log.example', 1, key))}\n`)
    expect(kind).toBe('key')
    expect(flat(fields).slice(0, 4)).toEqual([
      'name: log.example',
      expect.stringMatching(/^key ID: [0-9a-f]{8}$/),
      'signs: notes of a log',
      'type: ed25519',
    ])
  })

  it('a private key is refused by name and not shown', async () => {
    const { fields } = await inspect(pem('PRIVATE KEY', Uint8Array.of(0x30, 0)))
    expect(flat(fields)).toContain('problem / code: MALFORMED_KEY')
    expect(flat(fields)).toContain('problem / message: this is a private key; give the public one')
  })
})

describe('checkpoints', () => {
  it('origin, size, root hash, time and signers', async () => {
    const log = new TestLog({ generation: 1 })
    log.append('entry')
    const note = log.checkpoint({
      extensions: ['Timestamp: 1692374735595899989'],
      witnesses: [new TestWitness('witness.example')],
    })
    const { kind, fields } = await inspect(note)
    expect(kind).toBe('checkpoint')
    expect(flat(fields)).toEqual([
      `origin: ${log.origin}`,
      'tree size: 1',
      expect.stringMatching(/^root hash: [0-9a-f]{64}$/),
      'time, by its own word: 2023-08-18T16:05:35.595Z',
      'extension: Timestamp: 1692374735595899989',
      expect.stringMatching(new RegExp(`^signature: ${log.name}, key ID [0-9a-f]{8}$`)),
      expect.stringMatching(/^signature: witness\.example, key ID [0-9a-f]{8}$/),
    ])
  })

  it('a tree that cannot be read leaves the signers', async () => {
    const log = new TestLog()
    log.append('entry')
    const { fields } = await inspect(log.checkpoint().replace('\n1\n', '\n01\n'))
    expect(flat(fields)[0]).toBe('problem / code: LOG_CHECKPOINT_MALFORMED')
    expect(flat(fields).at(-1)).toMatch(/^signature: /)
  })
})

describe('timestamps', () => {
  it('when, over what, by whom', async () => {
    const tsa = newTimestampAuthority({ name: 'time' })
    const { kind, fields } = await inspect(stamp(tsa.leaf, Buffer.from('signature')))
    expect(kind).toBe('timestamp')
    expect(flat(fields)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^time: 20\d\d-.*Z$/),
        expect.stringMatching(/^over the digest: sha256:[0-9a-f]{64}$/),
        expect.stringMatching(/^policy: [0-9.]+$/),
        expect.stringMatching(/^signed by: the certificate [0-9a-f]+ of CN=time root$/),
      ]),
    )
  })

  it('a response without a timestamp', async () => {
    const refused = Uint8Array.of(0x30, 5, 0x30, 3, 2, 1, 2)
    const { kind, fields } = await inspect(refused)
    expect(kind).toBe('timestamp')
    expect(flat(fields)[0]).toBe('problem / code: TIME_STATUS')
  })
})

const statement = {
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'pkg:npm/a@1', digest: { sha256: 'ab'.repeat(32) } }],
  predicateType: 'https://slsa.dev/provenance/v1',
  predicate: { builder: { id: 'https://builder.example' }, problem: { code: 'X' } },
}

function envelope(payload: string): Record<string, unknown> {
  return {
    payloadType: 'application/vnd.in-toto+json',
    payload: Buffer.from(payload).toString('base64'),
    signatures: [{ sig: 'c2ln', keyid: 'k1' }],
  }
}

describe('statements', () => {
  it('about which files, and what they say', async () => {
    const { kind, fields } = await inspect(JSON.stringify(statement))
    expect(kind).toBe('statement')
    expect(flat(fields)).toEqual([
      'type: https://in-toto.io/Statement/v1',
      'predicate type: https://slsa.dev/provenance/v1',
      'subject / name: pkg:npm/a@1',
      `subject / sha256: ${'ab'.repeat(32)}`,
      'predicate / builder / id: https://builder.example',
      // a key of the file does not pass for a finding of ours
      "predicate / 'problem' / code: X",
    ])
  })

  it('inside an envelope', async () => {
    const { kind, fields } = await inspect(JSON.stringify(envelope(JSON.stringify(statement))))
    expect(kind).toBe('statement')
    expect(flat(fields)).toContain('statement / subject / name: pkg:npm/a@1')
  })

  it('thousands of subjects are counted, not printed', async () => {
    const many = { ...statement, subject: Array.from({ length: 1000 }, () => statement.subject[0]) }
    expect(flat((await inspect(JSON.stringify(many))).fields)).toContain('and: 950 more')
  })

  it('a broken one shows what can be read, and the code', async () => {
    const { fields } = await inspect(JSON.stringify({ ...statement, subject: [] }))
    expect(flat(fields)).toContain('predicate type: https://slsa.dev/provenance/v1')
    expect(flat(fields)).toContain('problem / code: STATEMENT_MALFORMED')
  })
})

function bundleJson(change: Record<string, unknown> = {}): Record<string, unknown> {
  const { certificate } = newLeaf(authority)
  const log = new TestLog()
  const index = log.append('{"kind":"hashedrekord"}')
  const tsa = newTimestampAuthority()
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: {
      certificate: { rawBytes: encodeBase64(certificate) },
      tlogEntries: [entryJson(log.entry(index))],
      timestampVerificationData: {
        rfc3161Timestamps: [{ signedTimestamp: encodeBase64(stamp(tsa.leaf, Buffer.from('sig'))) }],
      },
    },
    dsseEnvelope: envelope(JSON.stringify(statement)),
    ...change,
  }
}

describe('bundles', () => {
  it('signer, content, log entries and timestamps', async () => {
    const { kind, fields } = await inspect(JSON.stringify(bundleJson()))
    expect(kind).toBe('bundle')
    expect(flat(fields)).toEqual(
      expect.arrayContaining([
        'media type: application/vnd.dev.sigstore.bundle.v0.3+json',
        'certificate of the signer / identity (e-mail): dev@example.com',
        'signature over a statement / key ID: k1',
        'signature over a statement / statement / subject / name: pkg:npm/a@1',
        'log entry / index: 0',
        'log entry / promise: no',
        'log entry / inclusion proof: 0 hashes, index 0 in a tree of 1',
        'log entry / checkpoint / tree size: 1',
        expect.stringMatching(/^timestamp \/ time: /),
      ]),
    )
    expect(flat(fields).filter((line) => line.startsWith('problem'))).toEqual([])
  })

  it('a broken one shows its other parts, and the code', async () => {
    const broken = bundleJson({ mediaType: 'application/vnd.dev.sigstore.bundle.v9+json' })
    const { kind, fields } = await inspect(JSON.stringify(broken))
    expect(kind).toBe('bundle')
    expect(flat(fields)).toContain('certificate of the signer / identity (e-mail): dev@example.com')
    expect(flat(fields)).toContain('problem / code: BUNDLE_MEDIA_TYPE')
  })

  it('one that ends early is still called a bundle', async () => {
    const { kind, fields } = await inspect(JSON.stringify(bundleJson()).slice(0, -20))
    expect(kind).toBe('bundle')
    expect(flat(fields)[0]).toBe('problem / code: BUNDLE_JSON')
  })

  it('with a key, with a message signature', async () => {
    const json = bundleJson({
      verificationMaterial: { publicKey: { hint: 'release' }, tlogEntries: [] },
      dsseEnvelope: undefined,
      messageSignature: { messageDigest: { algorithm: 'SHA2_256', digest: 'qrs=' }, signature: 'c2ln' },
    })
    const lines = flat((await inspect(JSON.stringify(json))).fields)
    expect(lines).toContain('signed with a key: hint release')
    expect(lines).toContain('signature over a file: SHA2_256 aabb')
  })

  it('several in JSON Lines, and in the document of a registry', async () => {
    const one = bundleJson()
    const lines = await inspect(`${JSON.stringify(one)}\n${JSON.stringify(one)}\n`)
    expect([lines.kind, lines.title]).toEqual(['bundle', 'a file of 2 parts'])
    expect(flat(lines.fields)).toContain('part 2 of 2 / log entry / index: 0')
    const document = { attestations: [{ predicateType: 'https://slsa.dev/provenance/v1', bundle: one }] }
    const answer = await inspect(JSON.stringify(document))
    expect(flat(answer.fields)).toContain('attestation / bundle / log entry / index: 0')
  })
})

describe('packages', () => {
  it('name, version, package URL and digests', async () => {
    const { kind, title, fields } = await inspect(
      npmPackage({ name: '@scope/widget', version: '2.0.0' }),
      'w.tgz',
    )
    expect([kind, title]).toEqual(['package', 'npm package (.tgz)'])
    expect(flat(fields)).toEqual(
      expect.arrayContaining([
        'format: npm-tarball',
        'name: @scope/widget',
        'version: 2.0.0',
        'package URL: pkg:npm/%40scope/widget@2.0.0',
        expect.stringMatching(/^sha256: [0-9a-f]{64}$/),
        expect.stringMatching(/^sha512: [0-9a-f]{128}$/),
      ]),
    )
  })

  it('a broken one still has its digests, and the code', async () => {
    const { kind, fields } = await inspect(gemPackage().subarray(0, 1024), 'broken.gem')
    expect(kind).toBe('package')
    expect(flat(fields)).toContainEqual(expect.stringMatching(/^sha256: /))
    expect(flat(fields)).toContainEqual(expect.stringMatching(/^problem \/ code: (?:PACKAGE|MALFORMED)_/))
  })

  it('anything else is a plain file', async () => {
    for (const bytes of [
      '',
      'text',
      '[]',
      '{}',
      '"x"',
      '{"a":1',
      Uint8Array.of(0x30, 0x80),
      Uint8Array.of(0xff, 0),
    ]) {
      const { kind, fields } = await inspect(bytes)
      expect([kind, flat(fields)[0]]).toEqual(['package', 'format: plain-file'])
    }
  })
})

describe('files that cannot be opened', () => {
  it('STORE_NOT_FOUND and STORE_UNREADABLE', async () => {
    await expect(inspectFile({ path: join(folder, 'none') })).rejects.toThrow(
      expect.objectContaining({ code: 'STORE_NOT_FOUND' }),
    )
    await expect(inspectFile({ path: folder })).rejects.toThrow(
      expect.objectContaining({ code: 'STORE_UNREADABLE' }),
    )
  })
})
