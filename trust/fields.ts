import { decodeBase64, decodeDecimal } from './encoding.ts'
import { MalformedError } from './errors.ts'
import { JsonNumber, type Json, type JsonObject } from './json.ts'
import type { Code } from './codes.ts'

/**
 * Typed reading of one JSON object of a protobuf message (proto3 JSON mapping): camelCase names only, `null` is
 * absent, bytes are standard base64, 64-bit integers are decimal strings or numbers. Errors name the JSON path.
 */
export class Fields {
  readonly path: string
  private readonly members: JsonObject
  private readonly code: Code

  constructor(value: Json | undefined, path: string, code: Code) {
    if (!(value instanceof Map)) throw mistyped(code, path, 'an object', value)
    this.members = value
    this.path = path
    this.code = code
  }

  /** Names of the members that are present and not null. */
  names(): string[] {
    return [...this.members].filter(([, value]) => value !== null).map(([name]) => name)
  }

  has(name: string): boolean {
    return this.raw(name) !== undefined
  }

  raw(name: string): Json | undefined {
    return this.members.get(name) ?? undefined
  }

  at(name: string): string {
    return `${this.path}.${name}`
  }

  object(name: string): Fields {
    return new Fields(this.raw(name), this.at(name), this.code)
  }

  optionalObject(name: string): Fields | undefined {
    return this.has(name) ? this.object(name) : undefined
  }

  /** Absent counts as empty, as protobuf has it; more than `limit` items is refused with `limitCode`. */
  list(name: string, limit: number, limitCode: Code): readonly Json[] {
    const value = this.raw(name)
    if (value === undefined) return []
    if (!Array.isArray(value)) throw mistyped(this.code, this.at(name), 'a list', value)
    const list: readonly Json[] = value
    if (list.length > limit) {
      throw new MalformedError(limitCode, `${this.at(name)} has too many items`, {
        got: `${list.length}`,
        wanted: `at most ${limit}`,
        where: this.at(name),
      })
    }
    return list
  }

  objects(name: string, limit: number, limitCode: Code): Fields[] {
    return this.list(name, limit, limitCode).map(
      (item, i) => new Fields(item, `${this.at(name)}[${i}]`, this.code),
    )
  }

  string(name: string): string {
    const value = this.raw(name)
    if (typeof value !== 'string') throw mistyped(this.code, this.at(name), 'a string', value)
    return value
  }

  optionalString(name: string): string | undefined {
    return this.has(name) ? this.string(name) : undefined
  }

  /** Non-empty bytes. */
  bytes(name: string): Uint8Array {
    const text = this.string(name)
    const bytes = decodeBase64(text)
    if (bytes === undefined) throw mistyped(this.code, this.at(name), 'standard base64 with padding', text)
    if (bytes.length === 0) throw mistyped(this.code, this.at(name), 'at least one byte', text)
    return bytes
  }

  optionalBytes(name: string): Uint8Array | undefined {
    return this.has(name) ? this.bytes(name) : undefined
  }

  /** Non-negative integer below 2^63. */
  decimal(name: string): bigint {
    const value = this.raw(name)
    const text = value instanceof JsonNumber ? value.text : value
    const number = typeof text === 'string' ? decodeDecimal(text) : undefined
    if (number === undefined || number >= 1n << 63n) {
      throw mistyped(this.code, this.at(name), 'a decimal number from 0 to 2^63 - 1', value)
    }
    return number
  }

  optionalDecimal(name: string): bigint | undefined {
    return this.has(name) ? this.decimal(name) : undefined
  }

  /** RFC 3339 time in UTC, as the protobuf JSON mapping writes Timestamp. */
  optionalTime(name: string): Date | undefined {
    const text = this.optionalString(name)
    if (text === undefined) return undefined
    const time = parseTime(text)
    if (time === undefined)
      throw mistyped(this.code, this.at(name), 'a time such as 2026-01-31T00:00:00Z', text)
    return time
  }
}

/** Strict RFC 3339 in UTC; undefined for anything else, including days that do not exist. */
export function parseTime(text: string): Date | undefined {
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d{1,9})?(?:Z|\+00:00)$/.exec(text)
  if (match === null) return undefined
  const time = new Date(`${match[1]}${(match[2] ?? '.000').slice(0, 4).padEnd(4, '0')}Z`)
  return !Number.isNaN(time.getTime()) && time.toISOString().slice(0, 19) === match[1] ? time : undefined
}

function mistyped(code: Code, path: string, wanted: string, value: Json | undefined): MalformedError {
  const missing = value === undefined || value === null
  return new MalformedError(code, missing ? `${path} is missing` : `${path} is not ${wanted}`, {
    got: missing ? 'nothing' : describe(value),
    wanted,
    where: path,
  })
}

function describe(value: Json): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (value instanceof JsonNumber) return value.text
  if (Array.isArray(value)) return `a list of ${value.length}`
  return typeof value === 'object' ? 'an object' : String(value)
}
