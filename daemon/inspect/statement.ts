import { decodeBase64 } from '../../trust/encoding.ts'
import { CodedError } from '../../trust/errors.ts'
import { parseJson, type Json } from '../../trust/json.ts'
import { parseStatement } from '../../trust/statement.ts'
import {
  at,
  attempt,
  describeJson,
  field,
  hasAt,
  isObject,
  listAt,
  numbered,
  optional,
  problem,
  textAt,
  type Fields,
} from './fields.ts'

const LIMITS = { size: 16 * 1024 * 1024, depth: 64, code: 'STATEMENT_MALFORMED', what: 'statement' } as const

/** An in-toto statement: about which files, and what it says of them. */
export function describeStatement(payload: Uint8Array): Fields {
  return attempt(() => {
    const json = parseJson(payload, LIMITS)
    return [
      ...optional('type', textAt(json, '_type')),
      ...optional('predicate type', textAt(json, 'predicateType')),
      ...numbered('subject', listAt(json, 'subject'), describeSubject),
      ...(hasAt(json, 'predicate') ? [field('predicate', describeJson(at(json, 'predicate') ?? null))] : []),
      ...complaint(() => parseStatement(payload)),
    ]
  })
}

function describeSubject(subject: Json): Fields {
  const digests = at(subject, 'digest')
  return [
    field('name', textAt(subject, 'name') ?? 'none'),
    ...(isObject(digests)
      ? [...digests].map(([name, value]) => field(name, typeof value === 'string' ? value : '?'))
      : []),
  ]
}

/** A DSSE envelope with its statement. */
export function describeEnvelope(envelope: Json): Fields {
  const payload = decodeBase64(textAt(envelope, 'payload') ?? '')
  const signatures = listAt(envelope, 'signatures')
  return [
    field('payload type', textAt(envelope, 'payloadType') ?? 'none'),
    field('signatures', `${signatures.length}`),
    ...signatures.flatMap((signature) => optional('key ID', textAt(signature, 'keyid'))),
    field('statement', payload === undefined ? 'not base64' : describeStatement(payload)),
  ]
}

/** The reason for which verification would refuse it, where its shape alone is one. */
export function complaint(parse: () => unknown): Fields {
  try {
    parse()
    return []
  } catch (error) {
    if (error instanceof CodedError) return [problem(error)]
    throw error
  }
}
