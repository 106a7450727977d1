import { Buffer } from 'node:buffer'
import type { Random } from './random.ts'

/** Makes another input out of one. `others` are further members of the corpus, to take parts from. */
export type Mutator = (random: Random, input: Uint8Array, others: readonly Uint8Array[]) => Uint8Array

/** Inputs grow no further than this; what repeats a part to a great size has its own limit. */
const LIMIT = 256 * 1024
/** Large enough that memory beyond a multiple of the input stands out from what any process needs. */
export const BULK = 1024 * 1024

const NUMBERS = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff]

const TOKENS: readonly string[] = [
  '',
  '\0',
  '\n',
  '\r\n',
  '\n\n',
  '..',
  '../',
  '/',
  '\\',
  '%2e%2e%2f',
  '"',
  '\\u0000',
  '\\ud800',
  '[',
  '{',
  '[]',
  '{}',
  '{"":',
  'null',
  'true',
  '-0',
  '1e999',
  '18446744073709551616',
  '-1',
  '__proto__',
  'constructor',
  '\u2014 ',
  '\u202e',
  '\u200b',
  '\ufeff',
  '\u001b[31m',
  '-----BEGIN CERTIFICATE-----\n',
  '-----END CERTIFICATE-----\n',
  '---\n',
  '&a ',
  '*a',
  '<<: ',
  '!!binary ',
  '? ',
  '\t',
  '=',
  '====',
]

/** One to several small changes anywhere. */
export const mutateBytes: Mutator = (random, input, others) => {
  let bytes: Buffer = Buffer.from(input)
  for (let n = 1 + random.small(6); n > 0; n--) bytes = random.pick(EDITS)(random, bytes, others)
  return bytes.subarray(0, LIMIT)
}

/** Repeats a part of the input until it is large. */
export const bulk: Mutator = (random, input) => {
  const bytes = Buffer.from(input)
  const from = random.below(bytes.length + 1)
  const piece = random.chance(3)
    ? Buffer.from(random.pick(TOKENS.slice(1)))
    : bytes.subarray(from, from + 1 + random.small(512))
  if (piece.length === 0) return bytes
  const many = Buffer.alloc(random.chance(2) ? BULK : 1 + random.small(BULK), piece)
  return Buffer.concat([
    bytes.subarray(0, from),
    many,
    random.chance(2) ? bytes.subarray(from) : Buffer.alloc(0),
  ])
}

/** Lines left out, doubled, swapped, taken from elsewhere. */
export const mutateLines: Mutator = (random, input, others) => {
  const lines = linesOf(input)
  for (let n = 1 + random.below(3); n > 0; n--) {
    const at = random.below(lines.length)
    const other = linesOf(random.chance(2) ? input : random.pick(others))
    const edits: readonly (() => unknown)[] = [
      () => lines.splice(at, 1),
      () => lines.splice(at, 0, lines[at] ?? ''),
      () => lines.splice(at, 1, random.pick(other)),
      () => lines.splice(at, 0, random.pick(other)),
      () =>
        lines.splice(
          at,
          1,
          Buffer.from(mutateBytes(random, Buffer.from(lines[at] ?? '', 'latin1'), others)).toString('latin1'),
        ),
      () => lines.splice(at, 0, ...lines.splice(random.below(lines.length), 1)),
    ]
    random.pick(edits)()
  }
  return Buffer.from(lines.join('\n'), 'latin1').subarray(0, LIMIT)
}

/** One line, or a short one in its place, very many times. */
export const bulkLines: Mutator = (random, input, others) => {
  const lines = linesOf(random.chance(4) ? random.pick(others) : input)
  const at = random.below(lines.length)
  const line = random.pick([lines[at] ?? '', '', '{}', '1', 'a: 1', 'a', '[]', '-'])
  const many = 1 + random.below(Math.floor(BULK / (line.length + 1)))
  const numbered = random.chance(2)
  const repeated = Array.from({ length: many }, (_, i) => (numbered ? line.replace(/\w/, `a${i}`) : line))
  return Buffer.from(
    lines.toSpliced(at, 1, ...repeated.slice(0, 50_000), repeated.slice(50_000).join('\n')).join('\n'),
    'latin1',
  ).subarray(0, 2 * BULK)
}

function linesOf(bytes: Uint8Array): string[] {
  return Buffer.from(bytes).toString('latin1').split('\n')
}

type Edit = (random: Random, bytes: Buffer, others: readonly Uint8Array[]) => Buffer

const EDITS: readonly Edit[] = [
  (random, bytes) => change(bytes, (copy) => (copy[random.below(copy.length)]! ^= 1 << random.below(8))),
  (random, bytes) => change(bytes, (copy) => (copy[random.below(copy.length)] = random.below(256))),
  (random, bytes) => replace(bytes, random.below(bytes.length + 1), 0, random.bytes(1 + random.small(16))),
  (random, bytes) =>
    replace(bytes, random.below(bytes.length + 1), random.small(bytes.length), Buffer.alloc(0)),
  (random, bytes) => replace(bytes, random.below(bytes.length + 1), 0, part(random, bytes)),
  (random, bytes) => overwrite(bytes, random.below(bytes.length + 1), part(random, bytes)),
  (random, bytes, others) =>
    replace(bytes, random.below(bytes.length + 1), 0, part(random, random.pick(others))),
  (random, bytes, others) =>
    overwrite(bytes, random.below(bytes.length + 1), part(random, random.pick(others))),
  (random, bytes) => replace(bytes, random.below(bytes.length + 1), 0, Buffer.from(random.pick(TOKENS))),
  (random, bytes) => overwrite(bytes, random.below(bytes.length + 1), Buffer.from(random.pick(TOKENS))),
  (random, bytes) => overwrite(bytes, random.below(bytes.length + 1), integer(random)),
  (random, bytes) => bytes.subarray(0, random.below(bytes.length + 1)),
  (random, bytes) => mutateDecimal(random, bytes),
]

function change(bytes: Buffer, edit: (copy: Buffer) => unknown): Buffer {
  const copy = Buffer.from(bytes)
  if (copy.length > 0) edit(copy)
  return copy
}

function replace(bytes: Buffer, at: number, length: number, by: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + length)])
}

function overwrite(bytes: Buffer, at: number, by: Uint8Array): Buffer {
  return replace(bytes, at, by.length, by)
}

function part(random: Random, bytes: Uint8Array): Uint8Array {
  const from = random.below(bytes.length)
  return bytes.subarray(from, from + 1 + random.small(1024))
}

/** A number that programs trip over, in either byte order and any width. */
function integer(random: Random): Uint8Array {
  const width = random.pick([1, 2, 4, 8])
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(random.pick(NUMBERS)) << (random.chance(4) ? 32n : 0n))
  const little = bytes.subarray(0, width)
  return random.chance(2) ? little : Buffer.from(little.toReversed())
}

function mutateDecimal(random: Random, bytes: Buffer): Buffer {
  const text = bytes.toString('latin1')
  const found = [...text.matchAll(/[0-9]+/g)]
  if (found.length === 0) return bytes
  const { index, 0: digits } = random.pick(found)
  const number = random.chance(2) ? String(random.pick(NUMBERS)) : '9'.repeat(1 + random.below(40))
  return replace(bytes, index, digits.length, Buffer.from(number))
}
