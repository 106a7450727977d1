import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LoadedPolicy } from '../../daemon/policy-file.ts'
import type { Artifact } from '../../trust/artifact.ts'
import { decide } from '../../trust/decide.ts'
import type { ArtifactDigests } from '../../trust/digest.ts'
import { STRICT_THRESHOLDS, type TrustDomain } from '../../trust/domain.ts'
import type { Evidence, Signer } from '../../trust/evidence.ts'
import { keyId, parsePublicKeyPem } from '../../trust/keys.ts'
import type { BundleReport, Verdict } from '../../trust/verdict.ts'
import { newPem, readPolicy } from '../support/policies.ts'

/** Rules are judged by what they decide about evidence that was proven; how it is proven is tested elsewhere. */

const keys = [newPem(), newPem()] as const
const files = { 'k0.pub': keys[0], 'k1.pub': keys[1] }
const PURL = 'pkg:npm/%40acme/app@1.2.3'
const TYPES = [undefined, 'https://p/1', 'https://p/2'] as const
const DOMAINS = ['one', 'two'] as const
const SUBJECTS = ['s1', 's2'] as const
const ISSUERS = ['i1', 'i1', 'i1', 'i2'] as const

const declared = Object.fromEntries(
  DOMAINS.map((name) => [name, { trustedRoot: './root.json', packages: 'any' }]),
)

const scope = {
  domains: fc.option(fc.subarray([...DOMAINS], { minLength: 1 }), { nil: undefined, freq: 1 }),
  predicateTypes: fc.option(fc.subarray(['https://p/1', 'https://p/2'], { minLength: 1 }), {
    nil: undefined,
    freq: 1,
  }),
}
const subject = fc.oneof(
  fc.constantFrom(...SUBJECTS).map((name) => ({ subject: name })),
  fc.constantFrom('s[1-9]', 's.').map((name) => ({ subjectPattern: name })),
)
const identity = fc
  .tuple(subject, fc.constantFrom(...ISSUERS), fc.record(scope))
  .map(([who, issuer, where]) => ({ identity: { ...who, issuer, ...where } }))
const key = fc
  .tuple(fc.constantFrom('k0.pub', 'k1.pub'), fc.record(scope))
  .map(([file, where]) => ({ key: { file, ...where } }))
const leaf = fc.oneof({ weight: 4, arbitrary: identity }, { weight: 1, arbitrary: key })
const list = fc.array(leaf, { minLength: 1, maxLength: 3 })
const requirement = fc.oneof(
  leaf,
  list.map((anyOf) => ({ anyOf })),
  list.map((allOf) => ({ allOf })),
)
const quantifier = fc.constantFrom('any', 'any', 'any', 'any', 'any', 'all')
const rule = fc.record(
  {
    match: fc.constantFrom('**', 'pkg:npm/**', 'pkg:npm/%40acme/*', 'pkg:npm/%40acme/app@1.*', 'pkg:gem/*'),
    require: requirement,
    bundles: quantifier,
    perPredicateType: fc.constantFrom(
      { 'https://p/1': 'any' },
      { messageSignature: 'any' },
      { 'https://p/1': 'all' },
    ),
  },
  { requiredKeys: ['match', 'require'] },
)

const signer: fc.Arbitrary<Signer> = fc.oneof(
  fc.tuple(fc.constantFrom(...SUBJECTS), fc.constantFrom(...ISSUERS)).map(([value, issuer]): Signer => ({
    kind: 'certificate',
    identity: { subject: { kind: 'uri', value }, issuer, extensions: new Map() },
    certificate: new Uint8Array(),
    authority: 'test',
    notBefore: new Date(0),
    notAfter: new Date(1),
  })),
  fc.constantFrom(...keys).map((pem): Signer => {
    const id = keyId(parsePublicKeyPem(pem))
    return { kind: 'key', keyId: id, namedBy: 'policy', owner: undefined, hint: id }
  }),
)

const DIGESTS: ArtifactDigests = new Map([['sha256', new Uint8Array(32)]])
const evidence = fc
  .tuple(signer, fc.constantFrom(...DOMAINS), fc.constantFrom(...TYPES))
  .map((parts) => evidenceOf(...parts))
const bundle = fc.array(evidence, { minLength: 1, maxLength: 2 }).map(bundleOf)
const bundles = fc.array(bundle, { minLength: 1, maxLength: 3 })

const ARTIFACT: Artifact = {
  format: 'npm-tarball',
  subject: { name: '@acme/app', version: '1.2.3', purl: PURL, statementNames: [] },
  embedded: [],
  nativeSignatures: [],
  notes: [],
  signedBytes: () => {
    throw new TypeError('nothing is read here')
  },
}

const TRUSTED = DOMAINS.map(
  (name) =>
    ({
      name,
      root: { digest: '' },
      source: { kind: 'given', description: 'test', asOf: undefined },
      speaksFor: { issuers: 'any', packages: 'any' },
      thresholds: STRICT_THRESHOLDS,
      keys: [],
      witnesses: undefined,
    }) as unknown as TrustDomain,
)

type Rules = readonly object[]

async function load(rules: Rules): Promise<LoadedPolicy> {
  return readPolicy(JSON.stringify({ version: 1, domains: declared, packages: rules }), files)
}

async function outcomeOf(rules: Rules, found: readonly BundleReport[]): Promise<Verdict['outcome']> {
  const loaded = await load(rules)
  return decide(ARTIFACT, DIGESTS, found, TRUSTED, loaded.policyFor(PURL, undefined)).outcome
}

const rules = fc.array(rule, { minLength: 1, maxLength: 3 })

describe('rules together', () => {
  it('property: a rule that is added accepts nothing that was refused without it', async () => {
    const seen = new Map<string, number>()
    await fc.assert(
      fc.asyncProperty(rules, rule, fc.nat(), bundles, async (before, added, at, found) => {
        const without = await outcomeOf(before, found)
        const after = await outcomeOf(before.toSpliced(at % (before.length + 1), 0, added), found)
        seen.set(`${without} ${after}`, (seen.get(`${without} ${after}`) ?? 0) + 1)
        // nobody is named where no rule matched: then the added rule is the first
        if (without === 'rejected') expect(after).toBe('rejected')
        if (without === 'verified') expect(after).not.toBe('signed-by-unknown')
      }),
      { numRuns: 800 },
    )
    // the property says nothing unless these were met
    for (const pair of ['rejected rejected', 'verified verified', 'verified rejected']) {
      expect([pair, (seen.get(pair) ?? 0) > 5]).toEqual([pair, true])
    }
  })

  it('property: the order of rules means nothing', async () => {
    await fc.assert(
      fc.asyncProperty(rules, bundles, async (written, found) => {
        expect(await outcomeOf(written.toReversed(), found)).toBe(await outcomeOf(written, found))
      }),
      { numRuns: 200 },
    )
  })

  it('property: each rule that matches would be satisfied alone', async () => {
    await fc.assert(
      fc.asyncProperty(rules, bundles, async (written, found) => {
        if ((await outcomeOf(written, found)) !== 'verified') return
        for (const one of written)
          expect(['verified', 'signed-by-unknown']).toContain(await outcomeOf([one], found))
      }),
      { numRuns: 300 },
    )
  })

  it('do not let a second rule excuse what the first one refuses', async () => {
    const require = (name: string): object => ({ identity: { subject: name, issuer: 'i1' } })
    const [first, second] = [
      { match: '**', require: require('s1'), bundles: 'all' },
      { match: '**', require: require('s2') },
    ]
    const found = [proven('s1'), proven('s2')]
    expect(await outcomeOf([first], found)).toBe('rejected')
    expect(await outcomeOf([first, second], found)).toBe('rejected')
    expect(await outcomeOf([second], found)).toBe('verified')
  })

  it('accept only whom all of them name', async () => {
    const named = (...names: readonly string[]): object => ({
      match: '**',
      require: { anyOf: names.map((name) => ({ identity: { subject: name, issuer: 'i1' } })) },
    })
    expect(await outcomeOf([named('s1', 's2'), named('s2', 's3')], [proven('s2')])).toBe('verified')
    expect(await outcomeOf([named('s1', 's2'), named('s2', 's3')], [proven('s1'), proven('s3')])).toBe(
      'rejected',
    )
    expect(await outcomeOf([named('s1'), named('s2')], [proven('s1'), proven('s2')])).toBe('rejected')
  })
})

function evidenceOf(who: Signer, domain: string, predicateType: string | undefined): Evidence {
  const statement = predicateType === undefined ? undefined : { predicateType, subjects: [] }
  return {
    domain,
    signer: who,
    algorithm: 'test',
    digest: { algorithm: 'sha256', bytes: new Uint8Array(32) },
    statement: statement as unknown as Evidence['statement'],
    subjectIndex: undefined,
    times: [],
    entries: [],
    certificateLogs: [],
    checks: [],
  }
}

function bundleOf(proofs: readonly Evidence[]): BundleReport {
  return {
    where: 'beside',
    digest: '',
    outcome: 'valid',
    evidence: proofs,
    checks: [],
    failures: [],
    notes: [],
  }
}

/** A bundle by this subject. */
function proven(value: string): BundleReport {
  const named = { subject: { kind: 'uri', value }, issuer: 'i1', extensions: new Map() } as const
  const who: Signer = {
    kind: 'certificate',
    identity: named,
    certificate: new Uint8Array(),
    authority: 'test',
    notBefore: new Date(0),
    notAfter: new Date(1),
  }
  return bundleOf([evidenceOf(who, 'one', undefined)])
}
