import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import type { DomainKey } from '../../trust/domain.ts'
import { keyId, parsePublicKey } from '../../trust/keys.ts'
import { anyOf, intersectionOf, nobody, policy, type Policy, type Requirement } from '../../trust/policy.ts'
import { encodeHex } from '../../trust/encoding.ts'
import { offeredKeys } from '../../trust/signers.ts'
import { digestOf } from '../../trust/digest.ts'
import { newAuthority, newLeaf } from '../support/test-certificates.ts'
import { newKey, type TestKey } from '../support/test-der.ts'
import {
  ARTIFACT,
  BreakableInstance,
  hintOf,
  statementAbout,
  windowOf,
  type TestBundle,
} from '../support/breakable-instance.ts'
import { ask, changed, keyRequirement, outcomeOf, USUAL_SIGNER } from '../support/verdicts.ts'

const instance = new BreakableInstance()
const domain = instance.domain()
const [one, two, three] = [newKey(), newKey(), newKey()]
const both = anyOf([keyRequirement(one), keyRequirement(two)])
const statement = statementAbout(ARTIFACT)

const outcome = (bundle: TestBundle, requirement: Requirement, of = domain): Promise<string> =>
  outcomeOf({ bundles: [bundle], domains: [of], policy: policy(requirement) })
const keyed = (managed: TestKey, hint?: string): TestBundle =>
  instance.sign({ managed, ...(hint === undefined ? {} : { hint }) })

describe('among several keys the hint', () => {
  it('is the digest of one, in base64 or hex', async () => {
    expect(await outcome(keyed(two), both)).toBe('verified')
    expect(await outcome(keyed(two, encodeHex(digestOf('sha256', two.spki))), both)).toBe('verified')
  })

  it('is the name that the policy gives it', async () => {
    const named = anyOf([keyRequirement(one, { hint: 'spring' }), keyRequirement(two, { hint: 'autumn' })])
    expect(await outcome(keyed(two, 'autumn'), named)).toBe('verified')
    // it only says which key is tried
    expect(await outcome(keyed(two, 'spring'), named)).toBe('rejected SIGNATURE_INVALID')
    expect(await outcome(keyed(three, 'autumn'), named)).toBe('rejected SIGNATURE_INVALID')
  })

  it('that names none is refused', async () => {
    for (const hint of ['', 'winter', hintOf(three)]) {
      expect(await outcome(keyed(two, hint), both)).toBe('rejected IDENTITY_KEY')
    }
  })
})

describe('a single key', () => {
  it('is tried whatever the hint says', async () => {
    for (const hint of ['', 'anything', hintOf(two)])
      expect(await outcome(keyed(one, hint), keyRequirement(one))).toBe('verified')
    expect(await outcome(keyed(two, hintOf(one)), keyRequirement(one))).toBe('rejected SIGNATURE_INVALID')
  })

  it('that is named twice is still one', async () => {
    const twice = anyOf([keyRequirement(one), keyRequirement(one, { hint: 'spring' })])
    expect(await outcome(keyed(one, 'anything'), twice)).toBe('verified')
  })

  it('has all the windows that its rules give it', async () => {
    const open = keyRequirement(one)
    const past = keyRequirement(one, { validFor: windowOf('2025-01-01T00:00:00Z', '2025-12-31T00:00:00Z') })
    const now = keyRequirement(one, { validFor: windowOf('2026-01-01T00:00:00Z') })
    const results = {
      'past only': [past, 'rejected TIME_KEY_WINDOW'],
      'open or past': [anyOf([open, past]), 'verified'],
      'past or open': [anyOf([past, open]), 'verified'],
      'past or now': [anyOf([past, now]), 'verified'],
      'open and past': [intersectionOf([open, past]), 'rejected TIME_KEY_WINDOW'],
      'past and open': [intersectionOf([past, open]), 'rejected TIME_KEY_WINDOW'],
      'now and past': [intersectionOf([now, past]), 'rejected TIME_KEY_WINDOW'],
      'now and open': [intersectionOf([now, open]), 'verified'],
    } as const
    for (const [name, [requirement, expected]] of Object.entries(results)) {
      expect(`${name}: ${await outcome(keyed(one), requirement)}`).toBe(`${name}: ${expected}`)
    }
  })
})

describe('a key that a domain vouches for', () => {
  const vouched = (key: TestKey, options: Partial<DomainKey> = {}): DomainKey => ({
    hint: 'SHA256:registry',
    key: parsePublicKey(key.spki),
    validFor: windowOf('2020-01-01T00:00:00Z'),
    owner: 'registry.example',
    usage: 'attestations',
    ...options,
  })
  const registry = instance.domain({ keys: [vouched(three)] })
  const bundle = keyed(three, 'SHA256:registry')

  it('is found by its hint, before a key of the policy that the hint does not name', async () => {
    const verdict = await ask({ bundles: [bundle], domains: [registry], policy: policy(keyRequirement(one)) })
    expect(verdict).toMatchObject({
      outcome: 'rejected',
      failures: [{ code: 'IDENTITY_KEY', got: keyId(parsePublicKey(three.spki)) }],
      bundles: [
        { outcome: 'valid', evidence: [{ signer: { namedBy: 'domain', owner: 'registry.example' } }] },
      ],
    })
    const lie = keyed(one, 'SHA256:registry')
    expect(await outcome(lie, keyRequirement(one), registry)).toBe('rejected SIGNATURE_INVALID')
  })

  it('does no harm to what somebody else signed', async () => {
    const question = { bundles: [bundle, instance.sign()], domains: [registry], policy: policy(USUAL_SIGNER) }
    expect(await outcomeOf(question)).toBe('verified')
    expect(await outcome(bundle, USUAL_SIGNER, registry)).toBe('rejected IDENTITY_KIND')
    expect(await outcome(bundle, nobody(), registry)).toBe('signed-by-unknown')
  })

  it('may be named by the policy, which is then what counts', async () => {
    const verdict = await ask({
      bundles: [bundle],
      domains: [registry],
      policy: policy(anyOf([keyRequirement(one), keyRequirement(three)])),
    })
    expect(verdict).toMatchObject({ outcome: 'verified', evidence: [{ signer: { namedBy: 'policy' } }] })
  })

  it('signs inside its window, for its use, and under its domain only', async () => {
    const retired = instance.domain({
      keys: [vouched(three, { validFor: windowOf('2020-01-01T00:00:00Z', '2025-01-01T00:00:00Z') })],
    })
    expect(await outcome(bundle, nobody(), retired)).toBe('rejected TIME_KEY_WINDOW')
    const signatures = instance.domain({ keys: [vouched(three, { usage: 'signatures' })] })
    expect(await outcome(bundle, both, signatures)).toBe('rejected IDENTITY_KEY')
    expect(await outcome(bundle, both)).toBe('rejected IDENTITY_KEY')
    const unnamed = instance.domain({ keys: [vouched(three, { hint: '' })] })
    expect(await outcome(keyed(three, ''), both, unnamed)).toBe('rejected IDENTITY_KEY')
  })
})

describe('a key that nobody named', () => {
  const first = new BreakableInstance({ generation: 1, timestamps: [] })
  const unnamed = policy(nobody())

  it('is read from the log entry, and is nobody: never verified', async () => {
    for (const type of ['p256', 'rsa2048', 'ed25519'] as const) {
      const managed = newKey(type)
      for (const issuer of [first, instance]) {
        for (const request of [
          { managed },
          { managed, statement },
          { managed, statement, kind: 'intoto' },
        ] as const) {
          const question = { bundles: [issuer.sign(request)], domains: [issuer.domain()], policy: unnamed }
          const verdict = await ask(question)
          expect(verdict).toMatchObject({
            outcome: 'signed-by-unknown',
            bundles: [
              { evidence: [{ signer: { namedBy: 'entry', keyId: keyId(parsePublicKey(managed.spki)) } }] },
            ],
          })
          expect(await outcomeOf({ ...question, policy: policy(USUAL_SIGNER) })).toBe(
            'rejected IDENTITY_KIND',
          )
        }
      }
    }
  })

  it('is read also where the entry is large', async () => {
    const managed = newKey('ed25519')
    const large = { ...statement, predicate: { text: 'x'.repeat(10_000) } }
    const bundle = first.sign({ managed, statement: large, kind: 'intoto' })
    expect(await outcomeOf({ bundles: [bundle], domains: [first.domain()], policy: unnamed })).toBe(
      'signed-by-unknown',
    )
  })

  it('is read under one domain although another vouches for a key of that hint', async () => {
    const key = {
      hint: 'SHA256:x',
      key: parsePublicKey(one.spki),
      validFor: windowOf('2020-01-01T00:00:00Z'),
      owner: 'a',
      usage: 'attestations',
    } as const
    const elsewhere = new BreakableInstance({ name: 'else.test' }).domain({ keys: [key] })
    const bundle = instance.sign({ managed: newKey('ed25519'), hint: 'SHA256:x' })
    expect(await outcomeOf({ bundles: [bundle], domains: [elsewhere, domain], policy: unnamed })).toBe(
      'signed-by-unknown',
    )
    const signatures = instance.domain({ keys: [{ ...key, usage: 'signatures' }] })
    expect(await outcomeOf({ bundles: [bundle], domains: [signatures], policy: unnamed })).toBe(
      'signed-by-unknown',
    )
  })

  it('must be logged, and readable', async () => {
    const managed = newKey()
    const lenient = instance.domain({ thresholds: { logs: 0, certificateLogs: 0, times: 1 } })
    const judged = (bundle: TestBundle, of = lenient, asked: Policy = unnamed): Promise<string> =>
      outcomeOf({ bundles: [bundle], domains: [of], policy: asked })
    expect(await judged(instance.sign({ managed, logs: [] }))).toBe('rejected IDENTITY_KEY')
    const certified = changed(instance.sign({ managed }), (copy) => {
      copy.verificationMaterial.tlogEntries = instance.sign().verificationMaterial.tlogEntries
    })
    expect(await judged(certified)).toBe('rejected IDENTITY_KEY')
    for (const body of ['e30=', 'AAAA']) {
      const broken = changed(instance.sign({ managed }), (copy) => {
        Object.assign(copy.verificationMaterial.tlogEntries[0] ?? {}, { canonicalizedBody: body })
      })
      expect(await judged(broken)).toBe('rejected ENTRY_MALFORMED')
    }
    const unknownLog = instance.domain({
      root: instance.trustedRoot(({ tlogs }) => tlogs.splice(0)),
      thresholds: lenient.thresholds,
    })
    expect(await judged(instance.sign({ managed }), unknownLog)).toBe('rejected LOG_UNKNOWN')
  })
})

describe('a root certificate in a bundle', () => {
  const root = newAuthority({ name: 'own.test root' })

  it('is refused, however it is called', async () => {
    const own = new BreakableInstance({ generation: 1 })
    const withRoot = (version: '0.1' | '0.2', ...ders: readonly Uint8Array[]): Promise<string> =>
      outcomeOf({
        bundles: [
          changed(own.sign({ version }), (copy) => {
            const { certificates } = copy.verificationMaterial['x509CertificateChain'] as {
              certificates: unknown[]
            }
            certificates.push(...ders.map((der) => ({ rawBytes: Buffer.from(der).toString('base64') })))
          }),
        ],
        domains: [own.domain()],
      })
    const [intermediate, anchor] = own.ca.chain
    if (anchor === undefined) throw new Error('the chain has an anchor')
    expect(await withRoot('0.2', intermediate)).toBe('verified')
    expect(await withRoot('0.2', intermediate, anchor)).toBe('rejected BUNDLE_ROOT_CERTIFICATE')
    expect(await withRoot('0.2', root.certificate)).toBe('rejected BUNDLE_ROOT_CERTIFICATE')
    // clients of version 0.1 put the whole chain in: there it is ignored, at its end
    expect(await withRoot('0.1', intermediate, anchor)).toBe('verified')
    expect(await withRoot('0.1', anchor, intermediate)).toBe('rejected BUNDLE_ROOT_CERTIFICATE')
  })

  it('never makes its own authority a trusted one', async () => {
    const rogue = newAuthority({ name: 'ca.own.test' })
    const { certificate } = newLeaf(rogue)
    const own = new BreakableInstance({ generation: 1 })
    const bundle = changed(own.sign({ version: '0.1' }), (copy) => {
      const certificates = [certificate, rogue.certificate].map((der) => ({
        rawBytes: Buffer.from(der).toString('base64'),
      }))
      copy.verificationMaterial['x509CertificateChain'] = { certificates }
    })
    expect(await outcomeOf({ bundles: [bundle], domains: [own.domain()] })).toBe(
      'rejected CERT_UNKNOWN_AUTHORITY',
    )
  })
})

describe('the names of offered keys', () => {
  it('differ wherever keys, hints or windows differ', () => {
    const window = windowOf('2026-01-01T00:00:00Z', '2026-06-01T00:00:00Z')
    const { start } = window
    const requirements = [
      nobody(),
      keyRequirement(one),
      keyRequirement(two),
      both,
      keyRequirement(one, { hint: '' }),
      keyRequirement(one, { hint: 'a' }),
      keyRequirement(one, { validFor: window }),
      keyRequirement(one, { validFor: { start, end: undefined } }),
      keyRequirement(one, { hint: `" ${start.getTime()}` }),
      keyRequirement(one, { hint: `a"\n${keyId(parsePublicKey(two.spki))} "` }),
    ]
    expect(new Set(requirements.map((requirement) => offeredKeys(policy(requirement)))).size).toBe(
      requirements.length,
    )
  })
})
