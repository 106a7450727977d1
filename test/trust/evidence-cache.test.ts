import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { prepare } from '../../trust/content.ts'
import type { TrustDomain } from '../../trust/domain.ts'
import { EvidenceCache, type EvidenceInputs } from '../../trust/evidence-cache.ts'
import type { Evidence } from '../../trust/evidence.ts'
import { artifactFromBytes } from '../../trust/given.ts'
import { anyOf, exactly, identity, nobody, policy, type Policy } from '../../trust/policy.ts'
import { judge } from '../../trust/verify.ts'
import type { Verdict } from '../../trust/verdict.ts'
import { newKey } from '../support/test-der.ts'
import {
  ARTIFACT,
  BreakableInstance,
  found,
  SIGNER,
  statementAbout,
  windowOf,
  type TestBundle,
} from '../support/breakable-instance.ts'
import { keyRequirement, summary, USUAL_SIGNER } from '../support/verdicts.ts'

const instance = new BreakableInstance()
const domain = instance.domain()
const managed = newKey()
const signed = instance.sign()
const usual = policy(USUAL_SIGNER)

/** Counts what was taken out and put in. */
class WatchedCache extends EvidenceCache {
  hits = 0
  kept = 0

  override get(inputs: EvidenceInputs): Evidence | undefined {
    const evidence = super.get(inputs)
    if (evidence !== undefined) this.hits++
    return evidence
  }

  override set(inputs: EvidenceInputs, evidence: Evidence): void {
    this.kept++
    super.set(inputs, evidence)
  }
}

interface Call {
  readonly bundle?: TestBundle
  readonly domain?: TrustDomain
  readonly policy?: Policy
  readonly bytes?: Uint8Array
  readonly purl?: string
}

async function judged(cache: EvidenceCache, call: Call = {}): Promise<Verdict> {
  const artifact = artifactFromBytes(
    call.bytes ?? ARTIFACT,
    call.purl === undefined ? {} : { purl: call.purl, statementNames: [] },
  )
  const [domains, asked] = [[call.domain ?? domain], call.policy ?? usual]
  const { content, bundles } = await prepare(artifact, [found(call.bundle ?? signed)], domains, asked)
  return judge(artifact, content, bundles, domains, asked, cache)
}

/** Whether the second call is answered from memory. */
async function remembers(first: Call, second: Call): Promise<boolean> {
  const cache = new WatchedCache()
  await judged(cache, first)
  await judged(cache, second)
  expect(cache.kept + cache.hits).toBe(2)
  return cache.hits === 1
}

describe('evidence', () => {
  it('is remembered for the same bundle, artifact, domain and keys, and is the same', async () => {
    const cache = new WatchedCache()
    const before = await judged(cache)
    const after = await judged(cache)
    expect(cache.hits).toBe(1)
    expect(after.bundles).toEqual(before.bundles)
    expect(summary(after)).toBe('verified')
  })

  it('is another for other bytes of the bundle, even if they say the same', async () => {
    expect(await remembers({}, { bundle: { ...signed, more: 1 } })).toBe(false)
  })

  it('is another for another artifact', async () => {
    const bytes = Buffer.from('another artifact')
    const bundle = instance.sign({
      statement: { ...statementAbout(ARTIFACT), subject: [...subjects(ARTIFACT), ...subjects(bytes)] },
    })
    expect(await remembers({ bundle }, { bundle })).toBe(true)
    expect(await remembers({ bundle }, { bundle, bytes })).toBe(false)
    const cache = new EvidenceCache()
    expect(summary(await judged(cache))).toBe('verified')
    expect(summary(await judged(cache, { bytes }))).toBe('rejected ARTIFACT_DIGEST')
  })

  it('is another for a refreshed domain, even under the same name', async () => {
    expect(await remembers({}, { domain: instance.domain() })).toBe(false)
    const cache = new EvidenceCache()
    expect(summary(await judged(cache))).toBe('verified')
    const distrusted = instance.domain({ root: instance.trustedRoot(({ tlogs }) => tlogs.splice(0)) })
    expect(summary(await judged(cache, { domain: distrusted }))).toBe('rejected LOG_UNKNOWN')
  })

  it('is another for other keys, hints and windows that were offered', async () => {
    const bundle = instance.sign({ managed })
    const key = { bundle, policy: policy(keyRequirement(managed)) }
    const [early, late] = ['2026-01-01T00:00:00Z', '2026-06-01T00:00:00Z']
    const others = [
      policy(anyOf([keyRequirement(managed), keyRequirement(newKey())])),
      policy(keyRequirement(managed, { hint: 'x' })),
      policy(keyRequirement(managed, { validFor: windowOf(early) })),
      policy(nobody()),
    ]
    expect(await remembers(key, key)).toBe(true)
    for (const other of others) expect(await remembers(key, { bundle, policy: other })).toBe(false)
    const cache = new EvidenceCache()
    expect(summary(await judged(cache, key))).toBe('verified')
    const unborn = policy(keyRequirement(managed, { validFor: windowOf(late) }))
    expect(summary(await judged(cache, { bundle, policy: unborn }))).toBe('rejected TIME_KEY_WINDOW')
  })

  it('is the same for another policy: that is decided anew', async () => {
    const stranger = policy(identity({ subject: exactly('x'), issuer: exactly(SIGNER.issuer) }))
    expect(await remembers({}, { policy: stranger })).toBe(true)
    const cache = new EvidenceCache()
    expect(summary(await judged(cache))).toBe('verified')
    expect(summary(await judged(cache, { policy: stranger }))).toBe('rejected IDENTITY_SUBJECT')
    expect(summary(await judged(cache, { policy: policy(nobody()) }))).toBe('signed-by-unknown')
    const asked = policy(USUAL_SIGNER, { package: 'pkg:npm/a@1' })
    expect(summary(await judged(cache, { policy: asked, purl: 'pkg:npm/a@1' }))).toBe('verified')
    expect(summary(await judged(cache, { policy: asked, purl: 'pkg:npm/b@1' }))).toBe('rejected PACKAGE_NAME')
  })

  it('says what a domain may speak for at every call', async () => {
    const spoken = { ...domain, speaksFor: { issuers: 'any', packages: ['pkg:npm/a'] } } as const
    const cache = new WatchedCache()
    expect(summary(await judged(cache, { domain: spoken, purl: 'pkg:npm/a@1' }))).toBe('verified')
    expect(summary(await judged(cache, { domain: spoken, purl: 'pkg:npm/b@1' }))).toBe(
      'rejected DOMAIN_PACKAGE',
    )
    expect(cache.hits).toBe(1)
  })

  it('is kept of what holds only', async () => {
    const cache = new WatchedCache()
    await judged(cache, { bytes: Buffer.from('x') })
    await judged(cache, { bundle: new BreakableInstance({ name: 'foreign.test' }).sign() })
    expect(cache.kept).toBe(0)
  })

  it('makes room for new evidence by dropping the oldest', async () => {
    const cache = new EvidenceCache(2)
    const [evidence] = (await judged(cache)).bundles.flatMap((bundle) => bundle.evidence)
    if (evidence === undefined) throw new Error('the bundle proves something')
    const inputs = ['a', 'b', 'c'].map((offered) => ({
      bundle: Buffer.of(1),
      artifact: new Map(),
      domain,
      offered,
    }))
    for (const one of inputs) cache.set(one, evidence)
    expect(inputs.map((one) => cache.get(one) !== undefined)).toEqual([false, true, true])
  })
})

function subjects(bytes: Uint8Array): readonly unknown[] {
  return statementAbout(bytes)['subject'] as unknown[]
}
