import { describe, expect, it } from 'vitest'
import type { TrustDomain } from '../../trust/domain.ts'
import { artifactFromBytes } from '../../trust/given.ts'
import {
  allOf,
  anyOf,
  exactly,
  identity,
  intersectionOf,
  nobody,
  policy,
  type Policy,
  type Requirement,
} from '../../trust/policy.ts'
import {
  ARTIFACT,
  BreakableInstance,
  SIGNER,
  statementAbout,
  type SignRequest,
  type TestBundle,
} from '../support/breakable-instance.ts'
import { ask, changed, damaged, outcomeOf, USUAL_SIGNER } from '../support/verdicts.ts'

const own = new BreakableInstance({ timestamps: ['tsa'] })
const other = new BreakableInstance({ name: 'other.test' })
const domain = own.domain()
const otherDomain = other.domain()
const signer = (name: string): Requirement =>
  identity({ subject: exactly(`${name}@example.com`), issuer: exactly(SIGNER.issuer) })
const by = (name: string, request: SignRequest = {}): TestBundle =>
  own.sign({ subject: `${name}@example.com`, ...request })
const PROVENANCE = 'https://slsa.dev/provenance/v1'
const about = (predicateType: string): unknown => statementAbout(ARTIFACT, { predicateType })

const anna = by('anna')
const berta = by('berta')
const falseOne = changed(by('anna'), (copy) => {
  Object.assign(copy.messageSignature ?? {}, { signature: damaged(copy.messageSignature?.['signature']) })
})
const foreign = new BreakableInstance({ name: 'foreign.test' }).sign()

const outcome = (
  bundles: readonly unknown[],
  asked: Policy,
  domains: readonly TrustDomain[] = [domain],
): Promise<string> => outcomeOf({ bundles, domains, policy: asked })

describe('a verdict', () => {
  it('is unsigned where there is no bundle at all', async () => {
    const verdict = await ask({ bundles: [], domains: [domain] })
    expect(verdict).toMatchObject({ outcome: 'unsigned', failures: [], bundles: [] })
  })

  it('is verified where somebody signed whom the policy names, and then carries the artifact', async () => {
    const artifact = artifactFromBytes(ARTIFACT)
    const verdict = await ask({
      bundles: [anna, berta],
      domains: [domain],
      policy: policy(signer('berta')),
      artifact,
    })
    expect(verdict).toMatchObject({
      outcome: 'verified',
      bundles: [{ outcome: 'valid' }, { outcome: 'accepted' }],
      evidence: [{ signer: { identity: { subject: { value: 'berta@example.com' } } } }],
      domains: [{ name: 'own.test', rootDigest: domain.root.digest }],
    })
    expect('artifact' in verdict && verdict.artifact).toBe(artifact)
  })

  it('that is not verified carries no artifact', async () => {
    for (const asked of [policy(nobody()), policy(signer('carla'))]) {
      const verdict = await ask({ bundles: [anna], domains: [domain], policy: asked })
      expect('artifact' in verdict).toBe(false)
      expect('evidence' in verdict).toBe(false)
    }
  })

  it('never says verified where the policy names nobody, however good the signature', async () => {
    const nameless = [
      nobody(),
      anyOf([nobody()]),
      allOf([nobody(), nobody()]),
      intersectionOf([anyOf([nobody()])]),
    ]
    for (const requirement of nameless)
      expect(await outcome([anna, berta], policy(requirement))).toBe('signed-by-unknown')
    expect(await outcome([falseOne], policy(nobody()))).toBe('rejected SIGNATURE_INVALID')
    expect(await outcome([foreign], policy(nobody()))).toBe('rejected CERT_UNKNOWN_AUTHORITY')
    expect(await outcome([anna], policy(anyOf([nobody(), signer('carla')])))).toBe(
      'rejected IDENTITY_KIND IDENTITY_SUBJECT',
    )
    expect(await outcome([anna], policy(allOf([nobody(), signer('anna')])))).toBe('rejected IDENTITY_KIND')
  })
})

describe('a bundle that is good and beside the point', () => {
  const silent = other.domain({ speaksFor: { issuers: ['https://elsewhere.example'], packages: 'any' } })
  const stray = other.sign()

  it('neither helps nor hurts where its domain may not speak for the issuer', async () => {
    const domains = [domain, silent]
    expect(await outcome([stray, anna], policy(signer('anna')), domains)).toBe('verified')
    expect(await outcome([stray], policy(signer('anna')), domains)).toBe('rejected DOMAIN_ISSUER')
    const verdict = await ask({ bundles: [stray, anna], domains, policy: policy(signer('anna')) })
    expect(verdict.bundles.map((bundle) => bundle.outcome)).toEqual(['foreign', 'accepted'])
  })

  it('by a stranger, under another name, stops nobody whom the policy names', async () => {
    const artifact = artifactFromBytes(ARTIFACT, { name: 'a', version: '1', purl: 'pkg:npm/a@1' })
    const misnamed = by('berta', { statement: statementAbout(ARTIFACT, { name: 'pkg:npm/b@1' }) })
    const bundles = [misnamed, anna]
    expect(await outcomeOf({ bundles, domains: [domain], policy: policy(signer('anna')), artifact })).toBe(
      'verified',
    )
    const asBerta = { bundles, domains: [domain], policy: policy(signer('berta')), artifact }
    expect(await outcomeOf(asBerta)).toBe('rejected SUBJECT_NAME')
    expect(await outcomeOf({ ...asBerta, policy: policy(nobody()) })).toBe('rejected SUBJECT_NAME')
  })
})

describe('a false bundle of a known domain', () => {
  it('rejects, although another satisfies the policy', async () => {
    const verdict = await ask({
      bundles: [anna, falseOne],
      domains: [domain],
      policy: policy(signer('anna')),
    })
    expect(verdict).toMatchObject({
      outcome: 'rejected',
      bundles: [{ outcome: 'valid' }, { outcome: 'rejected' }],
      failures: [
        {
          check: 'signature',
          code: 'SIGNATURE_INVALID',
          message: 'the signature over the artifact does not verify',
          got: 'a signature that this ecdsa-p256 key did not make',
          wanted: 'ecdsa sha256',
          domain: 'own.test',
        },
      ],
    })
  })

  it('rejects where it cannot be read at all', async () => {
    expect(await outcome([anna, {}], policy(signer('anna')))).toBe('rejected BUNDLE_FIELD')
    expect(await outcome([{ ...anna, mediaType: 'x' }, anna], policy(signer('anna')))).toBe(
      'rejected BUNDLE_MEDIA_TYPE',
    )
  })

  it('rejects also where another domain does not know it', async () => {
    for (const domains of [
      [domain, otherDomain],
      [otherDomain, domain],
    ]) {
      expect(await outcome([anna, falseOne], policy(signer('anna')), domains)).toBe(
        'rejected SIGNATURE_INVALID',
      )
    }
  })
})

describe('a foreign bundle', () => {
  it('does no harm beside one that satisfies the policy', async () => {
    const verdict = await ask({ bundles: [foreign, anna], domains: [domain], policy: policy(signer('anna')) })
    expect(verdict).toMatchObject({
      outcome: 'verified',
      bundles: [{ outcome: 'foreign', evidence: [] }, { outcome: 'accepted' }],
    })
  })

  it('is no good by itself', async () => {
    const verdict = await ask({ bundles: [foreign], domains: [domain] })
    expect(verdict).toMatchObject({
      outcome: 'rejected',
      failures: [
        {
          check: 'domain',
          code: 'CERT_UNKNOWN_AUTHORITY',
          message: 'trust domain own.test does not know the issuer',
          got: 'CN=foreign.test authority',
          wanted: 'ca.own.test',
        },
      ],
    })
  })
})

describe('words about a stranger', () => {
  it('name who signed, and who should have', async () => {
    const asked = policy(identity({ subject: exactly('carla@example.com'), issuer: exactly(SIGNER.issuer) }))
    const verdict = await ask({ bundles: [anna], domains: [domain], policy: asked })
    expect(verdict).toMatchObject({
      outcome: 'rejected',
      bundles: [{ outcome: 'valid' }],
      failures: [
        {
          check: 'identity',
          code: 'IDENTITY_SUBJECT',
          message: 'another identity signed',
          got: 'anna@example.com (email)',
          wanted: 'carla@example.com',
          domain: 'own.test',
        },
      ],
    })
  })

  it('are said once', async () => {
    const verdict = await ask({
      bundles: [anna, by('anna')],
      domains: [domain],
      policy: policy(signer('carla')),
    })
    expect('failures' in verdict && verdict.failures).toHaveLength(1)
  })
})

describe('several requirements', () => {
  const [a, b, c] = [signer('anna'), signer('berta'), signer('carla')]
  const outcomes = async (requirement: Requirement): Promise<readonly string[]> => [
    await outcome([anna], policy(requirement)),
    await outcome([anna, berta], policy(requirement)),
  ]
  const REFUSED = 'rejected IDENTITY_SUBJECT'

  it('of which any is enough', async () => {
    expect(await outcomes(anyOf([a, c]))).toEqual(['verified', 'verified'])
    expect(await outcomes(anyOf([b, c]))).toEqual([REFUSED, 'verified'])
    expect(await outcomes(c)).toEqual([REFUSED, REFUSED])
  })

  it('of which all are needed, by several bundles if need be', async () => {
    expect(await outcomes(allOf([a, b]))).toEqual([REFUSED, 'verified'])
    expect(await outcomes(allOf([a, c]))).toEqual([REFUSED, REFUSED])
    expect(await outcomes(allOf([a, a]))).toEqual(['verified', 'verified'])
  })

  it('that narrow each other, so that two signers do not make up for one whom both name', async () => {
    expect(await outcomes(intersectionOf([a, b]))).toEqual([REFUSED, REFUSED])
    expect(await outcomes(intersectionOf([anyOf([a, b]), b]))).toEqual([REFUSED, 'verified'])
    expect(await outcomes(intersectionOf([anyOf([a, c]), anyOf([b, c])]))).toEqual([REFUSED, REFUSED])
    expect(await outcomes(intersectionOf([allOf([a, b]), anyOf([a, b])]))).toEqual([REFUSED, 'verified'])
    expect(await outcomes(intersectionOf([allOf([a, b]), a]))).toEqual([REFUSED, REFUSED])
  })
})

describe('the quantifier', () => {
  const provenance = by('anna', { statement: about(PROVENANCE) })
  const strange = by('berta', { statement: about(PROVENANCE) })
  const sbom = by('berta', { statement: about('https://spdx.dev/Document') })
  const all = 'all'

  it('is any: a stranger beside the right one is nothing', async () => {
    expect(await outcome([provenance, strange], policy(signer('anna')))).toBe('verified')
  })

  it('may be all: then a stranger rejects', async () => {
    const asked = policy(signer('anna'), { quantifier: all })
    expect(await outcome([provenance, strange], asked)).toBe('rejected IDENTITY_SUBJECT')
    expect(await outcome([strange, provenance], asked)).toBe('rejected IDENTITY_SUBJECT')
    expect(await outcome([provenance, anna], asked)).toBe('verified')
    expect(await outcome([provenance, foreign], asked)).toBe('verified')
  })

  it('may be set for one predicate type, or for messages', async () => {
    const perType = (...types: readonly string[]): Policy =>
      policy(signer('anna'), { perPredicateType: new Map(types.map((type) => [type, all])) })
    expect(await outcome([provenance, sbom], perType(PROVENANCE))).toBe('verified')
    expect(await outcome([provenance, strange], perType(PROVENANCE))).toBe('rejected IDENTITY_SUBJECT')
    expect(await outcome([provenance, berta], perType(PROVENANCE))).toBe('verified')
    expect(await outcome([provenance, berta], perType(''))).toBe('rejected IDENTITY_SUBJECT')
    const lenient = policy(signer('anna'), {
      quantifier: all,
      perPredicateType: new Map([['https://spdx.dev/Document', 'any']]),
    })
    expect(await outcome([provenance, sbom], lenient)).toBe('verified')
  })
})

describe('trust domains', () => {
  /** Entries in the log of one, a certificate of the other. */
  const union = own.sign({ logs: other.logs, timestamps: own.timestamps })

  it('never complete each other: a log of one and an authority of the other are no evidence', async () => {
    for (const domains of [
      [domain, otherDomain],
      [otherDomain, domain],
    ]) {
      expect(await outcome([union], policy(USUAL_SIGNER), domains)).toBe('rejected LOG_UNKNOWN')
    }
    const stamped = own.sign({ timestamps: other.timestamps })
    expect(await outcome([stamped], policy(USUAL_SIGNER), [domain, otherDomain])).toBe(
      'rejected TIME_UNKNOWN_AUTHORITY',
    )
  })

  it('are named by the evidence, one for each that vouches', async () => {
    const twin = own.domain({ name: 'twin' })
    const verdict = await ask({ bundles: [anna], domains: [domain, twin], policy: policy(signer('anna')) })
    expect(verdict).toMatchObject({
      outcome: 'verified',
      evidence: [{ domain: 'own.test' }, { domain: 'twin' }],
    })
  })

  it('may be named by the policy', async () => {
    const named = (...domains: readonly string[]): Policy =>
      policy(identity({ subject: exactly('anna@example.com'), issuer: exactly(SIGNER.issuer), domains }))
    const two = [domain, own.domain({ name: 'twin' })]
    expect(await outcome([anna], named('twin'), two)).toBe('verified')
    expect(await outcome([anna], named('elsewhere'), two)).toBe('rejected IDENTITY_DOMAIN')
  })

  it('do not vouch for each other: a bundle that is good under one is good, whatever the other thinks of it', async () => {
    const stricter = own.domain({ name: 'stricter', thresholds: { logs: 2, certificateLogs: 1, times: 1 } })
    expect(await outcome([anna], policy(signer('anna')), [stricter, domain])).toBe('verified')
    expect(await outcome([anna], policy(signer('anna')), [stricter])).toBe('rejected LOG_THRESHOLD')
  })
})
