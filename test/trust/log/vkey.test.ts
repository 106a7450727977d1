import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { NOTE_TYPE } from '../../../trust/log/note.ts'
import { buildVkey, encodeVkey, parseVkey, vkeyVerifier } from '../../../trust/log/vkey.ts'
import { newTestKey, TestWitness } from '../../support/test-log.ts'

const MALFORMED: unknown = expect.objectContaining({ code: 'MALFORMED_VKEY' })
/** The worked example of the signed-note specification. */
const EXAMPLE = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'

function withId(name: string, material: Uint8Array): string {
  const id = createHash('sha256').update(`${name}\n`).update(material).digest('hex').slice(0, 8)
  return `${name}+${id}+${Buffer.from(material).toString('base64')}`
}

describe('verifier keys', () => {
  it('reads the example of the specification', () => {
    const vkey = parseVkey(EXAMPLE)
    expect(vkey).toMatchObject({ name: 'example.com/foo', keyId: '530d903a', type: NOTE_TYPE.ed25519 })
    expect(vkey.key.type).toBe('ed25519')
    expect(encodeVkey(vkey)).toBe(EXAMPLE)
  })

  it('reads a key of each type and writes it back unchanged', () => {
    const ed25519 = newTestKey('ed25519').publicKey
    const mlDsa = newTestKey('ml-dsa-44').publicKey
    for (const vkey of [
      buildVkey('a.test', NOTE_TYPE.ed25519, ed25519),
      buildVkey('a.test', NOTE_TYPE.cosignatureEd25519, ed25519),
      buildVkey('a.test', NOTE_TYPE.cosignatureMlDsa44, mlDsa),
      buildVkey('a.test', NOTE_TYPE.ecdsa, newTestKey('ecdsa-p256').publicKey),
      buildVkey('a.test', NOTE_TYPE.ecdsa, newTestKey('ecdsa-p384').publicKey),
    ]) {
      const parsed = parseVkey(encodeVkey(vkey))
      expect(encodeVkey(parsed)).toBe(encodeVkey(vkey))
      expect(parsed.keyId).toBe(vkey.keyId)
      expect(parsed.key.spki).toEqual(vkey.key.spki)
    }
  })

  it('has another key ID for the same key under another name or for another purpose', () => {
    const key = newTestKey('ed25519').publicKey
    const ids = [
      buildVkey('a.test', NOTE_TYPE.ed25519, key).keyId,
      buildVkey('b.test', NOTE_TYPE.ed25519, key).keyId,
      buildVkey('a.test', NOTE_TYPE.cosignatureEd25519, key).keyId,
    ]
    expect(new Set(ids).size).toBe(3)
  })

  it('refuses every proper substring (MALFORMED_VKEY)', () => {
    for (let start = 0; start < EXAMPLE.length; start++) {
      for (let end = start; end <= EXAMPLE.length; end++) {
        if (start === 0 && end === EXAMPLE.length) continue
        expect(() => parseVkey(EXAMPLE.slice(start, end))).toThrow(MALFORMED)
      }
    }
  })

  it('refuses every changed character', () => {
    for (const text of [EXAMPLE, new TestWitness('w.test').vkey]) {
      for (let i = 0; i < text.length; i++) {
        const changed = text.slice(0, i) + String.fromCharCode(text.charCodeAt(i) + 1) + text.slice(i + 1)
        expect(() => parseVkey(changed)).toThrow(MALFORMED)
      }
    }
  })

  it.each([
    ['an empty name', withId('', Buffer.concat([Buffer.of(1), Buffer.alloc(32, 7)]))],
    ['a space in the name', withId('a b', Buffer.concat([Buffer.of(1), Buffer.alloc(32, 7)]))],
    ['a newline in the name', withId('a\nb', Buffer.concat([Buffer.of(1), Buffer.alloc(32, 7)]))],
    ['a lone surrogate in the name', withId('a\ud800', Buffer.concat([Buffer.of(1), Buffer.alloc(32, 7)]))],
    ['an unknown type', withId('a', Buffer.concat([Buffer.of(3), Buffer.alloc(32, 7)]))],
    ['a type of a log of certificates', withId('a', Buffer.concat([Buffer.of(5), Buffer.alloc(32, 7)]))],
    ['no key', withId('a', Buffer.alloc(0))],
    ['a type and no key', withId('a', Buffer.of(1))],
    ['an Ed25519 key that is too short', withId('a', Buffer.concat([Buffer.of(1), Buffer.alloc(31, 7)]))],
    ['an Ed25519 key that is too long', withId('a', Buffer.concat([Buffer.of(4), Buffer.alloc(33, 7)]))],
    ['an ML-DSA-44 key that is too short', withId('a', Buffer.concat([Buffer.of(6), Buffer.alloc(1311, 7)]))],
    ['ECDSA with something else than a key', withId('a', Buffer.concat([Buffer.of(2), Buffer.alloc(91, 7)]))],
    ['an upper-case key ID', EXAMPLE.replace('530d903a', '530D903A')],
    ['a key ID with a prefix', EXAMPLE.replace('530d903a', '0x530d903a')],
    ['base64 without padding', new TestWitness('w.test', 'ml-dsa-44').vkey.replace(/=+$/, '')],
    ['a newline at the end', `${EXAMPLE}\n`],
  ])('refuses %s', (_, text) => {
    expect(() => parseVkey(text)).toThrow(MALFORMED)
  })

  it('refuses a key of another algorithm than the type says', () => {
    const material = Buffer.concat([Buffer.of(2), newTestKey('ed25519').publicKey.spki])
    const id = createHash('sha256').update(material.subarray(1)).digest('hex').slice(0, 8)
    expect(() => parseVkey(`a+${id}+${material.toString('base64')}`)).toThrow(MALFORMED)
    expect(() => buildVkey('a', NOTE_TYPE.ed25519, newTestKey('ecdsa-p256').publicKey)).toThrow(MALFORMED)
    expect(() => buildVkey('a b', NOTE_TYPE.ed25519, newTestKey('ed25519').publicKey)).toThrow(MALFORMED)
  })

  it('does not take a key for cosignatures for one that signs the text alone', () => {
    for (const algorithm of ['ed25519', 'ml-dsa-44'] as const) {
      expect(() => vkeyVerifier(parseVkey(new TestWitness('w.test', algorithm).vkey))).toThrow(MALFORMED)
    }
  })
})
