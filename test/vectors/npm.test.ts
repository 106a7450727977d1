import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { connect } from '../../daemon/client.ts'
import { registryKeys } from '../../daemon/trust-store.ts'
import { integrityOf, PUBLISH_ATTESTATION, registrySignatureMessage } from '../../formats/npm-attestations.ts'
import type { Code } from '../../trust/codes.ts'
import type { DomainKey } from '../../trust/domain.ts'
import type { Evidence } from '../../trust/evidence.ts'
import { pattern } from '../../trust/pattern.ts'
import { exactly, identity } from '../../trust/policy.ts'
import { checkRegistrySignature, type RegistryEvidence } from '../../trust/registry.ts'
import type { Verdict } from '../../trust/verdict.ts'
import { claimedCases, listed, NPM } from '../support/vector-coverage.ts'
import {
  ask,
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
import { readVector, vectorInput, type VectorCase } from '../support/vectors.ts'

const cases = claimedCases(NPM, 'npm')
const engine = await connect()

/** What the case is wrong in, each code once, in the order of the report. */
const CODES: Readonly<Record<string, readonly Code[]>> = {
  'npm/swap-sigstore-attestations-for-tuf-js-tarball': ['SUBJECT_NOT_FOUND'],
  // the text 'invalid-signature' in place of one
  'npm/pacote/invalid-attestations': ['BUNDLE_FIELD'],
  // made by editing a statement that was signed: that is found before what the edit says
  'npm/pacote/mismatched-subject-digest-attestations': ['SIGNATURE_INVALID'],
  'npm/slsa/gundam-visor-cli-v1-tag-mismatch-version': ['PACKAGE_NAME'],
  'npm/slsa/supreme-googles-cli-v02-tag-invalidsigprov': ['SIGNATURE_INVALID'],
  'npm/slsa/supreme-googles-cli-v02-tag-invalidsigpub': ['SIGNATURE_INVALID'],
  'npm/slsa/supreme-googles-cli-v02-tag-mismatch-version': ['PACKAGE_NAME'],
  'npm/slsa/supreme-googles-cli-v02-tag-mismatch-name': ['PACKAGE_NAME'],
  'npm/slsa-unit/npm-att-prov-invalid-signature': ['SIGNATURE_INVALID'],
  // edited too
  'npm/slsa-unit/npm-att-publish-nosubjects': ['SIGNATURE_INVALID'],
  'npm-cli/libnpmpublish/valid-bundle': ['BUNDLE_ROOT_CERTIFICATE'],
  'npm-cli/libnpmpublish/digest-mismatch-provenance-bundle': ['LOG_THRESHOLD'],
  'npm-cli/libnpmpublish/no-provenance-subject-bundle': ['STATEMENT_MALFORMED'],
  'gh/sigstore-js-2.1.0-invalid-signature': ['SIGNATURE_INVALID'],
}

const byId = (list: readonly VectorCase[]): readonly (readonly [string, VectorCase])[] =>
  list.map((vector) => [vector.id, vector] as const)
const passes = ({ expected }: VectorCase): boolean => expected.result === 'pass'
const attested = cases.filter(({ inputs }) => 'attestations' in inputs)
const bundled = cases.filter(({ inputs }) => 'bundle' in inputs)
const signed = cases.filter(({ inputs }) => 'sig' in inputs)
/** Right but for the repository that was asked for. */
const asksForSource = ({ id }: VectorCase): boolean => /-(?:mismatch-source|wrong-repo)$/.test(id)

/** The attestations document of a registry beside the package, under the root that is embedded. */
function attestationsQuestion(vector: VectorCase): Question {
  const tarball = optionalInput(vector, 'tarball')
  const integrity = optionalInput(vector, 'integrityHexSha512') ?? ''
  return {
    target:
      tarball === undefined
        ? { kind: 'digest', text: `sha512:${integrity}` }
        : { kind: 'file', path: pathOf(tarball) },
    bundles: [pathOf(vectorInput(vector, 'attestations'))],
    trustedRoots: [],
    package: vectorInput(vector, 'purl'),
  }
}

describe.runIf(cases.length > 0)('the attestations of a registry', () => {
  const good = attested.filter(passes)

  it.each(byId(good))('%s: both kinds hold, and name the package', async (_, vector) => {
    const question = attestationsQuestion(vector)
    const unnamed = await ask(engine, question, NOBODY)
    expect([unnamed.outcome, unnamed.codes]).toEqual(['signed-by-unknown', []])
    const evidence = evidenceIn(unnamed)
    const publish = evidence.filter(({ statement }) => statement?.predicateType === PUBLISH_ATTESTATION)
    const provenance = evidence.filter((one) => !publish.includes(one))
    expect([publish.length, provenance.length]).toEqual([1, 1])
    // the key of the registry is known from the domain, never from the bundle
    expect(publish[0]?.signer).toMatchObject({ kind: 'key', namedBy: 'domain' })
    const { subject, issuer } = certificateOf(provenance[0])
    expect(issuer).toBe(optionalInput(vector, 'issuer') ?? 'https://token.actions.githubusercontent.com')
    const { outcome, codes } = await ask(engine, question, identityPolicy(subject, issuer ?? ''))
    expect([outcome, codes]).toEqual(['verified', []])
    const stranger = await ask(engine, question, identityPolicy(`${subject}x`, issuer ?? ''))
    expect(stranger).toMatchObject({ outcome: 'rejected' })
    expect(stranger.codes).toContain('IDENTITY_SUBJECT')
  })

  const named = good.filter(({ inputs }) => 'identityRegexp' in inputs)
  it.each(byId(named))('%s: the pattern of its identity is the whole identity', async (_, vector) => {
    const source = vectorInput(vector, 'identityRegexp').slice(1)
    const issuer = { kind: 'exact', value: vectorInput(vector, 'issuer') } as const
    const answers = [`${source}.*`, source].map((text) =>
      ask(engine, attestationsQuestion(vector), {
        kind: 'identity',
        subject: { kind: 'pattern', source: text },
        issuer,
      }),
    )
    const [whole, prefix] = await Promise.all(answers)
    expect(whole?.outcome).toBe('verified')
    expect(prefix?.outcome).toBe('rejected')
    expect(prefix?.codes).toContain('IDENTITY_SUBJECT')
  })

  it.each(byId(good))('%s: not under another name or version', async (_, vector) => {
    const question = attestationsQuestion(vector)
    const purl = vectorInput(vector, 'purl')
    const others = [purl.replace(/@[^@]*$/, '@99.0.0'), purl.replace(/@([^@]*)$/, '-x@$1')]
    for (const other of others) {
      const { outcome, codes } = await ask(engine, { ...question, package: other }, NOBODY)
      expect([outcome, [...new Set(codes)]]).toEqual(['rejected', ['PACKAGE_NAME']])
    }
    // without a version any version will do
    const any = await ask(engine, { ...question, package: purl.replace(/@[^@]*$/, '') }, NOBODY)
    expect(any.outcome).toBe('signed-by-unknown')
  })

  const bad = attested.filter((vector) => !passes(vector) && !asksForSource(vector))
  it.each(byId(bad))('%s', async (id, vector) => {
    const { outcome, codes } = await ask(engine, attestationsQuestion(vector), NOBODY)
    expect([outcome, [...new Set(codes)]]).toEqual(['rejected', listed(CODES, id)])
  })
})

describe.runIf(cases.length > 0)('provenance in a bundle', () => {
  it.each(byId(bundled.filter(passes)))('%s', async (_, vector) => {
    const question = questionOf(vector)
    const unnamed = await ask(engine, question, NOBODY)
    expect([unnamed.outcome, unnamed.codes]).toEqual(['signed-by-unknown', []])
    for (const bundle of unnamed.reply?.verdict.bundles ?? []) expect(bundle.outcome).toBe('valid')
    const isKey = optionalInput(vector, 'key') !== undefined
    const { subject, issuer } = isKey ? {} : certificateOf(evidenceIn(unnamed)[0])
    const expected = optionalInput(vector, 'identity')
    if (expected !== undefined) expect(subject).toBe(expected)
    const source = isKey ? keyPolicy(vector) : identityPolicy(subject ?? '', issuer ?? '')
    expect(await ask(engine, question, source)).toMatchObject({ outcome: 'verified', codes: [] })
  })

  it('is judged line by line where there are several', async () => {
    const vector = bundled.find(({ id }) => id === 'gh/sigstore-js-2.1.0-jsonl-line1')
    if (vector === undefined) throw new Error('the vector is not what it was')
    const { reply } = await ask(engine, questionOf(vector), NOBODY)
    expect(reply?.verdict.bundles.map(({ where, outcome }) => [where.slice(-6), outcome])).toEqual([
      ['part 1', 'valid'],
      ['part 2', 'valid'],
    ])
  })

  const bad = bundled.filter((vector) => !passes(vector) && !asksForSource(vector))
  it.each(byId(bad))('%s', async (id, vector) => {
    const { outcome, codes } = await ask(engine, questionOf(vector), NOBODY)
    expect([outcome, [...new Set(codes)]]).toEqual(['rejected', listed(CODES, id)])
  })

  it('and attestations that are wrong are all still published', () => {
    const published = new Set(cases.map(({ id }) => id))
    expect(Object.keys(CODES).filter((id) => !published.has(id))).toEqual([])
  })
})

describe.runIf(cases.length > 0)('the repository that a package was built from', () => {
  const sourced = cases.filter(
    (vector) => expectedSource(vector) !== undefined && (passes(vector) || asksForSource(vector)),
  )

  it.each(byId(sourced))('%s', async (_, vector) => {
    const answer = await judgeSource(vector, expectedSource(vector) ?? '')
    const codes = answer.outcome === 'verified' ? [] : answer.failures.map(({ code }) => code)
    if (passes(vector)) expect([answer.outcome, codes]).toEqual(['verified', []])
    else {
      expect(answer.outcome).toBe('rejected')
      expect(codes).toContain('IDENTITY_EXTENSION')
      // and nothing else stands in the way
      expect(codes.every((code) => ['IDENTITY_EXTENSION', 'IDENTITY_KIND'].includes(code))).toBe(true)
    }
  })
})

/** `https://host/owner/name`. */
function expectedSource({ inputs }: VectorCase): string | undefined {
  const { expectedSource: source, policy } = inputs
  if (typeof source === 'string') return `https://${source}`
  return (policy as { readonly sourceRepositoryURI: string } | undefined)?.sourceRepositoryURI
}

/** The first certificates of the service named the repository without its host, in another extension. */
async function judgeSource(vector: VectorCase, source: string): Promise<Verdict> {
  const file = {
    name: optionalInput(vector, 'tarball') ?? vectorInput(vector, 'artifact'),
    bundles: optionalInput(vector, 'attestations') ?? vectorInput(vector, 'bundle'),
  }
  const anybody = { subject: pattern('.*'), issuer: exactly(vectorInput(vector, 'issuer')) }
  const whoever = await judgeUnder(vector, file, identity(anybody))
  const evidence = whoever.bundles.flatMap((bundle) => bundle.evidence)
  const { extensions } = certificateOf(evidence.find(({ signer }) => signer.kind === 'certificate'))
  const condition = extensions.has('sourceRepositoryURI')
    ? (['sourceRepositoryURI', exactly(source)] as const)
    : (['githubWorkflowRepository', exactly(source.split('/').slice(3).join('/'))] as const)
  return judgeUnder(vector, file, identity({ ...anybody, extensions: [condition] }))
}

interface Certified {
  readonly subject: string
  readonly issuer: string | undefined
  readonly extensions: ReadonlyMap<string, string>
}

function certificateOf(evidence: Evidence | undefined): Certified {
  if (evidence?.signer.kind !== 'certificate') throw new Error('nobody signed with a certificate')
  const { subject, issuer, extensions } = evidence.signer.identity
  return { subject: subject.value, issuer, extensions }
}

describe.runIf(cases.length > 0)('the signature of a registry', () => {
  function check(
    vector: VectorCase,
    keys: readonly DomainKey[],
    published: Date | undefined,
  ): RegistryEvidence {
    const sha512 = createHash('sha512')
      .update(readVector(vectorInput(vector, 'tarball')))
      .digest()
    const [name, version] = [vectorInput(vector, 'package'), vectorInput(vector, 'version')]
    const message = registrySignatureMessage(name, version, integrityOf(sha512))
    const signature = { keyId: vectorInput(vector, 'keyid'), signature: vectorInput(vector, 'sig') }
    return checkRegistrySignature(message, signature, keys, published)
  }
  const keysOf = (vector: VectorCase): readonly DomainKey[] =>
    registryKeys('registry.example', readVector(vectorInput(vector, 'registryKeys')))
  const failing = (code: Code): unknown => expect.objectContaining({ check: 'signature', code })
  const usable = new Date('2024-06-01T00:00:00Z')

  it.each(byId(signed))('%s', (_, vector) => {
    const keys = keysOf(vector)
    if (passes(vector)) {
      const keyId = vectorInput(vector, 'keyid')
      expect(check(vector, keys, usable)).toEqual({ owner: 'registry.example', keyId })
      // the key was retired since: without a time of publication nothing says that it was good then
      expect(() => check(vector, keys, undefined)).toThrow(failing('REGISTRY_KEY_EXPIRED'))
      expect(() => check(vector, keys, new Date('2026-01-01'))).toThrow(failing('REGISTRY_KEY_EXPIRED'))
    } else {
      expect(() => check(vector, keys, usable)).toThrow(failing('REGISTRY_SIGNATURE'))
    }
    const attesting = keys.filter(({ usage }) => usage === 'attestations')
    expect(() => check(vector, attesting, usable)).toThrow(failing('REGISTRY_KEY_UNKNOWN'))
  })

  it.each(byId(signed.filter(passes)))('%s: not for another version', (_, vector) => {
    const other = { ...vector, inputs: { ...vector.inputs, version: '99.0.0' } }
    expect(() => check(other, keysOf(vector), usable)).toThrow(failing('REGISTRY_SIGNATURE'))
  })
})
