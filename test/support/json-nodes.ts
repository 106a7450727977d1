/** Where the values of a JSON text stand, so that a test can change one place of it and leave every other byte. */
export interface JsonNode {
  /** `$.entries[0].logId` */
  readonly path: string
  /** Name of the member or index of the element; `$` for the root. */
  readonly name: string
  readonly kind: 'object' | 'list' | 'string' | 'number' | 'boolean' | 'null'
  /** Span of the value. */
  readonly from: number
  readonly to: number
  /** Where the key of a member begins. */
  readonly keyFrom: number | undefined
  /** The string, or the text of any other value without parts. */
  readonly value: string
  readonly children: readonly JsonNode[]
}

const BLANK = /[ \t\r\n]*/y
const STRING = /"(?:[^"\\]|\\.)*"/y
const ATOM = /[^,\]}\s]+/y

/** Call it with valid JSON only. */
export function readNodes(text: string): JsonNode {
  return new Reader(text).read('$', '$', undefined)
}

/** The node and all below it, in the order of the text. */
export function* walk(node: JsonNode): Generator<JsonNode> {
  yield node
  for (const child of node.children) yield* walk(child)
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  read(path: string, name: string, keyFrom: number | undefined): JsonNode {
    this.#skip(BLANK)
    const from = this.#at
    const start = this.#text[from]
    const children: JsonNode[] = []
    if (start === '{') this.#items('}', () => children.push(this.#member(path)))
    else if (start === '[') {
      this.#items(']', () =>
        children.push(this.read(`${path}[${children.length}]`, String(children.length), undefined)),
      )
    } else this.#skip(start === '"' ? STRING : ATOM)
    const raw = this.#text.slice(from, this.#at)
    const value = start === '"' ? (JSON.parse(raw) as string) : start === '{' || start === '[' ? '' : raw
    return { path, name, kind: kindOf(start), from, to: this.#at, keyFrom, value, children }
  }

  #items(end: string, readOne: () => void): void {
    this.#at++
    this.#skip(BLANK)
    while (this.#text[this.#at] !== end) {
      readOne()
      this.#skip(BLANK)
      if (this.#text[this.#at] === ',') this.#at++
      this.#skip(BLANK)
    }
    this.#at++
  }

  #member(path: string): JsonNode {
    const keyFrom = this.#at
    this.#skip(STRING)
    const name = JSON.parse(this.#text.slice(keyFrom, this.#at)) as string
    this.#skip(BLANK)
    this.#at++
    return this.read(`${path}.${name}`, name, keyFrom)
  }

  #skip(what: RegExp): void {
    what.lastIndex = this.#at
    what.test(this.#text)
    this.#at = what.lastIndex
  }
}

function kindOf(start: string | undefined): JsonNode['kind'] {
  switch (start) {
    case '{':
      return 'object'
    case '[':
      return 'list'
    case '"':
      return 'string'
    case 't':
    case 'f':
      return 'boolean'
    case 'n':
      return 'null'
    default:
      return 'number'
  }
}
