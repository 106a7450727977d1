import { hash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { ArtifactDigests, DigestAlgorithm } from '../../trust/digest.ts'
import { IN_TOTO_PAYLOAD_TYPE } from '../../trust/dsse.ts'
import { encodeUtf8 } from '../../trust/encoding.ts'
import { findSubject, neededAlgorithms, parseStatement, type Statement } from '../../trust/statement.ts'
import { readVector, vectorCases, vectorInput } from '../support/vectors.ts'

const V1 = 'https://in-toto.io/Statement/v1'
const V01 = 'https://in-toto.io/Statement/v0.1'
const FILE = encodeUtf8('the artifact')
const hex = (algorithm: DigestAlgorithm, data: Uint8Array = FILE): string => hash(algorithm, data, 'hex')
const other = (algorithm: DigestAlgorithm): string => hex(algorithm, encodeUtf8('another file'))

function digests(...algorithms: readonly DigestAlgorithm[]): ArtifactDigests {
  return new Map(algorithms.map((algorithm) => [algorithm, hash(algorithm, FILE, 'buffer')]))
}

const valid = {
  _type: V1,
  subject: [{ name: 'a.txt', digest: { sha256: hex('sha256') } }],
  predicateType: 'https://slsa.dev/provenance/v1',
  predicate: { builder: 'x' },
}

const parse = (value: unknown): Statement => parseStatement(encodeUtf8(JSON.stringify(value)))
const about = (...subject: readonly unknown[]): Statement => parse({ ...valid, subject })
const failing = (code: string, where?: string): unknown =>
  expect.objectContaining({
    name: 'CheckFailed',
    check: 'subject',
    code,
    ...(where === undefined ? {} : { where }),
  })

describe('parsing a statement', () => {
  it.each([V1, V01] as const)('reads %s', (type) => {
    const statement = parse({ ...valid, _type: type })
    expect(statement.type).toBe(type)
    expect(statement.subjects).toEqual([{ name: 'a.txt', digests: new Map([['sha256', hex('sha256')]]) }])
    expect(statement.predicateType).toBe('https://slsa.dev/provenance/v1')
    expect(statement.predicate).toEqual(new Map([['builder', 'x']]))
  })

  it('ignores what it does not know', () => {
    const subject = [{ ...valid.subject[0], uri: 'https://example.com', annotations: { a: 1 } }]
    expect(parse({ ...valid, subject, extra: [1, 2] }).subjects).toHaveLength(1)
  })

  it('does without a name and without a predicate', () => {
    const { predicate: _, ...rest } = valid
    const statement = parse({ ...rest, subject: [{ digest: { sha256: hex('sha256') } }] })
    expect(statement.subjects[0].name).toBeUndefined()
    expect(statement.predicate).toBeNull()
    expect(
      parse({ ...valid, subject: [{ name: null, digest: { sha1: '00' } }] }).subjects[0].name,
    ).toBeUndefined()
  })

  it('takes an empty predicate type, as real builders wrote it', () => {
    expect(parse({ ...valid, predicateType: '' }).predicateType).toBe('')
  })

  it('keeps digests of unknown algorithms, whatever they look like', () => {
    const [subject] = about({ name: 'x', digest: { dirHash: 'h1:abc=', gitCommit: 'zz' } }).subjects
    expect([...subject.digests]).toEqual([
      ['dirHash', 'h1:abc='],
      ['gitCommit', 'zz'],
    ])
  })

  it.each([
    ['another version', 'https://in-toto.io/Statement/v2'],
    ['a version with more behind it', `${V1}/`],
    ['another spelling', V1.toUpperCase()],
    ['no type', undefined],
    ['a type that is not a text', 1],
  ])('refuses %s: STATEMENT_TYPE', (_, type) => {
    expect(() => parse({ ...valid, _type: type })).toThrow(failing('STATEMENT_TYPE', '$._type'))
  })

  const subjects = (count: number): unknown[] => Array.from({ length: count }, () => valid.subject[0])
  const digestSet = (count: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`algorithm${i}`, '00']))

  it('takes as many subjects and digests as are allowed', () => {
    expect(about(...subjects(1024)).subjects).toHaveLength(1024)
    expect(about({ name: 'x', digest: digestSet(32) }).subjects[0].digests.size).toBe(32)
  })

  it.each([
    ['no subject', { subject: [] }, '$.subject'],
    ['a missing subject', { subject: undefined }, '$.subject'],
    ['a subject that is not a list', { subject: valid.subject[0] }, '$.subject'],
    ['1025 subjects', { subject: subjects(1025) }, '$.subject'],
    ['a subject that is a text', { subject: ['a.txt'] }, '$.subject[0]'],
    ['a null subject', { subject: [...valid.subject, null] }, '$.subject[1]'],
    [
      'a name that is a number',
      { subject: [{ name: 1, digest: { sha256: hex('sha256') } }] },
      '$.subject[0].name',
    ],
    ['a subject without digests', { subject: [{ name: 'a.txt' }] }, '$.subject[0].digest'],
    ['digests that are a list', { subject: [{ digest: [hex('sha256')] }] }, '$.subject[0].digest'],
    ['an empty set of digests', { subject: [{ name: 'a.txt', digest: {} }] }, '$.subject[0].digest'],
    ['33 digests', { subject: [{ digest: digestSet(33) }] }, '$.subject[0].digest'],
    ['a digest that is a number', { subject: [{ digest: { sha256: 7 } }] }, '$.subject[0].digest.sha256'],
    ['a digest that is null', { subject: [{ digest: { md5: null } }] }, '$.subject[0].digest.md5'],
    [
      'a short digest',
      { subject: [{ digest: { sha256: hex('sha256').slice(2) } }] },
      '$.subject[0].digest.sha256',
    ],
    [
      'a digest of another length',
      { subject: [{ digest: { sha512: hex('sha256') } }] },
      '$.subject[0].digest.sha512',
    ],
    ['an empty digest', { subject: [{ digest: { sha384: '' } }] }, '$.subject[0].digest.sha384'],
    [
      'a digest that is not hexadecimal',
      { subject: [{ digest: { sha256: 'g'.repeat(64) } }] },
      '$.subject[0].digest.sha256',
    ],
    ['no predicate type', { predicateType: undefined }, '$.predicateType'],
    ['a predicate type that is a number', { predicateType: 1 }, '$.predicateType'],
    ['a predicate type that is null', { predicateType: null }, '$.predicateType'],
  ])('refuses %s: STATEMENT_MALFORMED', (_, change, where) => {
    expect(() => parse({ ...valid, ...change })).toThrow(failing('STATEMENT_MALFORMED', where))
  })

  it.each([
    ['nothing', ''],
    ['a list', '[]'],
    ['null', 'null'],
    ['text after the end', `${JSON.stringify(valid)}x`],
    ['a truncated payload', JSON.stringify(valid).slice(0, -1)],
    ['a key that stands twice', JSON.stringify(valid).replace('{', '{"subject":[],')],
    ['a digest that stands twice', JSON.stringify(valid).replace('"digest":{', '"digest":{"sha256":"00",')],
    ['65 nested lists', `{"_type":"${V1}","predicate":${'['.repeat(65)}${']'.repeat(65)}}`],
    ['a byte order mark', `\u{feff}${JSON.stringify(valid)}`],
  ])('refuses %s: STATEMENT_MALFORMED', (_, text) => {
    expect(() => parseStatement(encodeUtf8(text))).toThrow(failing('STATEMENT_MALFORMED'))
  })

  it('refuses what is not UTF-8, and more than 16 MiB', () => {
    expect(() => parseStatement(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(failing('STATEMENT_MALFORMED'))
    const large = new Uint8Array(16 * 1024 * 1024 + 1).fill(0x20)
    expect(() => parseStatement(large)).toThrow(failing('STATEMENT_MALFORMED'))
  })
})

describe('finding the artifact among the subjects', () => {
  it.each(['sha256', 'sha384', 'sha512'] as const)('finds it by %s alone', (algorithm) => {
    const match = findSubject(
      about({ name: 'x', digest: { [algorithm]: hex(algorithm) } }),
      digests(algorithm),
    )
    expect(match).toMatchObject({ index: 0, subject: { name: 'x' }, digest: { algorithm } })
  })

  it('takes any of the subjects', () => {
    const decoys = Array.from({ length: 5 }, (_, i) => ({
      name: `${i}`,
      digest: { sha256: other('sha256') },
    }))
    const match = findSubject(about(...decoys, ...valid.subject, ...decoys), digests('sha256'))
    expect(match.index).toBe(5)
    expect(match.subject.name).toBe('a.txt')
  })

  it('does not care for the case of hexadecimal', () => {
    const match = findSubject(about({ digest: { sha256: hex('sha256').toUpperCase() } }), digests('sha256'))
    expect(match.index).toBe(0)
  })

  it('names the strongest digest that agreed', () => {
    const statement = about({ digest: { sha512: hex('sha512'), md5: 'x', sha256: hex('sha256') } })
    expect(findSubject(statement, digests('sha256', 'sha384', 'sha512')).digest.algorithm).toBe('sha512')
    expect(findSubject(statement, digests('sha256')).digest.algorithm).toBe('sha256')
  })

  it.each<[string, readonly unknown[], DigestAlgorithm[]]>([
    ['no digest fits', [{ name: 'a.txt', digest: { sha256: other('sha256') } }], ['sha256']],
    [
      'only the name fits',
      [{ name: 'the artifact', digest: { sha512: other('sha512') } }],
      ['sha256', 'sha512'],
    ],
    ['the algorithm was not computed', [{ digest: { sha512: hex('sha512') } }], ['sha256']],
    ['only an unknown algorithm would fit', [{ digest: { SHA256: hex('sha256') } }], ['sha256']],
    [
      'the digest stands under another algorithm',
      [{ digest: { sha512: 'ab'.repeat(64), sha224: hex('sha256') } }],
      ['sha256'],
    ],
    ['nothing was computed', valid.subject, []],
  ])('fails when %s: SUBJECT_NOT_FOUND', (_, subject, algorithms) => {
    expect(() => findSubject(about(...subject), digests(...algorithms))).toThrow(
      failing('SUBJECT_NOT_FOUND', '$.subject'),
    )
  })

  it.each<[DigestAlgorithm, DigestAlgorithm]>([
    ['sha256', 'sha512'],
    ['sha512', 'sha256'],
    ['sha384', 'sha512'],
  ])('refuses a subject whose %s agrees and whose %s does not: SUBJECT_NOT_FOUND', (agrees, differs) => {
    const torn = { digest: { [agrees]: hex(agrees), [differs]: other(differs) } }
    const all = digests('sha256', 'sha384', 'sha512')
    const where = (index: number): unknown => failing('SUBJECT_NOT_FOUND', `$.subject[${index}].digest`)
    expect(() => findSubject(about(torn), all)).toThrow(where(0))
    // the statement is not believed about this file at all, whatever stands before or after
    expect(() => findSubject(about(torn, valid.subject[0]), all)).toThrow(where(0))
    expect(() => findSubject(about(valid.subject[0], torn), all)).toThrow(where(1))
    expect(findSubject(about(torn), digests(agrees)).index).toBe(0)
  })

  it('says which algorithms must be computed', () => {
    expect(neededAlgorithms(about(...valid.subject))).toEqual(['sha256'])
    expect(neededAlgorithms(about({ digest: { sha512: hex('sha512') } }, ...valid.subject))).toEqual([
      'sha256',
      'sha512',
    ])
    expect(neededAlgorithms(about({ digest: { sha1: '00', sha384: hex('sha384') } }))).toEqual(['sha384'])
    expect(neededAlgorithms(about({ digest: { sha1: '00' } }))).toEqual([])
  })
})

/** The payload of a bundle's envelope, undefined where it has none or of another type. */
function payloadOf(bundle: string): Uint8Array | undefined {
  const json = JSON.parse(readVector(bundle).toString('utf8')) as {
    dsseEnvelope?: { payload: string; payloadType: string }
  }
  const { payload, payloadType } = json.dsseEnvelope ?? {}
  return payload !== undefined && payloadType === IN_TOTO_PAYLOAD_TYPE
    ? Buffer.from(payload, 'base64')
    : undefined
}

describe('published statements', () => {
  const passing = vectorCases('bundle-verify').filter(
    ({ expected, inputs }) => expected.result === 'pass' && typeof inputs['bundle'] === 'string',
  )
  const attested = passing.filter((vector) => payloadOf(vectorInput(vector, 'bundle')) !== undefined)

  it.runIf(passing.length > 0)('are there', () => {
    expect(attested.length).toBeGreaterThan(3)
  })

  it.each(attested.map((vector) => [vector.id, vector] as const))('%s is read', (_, vector) => {
    const statement = parseStatement(payloadOf(vectorInput(vector, 'bundle')) ?? new Uint8Array())
    expect(neededAlgorithms(statement)).not.toEqual([])
    const artifact = vector.inputs['artifact']
    if (typeof artifact !== 'string') return
    const bytes = readVector(artifact)
    const known = new Map(neededAlgorithms(statement).map((name) => [name, hash(name, bytes, 'buffer')]))
    expect(findSubject(statement, known).index).toBeGreaterThanOrEqual(0)
    known.forEach((digest) => (digest[0] = (digest[0] ?? 0) ^ 1))
    expect(() => findSubject(statement, known)).toThrow(failing('SUBJECT_NOT_FOUND'))
  })
})
