import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import type { Artifact, NativeSignature } from '../../trust/artifact.ts'
import { jar } from '../../formats/jar.ts'
import { memoryFile } from '../support/packages.ts'
import { readVector, vectorPath } from '../support/vectors.ts'
import { buildSignedJar, buildZip, type SignedJarOptions } from '../support/zip-packages.ts'

const LONG = `${'folder/'.repeat(12)}Long.class`
const FILES = { 'a/A.class': 'class A', 'b/B.class': 'class B', [LONG]: 'class Long' }
const coded = (code: string): unknown => expect.objectContaining({ code, name: 'MalformedError' })

function open(
  options: SignedJarOptions = {},
  files: Readonly<Record<string, string>> = FILES,
): Promise<Artifact> {
  return jar.open(memoryFile('signed.jar', buildSignedJar(files, options)))
}

function only(artifact: Artifact): NativeSignature {
  const [signature, second] = artifact.nativeSignatures
  if (signature === undefined || second !== undefined) throw new Error('expected one signature')
  return signature
}

/** Changes one file of the jar after the digests over it were made. */
function altering(name: string, change: (text: string) => string): SignedJarOptions {
  return { alter: (candidate, text) => (candidate === name ? change(text) : text) }
}

describe('a jar signed by jarsigner', () => {
  it.each(['RSA', 'DSA', 'EC'])(
    'hands out signature file and block (%s) and covers every entry',
    async (block) => {
      const signature = only(await open({ block }))
      expect(signature).toMatchObject({
        scheme: 'jarsigner',
        keyId: 'SIGNER',
        algorithm: 'pkcs7',
        covers: 'manifest, 3 of 3 entries',
        contentMatches: true,
      })
      expect(Buffer.from(signature.signature).toString()).toBe('a block')
      expect(Buffer.from(signature.message ?? []).toString()).toMatch(/^Signature-Version: 1\.0\r\n/)
    },
  )

  it.each(['SHA-384', 'SHA-512'])('is compared by %s too', async (algorithm) => {
    expect(only(await open({ algorithm })).contentMatches).toBe(true)
  })

  it('may cover the sections of the manifest one by one', async () => {
    expect(only(await open({ wholeManifest: false }))).toMatchObject({
      covers: 'manifest, 3 of 3 entries',
      contentMatches: true,
    })
  })

  it('still covers its sections when another tool added to the manifest', async () => {
    const added = altering('META-INF/MANIFEST.MF', (text) => `${text}Name: c/C.class\r\nNote: new\r\n\r\n`)
    expect(only(await open(added)).contentMatches).toBe(true)
  })

  it('counts entries that nobody signed', async () => {
    const bytes = buildSignedJar(FILES)
    const unsigned = { name: 'c/C.class', content: 'class C' }
    const more = buildZip([...partsOf(FILES), unsigned])
    expect(bytes.length).toBeLessThan(more.length)
    const signature = only(await jar.open(memoryFile('signed.jar', more)))
    expect(signature).toMatchObject({ covers: 'manifest, 3 of 4 entries', contentMatches: true })
  })

  it.each([
    ['an entry was changed', altering('a/A.class', () => 'class X'), 'entries differ', 2],
    [
      'the manifest was changed',
      altering('META-INF/MANIFEST.MF', (t) => t.replace('a/A', 'a/Z')),
      'missing from the manifest',
      2,
    ],
    [
      'a digest in the manifest was changed',
      altering('META-INF/MANIFEST.MF', (t) => t.replace('SHA-256-Digest: ', 'SHA-256-Digest: AAAA')),
      'sections of the manifest differ',
      2,
    ],
    [
      'a digest is not base64',
      {
        wholeManifest: false,
        alter: (name: string, t: string) =>
          name.endsWith('.SF') ? t.replace('SHA-256-Digest: ', 'SHA-256-Digest: *') : t,
      },
      'sections of the manifest differ',
      2,
    ],
    [
      'the main attributes were changed',
      altering('META-INF/MANIFEST.MF', (t) => t.replace('1.0', '2.0')),
      'main attributes',
      3,
    ],
    ['the signature file is none', altering('META-INF/SIGNER.SF', () => 'nothing'), 'cannot be read', 0],
    [
      'the signature file names nothing',
      altering('META-INF/SIGNER.SF', () => 'Signature-Version: 1.0\r\n\r\n'),
      'covers no entry',
      0,
    ],
    ['the digests are MD5', { algorithm: 'MD5' }, 'MD5 and SHA-1 count as none', 0],
    ['the digests are SHA-1', { algorithm: 'SHA-1' }, 'MD5 and SHA-1 count as none', 0],
    [
      'an entry is named twice',
      altering('META-INF/MANIFEST.MF', (t) => `${t}Name: a/A.class\r\nNote: again\r\n\r\n`),
      'named twice',
      2,
    ],
    [
      'a section has no digest',
      altering('META-INF/SIGNER.SF', (t) =>
        t.replace(/-Digest-Manifest: .*/, '-Other: x').replace(/(A\.class\r\n).*\r\n/, '$1'),
      ),
      'have no digest',
      2,
    ],
  ] satisfies (readonly [string, SignedJarOptions, string, number])[])(
    'does not match when %s',
    async (_what, options, remark, covered) => {
      const artifact = await open(options)
      expect(only(artifact)).toMatchObject({
        contentMatches: false,
        covers: `manifest, ${covered} of 3 entries`,
      })
      expect(artifact.notes.join('\n')).toContain(remark)
    },
  )

  it('does not match when a signed entry is missing', async () => {
    const parts = partsOf(FILES).filter(({ name }) => name !== 'b/B.class')
    const artifact = await jar.open(memoryFile('signed.jar', buildZip(parts)))
    expect(only(artifact)).toMatchObject({ contentMatches: false, covers: 'manifest, 2 of 2 entries' })
    expect(artifact.notes.join()).toContain('entries that were signed are missing')
  })

  it('does not match without a manifest', async () => {
    const parts = partsOf(FILES).filter(({ name }) => !name.endsWith('MANIFEST.MF'))
    const artifact = await jar.open(memoryFile('signed.jar', buildZip(parts)))
    expect(only(artifact).contentMatches).toBe(false)
    expect(artifact.notes.join()).toContain('no manifest that it could cover')
  })

  it('reports no signature for a signature file without a block', async () => {
    const parts = partsOf(FILES).filter(({ name }) => !name.endsWith('.RSA'))
    const artifact = await jar.open(memoryFile('signed.jar', buildZip(parts)))
    expect(artifact.nativeSignatures).toEqual([])
    expect(artifact.notes.join()).toContain('META-INF/SIGNER.SF has no signature block')
  })

  it('reports several signers one by one, found without regard to case', async () => {
    const second = partsOf(FILES).filter(({ name }) => name.includes('SIGNER'))
    const lower = second.map(({ name, content }) => ({
      name: name.replace('SIGNER', 'other').replace('.SF', '.sf'),
      content,
    }))
    const { nativeSignatures } = await jar.open(
      memoryFile('signed.jar', buildZip([...partsOf(FILES), ...lower])),
    )
    expect(nativeSignatures.map(({ keyId, contentMatches }) => [keyId, contentMatches])).toEqual([
      ['SIGNER', true],
      ['other', true],
    ])
  })

  it('is refused with a signature file in two spellings', async () => {
    const twice = buildZip([...partsOf(FILES), { name: 'META-INF/signer.sf', content: 'x' }])
    await expect(jar.open(memoryFile('signed.jar', twice))).rejects.toThrow(coded('PACKAGE_DUPLICATE'))
  })

  it('is refused with more signers than memory is kept for', async () => {
    const signers = Array.from({ length: 9 }, (_, i) => [
      { name: `META-INF/S${i}.SF`, content: 'Signature-Version: 1.0\r\n' },
      { name: `META-INF/S${i}.RSA`, content: 'x' },
    ])
    await expect(jar.open(memoryFile('signed.jar', buildZip(signers.flat())))).rejects.toThrow(
      coded('PACKAGE_LIMIT'),
    )
  })

  it('is refused with a block that is larger than any', async () => {
    const parts = partsOf(FILES).map((part) =>
      part.name.endsWith('.RSA') ? { ...part, content: 'x'.repeat(1_100_000) } : part,
    )
    await expect(jar.open(memoryFile('signed.jar', buildZip(parts)))).rejects.toThrow(coded('PACKAGE_LIMIT'))
  })

  it('is not hashed where that would be endless work', async () => {
    const size = 1024 * 1024 * 1024 + 1
    const parts = partsOf({ 'a/A.class': 'class A' }).map((part) =>
      part.name === 'a/A.class' ? { ...part, claims: { size }, local: { size } } : part,
    )
    // enough honest bytes that the claim is within the ratio
    const bytes = buildZip([...parts, { name: 'ballast', content: Buffer.alloc(11_000_000), method: 0 }])
    const artifact = await jar.open(memoryFile('signed.jar', bytes))
    expect(only(artifact)).toMatchObject({ contentMatches: false, covers: 'manifest, 0 of 2 entries' })
    expect(artifact.notes.join()).toContain('bytes are signed: their digests were not compared')
  })

  it('is refused when a signed entry cannot be read', async () => {
    const parts = partsOf(FILES).map((part) => (part.name === 'a/A.class' ? { ...part, flags: 1 } : part))
    await expect(jar.open(memoryFile('signed.jar', buildZip(parts)))).rejects.toThrow(
      coded('MALFORMED_PACKAGE'),
    )
  })
})

describe('published signed jars', () => {
  it.each([
    ['rekor/jar/test.jar', 'SIGSTORE', 7, 5881],
    ['maven/org.eclipse.osgi-3.17.0.jar', 'ECLIPSE_', 722, 7847],
  ] as const)('are covered down to every entry: %s', async (name, keyId, entries, block) => {
    if (vectorPath(name) === undefined) return
    const signature = only(await jar.open(memoryFile('signed.jar', readVector(name))))
    expect(signature).toMatchObject({
      keyId,
      contentMatches: true,
      covers: `manifest, ${entries} of ${entries} entries`,
    })
    expect(signature.signature.length).toBe(block)
  })
})

/** The signed jar's files, to put together in another way. */
function partsOf(
  files: Readonly<Record<string, string>>,
): { readonly name: string; readonly content: string }[] {
  const parts: { name: string; content: string }[] = []
  const alter = (name: string, content: string): string => {
    parts.push({ name, content })
    return content
  }
  buildSignedJar(files, { alter })
  return parts
}
