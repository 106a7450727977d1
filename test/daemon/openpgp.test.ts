import { Buffer } from 'node:buffer'
import { beforeAll, describe, expect, it } from 'vitest'
import { createMessage, generateKey, readPrivateKey, sign, type PrivateKey } from 'openpgp'
import { looksLikeKeyring, verifyPgp, type Keyring } from '../../daemon/openpgp.ts'

const MESSAGE = Buffer.from('what was signed\r\n')

async function newPgpKey(name: string): Promise<PrivateKey> {
  const { privateKey } = await generateKey({
    userIDs: [{ name }],
    type: 'ecc',
    curve: 'ed25519Legacy',
    format: 'armored',
  })
  return readPrivateKey({ armoredKey: privateKey })
}

async function signatureBy(...keys: readonly PrivateKey[]): Promise<Uint8Array> {
  const message = await createMessage({ binary: MESSAGE })
  const signature: unknown = await sign({ message, signingKeys: [...keys], detached: true, format: 'binary' })
  if (!(signature instanceof Uint8Array)) throw new Error('a signature is bytes')
  return signature
}

describe('an OpenPGP signature', () => {
  let one: PrivateKey
  let other: PrivateKey
  let binary: Keyring
  let armored: Keyring

  beforeAll(async () => {
    one = await newPgpKey('one')
    other = await newPgpKey('other')
    binary = { path: 'ring', bytes: one.toPublic().write() }
    armored = { path: 'ring.asc', bytes: Buffer.from(one.toPublic().armor()) }
  })

  it('holds with the key that made it, in both kinds of keyring', async () => {
    const signature = await signatureBy(one)
    const by = one.getKeyID().toHex()
    for (const keyring of [binary, armored]) {
      expect(looksLikeKeyring(keyring.bytes)).toBe(true)
      expect(await verifyPgp(MESSAGE, signature, keyring)).toEqual({ state: 'holds', by })
    }
  })

  it('is broken over other bytes, and with another byte in it', async () => {
    const signature = await signatureBy(one)
    expect(await verifyPgp(Buffer.from('other'), signature, binary)).toMatchObject({ state: 'broken' })
    const last = Buffer.from(signature)
    last[last.length - 1] = (last.at(-1) ?? 0) ^ 1
    expect(await verifyPgp(MESSAGE, last, binary)).toMatchObject({ state: 'broken' })
  })

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['no packets', Buffer.from('no packets')],
    ['a packet that is cut', Buffer.of(0xc2, 0x3f, 4, 0)],
    ['packets that are no signature', Buffer.of(0xcb, 3, 0x62, 0, 0)],
  ])('is broken when it is %s', async (_what, signature) => {
    expect(await verifyPgp(MESSAGE, signature, binary)).toMatchObject({ state: 'broken' })
  })

  it('by a key that is not in the keyring says nothing', async () => {
    const by = other.getKeyID().toHex()
    expect(await verifyPgp(MESSAGE, await signatureBy(other), binary)).toEqual({ state: 'key-unknown', by })
  })

  it('is refused with a keyring that cannot be read', async () => {
    const signature = await signatureBy(one)
    const damaged: unknown = expect.objectContaining({
      code: 'MALFORMED_KEY',
      name: 'MalformedError',
      where: 'ring',
    })
    for (const bytes of [Buffer.of(0x99, 1, 2), Buffer.from('-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nx')]) {
      await expect(verifyPgp(MESSAGE, signature, { path: 'ring', bytes })).rejects.toThrow(damaged)
    }
  })

  it('is not looked for in what is no keyring', () => {
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('-----BEGIN PUBLIC KEY-----'),
      Buffer.of(0x30, 0x59),
      Buffer.of(0x95),
    ]) {
      expect(looksLikeKeyring(bytes)).toBe(false)
    }
  })
})
