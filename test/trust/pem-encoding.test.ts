import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { encodePem, readPem } from '../../trust/pem.ts'

describe('PEM as it is written', () => {
  it.each([1, 47, 48, 49, 96, 1000])('reads back as the same %d bytes', (length) => {
    const der = Uint8Array.from({ length }, (_, i) => i & 0xff)
    const text = encodePem('PUBLIC KEY', der)
    const pem = readPem(text)
    expect(pem?.outside).toBe('')
    expect(pem?.blocks.map(({ label }) => label)).toEqual(['PUBLIC KEY'])
    expect(Buffer.from(pem?.blocks[0]?.der ?? []).equals(der)).toBe(true)
    expect(text.split('\n').every((line) => line.length <= 64)).toBe(true)
  })

  it('is what the runtime writes for a key of any length', () => {
    const { publicKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const { publicKey: ec } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
    const { publicKey: ed } = generateKeyPairSync('ed25519')
    for (const key of [rsa, ec, ed]) {
      const text = encodePem('PUBLIC KEY', key.export({ type: 'spki', format: 'der' }))
      expect(text).toBe(key.export({ type: 'spki', format: 'pem' }))
      expect(createPublicKey(text).equals(key)).toBe(true)
    }
  })
})
