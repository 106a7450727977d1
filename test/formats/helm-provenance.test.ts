import { Buffer } from 'node:buffer'
import { basename } from 'node:path'
import { createHash } from 'node:crypto'
import { readCleartextMessage, readKey, verify } from 'openpgp'
import { describe, expect, it } from 'vitest'
import { parseProvenance, provenanceSignature } from '../../formats/helm-provenance.ts'
import { readVector, vectorCases } from '../support/vectors.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`
const SIGNATURE = '-----BEGIN PGP SIGNATURE-----\n\nAQID\n-----END PGP SIGNATURE-----\n'
const clear = (body: string, headers = 'Hash: SHA512\n', signature = SIGNATURE): Buffer =>
  Buffer.from(`-----BEGIN PGP SIGNED MESSAGE-----\n${headers}\n${body}\n${signature}`)
const BODY = `name: a\nversion: 1.0.0\n\n...\nfiles:\n  a-1.0.0.tgz: ${DIGEST}`
const malformed: unknown = expect.objectContaining({ code: 'MALFORMED_PROVENANCE', name: 'MalformedError' })

describe('a provenance file', () => {
  it('names the chart, its files and the signature', async () => {
    const provenance = await parseProvenance(clear(BODY))
    expect(provenance).toMatchObject({
      name: 'a',
      version: '1.0.0',
      metadata: 'name: a\nversion: 1.0.0\n',
      hashes: ['SHA512'],
      signedText: BODY,
      signature: Buffer.from([1, 2, 3]),
      armoredSignature: SIGNATURE.trimEnd(),
    })
    expect([...provenance.files]).toEqual([['a-1.0.0.tgz', DIGEST]])
  })

  it('is signed with canonical line ends, without trailing blanks and dash-escapes', async () => {
    const body = `name: a \t\nx:\n- - b\n...\nfiles:\n  a: ${DIGEST}`
    const { message, signedText } = await parseProvenance(clear(body))
    expect(signedText).toBe(`name: a \t\nx:\n- b\n...\nfiles:\n  a: ${DIGEST}`)
    expect(Buffer.from(message).toString()).toBe(`name: a\r\nx:\r\n- b\r\n...\r\nfiles:\r\n  a: ${DIGEST}`)
    const crlf = Buffer.from(clear(body).toString().replaceAll('\n', '\r\n'))
    expect((await parseProvenance(crlf)).message).toEqual(message)
  })

  it('is reported as a signature of its own kind', async () => {
    expect(await provenanceSignature(clear(BODY))).toMatchObject({
      scheme: 'helm-provenance',
      keyId: undefined,
      algorithm: 'openpgp',
      covers: 'metadata and SHA-256 of a-1.0.0.tgz',
      contentMatches: false,
      files: new Map([['a-1.0.0.tgz', DIGEST]]),
    })
  })

  it.each([
    ['no message', Buffer.from('name: a')],
    ['text before the message', Buffer.concat([Buffer.from('x\n'), clear(BODY)])],
    ['text after the signature', Buffer.concat([clear(BODY), Buffer.from('x')])],
    ['bytes that are not UTF-8', Buffer.concat([clear(BODY), Buffer.from([0xff])])],
    ['a header that hides text', clear(BODY, 'Hash: SHA512\nNotDashEscaped: x\n')],
    ['a header that is none', clear(BODY, 'Hash: SHA512\n \n')],
    ['a dash that is not escaped', clear(`- ${BODY}\n-x`)],
    ['no signature', Buffer.from('-----BEGIN PGP SIGNED MESSAGE-----\n\nname: a\n')],
    ['no end of the signature', clear(BODY, '', '-----BEGIN PGP SIGNATURE-----\n\nAQID\n')],
    ['an empty signature', clear(BODY, '', SIGNATURE.replace('AQID\n', ''))],
    ['a signature that is not base64', clear(BODY, '', SIGNATURE.replace('AQID', 'A%ID'))],
    ['a wrong checksum', clear(BODY, '', SIGNATURE.replace('AQID', 'AQID\n=AAAA'))],
    ['no list of files', clear('name: a')],
    ['two lists of files', clear(`${BODY}\n...\nfiles:\n  b: ${DIGEST}`)],
    ['an empty list of files', clear('name: a\n...\nfiles: {}')],
    ['a digest of another kind', clear('name: a\n...\nfiles:\n  a: sha1:abc')],
    ['metadata that is no YAML', clear(`name: [\n...\nfiles:\n  a: ${DIGEST}`)],
    ['a megabyte', clear(`name: ${'a'.repeat(1024 * 1024)}`)],
  ])('with %s is refused', async (_what, bytes) => {
    await expect(parseProvenance(bytes)).rejects.toThrow(malformed)
  })

  it('with a file that stands twice is refused', async () => {
    await expect(parseProvenance(clear(`${BODY}\n  a-1.0.0.tgz: ${DIGEST}`))).rejects.toThrow(
      expect.objectContaining({ code: 'PACKAGE_DUPLICATE' }),
    )
  })
})

const published = vectorCases('helm').filter((c) => c.inputs['provenance'] ?? c.inputs['clearsigned'])
it.each(published)('published provenance files: $id', async ({ id, inputs }) => {
  const bytes = readVector(String(inputs['provenance'] ?? inputs['clearsigned']))
  const provenance = await parseProvenance(bytes)
  expect(provenance.name).toMatch(/^(hash)?test$/)
  expect(provenance.hashes).toEqual(['SHA512'])
  // an independent reader of the same message agrees on the text and finds the signature good
  const message = await readCleartextMessage({ cleartextMessage: bytes.toString() })
  expect(message.getText()).toBe(provenance.signedText)
  const key = readVector(String(inputs['keyring']))
  const verificationKeys = await readAnyKey(key)
  const { signatures } = await verify({
    message,
    verificationKeys,
    config: { rejectPublicKeyAlgorithms: new Set() },
  })
  expect(await signatures[0]?.verified).toBe(true)
  if (typeof inputs['chart'] === 'string' && id !== 'helm/prov-of-other-chart') {
    const sha256 = createHash('sha256').update(readVector(inputs['chart'])).digest('hex')
    expect([...provenance.files]).toEqual([[basename(inputs['chart']), `sha256:${sha256}`]])
  }
})

async function readAnyKey(bytes: Buffer): ReturnType<typeof readKey> {
  const armored = bytes.toString()
  return armored.startsWith('-----') ? readKey({ armoredKey: armored }) : readKey({ binaryKey: bytes })
}
