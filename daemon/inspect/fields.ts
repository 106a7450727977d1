import type { InspectionField } from '../api.ts'
import { encodeHex } from '../../trust/encoding.ts'
import { CodedError } from '../../trust/errors.ts'
import { JsonNumber, type Json, type JsonObject } from '../../trust/json.ts'

export type Fields = readonly InspectionField[]

/** The label under which everything that could not be read is told. The command line ends with 3 where it occurs. */
export const PROBLEM = 'problem'

export function field(label: string, value: string | Fields): InspectionField {
  return { label, value }
}

/** A field that is left out where there is nothing to say. */
export function optional(label: string, value: string | undefined): Fields {
  return value === undefined || value === '' ? [] : [field(label, value)]
}

export function problem({ code, message, got, wanted, where, hint }: CodedError): InspectionField {
  return field(PROBLEM, [
    field('code', code),
    field('message', message),
    ...optional('got', got),
    ...optional('wanted', wanted),
    ...optional('where', where),
    field('hint', hint),
  ])
}

/** What can be read, or the reason why it cannot. */
export function attempt(read: () => Fields): Fields {
  try {
    return read()
  } catch (error) {
    if (error instanceof CodedError) return [problem(error)]
    throw error
  }
}

/** In UTC. Times in files may lie beyond what a Date can hold. */
export function time(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'a time that no calendar has' : date.toISOString()
}

export function hex(bytes: Uint8Array): string {
  return encodeHex(bytes)
}

/** `3 log entries`, `1 log entry`. */
export function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`
}

/** The value at a path of names, in JSON of which nothing is known. */
export function at(value: Json | undefined, ...names: readonly string[]): Json | undefined {
  let here = value
  for (const name of names) here = isObject(here) ? here.get(name) : undefined
  return here
}

export function isObject(value: Json | undefined): value is JsonObject {
  return value instanceof Map
}

export function textAt(value: Json | undefined, ...names: readonly string[]): string | undefined {
  const found = at(value, ...names)
  if (typeof found === 'string') return found
  return found instanceof JsonNumber ? found.text : undefined
}

export function listAt(value: Json | undefined, ...names: readonly string[]): readonly Json[] {
  const found = at(value, ...names)
  return Array.isArray(found) ? (found as readonly Json[]) : []
}

export function hasAt(value: Json | undefined, ...names: readonly string[]): boolean {
  const found = at(value, ...names)
  return found !== undefined && found !== null
}

const MOST_ITEMS = 50
const DEEPEST = 6

/** Any JSON as fields, with an end: what is left out is counted. */
export function describeJson(value: Json, depth = 0): string | Fields {
  if (value === null || typeof value === 'boolean') return `${value}`
  if (typeof value === 'string') return value
  if (value instanceof JsonNumber) return value.text
  const entries: readonly (readonly [string, Json])[] = isObject(value)
    ? [...value]
    : value.map((item, i) => [`${i + 1}`, item])
  if (entries.length === 0) return 'nothing'
  if (depth === DEEPEST) return count(entries.length, 'item', 'items')
  const shown = entries
    .slice(0, MOST_ITEMS)
    // a key in the file must not pass for a finding of ours
    .map(([label, item]) => field(label === PROBLEM ? `'${label}'` : label, describeJson(item, depth + 1)))
  return [...shown, ...leftOut(entries.length)]
}

export function leftOut(total: number): Fields {
  return total > MOST_ITEMS ? [field('and', `${total - MOST_ITEMS} more`)] : []
}

/** The first items of a list, each under a number, and how many more there are. */
export function numbered<T>(label: string, items: readonly T[], describe: (item: T) => Fields): Fields {
  if (items.length === 1) return items.map((item) => field(label, describe(item)))
  const shown = items
    .slice(0, MOST_ITEMS)
    .map((item, i) => field(`${label} ${i + 1} of ${items.length}`, describe(item)))
  return [...shown, ...leftOut(items.length)]
}
