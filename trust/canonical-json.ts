import { MalformedError } from './errors.ts'
import { JsonNumber, type Json } from './json.ts'

/**
 * JSON Canonicalization Scheme (RFC 8785) for what logs sign: strings, integers, booleans, null, arrays, objects.
 * Fractions are left out on purpose: no signed body has one, and a refusal is better than a second spelling.
 */
export type CanonicalValue =
  | Json
  | number
  | bigint
  | readonly CanonicalValue[]
  | { readonly [key: string]: CanonicalValue }
  | ReadonlyMap<string, CanonicalValue>

/** Errors: `MALFORMED_JSON` for a number that is no exact integer and for a lone surrogate. */
export function canonicalJson(value: CanonicalValue): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return canonicalString(value)
  if (typeof value === 'number' || typeof value === 'bigint') return canonicalInteger(value)
  if (value instanceof JsonNumber) return canonicalInteger(readInteger(value))
  if (isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const names = isMap(value) ? [...value.keys()] : Object.keys(value)
  let members = ''
  // by UTF-16 code units, which is how strings compare here
  for (const name of names.toSorted()) {
    const member = isMap(value) ? value.get(name) : value[name]
    if (member === undefined) throw new TypeError(`nothing is called ${name}`)
    members += `${members === '' ? '' : ','}${canonicalString(name)}:${canonicalJson(member)}`
  }
  return `{${members}}`
}

/** ECMAScript's own string form is the canonical one. */
function canonicalString(text: string): string {
  if (!text.isWellFormed()) throw new MalformedError('MALFORMED_JSON', 'lone surrogate in a string')
  return JSON.stringify(text)
}

/** JSON numbers of this scheme are doubles, so larger integers have no form of their own. */
function canonicalInteger(value: number | bigint): string {
  if (!Number.isSafeInteger(Number(value))) {
    throw new MalformedError('MALFORMED_JSON', 'number is not an integer below 2^53', { got: String(value) })
  }
  // minus zero is written as zero
  return String(value)
}

function readInteger({ text }: JsonNumber): bigint {
  if (!/^-?(?:0|[1-9][0-9]{0,16})$/.test(text)) {
    throw new MalformedError('MALFORMED_JSON', 'number is not an integer below 2^53', { got: text })
  }
  return BigInt(text)
}

// The library's own guards forget `readonly`.
function isArray(value: object): value is readonly CanonicalValue[] {
  return Array.isArray(value)
}

function isMap(value: object): value is ReadonlyMap<string, CanonicalValue> {
  return value instanceof Map
}
