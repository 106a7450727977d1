import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accepts, bundleVectors, judgeTrial, trialOf, type BundleVector } from '../support/bundle-vectors.ts'
import type { Mutant } from '../support/mutate.ts'
import { bundleMutants, EVERY_BIT, type BitsAt, type Depth } from './bundle-mutants.ts'
import { CLASSES } from './classes.ts'
import { factsOf, type BundleFacts } from './facts.ts'
import { Tally } from './tally.ts'

/**
 * Changes every published bundle that verifies in every way of `bundle-mutants.ts`. A changed bundle must be refused,
 * by a verdict and never by an exception, unless the change falls into a class of `classes.ts`.
 *
 * Bundles of one kind are alike: in a usual run one of each kind is changed byte by byte, one bit in each, and the
 * others field by field. `SIGWARD_MUTATION=full` flips every bit of every bundle, for half an hour.
 */
const FULL = process.env['SIGWARD_MUTATION'] === 'full'
const TIMEOUT = FULL ? 30 * 60_000 : 60_000
const BITS: BitsAt = (offset) => (FULL ? EVERY_BIT : [1 << (offset % 8)])

/** Not the smallest of its kind, but its timestamp holds a certificate. */
const PREFERRED = 'conformance/rekor2-timestamp-with-embedded-cert'

/** Content, key material, log entries, times. */
const KINDS: readonly string[] = [
  'in-toto+json, certificate, dsse 0.0.1 promise',
  'in-toto+json, certificate, dsse 0.0.1 promise proof',
  'in-toto+json, certificate, dsse 0.0.1 promise proof, timestamp',
  'in-toto+json, certificate, hashedrekord 0.0.2 proof, timestamp',
  'in-toto+json, certificate, intoto 0.0.2 promise',
  'in-toto+json, certificate, intoto 0.0.2 promise proof',
  'in-toto+json, certificate, intoto 0.0.2 promise proof, timestamp',
  'in-toto+json, certificate, no entry, timestamp',
  'in-toto+json, chain, intoto 0.0.2 promise',
  'in-toto+json, key, intoto 0.0.2 promise',
  'in-toto+json, key, intoto 0.0.2 promise proof',
  'message, certificate, hashedrekord 0.0.1 promise proof',
  'message, certificate, hashedrekord 0.0.1 promise proof, timestamp',
  'message, certificate, hashedrekord 0.0.2 proof, timestamp',
  'message, certificate, no entry, timestamp',
  'message, chain, hashedrekord 0.0.1 promise',
  'message, key, hashedrekord 0.0.1 promise proof, timestamp',
  'text/plain, chain, intoto 0.0.2 promise',
  'text/plain, key, intoto 0.0.2 promise',
]

interface Subject {
  readonly vector: BundleVector
  readonly facts: BundleFacts
  readonly depth: Depth
}

const vectors = (await bundleVectors()).filter(({ expected }) => expected === 'pass')
const subjects = chooseSubjects(vectors.filter((vector) => accepts(vector).accepted))
const tally = new Tally(CLASSES)

function chooseSubjects(passing: readonly BundleVector[]): readonly Subject[] {
  const unlogged = passing.filter(({ id }) => id === 'conformance/rekor2-happy-path').map(withoutLog)
  const all = [...passing, ...unlogged].map((vector) => ({ vector, facts: factsOf(vector) }))
  const kinds = Map.groupBy(all, ({ facts }) => facts.kind)
  const chosen = [...kinds.values()].map(
    (list) =>
      list.find(({ vector }) => vector.id === PREFERRED) ??
      list.reduce((a, b) => (b.vector.bundle.length < a.vector.bundle.length ? b : a)),
  )
  return all.map((one) => ({ ...one, depth: FULL || chosen.includes(one) ? 'bytes' : 'fields' }))
}

/**
 * A log vouches for the very bytes of a certificate, so nothing behind it is ever reached by a changed one. This
 * bundle has no entry and its domain asks for none: there the certificate and its timestamps stand alone.
 */
function withoutLog(vector: BundleVector): BundleVector {
  const bundle = JSON.parse(vector.bundle.toString('utf8')) as {
    verificationMaterial: { tlogEntries: unknown[] }
  }
  bundle.verificationMaterial.tlogEntries = []
  return {
    ...vector,
    id: `${vector.id} without its log`,
    bundle: Buffer.from(JSON.stringify(bundle)),
    thresholds: { ...vector.thresholds, logs: 0 },
  }
}

function describeMutant({ operation, path, detail }: Mutant): string {
  return [operation, path, detail].join(' ')
}

describe('a changed bundle', () => {
  // two hundred thousand errors whose stack nobody reads
  const { stackTraceLimit } = Error
  beforeAll(() => {
    Error.stackTraceLimit = 0
  })
  afterAll(() => {
    Error.stackTraceLimit = stackTraceLimit
  })

  it('was accepted before', () => {
    const refused = vectors.map((vector) => ({ id: vector.id, ...accepts(vector) }))
    expect(refused.filter(({ accepted }) => !accepted)).toEqual([])
  })

  it.each(subjects.map((subject) => [subject.vector.id, subject] as const))(
    '%s is refused',
    (_, { vector, facts, depth }) => {
      const trial = trialOf(vector)
      const wrong: string[] = []
      for (const mutant of bundleMutants(vector.bundle.toString('utf8'), depth, BITS)) {
        const verdict = judgeTrial({ ...trial, bundle: mutant.bytes })
        if (verdict.outcome === 'verified') {
          if (tally.accept(mutant, facts) === undefined) wrong.push(describeMutant(mutant))
        } else if (verdict.failures.length === 0)
          wrong.push(`${describeMutant(mutant)}: refused without a reason`)
        else tally.refuse(verdict.failures[0]!.code)
      }
      tally.bundles++
      expect(wrong.slice(0, 20)).toEqual([])
    },
    TIMEOUT,
  )

  it('was of every kind', () => {
    const isThere = vectors.length > 0
    const bytes = subjects.filter(({ depth }) => depth === 'bytes').map(({ facts }) => facts)
    expect(new Set(bytes.map(({ version }) => version))).toEqual(
      new Set(isThere ? ['0.1', '0.2', '0.3'] : []),
    )
    expect(new Set(bytes.map(({ kind }) => kind))).toEqual(new Set(isThere ? KINDS : []))
  })

  it('that verifies falls into at most twenty classes, and each of them occurs', () => {
    const never = CLASSES.filter(({ name }) => tally.countOf(name) === 0).map(({ name }) => name)
    expect(never).toEqual(vectors.length > 0 ? [] : CLASSES.map(({ name }) => name))
    expect(CLASSES.length).toBeLessThanOrEqual(20)
  })

  afterAll(() => {
    if (vectors.length > 0) console.log(tally.table())
  })
})
