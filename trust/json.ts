import { MalformedError } from './errors.ts'
import type { Code } from './codes.ts'
import { decodeUtf8 } from './encoding.ts'

/**
 * JSON (RFC 8259) read strictly: well-formed UTF-8, no duplicate keys, bounded size and depth, nothing after the
 * value. Objects come out as Maps so that a key such as `__proto__` is only a key. Numbers keep their text:
 * logs count beyond 2^53.
 */
export type Json = null | boolean | string | JsonNumber | readonly Json[] | JsonObject
/** An object, with its members in the order of the text. */
export type JsonObject = ReadonlyMap<string, Json>

/** A number, as it is written. */
export class JsonNumber {
  /** `1e3` and `1000` are two texts. */
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export interface JsonLimits {
  /** Bytes of input. */
  readonly size: number
  /** Nested arrays and objects. */
  readonly depth: number
  /** Values of all kinds; a million unless it is given. One takes up to a hundred times its text in memory. */
  readonly values?: number
  /** The code that errors carry. */
  readonly code: Code
  /** What is being read, for the message: "bundle". */
  readonly what: string
}

export function parseJson(bytes: Uint8Array, limits: JsonLimits): Json {
  if (bytes.length > limits.size) {
    throw new MalformedError(limits.code, `${limits.what} is larger than ${limits.size} bytes`, {
      got: `${bytes.length} bytes`,
      wanted: `at most ${limits.size} bytes`,
    })
  }
  const text = decodeUtf8(bytes)
  if (text === undefined) throw new MalformedError(limits.code, `${limits.what} is not valid UTF-8`)
  return new Reader(text, limits).document()
}

/** As `parseJson`, for text that is already a string of well-formed Unicode. */
export function parseJsonText(text: string, limits: JsonLimits): Json {
  if (text.length > limits.size) {
    throw new MalformedError(limits.code, `${limits.what} is larger than ${limits.size} bytes`)
  }
  return new Reader(text, limits).document()
}

/** More than the largest honest document has, a bill of materials of some megabytes. */
const MOST_VALUES = 1_000_000
const QUOTE = 0x22
const PLAIN = /[^"\\\u0000-\u001f]*/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const SPACE = /[ \t\n\r]*/y
const SIMPLE_ESCAPES = '"\\/bfnrt'

class Reader {
  private readonly text: string
  private readonly limits: JsonLimits
  private at = 0
  private values = 0

  constructor(text: string, limits: JsonLimits) {
    this.text = text
    this.limits = limits
  }

  document(): Json {
    this.space()
    const value = this.value(0)
    this.space()
    if (this.at !== this.text.length) this.fail('unexpected text after the end')
    return value
  }

  private fail(message: string): never {
    throw new MalformedError(this.limits.code, `${this.limits.what} is not valid JSON: ${message}`, {
      where: `offset ${this.at}`,
    })
  }

  private space(): void {
    const c = this.text.charCodeAt(this.at)
    // most values follow each other without a space: do not start the expression for nothing
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return
    SPACE.lastIndex = this.at
    SPACE.test(this.text)
    this.at = SPACE.lastIndex
  }

  private value(depth: number): Json {
    if (depth > this.limits.depth) this.fail(`nested deeper than ${this.limits.depth}`)
    const { values = MOST_VALUES } = this.limits
    if (++this.values > values) this.fail(`more than ${values} values`)
    switch (this.text[this.at]) {
      case '{':
        return this.object(depth)
      case '[':
        return this.array(depth)
      case '"':
        return this.string()
      case 't':
        return this.word('true', true)
      case 'f':
        return this.word('false', false)
      case 'n':
        return this.word('null', null)
      default:
        return this.number()
    }
  }

  private object(depth: number): JsonObject {
    const members = new Map<string, Json>()
    this.at++
    this.space()
    if (this.text[this.at] === '}') {
      this.at++
      return members
    }
    for (;;) {
      if (this.text[this.at] !== '"') this.fail('expected a key')
      const key = this.string()
      if (members.has(key)) this.fail(`key ${JSON.stringify(key)} stands twice in one object`)
      this.space()
      if (this.text[this.at] !== ':') this.fail('expected a colon')
      this.at++
      this.space()
      members.set(key, this.value(depth + 1))
      this.space()
      const next = this.text[this.at++]
      if (next === '}') return members
      if (next !== ',') {
        this.at--
        this.fail('expected a comma or the end of the object')
      }
      this.space()
    }
  }

  private array(depth: number): readonly Json[] {
    const items: Json[] = []
    this.at++
    this.space()
    if (this.text[this.at] === ']') {
      this.at++
      return items
    }
    for (;;) {
      items.push(this.value(depth + 1))
      this.space()
      const next = this.text[this.at++]
      if (next === ']') return items
      if (next !== ',') {
        this.at--
        this.fail('expected a comma or the end of the array')
      }
      this.space()
    }
  }

  private string(): string {
    const start = this.at + 1
    PLAIN.lastIndex = start
    PLAIN.test(this.text)
    this.at = PLAIN.lastIndex
    const plain = this.text.slice(start, this.at)
    if (this.text.charCodeAt(this.at) === QUOTE) {
      this.at++
      return plain
    }
    return this.escapedString(start - 1)
  }

  /** Checks the escapes; the runtime then reads the string in one go, where putting it together would cost memory. */
  private escapedString(quote: number): string {
    for (;;) {
      const c = this.text[this.at]
      if (c === undefined) this.fail('the text ends inside a string')
      if (c === '"') break
      if (c !== '\\') this.fail('control character in a string')
      const escape = this.text[this.at + 1] ?? ''
      if (escape === 'u') {
        const hex = this.text.slice(this.at + 2, this.at + 6)
        if (!/^[0-9a-fA-F]{4}$/.test(hex)) this.fail('broken \\u escape')
        this.at += 6
      } else if (escape !== '' && SIMPLE_ESCAPES.includes(escape)) {
        this.at += 2
      } else {
        this.fail('unknown escape in a string')
      }
      PLAIN.lastIndex = this.at
      PLAIN.test(this.text)
      this.at = PLAIN.lastIndex
    }
    this.at++
    const out = String(JSON.parse(this.text.slice(quote, this.at)))
    // an escaped lone surrogate has no UTF-8 form, so signed and shown text would differ
    if (!out.isWellFormed()) this.fail('lone surrogate in a string')
    return out
  }

  private word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) this.fail('unexpected character')
    this.at += word.length
    return value
  }

  private number(): JsonNumber {
    NUMBER.lastIndex = this.at
    const match = NUMBER.exec(this.text)
    if (match === null)
      this.fail(this.at >= this.text.length ? 'the text ends too early' : 'unexpected character')
    this.at = NUMBER.lastIndex
    return new JsonNumber(match[0])
  }
}
