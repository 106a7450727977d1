/**
 * Where values stand in a JSON text, so that parts of a document can be handed on byte for byte: re-encoding would
 * make another document. Call it only with text that `parseJson` or `JSON.parse` has accepted: it does not check.
 */
export interface Span {
  readonly start: number
  readonly end: number
}

export interface Member {
  readonly key: string
  readonly value: Span
}

const SPACE = /[ \t\n\r]*/y
const STRING = /"(?:[^"\\]|\\.)*"/y
/** What matters between brackets: strings are skipped as wholes. */
const STEP = /"(?:[^"\\]|\\.)*"|[[\]{}]/g
const ATOM = /[^,\]} \t\n\r]+/y

/** The members of the object that starts at `at`, in order and with repetitions; undefined when it is no object. */
export function membersAt(text: string, at: number): Member[] | undefined {
  let pos = skipSpace(text, at)
  if (text[pos] !== '{') return undefined
  const members: Member[] = []
  pos = skipSpace(text, pos + 1)
  while (pos < text.length && text[pos] !== '}') {
    const key = match(STRING, text, pos)
    const start = skipSpace(text, skipSpace(text, pos + key.length) + 1)
    const end = valueEnd(text, start)
    // a string that JSON.parse accepted
    members.push({ key: String(JSON.parse(key)), value: { start, end } })
    pos = skipSpace(text, end)
    if (text[pos] === ',') pos = skipSpace(text, pos + 1)
  }
  return members
}

/** The elements of the array that starts at `at`; undefined when it is no array. */
export function elementsAt(text: string, at: number): Span[] | undefined {
  let pos = skipSpace(text, at)
  if (text[pos] !== '[') return undefined
  const elements: Span[] = []
  pos = skipSpace(text, pos + 1)
  while (pos < text.length && text[pos] !== ']') {
    const end = valueEnd(text, pos)
    elements.push({ start: pos, end })
    pos = skipSpace(text, end)
    if (text[pos] === ',') pos = skipSpace(text, pos + 1)
  }
  return elements
}

/** The value of a member by a chain of keys from the object at `at`. */
export function spanOf(text: string, at: number, ...keys: readonly string[]): Span | undefined {
  let span: Span | undefined = { start: at, end: text.length }
  for (const key of keys) {
    if (span === undefined) return undefined
    span = membersAt(text, span.start)?.find((member) => member.key === key)?.value
  }
  return span
}

function valueEnd(text: string, start: number): number {
  if (text[start] === '"') return start + match(STRING, text, start).length
  if (text[start] !== '{' && text[start] !== '[') return start + match(ATOM, text, start).length
  let depth = 0
  STEP.lastIndex = start
  for (let step = STEP.exec(text); step !== null; step = STEP.exec(text)) {
    if (step[0] === '{' || step[0] === '[') depth++
    else if (step[0] === '}' || step[0] === ']') depth--
    if (depth === 0) return STEP.lastIndex
  }
  return text.length
}

function skipSpace(text: string, at: number): number {
  return at + match(SPACE, text, at).length
}

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? ''
}
