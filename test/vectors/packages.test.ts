import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { connect } from '../../daemon/client.ts'
import { encodeHex } from '../../trust/encoding.ts'
import type { Code } from '../../trust/codes.ts'
import { claimedCases, listed, PACKAGES } from '../support/vector-coverage.ts'
import {
  ask,
  evidenceIn,
  identityPolicy,
  NOBODY,
  optionalInput,
  pathOf,
  questionOf,
  type Answer,
} from '../support/vector-questions.ts'
import { vectorInput, type VectorCase } from '../support/vectors.ts'

const engine = await connect()
const [jars, gems, charts, bottles, modules] = (['jar', 'gem', 'helm', 'homebrew', 'wasm'] as const).map(
  (kind) => claimedCases(PACKAGES, kind),
) as [
  readonly VectorCase[],
  readonly VectorCase[],
  readonly VectorCase[],
  readonly VectorCase[],
  readonly VectorCase[],
]

const byId = (list: readonly VectorCase[]): readonly (readonly [string, VectorCase])[] =>
  list.map((vector) => [vector.id, vector] as const)
const passes = ({ expected }: VectorCase): boolean => expected.result === 'pass'

function askFile(name: string, keys: readonly string[] = []): Promise<Answer> {
  const source = keys.length === 0 ? NOBODY : ({ kind: 'keys', paths: keys } as const)
  const target = { kind: 'file', path: pathOf(name) } as const
  return ask(engine, { target, bundles: [], trustedRoots: [], package: undefined }, source)
}

/** What the report says of the signatures of the format's own kind: `scheme state`, each once. */
function nativeIn({ reply }: Answer): readonly string[] {
  return [...new Set(reply?.nativeSignatures.map(({ scheme, state }) => `${scheme} ${state}`))]
}

describe.runIf(jars.length > 0)('packages with a bundle', () => {
  const bundled = [...jars, ...gems].filter(({ inputs }) => 'bundle' in inputs)
  const CODES: Readonly<Record<string, Code>> = {
    'jar/slsa-swapped-bundle': 'SUBJECT_NOT_FOUND',
    'gem/sigstore-1.0.0-bundle-for-other-gem': 'ARTIFACT_DIGEST',
  }

  it.each(byId(bundled.filter(passes)))('%s', async (_, vector) => {
    const question = questionOf(vector)
    const unnamed = await ask(engine, question, NOBODY)
    expect([unnamed.outcome, unnamed.codes]).toEqual(['signed-by-unknown', []])
    const [subject, issuer] = [vectorInput(vector, 'identity'), vectorInput(vector, 'issuer')]
    const [evidence] = evidenceIn(unnamed)
    expect(evidence?.signer).toMatchObject({ identity: { subject: { value: subject }, issuer } })
    expect(unnamed.reply?.verdict.subject.format).toBe(vector.kind)
    const answers = await Promise.all([
      ask(engine, question, identityPolicy(subject, issuer)),
      ask(engine, question, identityPolicy(`${subject}x`, issuer)),
    ])
    expect(answers.map(({ outcome, codes }) => [outcome, ...codes])).toEqual([
      ['verified'],
      ['rejected', 'IDENTITY_SUBJECT'],
    ])
  })

  it.each(byId(bundled.filter((vector) => !passes(vector))))('%s', async (id, vector) => {
    const { outcome, codes } = await ask(engine, questionOf(vector), NOBODY)
    expect([outcome, codes]).toEqual(['rejected', [listed(CODES, id)]])
  })
})

interface Expected {
  readonly name: string | undefined
  readonly version: string | undefined
  readonly native: readonly string[]
}

const JARSIGNER = ['jarsigner reported-only']
const X509 = ['rubygems-x509 reported-only']
const UNSIGNED: Readonly<Record<string, Expected | Code>> = {
  'jar/rekor-test.jar': {
    name: 'dev.sigstore:sigstore-maven-plugin',
    version: '1.0-SNAPSHOT',
    native: JARSIGNER,
  },
  'jar/org.eclipse.osgi-3.17.0': { name: undefined, version: undefined, native: JARSIGNER },
  'jar/file/a-0.1': { name: 'org.apache.maven.its:a', version: '0.1', native: [] },
  // signatures of RubyGems' own kind make no verdict, whether their certificate has ended or not
  'gem/file/valid_signature-0.0.0': { name: 'valid_signature', version: '0.0.0', native: X509 },
  // the file has another name than the gem in it
  'gem/file/expired_signature-0.0.0': { name: 'valid_signature', version: '0.0.0', native: X509 },
  'gem/file/bad-characters-1.0.0': 'MALFORMED_PACKAGE',
  'gem/file/dos-1.0.0': 'PACKAGE_METADATA',
  'gem/file/test-1.0.0': { name: 'test', version: '1.0.0', native: [] },
  'gem/file/hola-0.0.0': { name: 'hola', version: '0.0.0', native: [] },
  'gem/file/with_dependencies-0.0.0': { name: 'with_dependencies', version: '0.0.0', native: [] },
  'gem/file/hello-world': { name: 'hello-world-rubygems', version: '0.1.0', native: [] },
}

describe.runIf(jars.length > 0)('packages without a bundle', () => {
  const unsigned = [...jars, ...gems].filter(({ inputs }) => !('bundle' in inputs))

  it.each(byId(unsigned))('%s', async (id, vector) => {
    const expected = listed(UNSIGNED, id)
    const answer = await askFile(vectorInput(vector, vector.kind))
    if (typeof expected === 'string') {
      expect([answer.outcome, answer.codes]).toEqual(['no-verdict', [expected]])
      return
    }
    const { name, version, native } = expected
    expect([answer.outcome, answer.codes]).toEqual(['unsigned', []])
    expect(answer.reply?.verdict.subject).toMatchObject({ format: vector.kind, name, version })
    expect(nativeIn(answer)).toEqual(native)
  })

  it.each(byId(bottles))('%s', async (_, vector) => {
    const answer = await askFile(vectorInput(vector, 'bottle'))
    expect([answer.outcome, answer.codes]).toEqual(['unsigned', []])
    const { format, digests } = answer.reply?.verdict.subject ?? {}
    expect(format).toBe('bottle')
    expect(encodeHex(digests?.get('sha256') ?? new Uint8Array())).toBe(vectorInput(vector, 'sha256'))
  })

  it.each(byId(modules))('%s', async (_, vector) => {
    const answer = await askFile(vectorInput(vector, 'module'))
    const expected = passes(vector) ? ['unsigned'] : ['no-verdict', 'MALFORMED_PACKAGE']
    expect([answer.outcome, ...answer.codes]).toEqual(expected)
    if (passes(vector)) expect(answer.reply?.verdict.subject.format).toBe('wasm')
    expect(nativeIn(answer)).toEqual([])
  })

  it('of an unread kind are not among them', () => {
    expect([...jars, ...gems, ...bottles, ...modules].map(({ expected }) => expected.result)).not.toContain(
      'mixed',
    )
  })
})

describe.runIf(jars.length > 0)('charts and their provenance', () => {
  const proven = charts.filter(({ inputs }) => 'provenance' in inputs)

  it.each(byId(proven))('%s', async (_, vector) => {
    const folder = mkdtempSync(join(tmpdir(), 'sigward-chart-'))
    try {
      // a provenance file speaks for the chart that it lies beside
      const chart = vectorInput(vector, 'chart')
      const path = join(folder, basename(chart))
      copyFileSync(pathOf(chart), path)
      copyFileSync(pathOf(vectorInput(vector, 'provenance')), `${path}.prov`)
      const question = {
        target: { kind: 'file', path },
        bundles: [],
        trustedRoots: [],
        package: undefined,
      } as const
      const keyring = pathOf(vectorInput(vector, 'keyring'))
      const answer = await ask(engine, question, { kind: 'keys', paths: [keyring] })
      // never a verdict: no log has seen it
      expect([answer.outcome, answer.codes]).toEqual(['unsigned', []])
      expect(nativeIn(answer)).toEqual([passes(vector) ? 'helm-provenance holds' : 'helm-provenance broken'])
      const unnamed = nativeIn(await ask(engine, question, NOBODY))
      expect(unnamed).toEqual([passes(vector) ? 'helm-provenance key-unknown' : 'helm-provenance broken'])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  const bare = charts.filter(({ inputs }) => !('provenance' in inputs))

  it.each(byId(bare))('%s', async (_, vector) => {
    const keyring = optionalInput(vector, 'keyring')
    const answer = await askFile(vectorInput(vector, 'chart'), keyring === undefined ? [] : [pathOf(keyring)])
    expect([answer.outcome, answer.codes, nativeIn(answer)]).toEqual(['unsigned', [], []])
    expect(answer.reply?.verdict.subject.format).toBe('helm-chart')
  })
})
