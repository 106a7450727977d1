import { readNodes, walk, type JsonNode } from './json-nodes.ts'

/**
 * Mutants of a JSON document: each differs from it in one place, and says in which. The generators know JSON and
 * the encodings inside its strings; what a field means is the business of the test.
 */
export interface Mutant {
  readonly operation: Operation
  /** `$.entries[0].logId`; a document inside a string goes on after `>`: `$.body>$.spec`. */
  readonly path: string
  /** What was done, for messages. */
  readonly detail: string
  /** Byte of the decoded value, or character of a text, that was changed. */
  readonly offset: number | undefined
  /** The string as it reads now, where a string was changed. */
  readonly value: string | undefined
  readonly bytes: Uint8Array
}

export type Operation =
  | 'removed'
  | 'nulled'
  | 'emptied'
  | 'doubled'
  | 'retyped'
  | 'renamed'
  | 'added'
  | 'list doubled'
  | 'list reordered'
  | 'element removed'
  | 'element doubled'
  | 'members reordered'
  | 'flipped'
  | 'cut'
  | 'lengthened'
  | 'respelled'
  | 'lines changed'
  | 'twinned'
  | 'document'

/** How the bytes of a string are written: base64, or as the text itself. */
export type Encoding = 'base64' | 'text'
export type EncodingOf = (node: JsonNode) => Encoding

/** A document and the place of one value in it. */
export class Place {
  readonly text: string
  readonly node: JsonNode

  constructor(text: string, node: JsonNode) {
    this.text = text
    this.node = node
  }

  /** The value, or the member with its key, as JSON text. */
  get raw(): string {
    return this.text.slice(this.node.from, this.node.to)
  }

  get member(): string {
    return this.text.slice(this.node.keyFrom ?? this.node.from, this.node.to)
  }

  mutant(operation: Operation, detail: string, raw: string): Mutant {
    return this.#made(operation, detail, this.node.from, raw)
  }

  /** Replaces the member with its key, or the element. */
  memberMutant(operation: Operation, detail: string, raw: string): Mutant {
    return this.#made(operation, detail, this.node.keyFrom ?? this.node.from, raw)
  }

  /** Another string in place of this one. */
  stringMutant(operation: Operation, detail: string, value: string, offset?: number): Mutant {
    return { ...this.mutant(operation, detail, JSON.stringify(value)), value, offset }
  }

  /** Without the member or element and its comma. */
  removed(operation: Operation): Mutant {
    const from = this.node.keyFrom ?? this.node.from
    const after = /^\s*,\s*/.exec(this.text.slice(this.node.to))
    const before = /,\s*$/.exec(this.text.slice(0, from))
    const head =
      after === null ? this.text.slice(0, from - (before?.[0].length ?? 0)) : this.text.slice(0, from)
    const tail = this.text.slice(this.node.to + (after?.[0].length ?? 0))
    return {
      operation,
      path: this.node.path,
      detail: '',
      offset: undefined,
      value: undefined,
      bytes: Buffer.from(head + tail),
    }
  }

  #made(operation: Operation, detail: string, from: number, raw: string): Mutant {
    const bytes = Buffer.from(this.text.slice(0, from) + raw + this.text.slice(this.node.to))
    return { operation, path: this.node.path, detail, offset: undefined, value: undefined, bytes }
  }
}

/** All places of a document. */
export function placesOf(text: string): readonly Place[] {
  return [...walk(readNodes(text))].map((node) => new Place(text, node))
}

/** Odd names for fields are many and alike: a few do, where a document is one of many. */
export type Names = 'few names' | 'all names'

/** Every field removed, emptied, doubled, retyped; every list emptied, doubled, reordered. */
export function* fieldMutants(text: string, names: Names): Generator<Mutant> {
  for (const place of placesOf(text)) {
    const { node } = place
    if (node.path !== '$') yield* memberMutants(place)
    if (node.keyFrom !== undefined) yield* renamed(place, names)
    yield* retyped(place)
    if (node.kind === 'object') yield* objectMutants(place, names)
    if (node.kind === 'list') yield* listMutants(place)
    yield* emptied(place)
  }
}

function* memberMutants(place: Place): Generator<Mutant> {
  const { node, raw, member } = place
  if (node.keyFrom === undefined) {
    yield place.removed('element removed')
    yield place.memberMutant('element doubled', '', `${raw},${raw}`)
    return
  }
  yield place.removed('removed')
  yield place.memberMutant('doubled', 'twice the same', `${member},${member}`)
  const key = JSON.stringify(node.name)
  for (const other of ['null', '""', '{}']) {
    yield place.memberMutant('doubled', `${other} first`, `${key}:${other},${member}`)
    yield place.memberMutant('doubled', `${other} last`, `${member},${key}:${other}`)
  }
  yield place.memberMutant('doubled', 'second key escaped', `${member},"${escaped(node.name)}":${raw}`)
}

/** Names that are no names of the format, in place of one that is and beside it; then the same name, escaped. */
function* renamed(place: Place, names: Names): Generator<Mutant> {
  const { node, raw, member } = place
  const snake = node.name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)
  const others = [snake, node.name.toUpperCase(), `${node.name} `, `${node.name}\u0000`]
  for (const other of others.filter((name) => name !== node.name).slice(0, names === 'few names' ? 1 : 4)) {
    const key = JSON.stringify(other)
    yield place.memberMutant('renamed', key, `${key}:${raw}`)
    if (names === 'all names') yield place.memberMutant('added', `beside ${key}`, `${key}:${raw},${member}`)
  }
  if (names === 'all names') {
    yield place.memberMutant('respelled', 'key escaped', `"${escaped(node.name)}":${raw}`)
    if (node.kind === 'string') yield place.mutant('respelled', 'escaped', `"${escaped(node.value)}"`)
  }
}

const KINDS: readonly [JsonNode['kind'], readonly string[]][] = [
  ['string', ['""', '"x"']],
  ['number', ['0', '1', '-1', '1.5', '1e999']],
  ['boolean', ['true', 'false']],
  ['list', ['[]', '[null]', '[{}]']],
  ['object', ['{}', '{"x":1}']],
]

function* retyped(place: Place): Generator<Mutant> {
  const { node, raw } = place
  if (node.kind !== 'null') yield place.mutant('nulled', '', 'null')
  for (const [kind, values] of KINDS) {
    if (kind === node.kind) continue
    for (const value of values) yield place.mutant('retyped', `to ${value}`, value)
  }
  yield place.mutant('retyped', 'into a list', `[${raw}]`)
  yield place.mutant('retyped', 'into an object', `{"value":${raw}}`)
  if (node.kind === 'string') yield place.mutant('retyped', 'to its text', node.value)
  if (node.kind === 'number' || node.kind === 'boolean')
    yield place.mutant('retyped', 'to a string', `"${raw}"`)
  for (const child of node.kind === 'list' ? node.children.slice(0, 1) : []) {
    yield place.mutant('retyped', 'to its element', place.text.slice(child.from, child.to))
  }
}

function* emptied(place: Place): Generator<Mutant> {
  const empty = {
    object: ['{}'],
    list: ['[]'],
    string: ['""', '" "'],
    number: ['0'],
    boolean: ['false'],
    null: [],
  }
  for (const value of empty[place.node.kind]) {
    if (value !== place.raw) yield place.mutant('emptied', `to ${value}`, value)
  }
  if (place.node.kind === 'string' && /^[1-9][0-9]*$/.test(place.node.value))
    yield place.stringMutant('emptied', 'to "0"', '0')
}

const EXTRAS = ['"unknown":1', '"__proto__":{"x":1}', '"constructor":null', '"":[{"a":"b"}]']

function* objectMutants(place: Place, names: Names): Generator<Mutant> {
  const inside = place.raw.slice(1, -1)
  const comma = place.node.children.length === 0 ? '' : ','
  for (const extra of names === 'few names' ? EXTRAS.slice(0, 1) : EXTRAS) {
    yield place.mutant('added', extra, `{${extra}${comma}${inside}}`)
  }
  const members = place.node.children.map((child) => place.text.slice(child.keyFrom, child.to))
  if (members.length > 1) yield place.mutant('members reordered', '', `{${members.toReversed().join(',')}}`)
}

function* listMutants(place: Place): Generator<Mutant> {
  const items = place.node.children.map((child) => place.text.slice(child.from, child.to))
  const list = (of: readonly string[]): string => `[${of.join(',')}]`
  if (items.length > 0) yield place.mutant('list doubled', '', list([...items, ...items]))
  if (items.length > 1) {
    yield place.mutant('list reordered', 'reversed', list(items.toReversed()))
    yield place.mutant('list reordered', 'rotated', list([...items.slice(1), ...items.slice(0, 1)]))
  }
  for (const extra of ['null', '{}', '""', '[]']) {
    yield place.mutant('list doubled', `${extra} added`, list([...items, extra]))
  }
}

/** One bit of every byte of every string: of the bytes that base64 stands for, or of the text. */
export function* flipMutants(
  place: Place,
  encoding: Encoding,
  bitsAt: (offset: number) => readonly number[],
): Generator<Mutant> {
  const { value } = place.node
  if (encoding === 'base64') {
    const bytes = Buffer.from(value, 'base64')
    for (let at = 0; at < bytes.length; at++) {
      for (const bit of bitsAt(at)) {
        const before = bytes[at] ?? 0
        bytes[at] = before ^ bit
        yield place.stringMutant('flipped', `byte ${at} ^ ${bit}`, bytes.toString('base64'), at)
        bytes[at] = before
      }
    }
    return
  }
  for (let at = 0; at < value.length; at++) {
    for (const bit of bitsAt(at)) {
      const changed = String.fromCharCode(value.charCodeAt(at) ^ bit)
      yield place.stringMutant(
        'flipped',
        `character ${at} ^ ${bit}`,
        value.slice(0, at) + changed + value.slice(at + 1),
        at,
      )
    }
  }
}

/** Ends cut and lengthened, and other spellings of the same. */
export function* stringMutants(place: Place, encoding: Encoding): Generator<Mutant> {
  const { value } = place.node
  if (encoding === 'text') {
    yield* textMutants(place)
    return
  }
  const bytes = Buffer.from(value, 'base64')
  const cuts: readonly (readonly [string, Uint8Array])[] = [
    ['first byte', bytes.subarray(1)],
    ['last byte', bytes.subarray(0, -1)],
    ['second half', bytes.subarray(0, bytes.length >> 1)],
  ]
  for (const [what, rest] of cuts) yield place.stringMutant('cut', what, Buffer.from(rest).toString('base64'))
  for (const extra of [0, 0x30, 0xff]) {
    const more = Buffer.concat([bytes, Buffer.of(extra)])
    yield place.stringMutant('lengthened', `by ${extra}`, more.toString('base64'))
  }
  yield place.stringMutant('lengthened', 'in front', Buffer.concat([Buffer.of(0), bytes]).toString('base64'))
  yield place.stringMutant('lengthened', 'twice itself', Buffer.concat([bytes, bytes]).toString('base64'))
  for (const [what, spelling] of base64Spellings(value)) {
    if (spelling !== value) yield place.stringMutant('respelled', what, spelling)
  }
}

function base64Spellings(value: string): readonly (readonly [string, string])[] {
  const bare = value.replace(/=+$/, '')
  const last = bare.at(-1) ?? ''
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  const loose = `${bare.slice(0, -1)}${alphabet[alphabet.indexOf(last) | 1] ?? ''}${value.slice(bare.length)}`
  return [
    ['url-safe', value.replaceAll('+', '-').replaceAll('/', '_')],
    ['without padding', bare],
    ['padded more', `${value}=`],
    ['padded by a group', `${value}====`],
    ['space in front', ` ${value}`],
    ['line break inside', `${value.slice(0, 4)}\n${value.slice(4)}`],
    ['line break at the end', `${value}\n`],
    ['NUL at the end', `${value}\u0000`],
    ['foreign letter inside', `${value.slice(0, 4)}*${value.slice(4)}`],
    ['full-width letter', value.replace(/[A-Za-z]/, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0))],
    ['loose last bits', bare.length % 4 === 0 ? value : loose],
    ['hexadecimal', Buffer.from(value, 'base64').toString('hex')],
  ]
}

function* textMutants(place: Place): Generator<Mutant> {
  const { value } = place.node
  const spellings: readonly (readonly [string, string])[] = [
    ['upper case', value.toUpperCase()],
    ['lower case', value.toLowerCase()],
    ['space in front', ` ${value}`],
    ['space behind', `${value} `],
    ['line break behind', `${value}\n`],
    ['NUL behind', `${value}\u0000`],
    ['zero in front', `0${value}`],
    ['plus in front', `+${value}`],
    ['minus in front', `-${value}`],
    ['fraction', `${value}.0`],
    ['exponent', `${value}e0`],
    ['beyond 64 bits', `${value}00000000000000000000`],
    ['zero-width space inside', `${value.slice(0, 1)}\u200b${value.slice(1)}`],
  ]
  for (const [what, spelling] of spellings) {
    if (spelling !== value) yield place.stringMutant('respelled', what, spelling)
  }
  yield place.stringMutant('cut', 'last character', value.slice(0, -1))
  yield place.mutant('respelled', 'lone surrogate behind', `${JSON.stringify(value).slice(0, -1)}\\ud800"`)
}

function escaped(text: string): string {
  const [first = ''] = text
  const rest = JSON.stringify(text.slice(first.length)).slice(1, -1)
  return first === '' ? rest : `\\u${first.charCodeAt(0).toString(16).padStart(4, '0')}${rest}`
}

/** The document as a whole: bytes around it, syntax that JSON does not have, encodings. */
export function* documentMutants(text: string): Generator<Mutant> {
  const whole = (operation: Operation, detail: string, bytes: Uint8Array | string): Mutant => {
    return { operation, path: '$', detail, offset: undefined, value: undefined, bytes: Buffer.from(bytes) }
  }
  const trimmed = text.trim()
  const open = trimmed.slice(0, -1).trimEnd()
  yield whole('document', 'byte order mark', `\ufeff${text}`)
  yield whole('document', 'trailing comma', `${open},}`)
  yield whole('document', 'comment in front', `/* */${text}`)
  yield whole('document', 'comment behind', `${text}// end`)
  yield whole('document', 'NaN', `${open},"x":NaN}`)
  yield whole('document', 'Infinity', `${open},"x":-Infinity}`)
  yield whole('document', 'hexadecimal number', `${open},"x":0x10}`)
  yield whole('document', 'octal number', `${open},"x":010}`)
  yield whole('document', 'unquoted key', `${open},x:1}`)
  yield whole('document', 'single quotes', text.replaceAll('"', "'"))
  yield whole('document', 'undefined', `${open},"x":undefined}`)
  yield whole('document', 'tab in a string', `${open},"x":"\t"}`)
  yield whole('document', 'unknown escape', `${open},"x":"\\x41"}`)
  yield whole('document', 'twice', text + text)
  yield whole('document', 'two lines', `${text}\n${text}`)
  yield whole('document', 'in a list', `[${text}]`)
  yield whole('document', 'in a string', JSON.stringify(text))
  yield whole('document', 'nothing', '')
  yield whole('document', 'NUL behind', `${text}\u0000`)
  yield whole('document', 'no-break space in front', `\u00a0${text}`)
  yield whole('document', 'deep nesting', `${open},"x":${'['.repeat(5000)}${']'.repeat(5000)}}`)
  yield whole(
    'document',
    'invalid UTF-8',
    Buffer.concat([Buffer.from(`${open},"x":"`), Buffer.of(0xc0, 0x80), Buffer.from('"}')]),
  )
  yield whole('document', 'UTF-16', Buffer.from(text, 'utf16le'))
  for (const part of [1, 10, 100, 1000])
    yield whole('document', `without its last ${part} bytes`, text.trim().slice(0, -part))
  yield whole('respelled', 'white space around', ` \r\n\t${text}\n\n `)
}
