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
/** What matters between brackets: strings are skipped as wholes. */
const STEP = /["[\]{}]/g
const ATOM = /[^,\]} \t\n\r]+/y

/** The members of the object that starts at `at`, in order and with repetitions; undefined when it is no object. */
export function membersAt(text: string, at: number): Member[] | undefined {
  let pos = skipSpace(text, at)
  if (text[pos] !== '{') return undefined
  const members: Member[] = []
  pos = skipSpace(text, pos + 1)
  while (pos < text.length && text[pos] !== '}') {
    const key = text.slice(pos, stringEnd(text, pos))
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

/**
 * The elements of a text that is one array, at most one more than `most`; undefined for anything else. Unlike its
 * neighbours it takes any text: separators are checked, the elements themselves are not.
 */
export function takeElements(text: string, most: number): Span[] | undefined {
  let pos = skipSpace(text, 0)
  if (text[pos] !== '[') return undefined
  const elements: Span[] = []
  pos = skipSpace(text, pos + 1)
  while (text[pos] !== ']' || elements.length > 0) {
    const end = valueEnd(text, pos)
    if (end === pos) return undefined
    elements.push({ start: pos, end })
    if (elements.length > most) return elements
    pos = skipSpace(text, end)
    if (text[pos] === ']') break
    if (text[pos] !== ',') return undefined
    pos = skipSpace(text, pos + 1)
  }
  return skipSpace(text, pos + 1) === text.length ? elements : undefined
}

/** Whether a text is one object or array, as far as its brackets tell. */
export function isWhole(text: string): boolean {
  const start = skipSpace(text, 0)
  if (text[start] !== '{' && text[start] !== '[') return false
  const end = bracketEnd(text, start)
  return end !== undefined && skipSpace(text, end) === text.length
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
  if (text[start] === '"') return stringEnd(text, start)
  if (text[start] !== '{' && text[start] !== '[') return start + match(ATOM, text, start).length
  return bracketEnd(text, start) ?? text.length
}

/** The place behind the bracket that closes the one at `start`; undefined when nothing does. */
function bracketEnd(text: string, start: number): number | undefined {
  let depth = 0
  STEP.lastIndex = start
  for (let step = STEP.exec(text); step !== null; step = STEP.exec(text)) {
    if (step[0] === '"') STEP.lastIndex = stringEnd(text, step.index)
    else if (step[0] === '{' || step[0] === '[') depth++
    else depth--
    if (depth === 0) return STEP.lastIndex
  }
  return undefined
}

/**
 * The place behind the string that starts at `start`. Not by a regular expression: those remember every step and give
 * up on strings of some megabytes.
 */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; ;) {
    const quote = text.indexOf('"', at)
    if (quote === -1) return text.length
    let slashes = 0
    while (text[quote - 1 - slashes] === '\\') slashes++
    if (slashes % 2 === 0) return quote + 1
    at = quote + 1
  }
}

function skipSpace(text: string, at: number): number {
  return at + match(SPACE, text, at).length
}

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? ''
}
