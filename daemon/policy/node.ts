import type * as YamlLibrary from 'yaml'
import { escapeForDisplay } from '../../trust/encoding.ts'
import { CodedError, MalformedError, StoreError, UsageError } from '../../trust/errors.ts'

export interface NodeContext {
  readonly yaml: typeof YamlLibrary
  readonly text: string
  /** Name of the file, for errors. */
  readonly file: string
  readonly lines: YamlLibrary.LineCounter
}

interface Wrong {
  readonly got?: string
  readonly wanted?: string
}

/**
 * One value of the policy, with its place. Types are strict: what should be text must have been written as text.
 * Errors: MALFORMED_POLICY with file, line, column and path.
 */
export class PolicyNode {
  /** `packages[0].require`; empty for the whole policy. */
  readonly path: string
  readonly #value: unknown
  readonly #context: NodeContext
  readonly #offset: number

  /** `fallback` is the offset where a value that is not written would stand. */
  constructor(value: unknown, context: NodeContext, path: string, fallback: number) {
    this.path = path
    this.#value = value
    this.#context = context
    this.#offset = context.yaml.isNode(value) ? (value.range?.[0] ?? fallback) : fallback
  }

  /** `sigward.yaml:12:5 packages[0].require` */
  get where(): string {
    const { line, col } = this.#context.lines.linePos(this.#offset)
    return `${this.#context.file}:${line}:${col} ${this.path}`.trimEnd()
  }

  fail(message: string, { got, wanted }: Wrong = {}): never {
    throw new MalformedError('MALFORMED_POLICY', message, {
      where: this.where,
      ...(got === undefined ? {} : { got }),
      ...(wanted === undefined ? {} : { wanted }),
    })
  }

  /** What somebody else says is wrong with this value, at this place. A wrong argument there is a wrong policy here. */
  async placed<T>(action: () => T | Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      const { got, wanted, hint } = error
      const details = {
        where: error.where === undefined ? this.where : `${this.where} (${error.where})`,
        ...(got === undefined ? {} : { got }),
        ...(wanted === undefined ? {} : { wanted }),
        cause: error,
      }
      if (error instanceof UsageError) throw new MalformedError('MALFORMED_POLICY', error.message, details)
      if (error instanceof StoreError) throw new StoreError(error.code, error.message, { ...details, hint })
      if (error instanceof MalformedError)
        throw new MalformedError(error.code, error.message, { ...details, hint })
      throw error
    }
  }

  /** A mapping with these keys and no others. */
  fields(known: readonly string[]): PolicyFields {
    const members = new Map(this.entries().map(([key, value]) => [key, value]))
    for (const [key, { keyNode }] of members) {
      if (known.includes(key)) continue
      keyNode.fail(`there is no key '${key}' here`, { got: key, wanted: known.join(', ') })
    }
    return new PolicyFields(this, new Map([...members].map(([key, { value }]) => [key, value])))
  }

  /** A mapping with keys of its own; at least one. */
  entries(): readonly (readonly [key: string, entry: PolicyEntry])[] {
    const { yaml } = this.#context
    if (!yaml.isMap(this.#value)) this.#mistyped('a mapping')
    if (this.#value.items.length === 0) this.fail('the mapping is empty')
    const seen = new Map<string, PolicyNode>()
    return this.#value.items.map(({ key, value }) => {
      const name: unknown = yaml.isScalar(key) ? key.value : undefined
      const isName = typeof name === 'string'
      const keyNode: PolicyNode = new PolicyNode(
        key,
        this.#context,
        isName ? this.#below(name) : this.path,
        this.#offset,
      )
      if (!isName) return keyNode.fail('a key is not text', { got: keyNode.#describe() })
      if (name === '<<') keyNode.fail('the policy merges mappings; it must say all at its place')
      keyNode.text()
      const before = seen.get(name)
      if (before !== undefined)
        keyNode.fail(`the key '${name}' stands twice`, { got: `first at ${before.where}` })
      seen.set(name, keyNode)
      return [
        name,
        { keyNode, value: new PolicyNode(value, this.#context, keyNode.path, keyNode.#offset) },
      ] as const
    })
  }

  #below(key: string): string {
    if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(key)) return escapeForDisplay(`${this.path}[${JSON.stringify(key)}]`)
    return this.path === '' ? key : `${this.path}.${key}`
  }

  /** A list of at least one. */
  items(): readonly PolicyNode[] {
    if (!this.#context.yaml.isSeq(this.#value)) this.#mistyped('a list')
    if (this.#value.items.length === 0) this.fail('the list is empty', { wanted: 'at least one item' })
    return this.#value.items.map(
      (item, i) => new PolicyNode(item, this.#context, `${this.path}[${i}]`, this.#offset),
    )
  }

  /** A list of texts, none of them twice. */
  texts(): readonly string[] {
    const items = this.items()
    const texts = items.map((item) => item.text())
    const twice = items.find((_, i) => texts.indexOf(texts[i] ?? '') !== i)
    twice?.fail('the same text stands twice in the list', { got: twice.text() })
    return texts
  }

  isText(): boolean {
    return this.#context.yaml.isScalar(this.#value) && typeof this.#value.value === 'string'
  }

  /** Text on one line, as it looks: nothing invisible, no space around it. */
  text(): string {
    const value = this.#value
    if (!this.#context.yaml.isScalar(value) || typeof value.value !== 'string') this.#mistyped('text')
    const text = value.value
    if (text === '') this.fail('the text is empty', { got: 'nothing', wanted: 'text' })
    const [start, end] = value.range ?? [0, 0]
    if (this.#context.text.slice(start, end).includes('\n'))
      this.fail('the text goes over several lines', { got: text })
    if (escapeForDisplay(text) !== text)
      this.fail('the text holds a character that cannot be seen', { got: escapeForDisplay(text) })
    if (text.trim() !== text) this.fail('the text starts or ends with a space', { got: `'${text}'` })
    return text
  }

  oneOf<T extends string>(words: readonly T[]): T {
    const text = this.text()
    const word = words.find((one) => one === text)
    return word ?? this.fail('the word is not known here', { got: text, wanted: words.join(' or ') })
  }

  /** A whole number in plain digits. */
  count(least: number, most: number): number {
    const value = this.#value
    const digits =
      this.#context.yaml.isScalar(value) && typeof value.value === 'number' ? value.source : undefined
    const wanted = least === most ? `the number ${least}` : `a whole number from ${least} to ${most}`
    if (digits === undefined || !/^(?:0|[1-9][0-9]*)$/.test(digits)) this.#mistyped(wanted)
    const number = Number(digits)
    return number >= least && number <= most
      ? number
      : this.fail('the number is out of range', { got: digits, wanted })
  }

  #mistyped(wanted: string): never {
    const got = this.#describe()
    this.fail(`${this.path === '' ? 'the policy' : this.path} is not ${wanted}`, { got, wanted })
  }

  #describe(): string {
    const { yaml } = this.#context
    if (yaml.isMap(this.#value)) return 'a mapping'
    if (yaml.isSeq(this.#value)) return 'a list'
    const value: unknown = yaml.isScalar(this.#value) ? this.#value.value : null
    if (value === null) return 'nothing'
    return typeof value === 'string'
      ? `the text '${escapeForDisplay(value)}'`
      : `the ${typeof value} ${JSON.stringify(value)}`
  }
}

export interface PolicyEntry {
  readonly keyNode: PolicyNode
  readonly value: PolicyNode
}

/** A mapping whose keys are known. */
export class PolicyFields {
  readonly node: PolicyNode
  readonly #members: ReadonlyMap<string, PolicyNode>

  constructor(node: PolicyNode, members: ReadonlyMap<string, PolicyNode>) {
    this.node = node
    this.#members = members
  }

  optional(key: string): PolicyNode | undefined {
    return this.#members.get(key)
  }

  required(key: string): PolicyNode {
    return this.optional(key) ?? this.node.fail(`'${key}' is missing`, { got: 'nothing', wanted: key })
  }

  /** The one of these keys that is there; `undefined` when none is. */
  atMostOne(keys: readonly string[]): string | undefined {
    const [first, second] = keys.filter((key) => this.#members.has(key))
    if (second !== undefined) this.#members.get(second)?.fail(`'${first}' and '${second}' exclude each other`)
    return first
  }

  exactlyOne<K extends string>(keys: readonly K[]): readonly [key: K, node: PolicyNode] {
    const wanted = keys.join(' or ')
    const name = this.atMostOne(keys)
    const key = keys.find((one) => one === name)
    if (key === undefined) return this.node.fail(`one of ${wanted} is missing`, { got: 'nothing', wanted })
    return [key, this.required(key)]
  }
}
