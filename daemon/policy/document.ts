import type { CST, Document, LineCounter } from 'yaml'
import { escapeForDisplay } from '../../trust/encoding.ts'
import { MalformedError } from '../../trust/errors.ts'
import { PolicyNode } from './node.ts'

/**
 * Reads `sigward.yaml` as YAML 1.2 without everything that makes a file mean something else than it shows: anchors,
 * aliases, merge keys, tags, directives, several documents, invisible characters. Errors: MALFORMED_POLICY.
 */

/** Characters. */
const LONGEST = 1024 * 1024
/** Tokens; each costs the library about a kilobyte, so counting them first bounds its memory. */
const MOST_TOKENS = 100_000

/** Tab, line feed and carriage return are the only control characters; none may turn the direction of writing. */
const DISGUISE =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\r(?!\n)/

const REFUSED: Partial<Record<string, string>> = {
  anchor: 'an anchor',
  alias: 'an alias',
  tag: 'a tag',
  'directive-line': 'a directive',
}

/** The library loads on first use: most commands never read YAML. `file` is the name that errors show. */
export async function readPolicyDocument(source: string, file: string): Promise<PolicyNode> {
  // a mark at the very start says only how the file is encoded
  const text = source.startsWith('\ufeff') ? source.slice(1) : source
  if (text.length > LONGEST) {
    const details = { got: `${text.length} characters`, wanted: `at most ${LONGEST} characters`, where: file }
    throw new MalformedError('MALFORMED_POLICY', 'the policy is too large', details)
  }
  const yaml = await import('yaml')
  const lines = new yaml.LineCounter()
  const failAt = (offset: number, message: string, got?: string): never => {
    const { line, col } = lines.linePos(offset)
    const details = { where: `${file}:${line}:${col}`, ...(got === undefined ? {} : { got }) }
    throw new MalformedError('MALFORMED_POLICY', message, details)
  }
  countLines(text, lines)
  const disguise = DISGUISE.exec(text)
  if (disguise !== null)
    failAt(disguise.index, 'the policy holds a character that cannot be seen', escapeForDisplay(disguise[0]))
  refuseTokens(new yaml.Lexer().lex(text), yaml.CST.tokenType, failAt)
  const document = compose(yaml.parseDocument, text, failAt)
  return new PolicyNode(document.contents, { yaml, text, file, lines }, '', 0)
}

function countLines(text: string, lines: LineCounter): void {
  lines.addNewLine(0)
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines.addNewLine(at + 1)
}

type FailAt = (offset: number, message: string, got?: string) => never

function refuseTokens(tokens: Iterable<string>, typeOf: typeof CST.tokenType, failAt: FailAt): void {
  let [count, offset] = [0, 0]
  let isScalar = false
  for (const token of tokens) {
    // what follows the mark of a scalar is its text, whatever that looks like
    const type: string | null = isScalar ? null : typeOf(token)
    isScalar = type === 'scalar'
    const refused = REFUSED[type ?? '']
    if (refused !== undefined)
      failAt(offset, `the policy holds ${refused}; it must say all at its place`, token)
    if (++count > MOST_TOKENS) failAt(offset, 'the policy has too many parts')
    if (type !== 'doc-mode' && type !== 'scalar') offset += token.length
  }
}

function compose(
  parse: (text: string, options: object) => Document.Parsed,
  text: string,
  failAt: FailAt,
): Document.Parsed {
  const document = parse(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    uniqueKeys: false,
    // not 'silent': then a second document would be passed over without an error
    logLevel: 'error',
    prettyErrors: false,
  })
  const [problem] = [...document.errors, ...document.warnings]
  if (problem === undefined) return document
  const what = problem.code.toLowerCase().replaceAll('_', ' ')
  return failAt(problem.pos[0], `the policy is not valid YAML: ${what}`)
}
