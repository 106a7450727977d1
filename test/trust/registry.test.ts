import { Buffer } from 'node:buffer'
import { sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { registryKeys } from '../../daemon/trust-store.ts'
import { registrySignatureMessage } from '../../formats/index.ts'
import type { DomainKey } from '../../trust/domain.ts'
import { parsePublicKey } from '../../trust/keys.ts'
import { checkRegistrySignature } from '../../trust/registry.ts'
import { newKey } from '../support/test-der.ts'
import { windowOf } from '../support/breakable-instance.ts'
import { readVector, vectorCases, vectorInput } from '../support/vectors.ts'

const pair = newKey()
const message = Buffer.from('name@1.0.0:sha512-AAAA')
const signature = sign('sha256', message, pair.privateKey).toString('base64')
const listed: DomainKey = {
  hint: 'SHA256:one',
  key: parsePublicKey(pair.spki),
  validFor: windowOf('2024-01-01T00:00:00Z'),
  owner: 'registry.example',
  usage: 'signatures',
}
const retired: DomainKey = { ...listed, validFor: windowOf('2024-01-01T00:00:00Z', '2025-01-01T00:00:00Z') }
const check = (keys: readonly DomainKey[], at?: string, by = { keyId: 'SHA256:one', signature }): unknown =>
  checkRegistrySignature(message, by, keys, at === undefined ? undefined : new Date(at))
const refusal = (code: string): unknown => expect.objectContaining({ code, check: 'signature' })

describe('a signature of a registry', () => {
  it('holds by a key that a trust domain lists', () => {
    expect(check([listed])).toEqual({ owner: 'registry.example', keyId: 'SHA256:one' })
  })

  it('is refused by a key that none lists, or lists for something else', () => {
    expect(() => check([])).toThrow(refusal('REGISTRY_KEY_UNKNOWN'))
    expect(() => check([{ ...listed, hint: 'SHA256:two' }])).toThrow(refusal('REGISTRY_KEY_UNKNOWN'))
    expect(() => check([{ ...listed, usage: 'attestations' }])).toThrow(refusal('REGISTRY_KEY_UNKNOWN'))
  })

  it('is refused when it is over something else, by another key, or no base64', () => {
    const broken = [
      sign('sha256', Buffer.from('x'), pair.privateKey),
      sign('sha256', message, newKey().privateKey),
    ]
    const spellings = [
      ...broken.map((bytes) => bytes.toString('base64')),
      `${signature}\n`,
      '',
      signature.slice(4),
    ]
    for (const wrong of spellings) {
      expect(() => check([listed], undefined, { keyId: 'SHA256:one', signature: wrong })).toThrow(
        refusal('REGISTRY_SIGNATURE'),
      )
    }
  })

  it('is refused at a time at which the key was not valid, and needs a time when the key is retired', () => {
    expect(check([retired], '2024-06-01T00:00:00Z')).toMatchObject({ keyId: 'SHA256:one' })
    expect(check([retired], '2025-01-01T00:00:00Z')).toMatchObject({ keyId: 'SHA256:one' })
    expect(() => check([retired], '2025-01-01T00:00:01Z')).toThrow(refusal('REGISTRY_KEY_EXPIRED'))
    expect(() => check([retired], '2023-12-31T23:59:59Z')).toThrow(refusal('REGISTRY_KEY_EXPIRED'))
    expect(() => check([retired])).toThrow(refusal('REGISTRY_KEY_EXPIRED'))
  })
})

describe('published signatures of a registry', () => {
  for (const vector of vectorCases('npm').filter(({ id }) => id.startsWith('npm/registry-signature/'))) {
    it(`${vector.id}: ${vector.expected.result}`, () => {
      const input = (name: string): string => vectorInput(vector, name)
      const bytes = registrySignatureMessage(input('package'), input('version'), input('integrity'))
      expect(Buffer.from(bytes).toString()).toBe(input('message'))
      const keys = registryKeys('registry.example', readVector(input('registryKeys')))
      const by = { keyId: input('keyid'), signature: input('sig') }
      // published while the key was in use
      const verdict = (): unknown => checkRegistrySignature(bytes, by, keys, new Date('2023-06-01T00:00:00Z'))
      if (vector.expected.result === 'fail') {
        expect(verdict).toThrow(refusal('REGISTRY_SIGNATURE'))
        return
      }
      expect(verdict()).toEqual({ owner: 'registry.example', keyId: by.keyId })
      expect(() => checkRegistrySignature(bytes, by, keys, new Date('2026-01-01T00:00:00Z'))).toThrow(
        refusal('REGISTRY_KEY_EXPIRED'),
      )
      const other = Buffer.concat([bytes, Buffer.from('A')])
      expect(() => checkRegistrySignature(other, by, keys, new Date('2023-06-01T00:00:00Z'))).toThrow(
        refusal('REGISTRY_SIGNATURE'),
      )
    })
  }
})
