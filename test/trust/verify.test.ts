import { Buffer } from 'node:buffer'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { STRICT_THRESHOLDS, TIMESTAMP_ONLY_THRESHOLDS } from '../../trust/domain.ts'
import { CHECKS } from '../../trust/errors.ts'
import { artifactFromBytes } from '../../trust/given.ts'
import { exactly, identity, nobody, policy } from '../../trust/policy.ts'
import { verify } from '../../trust/verify.ts'
import { newKey } from '../support/test-der.ts'
import {
  ARTIFACT,
  BreakableInstance,
  found,
  SIGNER,
  statementAbout,
  type SignRequest,
  type TestBundle,
} from '../support/breakable-instance.ts'
import { ask, changed, damaged, keyRequirement, outcomeOf, USUAL_SIGNER } from '../support/verdicts.ts'

afterEach(() => {
  vi.useRealTimers()
})

const statement = statementAbout(ARTIFACT)
const CONTENTS: Readonly<Record<string, SignRequest>> = {
  'a message': {},
  'a statement': { statement },
  'a statement in the older kind of entry': { statement, kind: 'intoto' },
}

describe('a good bundle', () => {
  for (const caKey of ['p256', 'p384', 'rsa2048'] as const) {
    for (const generation of [1, 2] as const) {
      const instance = new BreakableInstance({ caKey, generation })
      for (const [name, request] of Object.entries(CONTENTS)) {
        it(`with ${name}, an authority with ${caKey} and a log of generation ${generation} is verified`, async () => {
          const verdict = await ask({ bundles: [instance.sign(request)], domains: [instance.domain()] })
          expect(verdict).toMatchObject({
            outcome: 'verified',
            evidence: [
              {
                domain: 'own.test',
                algorithm: 'ecdsa-p256 sha256',
                signer: {
                  identity: { subject: { kind: 'email', value: SIGNER.subject }, issuer: SIGNER.issuer },
                },
                times: [
                  {
                    at: new Date('2026-03-01T12:05:00Z'),
                    source: generation === 1 ? 'log-promise' : 'timestamp',
                  },
                ],
                certificateLogs: [{ operator: 'ct.own.test' }],
              },
            ],
          })
        })
      }
    }
  }

  it('has passed every check, in their order', async () => {
    const instance = new BreakableInstance()
    const verdict = await ask({ bundles: [instance.sign()], domains: [instance.domain()] })
    const [bundle] = verdict.bundles
    expect(bundle?.checks.map(({ check }) => check)).toEqual([...CHECKS])
    expect(bundle?.checks.every(({ saw }) => saw !== '')).toBe(true)
  })

  it('is as good at any time of the clock', async () => {
    const instance = new BreakableInstance()
    const question = { bundles: [instance.sign()], domains: [instance.domain()] }
    for (const now of ['1970-01-01T00:00:00Z', '2026-03-01T12:05:00Z', '2199-01-01T00:00:00Z']) {
      vi.useFakeTimers({ now: new Date(now), toFake: ['Date'] })
      expect(await outcomeOf(question)).toBe('verified')
    }
  })

  it('is left as it was', async () => {
    const instance = new BreakableInstance()
    const bundle = found(instance.sign())
    const before = Buffer.from(bundle.bytes)
    await verify(artifactFromBytes(ARTIFACT), [bundle], [instance.domain()], policy(USUAL_SIGNER))
    expect(Buffer.from(bundle.bytes)).toEqual(before)
  })

  it('of an instance without logs rests on timestamps, where the domain says so', async () => {
    const instance = new BreakableInstance({ logs: [] })
    const bundles = [instance.sign()]
    const root = instance.trustedRoot(({ ctlogs }) => ctlogs.splice(0))
    const lenient = instance.domain({ root, thresholds: TIMESTAMP_ONLY_THRESHOLDS })
    expect(await outcomeOf({ bundles, domains: [lenient] })).toBe('verified')
    expect(await outcomeOf({ bundles, domains: [{ ...lenient, thresholds: STRICT_THRESHOLDS }] })).toBe(
      'rejected LOG_THRESHOLD',
    )
    expect(await outcomeOf({ bundles: [instance.sign({ timestamps: [] })], domains: [lenient] })).toBe(
      'rejected TIME_THRESHOLD',
    )
  })
})

describe('a bundle that is wrong in two places', () => {
  const instance = new BreakableInstance()
  const domains = [instance.domain()]
  type Change = (copy: TestBundle) => unknown
  const badSignature: Change = (copy) =>
    Object.assign(copy.messageSignature ?? {}, { signature: damaged(copy.messageSignature?.['signature']) })
  const badProof: Change = (copy) =>
    Object.assign(copy.verificationMaterial.tlogEntries[0]?.['inclusionProof'] ?? {}, { treeSize: '999' })
  const noTime: Change = (copy) => delete copy.verificationMaterial['timestampVerificationData']
  const broken = (...changes: readonly Change[]): TestBundle =>
    changed(instance.sign(), (copy) => {
      for (const change of changes) change(copy)
    })

  it('is refused for what comes first, and shows what held before', async () => {
    const verdict = await ask({ bundles: [broken(noTime, badProof)], domains })
    expect(verdict).toMatchObject({
      outcome: 'rejected',
      failures: [{ check: 'log', code: 'LOG_ROOT_MISMATCH' }],
    })
    expect(verdict.bundles[0]?.checks.map(({ check }) => check)).toEqual([
      'bundle',
      'domain',
      'signature',
      'subject',
      'entry',
    ])
    expect(verdict.bundles[0]?.evidence).toEqual([])
    expect(await outcomeOf({ bundles: [broken(badProof, badSignature)], domains })).toBe(
      'rejected SIGNATURE_INVALID',
    )
    expect(await outcomeOf({ bundles: [broken(noTime)], domains })).toBe('rejected TIME_THRESHOLD')
  })

  it('never tells an identity that was not proven', async () => {
    for (const change of [badSignature, badProof, noTime]) {
      const verdict = await ask({ bundles: [broken(change)], domains, policy: policy(nobody()) })
      expect(verdict.outcome).toBe('rejected')
      expect(JSON.stringify(verdict.bundles[0]?.checks)).not.toContain(SIGNER.subject)
    }
  })
})

describe('a certificate', () => {
  const instance = new BreakableInstance({ generation: 1, timestamps: [] })
  const judged = (bundle: TestBundle): Promise<string> =>
    outcomeOf({ bundles: [bundle], domains: [instance.domain()] })

  it('of an authority that only has the right name is refused', async () => {
    const twin = new BreakableInstance({ generation: 1, timestamps: [] })
    const root = twin.trustedRoot((json) => {
      json.certificateAuthorities = instance.trustedRootJson().certificateAuthorities
      json.ctlogs = instance.trustedRootJson().ctlogs
    })
    // key identifiers differ, so that no path is found
    expect(await outcomeOf({ bundles: [twin.sign()], domains: [twin.domain({ root })] })).toBe(
      'rejected CERT_UNKNOWN_AUTHORITY',
    )
  })

  it('is good within its own time and that of its authority', async () => {
    const late = { notBefore: new Date('2026-03-01T12:05:01Z'), notAfter: new Date('2026-03-01T12:15:00Z') }
    expect(await judged(instance.sign({ certificate: late }))).toBe('rejected CERT_TIME')
    const root = instance.trustedRoot(({ certificateAuthorities: [authority] }) => {
      Object.assign(authority ?? {}, {
        validFor: { start: '2023-01-01T00:00:00Z', end: '2026-03-01T12:04:59Z' },
      })
    })
    const question = { bundles: [instance.sign()], domains: [instance.domain({ root })] }
    expect(await outcomeOf(question)).toBe('rejected CERT_AUTHORITY_WINDOW')
  })

  it('that was changed after it was issued is refused', async () => {
    const bundle = changed(instance.sign(), (copy) => {
      const certificate = copy.verificationMaterial['certificate'] as Record<string, unknown>
      certificate['rawBytes'] = damaged(certificate['rawBytes'])
    })
    expect(await judged(bundle)).toBe('rejected ENTRY_VERIFIER')
  })

  it('of somebody else is no proof for this signature', async () => {
    const bundle = changed(instance.sign(), (copy) => {
      copy.verificationMaterial['certificate'] = instance.sign().verificationMaterial['certificate']
    })
    expect(await judged(bundle)).toBe('rejected SIGNATURE_INVALID')
  })

  it('that cannot be read is a false bundle', async () => {
    const bundle = changed(instance.sign(), (copy) => {
      copy.verificationMaterial['certificate'] = { rawBytes: 'AAAA' }
    })
    expect(await judged(bundle)).toBe('rejected MALFORMED_CERTIFICATE')
  })

  it('must say what the policy asks of its extensions', async () => {
    const bundle = instance.sign({ extensions: [[12, 'https://github.com/acme/app']] })
    const asking = (repository: string): Promise<string> => {
      const requirement = identity({
        subject: exactly(SIGNER.subject),
        issuer: exactly(SIGNER.issuer),
        extensions: [['sourceRepositoryURI', exactly(repository)]],
      })
      return outcomeOf({ bundles: [bundle], domains: [instance.domain()], policy: policy(requirement) })
    }
    expect(await asking('https://github.com/acme/app')).toBe('verified')
    expect(await asking('https://github.com/acme/fork')).toBe('rejected IDENTITY_EXTENSION')
  })
})

describe('a managed key', () => {
  const instance = new BreakableInstance()
  const managed = newKey()

  it('is no certificate, and a certificate no key', async () => {
    const keyed = { bundles: [instance.sign({ managed })], domains: [instance.domain()] }
    const certified = { bundles: [instance.sign({ key: managed })], domains: [instance.domain()] }
    const byKey = policy(keyRequirement(managed))
    expect(await outcomeOf({ ...keyed, policy: byKey })).toBe('verified')
    expect(await outcomeOf(keyed)).toBe('rejected IDENTITY_KIND')
    // the very key, but the policy did not ask for a certificate
    expect(await outcomeOf({ ...certified, policy: byKey })).toBe('rejected IDENTITY_KIND')
  })
})

describe('what cannot be judged', () => {
  it('is an exception, never a verdict: a broken domain', async () => {
    const instance = new BreakableInstance()
    const domain = instance.domain()
    const broken = {
      ...domain,
      get thresholds(): typeof STRICT_THRESHOLDS {
        throw new TypeError('a bug')
      },
    }
    await expect(ask({ bundles: [instance.sign()], domains: [broken] })).rejects.toThrow('a bug')
  })

  it('is a bundle of an authority that nobody knows', async () => {
    const stranger = new BreakableInstance({ name: 'stranger.test' })
    const verdict = await ask({ bundles: [stranger.sign()], domains: [new BreakableInstance().domain()] })
    expect(verdict).toMatchObject({ outcome: 'rejected', bundles: [{ outcome: 'foreign' }] })
  })
})
