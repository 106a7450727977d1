import { describe, expect, it } from 'vitest'
import type { PolicySource } from '../../daemon/api.ts'
import { connect } from '../../daemon/client.ts'
import type { Code } from '../../trust/codes.ts'
import { exactly, identity } from '../../trust/policy.ts'
import { BUNDLES, claimedCases, listed } from '../support/vector-coverage.ts'
import {
  ask,
  digestsOf,
  evidenceIn,
  identityPolicy,
  judgeUnder,
  keyPolicy,
  NOBODY,
  optionalInput,
  pathOf,
  questionOf,
  type Question,
} from '../support/vector-questions.ts'
import { vectorInput, type VectorCase } from '../support/vectors.ts'

const cases = claimedCases(BUNDLES, 'bundle-verify')
const engine = await connect()

/** What the case is wrong in. Where it names nobody it is found false without naming anybody. */
const CODES: Readonly<Record<string, Code>> = {
  'sigstore-js/fixture/client.invalid.v1.dsse.invalidBadSignature': 'SIGNATURE_INVALID',
  'sigstore-js/fixture/client.invalid.v1.messageSignature.invalidExpiredCert': 'CERT_TIME',
  'sigstore-js/fixture/wrong-artifact': 'ARTIFACT_DIGEST',
  'sigstore-js/fixture/wrong-identity': 'IDENTITY_SUBJECT',
  // a promise that is not even base64 any more
  'slsa/bundle/invalid-set': 'BUNDLE_FIELD',
  'gh/github-instance-whl-with-public-good-root': 'CERT_UNKNOWN_AUTHORITY',
  // neither certificate nor key, and nothing that was signed
  'gh/missing-cert': 'BUNDLE_CONTENT',
  'python/bundle_cve_2022_36056': 'ENTRY_SIGNATURE',
  'python/bundle_invalid_version': 'BUNDLE_MEDIA_TYPE',
  'python/bundle_no_log_entry': 'LOG_THRESHOLD',
  'python/bundle.txt-against-production-root': 'LOG_UNKNOWN',
  'java/bundle-with-wrong-tlog-entry': 'ENTRY_DIGEST',
  'java/bundle-with-expired-cert': 'CERT_TIME',
  'java/bundle.dsse.bad-signature': 'SIGNATURE_INVALID',
  'java/dsse-artifact-not-in-subjects': 'SUBJECT_NOT_FOUND',
}

/** Thresholds belong to the domain, so this one is asked of the domain. */
const THRESHOLD = 'go/sigstore-js-2.0.0-tlog-threshold-2'

function policyOf(vector: VectorCase): PolicySource {
  const subject = optionalInput(vector, 'identity')
  if (subject !== undefined) return identityPolicy(subject, vectorInput(vector, 'issuer'))
  return optionalInput(vector, 'key') === undefined ? NOBODY : keyPolicy(vector)
}

describe.runIf(cases.length > 0)('published bundles that are wrong', () => {
  const failing = cases.filter(({ id, expected }) => expected.result === 'fail' && id !== THRESHOLD)

  it.each(failing.map((vector) => [vector.id, vector] as const))('%s', async (id, vector) => {
    const { outcome, codes } = await ask(engine, questionOf(vector), policyOf(vector))
    expect([outcome, codes]).toEqual(['rejected', [listed(CODES, id)]])
  })

  it('are all still published', () => {
    const published = new Set(failing.map(({ id }) => id))
    expect(Object.keys(CODES).filter((id) => !published.has(id))).toEqual([])
  })

  it('name the promise that was broken', async () => {
    const vector = failing.find(({ id }) => id === 'slsa/bundle/invalid-set')
    const answer = vector === undefined ? undefined : await ask(engine, questionOf(vector), NOBODY)
    expect(answer?.reply?.verdict).toMatchObject({
      failures: [{ where: expect.stringContaining('signedEntryTimestamp') as unknown }],
    })
  })
})

describe.runIf(cases.length > 0)('a threshold of the domain', () => {
  const threshold = cases.filter(({ id }) => id === THRESHOLD)

  it.each(threshold.map((vector) => [vector.id, vector] as const))('%s', async (_, vector) => {
    const file = { name: 'npm-registry/sigstore-2.0.0.tgz', bundles: vectorInput(vector, 'bundle') }
    const who = identity({
      subject: exactly(
        'https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main',
      ),
      issuer: exactly('https://token.actions.githubusercontent.com'),
    })
    const thresholds = { logs: 1, certificateLogs: 1, times: 1 }
    expect(await judgeUnder(vector, file, who, { thresholds })).toMatchObject({ outcome: 'verified' })
    expect(await judgeUnder(vector, file, who, { thresholds: { ...thresholds, logs: 2 } })).toMatchObject({
      outcome: 'rejected',
      failures: [{ code: 'LOG_THRESHOLD' }],
    })
  })
})

describe.runIf(cases.length > 0)('published bundles that hold', () => {
  const passing = cases.filter(({ expected }) => expected.result === 'pass')

  it.each(passing.map((vector) => [vector.id, vector] as const))('%s', async (_, vector) => {
    const question = questionOf(vector)
    const unnamed = await ask(engine, question, NOBODY)
    if (optionalInput(vector, 'key') !== undefined) {
      await expectKey(vector, question)
      return
    }
    expect([unnamed.outcome, unnamed.codes]).toEqual(['signed-by-unknown', []])
    for (const bundle of unnamed.reply?.verdict.bundles ?? []) expect(bundle.outcome).toBe('valid')
    const [evidence] = evidenceIn(unnamed)
    if (evidence?.signer.kind !== 'certificate') throw new Error('the signer has no certificate')
    const { subject, issuer } = evidence.signer.identity
    expect(subject.value).toBe(optionalInput(vector, 'identity') ?? subject.value)
    expect(issuer).toBe(optionalInput(vector, 'issuer') ?? issuer)
    await expectOnly(question, subject.value, issuer ?? '')
  })

  /** Verified with this key, never without it. */
  async function expectKey(vector: VectorCase, question: Question): Promise<void> {
    expect(await ask(engine, question, keyPolicy(vector))).toMatchObject({ outcome: 'verified', codes: [] })
    const other = 'sigstore-conformance/bundle-verify/managed-key-happy-path/key.pub'
    const answers = await Promise.all([
      ask(engine, question, { kind: 'keys', paths: [pathOf(other)] }),
      ask(engine, question, identityPolicy('a@example.com', 'https://issuer.example')),
      ask(engine, question, NOBODY),
    ])
    const [another, nobody, unnamed] = answers.map(({ outcome, codes }) => [outcome, ...codes].join(' '))
    expect(another).toBe('rejected SIGNATURE_INVALID')
    expect(nobody).toMatch(/^rejected IDENTITY_K(?:IND|EY)$/)
    expect(unnamed).toMatch(/^(?:signed-by-unknown|rejected IDENTITY_KEY)$/)
  }

  /** Verified for exactly this identity. A root that is named speaks for the issuer named beside it. */
  async function expectOnly(question: Question, subject: string, issuer: string): Promise<void> {
    const answers = await Promise.all([
      ask(engine, question, identityPolicy(subject, issuer)),
      ask(engine, question, identityPolicy(`${subject}x`, issuer)),
      ask(engine, question, identityPolicy(subject, `${issuer}x`)),
    ])
    expect(answers.map(({ outcome, codes }) => [outcome, ...codes])).toEqual([
      ['verified'],
      ['rejected', 'IDENTITY_SUBJECT'],
      ['rejected', 'DOMAIN_ISSUER'],
    ])
  }

  const withArtifact = passing.filter((vector) => optionalInput(vector, 'artifact') !== undefined)

  it.each(withArtifact.map((vector) => [vector.id, vector] as const))(
    '%s: by digest as by path, and not for another digest',
    async (_, vector) => {
      const digests = digestsOf(vector)
      expect(digests.length).toBeGreaterThan(0)
      for (const text of digests) {
        const question: Question = { ...questionOf(vector), target: { kind: 'digest', text } }
        expect(await ask(engine, question, NOBODY)).toMatchObject({ outcome: 'signed-by-unknown' })
        const other = text.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))
        const swapped = await ask(engine, { ...question, target: { kind: 'digest', text: other } }, NOBODY)
        expect(swapped.outcome).toBe('rejected')
        expect(['ARTIFACT_DIGEST', 'SUBJECT_NOT_FOUND']).toContain(swapped.codes[0])
      }
    },
  )

  it('rest on the domain that knows them', async () => {
    const vector = passing.find(({ id }) => id === 'java/github-private-no-tlog')
    if (vector === undefined) throw new Error('the vector is not what it was')
    const [evidence] = evidenceIn(await ask(engine, questionOf(vector), NOBODY))
    expect(evidence).toMatchObject({ domain: 'trusted_root.jsonl:2', entries: [], certificateLogs: [] })
    expect(evidence?.times.map(({ source }) => source)).toEqual(['timestamp'])
  })

  it('tell the workflow that signed from the repository that was built', async () => {
    const vector = passing.find(({ id }) => id === 'gh/reusable-workflow')
    if (vector === undefined) throw new Error('the vector is not what it was')
    const { sourceRepositoryURI } = vector.inputs['policy'] as { readonly sourceRepositoryURI: string }
    const file = { name: vectorInput(vector, 'artifact'), bundles: vectorInput(vector, 'bundle') }
    const from = (source: string): Promise<unknown> => {
      const subject = exactly(vectorInput(vector, 'identity'))
      const issuer = exactly(vectorInput(vector, 'issuer'))
      const extensions = [['sourceRepositoryURI', exactly(source)]] as const
      return judgeUnder(vector, file, identity({ subject, issuer, extensions }))
    }
    expect(await from(sourceRepositoryURI)).toMatchObject({ outcome: 'verified' })
    expect(await from('https://github.com/github/artifact-attestations-workflows')).toMatchObject({
      outcome: 'rejected',
      failures: [{ code: 'IDENTITY_EXTENSION' }],
    })
  })
})
