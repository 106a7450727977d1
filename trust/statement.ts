import { DIGEST_ALGORITHMS, DIGEST_LENGTH, equalDigests } from './digest.ts'
import type { ArtifactDigests, Digest, DigestAlgorithm } from './digest.ts'
import { decodeHex, encodeHex } from './encoding.ts'
import { CheckFailed, MalformedError, type ErrorDetails } from './errors.ts'
import { parseJson, type Json, type JsonObject } from './json.ts'

/**
 * An in-toto statement (versions 0.1 and 1): somebody says something (the predicate) about files (the subjects).
 * Unknown fields are ignored, as the specification asks of readers; the fields named here are read strictly.
 */
export interface Statement {
  /** Its version. */
  readonly type: StatementType
  /** 1 to 1024. */
  readonly subjects: readonly [StatementSubject, ...StatementSubject[]]
  /** A URI; real builders have left it empty. */
  readonly predicateType: string
  /** Whatever the predicate type says; null where there is none. */
  readonly predicate: Json
}

/** One of the files that a statement is about. */
export interface StatementSubject {
  /** Says which of the subjects this is; a file is never found by its name. */
  readonly name: string | undefined
  /** 1 to 32, as they stand. Digests of the known algorithms are hexadecimal of the right length, in any case. */
  readonly digests: ReadonlyMap<string, string>
}

/** One of {@link STATEMENT_TYPES}. */
export type StatementType = (typeof STATEMENT_TYPES)[number]

/** The subject that an artifact is. */
export interface SubjectMatch {
  readonly index: number
  readonly subject: StatementSubject
  /** The strongest of the digests by which it matched. */
  readonly digest: Digest
}

/** `_type` of the statements that are read. */
export const STATEMENT_TYPES = [
  'https://in-toto.io/Statement/v0.1',
  'https://in-toto.io/Statement/v1',
] as const
const MAX_SIZE = 16 * 1024 * 1024
const MAX_DEPTH = 64
const MAX_SUBJECTS = 1024
const MAX_DIGESTS = 32

function malformed(message: string, where: string, details: ErrorDetails = {}): never {
  throw new CheckFailed('subject', 'STATEMENT_MALFORMED', message, { ...details, where })
}

/**
 * Reads the payload of an envelope.
 *
 * Errors, both of check `subject`: `STATEMENT_TYPE` for another kind or version of statement, `STATEMENT_MALFORMED`
 * for everything else, with the JSON path.
 */
export function parseStatement(payload: Uint8Array): Statement {
  const members = parseObject(payload)
  const type = STATEMENT_TYPES.find((known) => known === members.get('_type'))
  if (type === undefined) {
    throw new CheckFailed('subject', 'STATEMENT_TYPE', 'not an in-toto statement of a known version', {
      got: show(members.get('_type')),
      wanted: STATEMENT_TYPES.join(' or '),
      where: '$._type',
    })
  }
  const predicateType = members.get('predicateType')
  // required, yet real builders have left it empty: a policy that asks for a predicate type will not find it here
  if (typeof predicateType !== 'string') {
    malformed('the predicate type is not a text', '$.predicateType', { got: show(predicateType) })
  }
  return {
    type,
    subjects: readSubjects(members.get('subject')),
    predicateType,
    predicate: members.get('predicate') ?? null,
  }
}

function parseObject(payload: Uint8Array): JsonObject {
  let value: Json
  try {
    value = parseJson(payload, {
      size: MAX_SIZE,
      depth: MAX_DEPTH,
      code: 'STATEMENT_MALFORMED',
      what: 'statement',
    })
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    // the payload was signed as it is: that it cannot be read is a verdict on the bundle
    malformed(error.message, error.where ?? '$', { cause: error })
  }
  return asObject(value) ?? malformed('the statement is not an object', '$', { got: show(value) })
}

function asObject(value: Json | undefined): JsonObject | undefined {
  return value instanceof Map ? value : undefined
}

function readSubjects(value: Json | undefined): readonly [StatementSubject, ...StatementSubject[]] {
  if (!Array.isArray(value)) malformed('the subjects are not a list', '$.subject', { got: show(value) })
  const list: readonly Json[] = value
  if (list.length > MAX_SUBJECTS) {
    malformed('too many subjects', '$.subject', { got: `${list.length}`, wanted: `at most ${MAX_SUBJECTS}` })
  }
  const [first, ...rest] = list.map((item, i) => readSubject(item, `$.subject[${i}]`))
  if (first === undefined)
    malformed('the statement is about nothing', '$.subject', { wanted: 'at least one subject' })
  return [first, ...rest]
}

function readSubject(value: Json, path: string): StatementSubject {
  const members = asObject(value) ?? malformed('a subject is not an object', path, { got: show(value) })
  const name = members.get('name') ?? undefined
  if (name !== undefined && typeof name !== 'string') {
    malformed('the name of a subject is not a text', `${path}.name`, { got: show(name) })
  }
  const digest = asObject(members.get('digest'))
  if (digest === undefined) malformed('the digests of a subject are not an object', `${path}.digest`)
  if (digest.size === 0 || digest.size > MAX_DIGESTS) {
    const wanted = `1 to ${MAX_DIGESTS}`
    malformed('a subject has no digest or too many', `${path}.digest`, { got: `${digest.size}`, wanted })
  }
  const digests = new Map<string, string>()
  for (const [algorithm, text] of digest) {
    if (typeof text !== 'string') malformed('a digest is not a text', `${path}.digest.${algorithm}`)
    digests.set(algorithm, text)
  }
  for (const algorithm of DIGEST_ALGORITHMS) readDigest(digests, algorithm, path)
  return { name, digests }
}

/** The digest of one algorithm, or undefined where the subject does not give it. */
function readDigest(
  digests: ReadonlyMap<string, string>,
  algorithm: DigestAlgorithm,
  path: string,
): Uint8Array | undefined {
  const text = digests.get(algorithm)
  if (text === undefined) return undefined
  const bytes = decodeHex(text)
  if (bytes?.length === DIGEST_LENGTH[algorithm]) return bytes
  const wanted = `${DIGEST_LENGTH[algorithm] * 2} hexadecimal digits`
  malformed('a digest is not hexadecimal of the right length', `${path}.digest.${algorithm}`, {
    got: show(text),
    wanted,
  })
}

/** Algorithms that some subject uses: hash the artifact with all of them, so that none is left unchecked. */
export function neededAlgorithms(statement: Statement): DigestAlgorithm[] {
  return DIGEST_ALGORITHMS.filter((algorithm) =>
    statement.subjects.some(({ digests }) => digests.has(algorithm)),
  )
}

/**
 * Finds the artifact among the subjects, by digest and by nothing else. Any subject may be the one; it must agree
 * under every algorithm that it names and that was computed. Names and unknown algorithms are never looked at.
 *
 * A subject that agrees under one algorithm and differs under another speaks of two files at once: then nothing that
 * the statement says about this file can be believed, whatever the other subjects are.
 *
 * Errors: `SUBJECT_NOT_FOUND`.
 */
export function findSubject(statement: Statement, digests: ArtifactDigests): SubjectMatch {
  let found: SubjectMatch | undefined
  for (const [index, subject] of statement.subjects.entries()) {
    const { agreed, differing } = compare(subject, digests, `$.subject[${index}]`)
    const digest = agreed.at(-1)
    if (digest !== undefined && differing.length > 0) {
      throw new CheckFailed(
        'subject',
        'SUBJECT_NOT_FOUND',
        'a subject has the digest of this file and of another one',
        {
          got: `${digest.algorithm} agrees, ${differing.join(' and ')} differs`,
          wanted: 'all digests of the subject to agree',
          where: `$.subject[${index}].digest`,
        },
      )
    }
    if (digest !== undefined) found ??= { index, subject, digest }
  }
  if (found !== undefined) return found
  const computed = [...digests].map(([algorithm, bytes]) => `${algorithm}:${encodeHex(bytes)}`)
  const names = new Set(statement.subjects.flatMap((subject) => [...subject.digests.keys()]))
  throw new CheckFailed(
    'subject',
    'SUBJECT_NOT_FOUND',
    'no subject of the statement has the digest of this file',
    {
      got: `${statement.subjects.length} subjects with ${[...names].slice(0, MAX_DIGESTS).join(', ')}`,
      wanted: computed.join(', '),
      where: '$.subject',
    },
  )
}

function compare(
  subject: StatementSubject,
  digests: ArtifactDigests,
  path: string,
): { readonly agreed: readonly Digest[]; readonly differing: readonly DigestAlgorithm[] } {
  const agreed: Digest[] = []
  const differing: DigestAlgorithm[] = []
  for (const algorithm of DIGEST_ALGORITHMS) {
    const bytes = digests.get(algorithm)
    const named = readDigest(subject.digests, algorithm, path)
    if (bytes === undefined || named === undefined) continue
    if (equalDigests(bytes, named)) agreed.push({ algorithm, bytes })
    else differing.push(algorithm)
  }
  return { agreed, differing }
}

function show(value: Json | undefined): string {
  if (value === undefined || value === null) return 'nothing'
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
  if (Array.isArray(value)) return `a list of ${value.length}`
  return value instanceof Map ? 'an object' : 'another kind of value'
}
