import { Buffer } from 'node:buffer'
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Artifact, NativeSignature } from '../../trust/artifact.ts'
import { wasm } from '../../formats/wasm.ts'
import { parseSignatureData, signedMessage } from '../../formats/wasm-signature.ts'
import { memoryFile } from '../support/packages.ts'
import { readVector, vectorCases } from '../support/vectors.ts'
import {
  buildComponent,
  buildModule,
  CODE_SECTION,
  customSection,
  delimiter,
  encodeSignatureData,
  FUNCTION_SECTION,
  hashOf,
  messageOf,
  TYPE_SECTION,
  type SignedSet,
} from '../support/wasm-packages.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const BODY = [TYPE_SECTION, FUNCTION_SECTION, CODE_SECTION] as const
const BUNDLE = Buffer.from('{}')

function signed(...hashes: readonly Buffer[]): SignedSet {
  return { hashes, signatures: [{ signature: sign(null, messageOf(...hashes), privateKey) }] }
}

function signatureSection(...sets: readonly SignedSet[]): Buffer {
  return customSection('signature', encodeSignatureData(sets))
}

function open(...sections: readonly Uint8Array[]): Promise<Artifact> {
  return wasm.open(memoryFile('demo.wasm', buildModule(...sections)))
}

function only(artifact: Artifact): NativeSignature {
  const [signature, second] = artifact.nativeSignatures
  if (signature === undefined || second !== undefined) throw new Error('expected one signature')
  return signature
}

function isValid({ message, signature }: NativeSignature): boolean {
  return message !== undefined && verify(null, message, publicKey, signature)
}

describe('a signature section', () => {
  it('covers the whole module without delimiters, byte for byte', async () => {
    const signature = only(await open(signatureSection(signed(hashOf(...BODY))), ...BODY))
    expect(signature).toMatchObject({
      scheme: 'wasm-signature',
      keyId: undefined,
      algorithm: 'ed25519',
      covers: 'whole module',
      contentMatches: true,
    })
    expect(Buffer.from(signature.message ?? []).equals(messageOf(hashOf(...BODY)))).toBe(true)
    expect(isValid(signature)).toBe(true)
  })

  it('covers a component in the same way', async () => {
    const bytes = buildComponent(signatureSection(signed(hashOf(TYPE_SECTION))), TYPE_SECTION)
    expect(only(await wasm.open(memoryFile('c.wasm', bytes)))).toMatchObject({
      covers: 'whole module',
      contentMatches: true,
    })
  })

  const [first, second] = [delimiter(1), delimiter(2)]
  const one = [TYPE_SECTION, FUNCTION_SECTION, first] as const
  const two = [...one, CODE_SECTION, second] as const

  it.each([
    ['all parts', [hashOf(...one), hashOf(...two)], two, 'whole module'],
    ['the first part', [hashOf(...one)], two, 'only sections 1 to 3 of 5'],
    ['the last hash alone, which holds all before it', [hashOf(...two)], two, 'whole module'],
    [
      'all parts, and a section was added behind them',
      [hashOf(...one), hashOf(...two)],
      [...two, customSection('x')],
      'only sections 1 to 5 of 6',
    ],
    [
      'all parts, and a bundle was added',
      [hashOf(...one), hashOf(...two)],
      [...two, customSection('sigstore', BUNDLE)],
      "whole module except its section 'sigstore'",
    ],
  ] as const)('with delimiters covers %s', async (_what, hashes, sections, covers) => {
    const signature = only(await open(signatureSection(signed(...hashes)), ...sections))
    expect(signature).toMatchObject({ covers, contentMatches: true })
    expect(isValid(signature)).toBe(true)
  })

  it.each([
    ['a changed section', signed(hashOf(...BODY)), [TYPE_SECTION, FUNCTION_SECTION]],
    ['a section behind a module without delimiters', signed(hashOf(...BODY)), [...BODY, customSection('x')]],
    ['hashes in another order', signed(hashOf(...two), hashOf(...one)), two],
    ['one hash twice', signed(hashOf(...one), hashOf(...one)), two],
    ['a hash of something else besides', signed(hashOf(...one), hashOf(CODE_SECTION)), two],
    [
      'a removed delimiter',
      signed(hashOf(...one), hashOf(...two)),
      [TYPE_SECTION, FUNCTION_SECTION, CODE_SECTION, second],
    ],
    ['no hash at all', signed(), two],
  ] as const)('does not match: %s', async (_what, set, sections) => {
    const signature = only(await open(signatureSection(set), ...sections))
    expect(signature).toMatchObject({ contentMatches: false, covers: 'nothing that was found in this file' })
    // the key did sign these hashes: that alone says nothing about this file
    expect(isValid(signature)).toBe(true)
  })

  it('may hold several sets, signers and key IDs', async () => {
    const hash = hashOf(...BODY)
    const signature = sign(null, messageOf(hash), privateKey)
    const ids = [Buffer.from('first'), Buffer.from([0, 1, 0xfe]), Buffer.from('two words')]
    const several = { hashes: [hash], signatures: ids.map((keyId) => ({ keyId, signature })) }
    const other = { hashes: [hash], signatures: [{ algorithm: 9, signature: Buffer.from('?') }] }
    const { nativeSignatures } = await open(signatureSection(several, other), ...BODY)
    expect(nativeSignatures.map(({ keyId, algorithm }) => [keyId, algorithm])).toEqual([
      ['first', 'ed25519'],
      ['0001fe', 'ed25519'],
      ['74776f20776f726473', 'ed25519'],
      [undefined, 'unknown (9)'],
    ])
    expect(nativeSignatures.slice(0, 3).every((found) => isValid(found))).toBe(true)
  })

  it('counts only as the first section', async () => {
    const { nativeSignatures, notes } = await open(...BODY, signatureSection(signed(hashOf(...BODY))))
    expect(nativeSignatures).toEqual([])
    expect(notes.join()).toContain("a section 'signature' that is not the first one does not count")
  })

  it('is compared for a bounded number of parts', async () => {
    const parts = Array.from({ length: 17 }, (_, i) => delimiter(i))
    const artifact = await open(signatureSection(signed(hashOf(...parts))), ...parts)
    expect(only(artifact).contentMatches).toBe(false)
    expect(artifact.notes.join()).toContain('more than 16 signed parts')
    const enough = await open(signatureSection(signed(hashOf(...parts.slice(0, 16)))), ...parts.slice(0, 16))
    expect(only(enough)).toMatchObject({ contentMatches: true, covers: 'whole module' })
  })

  it('remarks on delimiters that are not random enough and on sections of older schemes', async () => {
    const short = delimiter(0, 8)
    const { notes } = await open(
      signatureSection(signed(hashOf(short))),
      short,
      customSection('signature_wasmsign', 'x'),
    )
    expect(notes.join()).toContain('1 of the section delimiters are not 16 bytes long')
    expect(notes.join()).toContain("section 'signature_wasmsign' is of an older scheme: not read")
  })

  it('keeps its remarks few in a file that repeats itself', async () => {
    const repeated = Array.from({ length: 1000 }, () => customSection('signature_wasmsign'))
    expect((await open(...repeated)).notes.length).toBeLessThan(5)
  })

  it('gets its bundle beside it where one inside would break the signature', async () => {
    const closed = buildModule(signatureSection(signed(hashOf(...BODY))), ...BODY)
    expect(await wasm.attach(memoryFile('x.wasm', closed), BUNDLE)).toMatchObject({
      kind: 'sidecar',
      filename: 'x.wasm.sigstore.json',
    })
    const extensible = buildModule(signatureSection(signed(hashOf(...two))), ...two)
    expect(await wasm.attach(memoryFile('x.wasm', extensible), BUNDLE)).toMatchObject({ kind: 'embedded' })
  })
})

describe('signature data', () => {
  const hash = hashOf(...BODY)
  const data = encodeSignatureData([signed(hash)])

  it('is split as it was put together', () => {
    const [set] = parseSignatureData(data)?.sets ?? []
    expect(Buffer.from(set?.hashes ?? []).equals(hash)).toBe(true)
    expect(set?.signatures.map(({ algorithm, signature }) => [algorithm, signature.length])).toEqual([
      [1, 64],
    ])
    expect(Buffer.from(signedMessage(hash)).equals(messageOf(hash))).toBe(true)
  })

  it('is not read when anything is cut off or added', () => {
    for (let cut = 0; cut < data.length; cut++)
      expect(parseSignatureData(data.subarray(0, cut)), `cut at ${cut}`).toBeUndefined()
    expect(parseSignatureData(Buffer.concat([data, Buffer.of(0)]))).toBeUndefined()
  })

  it.each([
    ['of another version', [2, 1, 1]],
    ['for another content', [1, 2, 1]],
    ['with another hash function', [1, 1, 2]],
  ])('is not read %s', async (_what, header) => {
    const payload = encodeSignatureData([signed(hash)], header)
    expect(parseSignatureData(payload)).toBeUndefined()
    const { nativeSignatures, notes } = await open(customSection('signature', payload), ...BODY)
    expect(nativeSignatures).toEqual([])
    expect(notes.join()).toContain('not of specification version 1 for SHA-256')
  })

  it.each([
    ['sets', Buffer.from([1, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x0f])],
    ['hashes', Buffer.from([1, 1, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x0f])],
    ['signatures', Buffer.from([1, 1, 1, 1, 0, 0xff, 0xff, 0xff, 0xff, 0x0f])],
    ['bytes in a key ID', Buffer.from([1, 1, 1, 1, 0, 1, 0xff, 0xff, 0xff, 0xff, 0x0f])],
    ['bits in a number', Buffer.from([1, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x7f])],
  ])('is not read when it claims four billion %s', (_what, payload) => {
    expect(parseSignatureData(payload)).toBeUndefined()
  })

  it('is not read with more signatures in all sets than are kept', () => {
    const set = { hashes: [], signatures: Array.from({ length: 200 }, () => ({ signature: Buffer.of(1) })) }
    expect(parseSignatureData(encodeSignatureData([set]))?.sets.length).toBe(1)
    expect(parseSignatureData(encodeSignatureData([set, set]))).toBeUndefined()
  })

  it('of an empty list is remarked on', async () => {
    const { nativeSignatures, notes } = await open(
      customSection('signature', encodeSignatureData([])),
      ...BODY,
    )
    expect(nativeSignatures).toEqual([])
    expect(notes.join()).toContain("section 'signature' holds no signature")
  })
})

describe('published keys for WebAssembly signatures', () => {
  const keys = vectorCases('wasm').filter((vector) => 'keys' in vector.inputs)
  it.each(keys.map((vector) => [vector.id, vector] as const))(
    'sign what is read back from a module: %s',
    async (_id, vector) => {
      for (const name of vector.files.filter((file) => file.endsWith('.key'))) {
        // algorithm byte 0x81, secret key, public key
        const raw = readVector(name)
        expect([raw[0], raw.length]).toEqual([0x81, 65])
        const pkcs8 = Buffer.concat([
          Buffer.from('302e020100300506032b657004220420', 'hex'),
          raw.subarray(1, 33),
        ])
        const spki = Buffer.concat([
          Buffer.from('302a300506032b6570032100', 'hex'),
          readVector(name.replace(/\.key$/, '.pub')).subarray(1),
        ])
        const hash = hashOf(...BODY)
        const made = sign(null, messageOf(hash), { key: pkcs8, format: 'der', type: 'pkcs8' })
        const { message, signature } = only(
          await open(signatureSection({ hashes: [hash], signatures: [{ signature: made }] }), ...BODY),
        )
        expect(
          verify(null, message ?? Buffer.alloc(0), { key: spki, format: 'der', type: 'spki' }, signature),
        ).toBe(true)
      }
    },
  )
})
