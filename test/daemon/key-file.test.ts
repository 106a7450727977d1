import { Buffer } from 'node:buffer'
import { createPublicKey } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parseKeyFile, readKeys } from '../../daemon/key-file.ts'
import { keyId, parsePublicKey } from '../../trust/keys.ts'
import { newKey, type TestKey } from '../support/test-der.ts'

const folder = mkdtempSync(join(tmpdir(), 'sigward-keys-'))
afterAll(() => rmSync(folder, { recursive: true }))

const pemOf = ({ privateKey }: TestKey): string =>
  createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()
const idOf = ({ spki }: TestKey): string => keyId(parsePublicKey(spki))

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

describe('a file with a key', () => {
  it.each(['p256', 'p384', 'rsa2048', 'ed25519'] as const)('is read as PEM and as DER: %s', (type) => {
    const key = newKey(type)
    expect(keyId(parseKeyFile(Buffer.from(pemOf(key)), 'k'))).toBe(idOf(key))
    expect(keyId(parseKeyFile(key.spki, 'k'))).toBe(idOf(key))
  })

  const key = newKey()
  const privatePem = key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  it.each([
    ['is empty', ''],
    ['is a text', 'ssh-ed25519 AAAA'],
    ['is a private key', privatePem],
    ['has two keys', pemOf(key) + pemOf(key)],
    ['is cut', pemOf(key).slice(0, -40)],
    ['is cut DER', key.spki.subarray(0, -1)],
    ['has something behind the DER', Buffer.concat([key.spki, Buffer.of(0)])],
  ])('that %s is refused by its name', (_what, content) => {
    expect(() => parseKeyFile(Buffer.from(content), '/keys/k.pub')).toThrow(
      expect.objectContaining({
        code: 'MALFORMED_KEY',
        name: 'MalformedError',
        where: '/keys/k.pub',
        message: expect.stringContaining("'/keys/k.pub': ") as unknown,
      }),
    )
  })

  it('of an algorithm that is not verified is told apart from a damaged one', () => {
    const unknown = Buffer.from('3014300a06082a8648ce3d0301000306000102030405', 'hex')
    expect(() => parseKeyFile(unknown, 'k.pub')).toThrow(
      expect.objectContaining({ code: 'SIGNATURE_ALGORITHM', where: 'k.pub' }),
    )
  })
})

describe('several files', () => {
  it('are keys and keyrings, told apart by what is in them', async () => {
    const [one, two] = [newKey(), newKey('ed25519')]
    const armored = '\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n'
    const paths = [
      file('a.pub', pemOf(one)),
      file('armored.pub', armored),
      file('b.der', two.spki),
      file('ring.gpg', Buffer.of(0x99, 1, 2)),
    ]
    const { keys, keyrings } = await readKeys(paths)
    expect(keys.map(keyId)).toEqual([idOf(one), idOf(two)])
    expect(keyrings.map(({ path }) => path)).toEqual([paths[1], paths[3]])
  })

  it('must all be there, be small, and be keys', async () => {
    const good = file('good.pub', pemOf(newKey()))
    await expect(readKeys([good, join(folder, 'none')])).rejects.toThrow(
      expect.objectContaining({ code: 'STORE_NOT_FOUND' }),
    )
    const large = file('large.pub', Buffer.alloc(1024 * 1024 + 1, ' '))
    await expect(readKeys([good, large])).rejects.toThrow(
      expect.objectContaining({ code: 'STORE_UNREADABLE' }),
    )
    await expect(readKeys([file('bad.pub', 'x'), good])).rejects.toThrow(
      expect.objectContaining({ code: 'MALFORMED_KEY' }),
    )
    expect(await readKeys([])).toEqual({ keys: [], keyrings: [] })
  })
})
