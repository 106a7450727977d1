import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TrustDomain } from '../../trust/domain.ts'
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
import { newKey } from '../support/test-der.ts'
import {
  BreakableInstance,
  SIGNER,
  type SignRequest,
  type TestBundle,
} from '../support/breakable-instance.ts'
import { ask, changed, damaged, keyRequirement, outcomeOf, summary } from '../support/verdicts.ts'

const own = new BreakableInstance({ timestamps: ['tsa'] })
const other = new BreakableInstance({ name: 'other.test' })
const domain = own.domain()
const otherDomain = other.domain()
const signer = (name: string): Requirement =>
  identity({ subject: exactly(`${name}@example.com`), issuer: exactly(SIGNER.issuer) })
const by = (name: string, request: SignRequest = {}): TestBundle =>
  own.sign({ subject: `${name}@example.com`, ...request })

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

describe('the order', () => {
  const managed = newKey()
  const two = new BreakableInstance({
    name: 'two.test',
    logs: [{ generation: 2 }, { generation: 1 }],
    timestamps: ['a', 'b'],
  })
  const rich = two.sign({ subject: 'anna@example.com', timestamps: two.timestamps })
  const pool = { anna, berta, falseOne, foreign, rich, keyed: own.sign({ managed }), broken: {} }
  const domains = [domain, otherDomain, two.domain()]
  const policies = [
    policy(signer('anna')),
    policy(nobody()),
    policy(allOf([signer('anna'), signer('berta')])),
    policy(anyOf([signer('carla'), keyRequirement(managed)]), { quantifier: 'all' }),
    policy(intersectionOf([anyOf([signer('anna'), signer('berta')]), signer('berta')])),
  ]
  /** Codes as a set: reports keep the order of what they were given. */
  const settled = async (
    bundles: readonly unknown[],
    of: readonly TrustDomain[],
    asked: Policy,
  ): Promise<string> =>
    summary(await ask({ bundles, domains: of, policy: asked }))
      .split(' ')
      .toSorted()
      .join(' ')

  it('of bundles and domains never changes the outcome', async () => {
    const names = fc.uniqueArray(fc.constantFrom(...(Object.keys(pool) as (keyof typeof pool)[])), {
      minLength: 1,
      maxLength: 5,
    })
    const some = names.chain((chosen) =>
      fc.tuple(
        fc.constant(chosen),
        fc.shuffledSubarray(chosen, { minLength: chosen.length }),
        fc.shuffledSubarray(domains, { minLength: 3 }),
      ),
    )
    await fc.assert(
      fc.asyncProperty(
        some,
        fc.constantFrom(...policies),
        async ([given, shuffled, shuffledDomains], asked) => {
          const before = await settled(
            given.map((name) => pool[name]),
            domains,
            asked,
          )
          expect(
            await settled(
              shuffled.map((name) => pool[name]),
              shuffledDomains,
              asked,
            ),
          ).toBe(before)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('of entries and timestamps never changes the outcome', async () => {
    const data = rich.verificationMaterial['timestampVerificationData'] as { rfc3161Timestamps: unknown[] }
    const { tlogEntries } = rich.verificationMaterial
    const late = two.sign({
      subject: 'anna@example.com',
      at: [new Date('2026-03-01T12:05:00Z'), new Date('2026-03-01T12:20:00Z')],
    })
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(tlogEntries, { minLength: 2 }),
        fc.shuffledSubarray(data.rfc3161Timestamps, { minLength: 2 }),
        fc.boolean(),
        async (entries, stamps, isLate) => {
          const bundle = changed(isLate ? late : rich, (copy) => {
            const isTurned = entries[0] !== tlogEntries[0]
            if (isLate && isTurned) copy.verificationMaterial.tlogEntries.reverse()
            if (isLate) return
            const timestampVerificationData = { rfc3161Timestamps: stamps }
            copy.verificationMaterial = {
              ...copy.verificationMaterial,
              tlogEntries: entries,
              timestampVerificationData,
            }
          })
          const result = await outcome([bundle], policy(signer('anna')), [two.domain()])
          expect(result).toBe(isLate ? 'rejected CERT_TIME' : 'verified')
        },
      ),
      { numRuns: 20 },
    )
  })
})
