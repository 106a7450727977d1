import { describe, expect, it } from 'vitest'
import { DIGEST_ALGORITHMS } from '../../trust/digest.ts'
import { CodedError } from '../../trust/errors.ts'
import { findSubject, neededAlgorithms, parseStatement } from '../../trust/statement.ts'
import { bundleVectors, type BundleVector } from '../support/bundle-vectors.ts'
import { documentMutants, fieldMutants, type Mutant } from '../support/mutate.ts'

/**
 * A statement is read before its signature is known to hold, to learn which digests are needed, and a signer may
 * write anything into it: whatever it says, reading ends in a statement or in a coded error, and only one that names
 * the artifact's digest is about the artifact.
 */
const vectors = (await bundleVectors()).filter(({ expected }) => expected === 'pass')
const subjects = smallestOfEachType()

/** Statements of one predicate type are alike. */
function smallestOfEachType(): readonly (readonly [id: string, text: string, vector: BundleVector])[] {
  const all = vectors.flatMap((vector) =>
    statementOf(vector).map((text) => [vector.id, text, vector] as const),
  )
  const types = Map.groupBy(all, ([, text]) => {
    const { _type, predicateType } = JSON.parse(text) as { _type: string; predicateType: string }
    return `${_type} ${predicateType}`
  })
  return [...types.values()].map((list) => list.reduce((a, b) => (b[1].length < a[1].length ? b : a)))
}

function statementOf({ bundle }: BundleVector): readonly string[] {
  const { dsseEnvelope } = JSON.parse(bundle.toString('utf8')) as {
    dsseEnvelope?: { payload: string; payloadType: string }
  }
  if (dsseEnvelope?.payloadType !== 'application/vnd.in-toto+json') return []
  return [Buffer.from(dsseEnvelope.payload, 'base64').toString('utf8')]
}

/** `found`, or the code of the error. */
function outcomeOf(text: Uint8Array, { content }: BundleVector): string {
  try {
    const statement = parseStatement(text)
    if (neededAlgorithms(statement).some((one) => !DIGEST_ALGORITHMS.includes(one)))
      return 'unknown algorithm'
    findSubject(statement, content.digests)
    return 'found'
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    return error.code
  }
}

describe('a changed statement', () => {
  it('is tried wherever there are vectors', () => {
    expect(subjects.length > 5).toBe(vectors.length > 0)
  })

  it.each(subjects)('of %s is read, or refused with a code', (_, text, vector) => {
    expect(outcomeOf(Buffer.from(text), vector)).toBe('found')
    const wrong: string[] = []
    const mutants: readonly Mutant[] = [...documentMutants(text), ...fieldMutants(text, 'all names')]
    for (const mutant of mutants) {
      const outcome = outcomeOf(mutant.bytes, vector)
      const isRepeated = mutant.operation === 'doubled' || mutant.operation === 'document'
      const isRefused = /^(?:STATEMENT|SUBJECT)_/.test(outcome)
      if (isRepeated ? !isRefused : !isRefused && outcome !== 'found') {
        wrong.push([outcome, mutant.operation, mutant.path, mutant.detail].join(' '))
      }
    }
    expect(wrong).toEqual([])
  })

  it.each(subjects)('of %s without its subjects is about nothing', (_, text, vector) => {
    const subject = [...fieldMutants(text, 'few names')].filter(({ path }) => path === '$.subject')
    const gone = subject.filter(({ operation }) =>
      ['removed', 'nulled', 'emptied', 'renamed'].includes(operation),
    )
    expect(gone.length).toBeGreaterThanOrEqual(4)
    for (const mutant of gone) expect(outcomeOf(mutant.bytes, vector)).toMatch(/^(?:STATEMENT|SUBJECT)_/)
  })
})
