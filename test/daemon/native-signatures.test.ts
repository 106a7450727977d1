import { Buffer } from 'node:buffer'
import { createHash, hash, sign } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import {
  createCleartextMessage,
  generateKey,
  readPrivateKey,
  sign as signText,
  type PrivateKey,
} from 'openpgp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readKeys } from '../../daemon/key-file.ts'
import { reportEmbedded, reportProvenance, type NativeKeys } from '../../daemon/native-signatures.ts'
import { createEngine } from '../../daemon/engine.ts'
import type { Artifact, NativeSignature } from '../../trust/artifact.ts'
import { parsePublicKey } from '../../trust/keys.ts'
import { chartPackage } from '../support/packages.ts'
import { newKey } from '../support/test-der.ts'
import { readVector, vectorCases, vectorInput, type VectorCase } from '../support/vectors.ts'

const folder = mkdtempSync(join(tmpdir(), 'sigward-native-'))
afterAll(() => rmSync(folder, { recursive: true }))
const NOBODY: NativeKeys = { keys: [], keyrings: [] }

describe('a signature inside of a package', () => {
  const key = newKey('ed25519')
  const message = Buffer.from('message')
  const signature: NativeSignature = {
    scheme: 'wasm-signature',
    keyId: 'k',
    message,
    signature: sign(null, message, key.privateKey),
    algorithm: 'ed25519',
    covers: 'whole module',
    contentMatches: true,
  }
  const report = (change: Partial<NativeSignature>, ...named: readonly Uint8Array[]): string | undefined => {
    const artifact = { nativeSignatures: [{ ...signature, ...change }] } as unknown as Artifact
    const [one] = reportEmbedded(artifact, { keys: named.map(parsePublicKey), keyrings: [] })
    expect(one).toMatchObject({ scheme: 'wasm-signature', keyId: 'k', covers: 'whole module' })
    return one?.state
  }

  it('holds only with a key that was named, over the content as it is', () => {
    expect(report({}, key.spki)).toBe('holds')
    expect(report({}, newKey('ed25519').spki, newKey().spki, key.spki)).toBe('holds')
    expect(report({}, newKey('ed25519').spki)).toBe('key-unknown')
    expect(report({}, newKey().spki)).toBe('key-unknown')
    expect(report({})).toBe('key-unknown')
    expect(report({ message: Buffer.from('other') }, key.spki)).toBe('key-unknown')
    expect(report({ contentMatches: false }, key.spki)).toBe('broken')
  })

  it('of a kind that is not verified is only told of', () => {
    expect(report({ algorithm: 'pkcs7' }, key.spki)).toBe('reported-only')
    expect(report({ message: undefined, contentMatches: false }, key.spki)).toBe('reported-only')
  })
})

const chart = chartPackage()
const FILENAME = 'example-1.2.3.tgz'
const digest = hash('sha256', chart, 'buffer')

/** Writes a chart and its provenance into a folder of their own, and asks. */
async function provenanceState(
  text: string | undefined,
  { keyrings }: Pick<NativeKeys, 'keyrings'>,
): Promise<string> {
  const path = join(mkdtempSync(join(folder, 'chart-')), FILENAME)
  writeFileSync(path, chart)
  if (text !== undefined) writeFileSync(`${path}.prov`, text)
  const reports = await reportProvenance(path, FILENAME, digest, { keys: [], keyrings })
  return reports.map(({ state, scheme, remark }) => `${state} ${scheme}: ${remark}`).join()
}

describe('the provenance of a chart', () => {
  let key: PrivateKey
  let ring: Pick<NativeKeys, 'keyrings'>

  async function provenance(sha256: string, filename = FILENAME): Promise<string> {
    const text = `name: example\nversion: 1.2.3\n\n...\nfiles:\n  ${filename}: sha256:${sha256}\n`
    return signText({ message: await createCleartextMessage({ text }), signingKeys: key })
  }
  const hex = Buffer.from(digest).toString('hex')

  beforeAll(async () => {
    const { privateKey } = await generateKey({ userIDs: [{ name: 'helm' }], type: 'ecc', format: 'armored' })
    key = await readPrivateKey({ armoredKey: privateKey })
    ring = { keyrings: [{ path: 'ring', bytes: key.toPublic().write() }] }
  })

  it('holds with the keyring that was named', async () => {
    expect(await provenanceState(await provenance(hex), ring)).toMatch(
      /^holds helm-provenance: made by OpenPGP key [0-9a-f]{16}/,
    )
  })

  it('is nothing where there is none', async () => {
    expect(await provenanceState(undefined, ring)).toBe('')
  })

  it('is broken when it is about another file or other bytes, or was changed', async () => {
    const good = await provenance(hex)
    expect(await provenanceState(await provenance('ab'.repeat(32)), ring)).toMatch(
      /^broken .*another file of this name$/,
    )
    expect(await provenanceState(await provenance(hex, 'other-1.2.3.tgz'), ring)).toMatch(
      /^broken .*files of other names$/,
    )
    expect(await provenanceState(good.replace('version: 1.2.3', 'version: 1.2.4'), ring)).toMatch(/^broken /)
    expect(await provenanceState('no provenance', ring)).toMatch(/^broken .*not a clear-signed message$/)
    const nonsense = good.replace(
      /-----BEGIN PGP SIGNATURE-----[^]*/,
      '-----BEGIN PGP SIGNATURE-----\n\nAQID\n-----END PGP SIGNATURE-----\n',
    )
    expect(await provenanceState(nonsense, ring)).toMatch(/^broken .*cannot be read$/)
  })

  it('says nothing without its key', async () => {
    const good = await provenance(hex)
    expect(await provenanceState(good, NOBODY)).toMatch(/^key-unknown .*name its OpenPGP keyring/)
    const { publicKey } = await generateKey({ userIDs: [{ name: 'other' }], type: 'ecc', format: 'binary' })
    expect(await provenanceState(good, { keyrings: [{ path: 'ring', bytes: publicKey }] })).toMatch(
      /^key-unknown .*in no keyring/,
    )
  })

  it('that cannot be read is not passed over', async () => {
    const path = join(folder, FILENAME)
    mkdirSync(`${path}.prov`)
    await expect(reportProvenance(path, FILENAME, digest, NOBODY)).rejects.toThrow(
      expect.objectContaining({ code: 'STORE_UNREADABLE' }),
    )
  })

  it('never makes a chart verified', async () => {
    const path = join(mkdtempSync(join(folder, 'chart-')), FILENAME)
    writeFileSync(path, chart)
    writeFileSync(`${path}.prov`, await provenance(hex))
    const keyring = join(folder, 'ring.gpg')
    writeFileSync(keyring, key.toPublic().write())
    const { verdict, nativeSignatures } = await createEngine().verify({
      target: { kind: 'file', path },
      bundles: [],
      policy: { kind: 'keys', paths: [keyring] },
      trustedRoots: [],
      package: undefined,
    })
    expect(verdict.outcome).toBe('unsigned')
    expect(nativeSignatures).toMatchObject([{ scheme: 'helm-provenance', state: 'holds' }])
  })
})

const signedCharts = vectorCases('helm').filter(({ inputs }) => 'provenance' in inputs && 'keyring' in inputs)

describe.skipIf(signedCharts.length === 0)('the provenance of a published chart', () => {
  async function stateOf(vector: VectorCase, withKeyring: boolean): Promise<readonly string[]> {
    const [chartName, provenanceName] = [vectorInput(vector, 'chart'), vectorInput(vector, 'provenance')]
    const path = join(mkdtempSync(join(folder, 'vector-')), basename(chartName))
    writeFileSync(path, readVector(chartName))
    writeFileSync(`${path}.prov`, readVector(provenanceName))
    const keyring = `${path}.ring`
    writeFileSync(keyring, readVector(vectorInput(vector, 'keyring')))
    const named = withKeyring ? await readKeys([keyring]) : NOBODY
    const sha256 = createHash('sha256').update(readFileSync(path)).digest()
    return (await reportProvenance(path, basename(path), sha256, named)).map(({ state }) => state)
  }

  it.each(signedCharts)('$id: $expected.why', async (vector) => {
    const expected = vector.expected.result === 'pass' ? 'holds' : 'broken'
    expect(await stateOf(vector, true)).toEqual([expected])
    expect(await stateOf(vector, false)).toEqual([expected === 'holds' ? 'key-unknown' : 'broken'])
  })
})
