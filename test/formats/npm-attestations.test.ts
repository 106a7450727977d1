import { Buffer } from 'node:buffer'
import { createHash, createPublicKey, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  integrityOf,
  looksLikeAttestations,
  parseAttestations,
  parseRegistryKeys,
  PUBLISH_ATTESTATION,
  registrySignatureMessage,
} from '../../formats/npm-attestations.ts'
import { readVector, vectorCases, vectorInput } from '../support/vectors.ts'

const malformed: unknown = expect.objectContaining({ code: 'MALFORMED_ATTESTATIONS', name: 'MalformedError' })

describe('the attestations document of a registry', () => {
  it('gives each bundle byte for byte', () => {
    const bundle = '{ "b" : [1.0, "\\u00e9"] , "x":"]}" }'
    const document = Buffer.from(
      `{"more":1,"attestations":[ {"predicateType":"p","bundle": ${bundle} },\n{"bundle":{},"predicateType":"q"}]}`,
    )
    const found = parseAttestations(document).map((a) => [a.predicateType, Buffer.from(a.bundle).toString()])
    expect(found).toEqual([
      ['p', bundle],
      ['q', '{}'],
    ])
    expect(parseAttestations(Buffer.from('{"attestations":[]}'))).toEqual([])
  })

  it.each([
    '',
    '[]',
    '{}',
    '{"attestations":{}}',
    '{"attestations":[1]}',
    '{"attestations":[{"bundle":{}}]}',
    '{"attestations":[{"predicateType":1,"bundle":{}}]}',
    '{"attestations":[{"predicateType":"p"}]}',
    '{"attestations":[{"predicateType":"p","bundle":"{}"}]}',
    '{"attestations":[{"predicateType":"p","bundle":{"a":1,"a":2}}]}',
    '{"attestations":[],"attestations":[]}',
    `{"attestations":[${Array.from({ length: 65 }, () => '{"predicateType":"p","bundle":{}}').join()}]}`,
  ])('refuses %.70s', (text) => {
    expect(() => parseAttestations(Buffer.from(text))).toThrow(malformed)
  })

  it('is told from a bundle', () => {
    expect(looksLikeAttestations(Buffer.from('{"attestations":[]}'))).toBe(true)
    expect(looksLikeAttestations(Buffer.from('{"mediaType":"x"}'))).toBe(false)
    expect(looksLikeAttestations(Buffer.from('text'))).toBe(false)
  })
})

describe('the keys of a registry', () => {
  const rawBytes = 'MFkwEwYHKoZIzj0CAQ=='
  const target = (more: object): Buffer =>
    Buffer.from(
      JSON.stringify({
        keys: [{ keyId: 'k', keyUsage: 'npm:signatures', publicKey: { rawBytes, keyDetails: 'D' }, ...more }],
      }),
    )

  it('are read from the TUF target', () => {
    const validFor = { start: '2025-01-13T00:00:00.000Z', end: null }
    const keys = parseRegistryKeys(target({ publicKey: { rawBytes, keyDetails: 'D', validFor } }))
    expect(keys).toEqual([
      {
        keyId: 'k',
        usage: 'signatures',
        algorithm: 'D',
        spki: Buffer.from(rawBytes, 'base64'),
        start: new Date('2025-01-13'),
        end: undefined,
      },
    ])
    expect(parseRegistryKeys(target({ keyUsage: 'npm:attestations' }))[0]?.usage).toBe('attestations')
    for (const keyUsage of ['other', 'constructor', '__proto__']) {
      expect(parseRegistryKeys(target({ keyUsage }))).toEqual([])
    }
  })

  it("are read from the registry's endpoint", () => {
    const key = {
      expires: '2025-01-29T00:00:00.000Z',
      keyid: 'SHA256:x',
      keytype: 't',
      scheme: 's',
      key: rawBytes,
    }
    const open = { ...key, expires: null }
    expect(parseRegistryKeys(Buffer.from(JSON.stringify({ keys: [key, open] })))).toMatchObject([
      { keyId: 'SHA256:x', usage: undefined, algorithm: 's', start: undefined, end: new Date('2025-01-29') },
      { end: undefined },
    ])
  })

  it.each([
    ['no list', Buffer.from('{}')],
    ['no key', target({ publicKey: null })],
    ['a key that is not base64', target({ publicKey: { rawBytes: '%', keyDetails: 'D' } })],
    ['an empty key', target({ publicKey: { rawBytes: '', keyDetails: 'D' } })],
    [
      'a time that is none',
      target({ publicKey: { rawBytes, keyDetails: 'D', validFor: { start: 'yesterday' } } }),
    ],
    [
      'a day that is none',
      target({ publicKey: { rawBytes, keyDetails: 'D', validFor: { start: '2025-13-01T00:00:00Z' } } }),
    ],
    ['no key ID', target({ keyId: '' })],
  ])('refuses %s', (_what, bytes) => {
    expect(() => parseRegistryKeys(bytes)).toThrow(malformed)
  })
})

const documents = vectorCases('npm').filter((c) => typeof c.inputs['attestations'] === 'string')
it.each(documents)('published attestations: $id', (vector) => {
  const bytes = readVector(vectorInput(vector, 'attestations'))
  const found = looksLikeAttestations(bytes) ? parseAttestations(bytes) : []
  expect(found.length).toBeGreaterThan(0)
  const document = JSON.parse(bytes.toString()) as { attestations: { bundle: unknown }[] }
  expect(found.map((a) => JSON.parse(Buffer.from(a.bundle).toString()) as unknown)).toEqual(
    document.attestations.map((a) => a.bundle),
  )
  expect(found.map((a) => a.predicateType)).toContain(PUBLISH_ATTESTATION)
})

const signed = vectorCases('npm').filter((c) => c.id.startsWith('npm/registry-signature/'))
it.each(signed)('published registry signatures: $id', (vector) => {
  const sha512 = createHash('sha512')
    .update(readVector(vectorInput(vector, 'tarball')))
    .digest()
  expect(integrityOf(sha512)).toBe(vectorInput(vector, 'integrity'))
  const [name, version] = [vectorInput(vector, 'package'), vectorInput(vector, 'version')]
  const message = registrySignatureMessage(name, version, integrityOf(sha512))
  expect(Buffer.from(message).toString()).toBe(vectorInput(vector, 'message'))
  const keys = parseRegistryKeys(readVector(vectorInput(vector, 'registryKeys')))
  const key = keys.find((k) => k.keyId === vectorInput(vector, 'keyid') && k.usage === 'signatures')
  const spki = createPublicKey({ key: Buffer.from(key?.spki ?? []), format: 'der', type: 'spki' })
  const signature = Buffer.from(vectorInput(vector, 'sig'), 'base64')
  expect(verify('sha256', message, spki, signature)).toBe(vector.expected.result === 'pass')
})

it.each(signed.slice(0, 1))('reads all four keys of a registry: $id', (vector) => {
  expect(parseRegistryKeys(readVector(vectorInput(vector, 'registryKeys')))).toHaveLength(4)
})
