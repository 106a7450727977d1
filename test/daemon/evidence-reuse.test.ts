import { Buffer } from 'node:buffer'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createEngine } from '../../daemon/engine.ts'
import { plainFile } from '../../formats/plain-file.ts'
import { prepare } from '../../trust/content.ts'
import type { TrustDomain } from '../../trust/domain.ts'
import { EvidenceCache } from '../../trust/evidence-cache.ts'
import { parsePublicKey } from '../../trust/keys.ts'
import { anyOf, exactly, identity, managedKey, nobody, policy, type Policy } from '../../trust/policy.ts'
import { judge } from '../../trust/verify.ts'
import { memoryFile } from '../support/packages.ts'
import { newKey } from '../support/test-der.ts'
import { BreakableInstance, bytesOf, found, SIGNER, windowOf } from '../support/breakable-instance.ts'
import { readVector, vectorCases } from '../support/vectors.ts'

/** Counts what was found in it. */
class CountingCache extends EvidenceCache {
  hits = 0
  override get(...args: Parameters<EvidenceCache['get']>): ReturnType<EvidenceCache['get']> {
    const known = super.get(...args)
    if (known !== undefined) this.hits++
    return known
  }
}

const ARTIFACT = Buffer.from('the artifact')
const instance = new BreakableInstance()
const domain = instance.domain()
const who = (subject: string, options = {}): Policy =>
  policy(identity({ subject: exactly(subject), issuer: exactly(SIGNER.issuer) }), options)
const right = who(SIGNER.subject)

interface Question {
  readonly bundle: unknown
  readonly artifact?: Uint8Array
  readonly domains?: readonly TrustDomain[]
  readonly policy?: Policy
}

/** Judges with the cache, and without: what was remembered must never change the answer. */
async function ask(cache: CountingCache, question: Question): Promise<string> {
  const { bundle, artifact = ARTIFACT, domains = [domain], policy: asked = right } = question
  const opened = await plainFile.open(memoryFile('a', artifact))
  const { content, bundles } = await prepare(opened, [found(bundle)], domains, asked)
  const before = cache.hits
  const remembered = judge(opened, content, bundles, domains, asked, cache)
  const anew = judge(opened, content, bundles, domains, asked)
  expect(remembered).toEqual(anew)
  return `${remembered.outcome}, ${cache.hits - before} remembered`
}

describe('evidence that was remembered', () => {
  const bundle = instance.sign({ artifact: ARTIFACT })

  it('is used for the same bundle, artifact, domain and keys', async () => {
    const cache = new CountingCache()
    expect(await ask(cache, { bundle })).toBe('verified, 0 remembered')
    expect(await ask(cache, { bundle })).toBe('verified, 1 remembered')
  })

  it('is not used for another artifact', async () => {
    const cache = new CountingCache()
    await ask(cache, { bundle })
    expect(await ask(cache, { bundle, artifact: Buffer.from('another') })).toBe('rejected, 0 remembered')
    expect(await ask(cache, { bundle, artifact: Buffer.from('another') })).toBe('rejected, 0 remembered')
  })

  it('is not used for another bundle, even one that says the same', async () => {
    const cache = new CountingCache()
    await ask(cache, { bundle })
    expect(await ask(cache, { bundle: { ...bundle, more: 1 } })).toMatch(/, 0 remembered$/)
    expect(await ask(cache, { bundle: instance.sign({ artifact: ARTIFACT }) })).toBe('verified, 0 remembered')
  })

  it('is not used for another domain, even one of the same name', async () => {
    const cache = new CountingCache()
    await ask(cache, { bundle })
    const stricter = instance.domain({ thresholds: { logs: 2, certificateLogs: 1, times: 1 } })
    expect(await ask(cache, { bundle, domains: [stricter] })).toBe('rejected, 0 remembered')
    const other = new BreakableInstance().domain({ name: domain.name })
    expect(await ask(cache, { bundle, domains: [other] })).toBe('rejected, 0 remembered')
    expect(await ask(cache, { bundle, domains: [instance.domain()] })).toBe('verified, 0 remembered')
  })

  it('decides nothing: policy, package and right to speak are asked for anew', async () => {
    const cache = new CountingCache()
    await ask(cache, { bundle })
    expect(await ask(cache, { bundle, policy: who('other@example.com') })).toBe('rejected, 1 remembered')
    expect(await ask(cache, { bundle, policy: policy(nobody()) })).toBe('signed-by-unknown, 1 remembered')
    expect(await ask(cache, { bundle, policy: who(SIGNER.subject, { package: 'pkg:npm/x' }) })).toBe(
      'rejected, 1 remembered',
    )
    const silent = instance.domain({ speaksFor: { issuers: [], packages: 'any' } })
    await ask(cache, { bundle, domains: [silent] })
    expect(await ask(cache, { bundle, domains: [silent] })).toBe('rejected, 1 remembered')
  })

  it('is not used for a key that was named otherwise', async () => {
    const cache = new CountingCache()
    const key = newKey()
    const signed = instance.sign({ artifact: ARTIFACT, managed: key })
    const named = (options = {}): Policy => policy(managedKey(parsePublicKey(key.spki), options))
    expect(await ask(cache, { bundle: signed, policy: policy(nobody()) })).toBe(
      'signed-by-unknown, 0 remembered',
    )
    expect(await ask(cache, { bundle: signed, policy: named() })).toBe('verified, 0 remembered')
    expect(await ask(cache, { bundle: signed, policy: named() })).toBe('verified, 1 remembered')
    const past = { validFor: windowOf('2020-01-01T00:00:00Z', '2021-01-01T00:00:00Z') }
    expect(await ask(cache, { bundle: signed, policy: named(past) })).toBe('rejected, 0 remembered')
    const stranger = policy(managedKey(parsePublicKey(newKey().spki)))
    expect(await ask(cache, { bundle: signed, policy: stranger })).toBe('rejected, 0 remembered')
    const both = policy(
      anyOf([managedKey(parsePublicKey(newKey().spki)), managedKey(parsePublicKey(key.spki))]),
    )
    expect(await ask(cache, { bundle: signed, policy: both })).toBe('verified, 0 remembered')
  })

  it('is forgotten when there is too much of it, the oldest first', async () => {
    const cache = new CountingCache(2)
    const bundles = [1, 2, 3].map(() => instance.sign({ artifact: ARTIFACT }))
    for (const one of bundles) await ask(cache, { bundle: one })
    expect(await ask(cache, { bundle: bundles[2] })).toBe('verified, 1 remembered')
    expect(await ask(cache, { bundle: bundles[1] })).toBe('verified, 1 remembered')
    expect(await ask(cache, { bundle: bundles[0] })).toBe('verified, 0 remembered')
  })
})

const published = vectorCases('bundle-verify').filter(({ id }) => id === 'conformance/happy-path-v0.3')

describe.skipIf(published.length === 0)('an engine that has seen a published bundle', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sigward-reuse-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  it('does not take another file, another signer or a changed bundle for it', async () => {
    const engine = createEngine()
    const path = join(folder, 'a.txt')
    const bundle = readVector('sigstore-conformance/bundle-verify/happy-path-v0.3/bundle.sigstore.json')
    const artifact = readVector('sigstore-conformance/bundle-verify/a.txt')
    const outcome = async (subject: string): Promise<string> => {
      const policySource = {
        kind: 'identity',
        subject: { kind: 'exact', value: subject },
        issuer: { kind: 'exact', value: 'https://token.actions.githubusercontent.com' },
      } as const
      const target = { kind: 'file', path } as const
      const request = { target, bundles: [], policy: policySource, trustedRoots: [], package: undefined }
      return (await engine.verify(request)).verdict.outcome
    }
    const signer = String(published[0]?.inputs['identity'])
    writeFileSync(path, artifact)
    writeFileSync(`${path}.sigstore.json`, bundle)
    expect([await outcome(signer), await outcome(signer)]).toEqual(['verified', 'verified'])
    expect(await outcome(`${signer}x`)).toBe('rejected')
    writeFileSync(path, Buffer.concat([artifact, Buffer.of(0x0a)]))
    expect(await outcome(signer)).toBe('rejected')
    writeFileSync(path, artifact)
    const changed: { messageSignature?: { signature?: string } } = JSON.parse(bundle.toString()) as object
    changed.messageSignature = { ...changed.messageSignature, signature: Buffer.alloc(70).toString('base64') }
    writeFileSync(`${path}.sigstore.json`, bytesOf(changed))
    expect(await outcome(signer)).toBe('rejected')
    writeFileSync(`${path}.sigstore.json`, bundle)
    expect(await outcome(signer)).toBe('verified')
  })
})
