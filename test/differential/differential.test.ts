import { createHash } from 'node:crypto'
import { afterAll, describe, expect, it } from 'vitest'
import { accepts, bundleVectors, judgeTrial, trialOf, type BundleVector } from '../support/bundle-vectors.ts'
import type { Mutant } from '../support/mutate.ts'
import { bundleMutants } from '../mutation/bundle-mutants.ts'
import { CASES, MUTANTS } from './disagreements.ts'
import { oracleOf } from './oracle.ts'

/**
 * The same inputs through the published packages and through ours. Where the answers differ, a row of
 * `disagreements.ts` says which specification decides; a difference without a row fails, and so does a row without
 * a difference.
 */
const SEED = 'sample 58'
/** One mutant of so many is asked about. */
const SHARE = 64
/** Their bytes are flipped as well: both kinds of chain, all kinds of timestamp. */
const BY_BYTES: readonly string[] = [
  'conformance/managed-key-happy-path',
  'conformance/rekor2-timestamp-with-embedded-cert',
  'java/github-private-no-tlog',
  'sigstore-js/bundleV01-full-cert-chain',
]

const vectors = await bundleVectors()
const passing = vectors.filter((vector) => accepts(vector).accepted && oracleOf(vector)(vector.bundle))
const found = new Map<string, number>()
let asked = 0

/** Chosen by its own description, so that new mutants do not change which of the old ones are asked. */
function isSampled({ id }: BundleVector, { operation, path, detail }: Mutant): boolean {
  const digest = createHash('sha256').update([SEED, id, operation, path, detail].join('\n')).digest()
  return digest.readUInt32BE() % SHARE === 0
}

describe('two verifiers', () => {
  it('agree on every published case, but for those that are listed', () => {
    const differences = vectors.flatMap((vector) => {
      const here = accepts(vector).accepted
      const there = oracleOf(vector)(vector.bundle)
      return here === there ? [] : [{ id: vector.id, accepted: here ? 'here' : 'there' }]
    })
    const listed = CASES.map(({ id, accepted }) => ({ id, accepted }))
    expect(differences).toEqual(vectors.length === 0 ? [] : listed)
  })

  it.each(passing.map((vector) => [vector.id, vector] as const))(
    'agree on a sample of changes of %s, but for those that are listed',
    (_, vector) => {
      const trial = trialOf(vector)
      const oracle = oracleOf(vector)
      const unlisted: string[] = []
      const depth = BY_BYTES.includes(vector.id) ? 'bytes' : 'fields'
      const text = vector.bundle.toString('utf8')
      for (const mutant of bundleMutants(text, depth, (offset) => [1 << (offset % 8)])) {
        if (!isSampled(vector, mutant)) continue
        asked++
        const verdict = judgeTrial({ ...trial, bundle: mutant.bytes })
        const here = verdict.outcome === 'verified'
        if (here === oracle(mutant.bytes)) continue
        const codes = verdict.outcome === 'verified' ? [] : verdict.failures.map(({ code }) => code)
        const accepted = here ? 'here' : 'there'
        const row = MUTANTS.find((one) => one.accepted === accepted && one.fits(mutant, codes))
        if (row === undefined) {
          unlisted.push([accepted, mutant.operation, mutant.path, mutant.detail, ...codes].join(' '))
        } else found.set(row.what, (found.get(row.what) ?? 0) + 1)
      }
      expect(unlisted).toEqual([])
    },
    60_000,
  )

  it('still differ in everything that is listed', () => {
    const agreed = MUTANTS.map(({ what }) => what).filter((what) => !found.has(what))
    expect(agreed).toEqual(vectors.length === 0 ? MUTANTS.map(({ what }) => what) : [])
  })

  afterAll(() => {
    if (vectors.length === 0) return
    const rows = MUTANTS.map(
      ({ what, accepted, section }) =>
        `${String(found.get(what) ?? 0).padStart(8)}  ${what}: accepted ${accepted} (${section})`,
    )
    console.log([`${vectors.length} cases, ${asked} changed ones; different answers:`, ...rows].join('\n'))
  })
})
