import type * as YamlLibrary from 'yaml'
import type { Document, Node, Scalar, YAMLMap } from 'yaml'
import { decodeBase64, decodeUtf8 } from '../trust/encoding.ts'
import type { Code } from '../trust/codes.ts'
import { MalformedError } from '../trust/errors.ts'
import { shown } from './shown.ts'

/** Bytes; long specifications list tens of thousands of files. */
const MAX_SIZE = 4 * 1024 * 1024
/**
 * Characters that may start or end a line, a node or a comment: each costs the library about a kilobyte, so counting them
 * first bounds its memory. A specification has one line for each file.
 */
const MAX_STEPS = 100_000
const STEP = /[\n[\]{}!&*#%"'@`|>]|[-?,:](?=\s)/g

export interface YamlContext {
  /** The code that errors carry. */
  readonly code: Code
  /** What is being read, for messages: `Chart.yaml`. */
  readonly what: string
}

/** One mapping of a YAML document: read field by field, so that aliases are never multiplied out. */
export interface YamlFields {
  readonly keys: readonly string[]
  /**
   * The text of a scalar; undefined when the key is absent or empty. Text that readers could take for a number or
   * a truth value of another spelling is refused.
   */
  text(key: string): string | undefined
  /** A mapping below; undefined when the key is absent or holds something else. */
  map(key: string): YamlFields | undefined
}

/**
 * Reads the top mapping of a YAML document. Tags make no objects: a tagged mapping is a mapping. Keys that stand
 * twice, merge keys, several documents and anything that is not valid YAML are refused. The library loads on first
 * use: most commands never read YAML.
 */
export async function parseYamlFields(bytes: Uint8Array, context: YamlContext): Promise<YamlFields> {
  if (bytes.length > MAX_SIZE) {
    throw new MalformedError('PACKAGE_LIMIT', `${context.what} is larger than ${MAX_SIZE} bytes`)
  }
  const text = decodeUtf8(bytes)
  if (text === undefined) throw new MalformedError(context.code, `${context.what} is not valid UTF-8`)
  if (countUpTo(text, STEP, MAX_STEPS) >= MAX_STEPS) {
    throw new MalformedError('PACKAGE_LIMIT', `${context.what} has too many lines or values`)
  }
  const yaml = await import('yaml')
  const document = parse(yaml, text.startsWith('\uFEFF') ? text.slice(1) : text, context)
  const top: unknown = document.contents
  if (!yaml.isMap(top)) throw new MalformedError(context.code, `${context.what} is not a YAML mapping`)
  return new Fields(yaml, document, top, context)
}

function countUpTo(text: string, pattern: RegExp, limit: number): number {
  let count = 0
  for (const _ of text.matchAll(pattern)) if (++count >= limit) break
  return count
}

type Yaml = typeof YamlLibrary

function parse(yaml: Yaml, text: string, context: YamlContext): Document.Parsed {
  let document: Document.Parsed
  try {
    document = yaml.parseDocument(text, {
      schema: 'failsafe',
      uniqueKeys: false,
      // 'silent' would also silence the error about several documents
      logLevel: 'error',
      prettyErrors: false,
    })
  } catch (error) {
    // hostile nesting ends in a RangeError of the library's recursion
    throw new MalformedError(context.code, `${context.what} is not valid YAML`, { cause: error })
  }
  const problem = document.errors[0]
  if (problem !== undefined) {
    throw new MalformedError(
      context.code,
      `${context.what} is not valid YAML: ${problem.code.toLowerCase()}`,
      {
        where: `offset ${problem.pos[0]}`,
        cause: problem,
      },
    )
  }
  return document
}

class Fields implements YamlFields {
  private readonly yaml: Yaml
  private readonly document: Document
  private readonly context: YamlContext
  private readonly members = new Map<string, unknown>()

  constructor(yaml: Yaml, document: Document, map: YAMLMap, context: YamlContext) {
    this.yaml = yaml
    this.document = document
    this.context = context
    for (const { key, value } of map.items) {
      if (!yaml.isScalar(key) || typeof key.value !== 'string') this.fail('has a key that is no text')
      if (key.value === '<<') this.fail('merges mappings')
      if (this.members.has(key.value)) {
        throw new MalformedError(
          'PACKAGE_DUPLICATE',
          `${context.what} has the key '${shown(key.value)}' twice`,
        )
      }
      this.members.set(key.value, value)
    }
  }

  get keys(): readonly string[] {
    return [...this.members.keys()]
  }

  text(key: string): string | undefined {
    const node = this.node(key)
    if (node === undefined) return undefined
    if (!this.yaml.isScalar(node) || typeof node.value !== 'string') this.fail(`has no text as '${key}'`)
    const value = this.untagged(key, node, node.value)
    if (node.type === 'PLAIN' && isAmbiguous(value)) {
      this.fail(`has an unquoted '${key}' that readers understand differently`)
    }
    return value === '' ? undefined : value
  }

  map(key: string): YamlFields | undefined {
    const node = this.node(key)
    return this.yaml.isMap(node) ? new Fields(this.yaml, this.document, node, this.context) : undefined
  }

  private node(key: string): unknown {
    const value = this.members.get(key)
    if (!this.yaml.isAlias(value)) return value ?? undefined
    const target: Node | undefined = value.resolve(this.document)
    return target ?? this.fail(`has an alias of nothing as '${key}'`)
  }

  /** Text may be marked as such, or as base64 of it, which old Ruby did for no visible reason. */
  private untagged(key: string, node: Scalar, value: string): string {
    const { tag } = node
    if (tag === undefined || tag === '!' || tag === '!str' || tag === 'tag:yaml.org,2002:str') return value
    if (tag === '!binary' || tag === 'tag:yaml.org,2002:binary') {
      const bytes = decodeBase64(value.replace(/\s+/g, ''))
      return (bytes && decodeUtf8(bytes)) ?? this.fail(`has a broken '${key}'`)
    }
    return this.fail(`has a '${key}' of a kind of its own`)
  }

  private fail(what: string): never {
    throw new MalformedError(this.context.code, `${this.context.what} ${what}`)
  }
}

/**
 * Unquoted text that YAML 1.1 or 1.2 readers turn into a value whose text may differ: `1.10` becomes 1.1, `010`
 * becomes 8, `no` becomes false. A number that is written as it is printed (`2`, `0.1`) stays the same.
 */
function isAmbiguous(text: string): boolean {
  if (/^(?:~|null|true|false|yes|no|on|off|y|n)$/i.test(text)) return true
  if (/^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ]|$)/.test(text)) return true
  const isNumber =
    /^[-+]?(?:\.?[0-9][0-9_]*(?:\.[0-9_]*)?(?:e[-+]?[0-9]+)?|0[xob][0-9a-f_]+|\.inf|\.nan)$/i.test(text)
  return isNumber && String(Number(text)) !== text
}
