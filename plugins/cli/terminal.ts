import { escapeForDisplay } from '../../trust/encoding.ts'

/**
 * All text that people see passes here. The rules:
 *
 * - Text from packages, bundles, certificates and file names is never trusted: every piece is escaped here, so no
 *   caller can forget it. Control codes of our own are added after that.
 * - Meaning never rests on colour: the word comes first, the colour repeats it. Colours only on a terminal, never
 *   with a non-empty NO_COLOR or TERM=dumb.
 * - Lower case, no final period; what to do next stands in lines that begin with `hint:`.
 * - On a terminal, prose is wrapped to its width. What somebody may copy (digests, addresses, commands) is never
 *   broken, and what goes to a pipe is not wrapped at all.
 */
export interface Output {
  write(text: string): void
  readonly isTerminal: boolean
  /** Width of the terminal; undefined where there is none. */
  readonly columns: number | undefined
}

export type Environment = Readonly<Record<string, string | undefined>>

/** What a report is made of. Texts are as they were found: escaping is the printer's work. */
export type Piece =
  | { readonly kind: 'head'; readonly tone: Tone; readonly word: string; readonly text: string }
  | { readonly kind: 'fields'; readonly indent?: number; readonly rows: readonly Row[] }
  | { readonly kind: 'text'; readonly indent?: number; readonly tone?: Tone; readonly text: string }
  | { readonly kind: 'hint'; readonly indent?: number; readonly text: string }
  /** A command to copy: on a line of its own, never wrapped. */
  | { readonly kind: 'command'; readonly indent?: number; readonly text: string }
  | { readonly kind: 'space' }

export type Row = readonly [label: string, value: string]
export type Tone = 'good' | 'bad' | 'attention' | 'strong' | 'faint'

const SGR: Readonly<Record<Tone, readonly [on: number, off: number]>> = {
  good: [32, 39],
  bad: [31, 39],
  attention: [33, 39],
  strong: [1, 22],
  faint: [2, 22],
}

const NARROWEST = 40
const WIDEST = 120

export class Printer {
  readonly #output: Output
  readonly #colours: boolean
  readonly #width: number

  constructor(output: Output, environment: Environment) {
    this.#output = output
    this.#colours =
      output.isTerminal && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb'
    const columns = Math.min(Math.max(output.columns ?? WIDEST, NARROWEST), WIDEST)
    this.#width = output.isTerminal ? columns : Infinity
  }

  print(pieces: readonly Piece[]): void {
    if (pieces.length > 0) this.#output.write(pieces.map((piece) => `${this.#render(piece)}\n`).join(''))
  }

  /** A table in lock step: the first column carries a tone, the last one may run on. */
  table(rows: readonly (readonly [tone: Tone, ...cells: string[]])[]): void {
    const lines = rows.map(([tone, ...cells]) => ({ tone, cells: cells.map(escapeForDisplay) }))
    const widths = (lines[0]?.cells ?? []).map((_, i) =>
      Math.max(...lines.map(({ cells }) => widthOf(cells[i] ?? ''))),
    )
    for (const { tone, cells } of lines) {
      const padded = cells.map((cell, i) => {
        const text = i === cells.length - 1 ? cell : pad(cell, widths[i] ?? 0)
        return i === 0 ? this.#paint(tone, text) : text
      })
      this.#output.write(`${padded.join('  ').trimEnd()}\n`)
    }
  }

  #render(piece: Piece): string {
    switch (piece.kind) {
      case 'head': {
        const text = escapeForDisplay(piece.text)
        return `${this.#paint('strong', this.#paint(piece.tone, escapeForDisplay(piece.word)))}  ${this.#paint('strong', text)}`
      }
      case 'fields':
        return this.#fields(piece.rows, piece.indent ?? 2)
      case 'text': {
        const text = this.#wrap(escapeForDisplay(piece.text), piece.indent ?? 0, piece.indent ?? 0)
        return piece.tone === undefined ? text : this.#paint(piece.tone, text)
      }
      case 'hint':
        return this.#wrap(`hint: ${escapeForDisplay(piece.text)}`, piece.indent ?? 0, (piece.indent ?? 0) + 6)
      case 'command':
        return `${' '.repeat(piece.indent ?? 2)}${escapeForDisplay(piece.text)}`
      case 'space':
        return ''
    }
  }

  #fields(rows: readonly Row[], indent: number): string {
    const shown = rows.map(([label, value]) => [escapeForDisplay(label), escapeForDisplay(value)] as const)
    const width = Math.max(...shown.map(([label]) => widthOf(label)))
    return shown
      .map(([label, value]) => {
        const start = indent + width + 2
        const text = this.#wrap(value, start, start).slice(start)
        return `${' '.repeat(indent)}${this.#paint('faint', pad(label, width))}  ${text}`.trimEnd()
      })
      .join('\n')
  }

  #paint(tone: Tone, text: string): string {
    const [on, off] = SGR[tone]
    return this.#colours && text !== '' ? `\u001b[${on}m${text}\u001b[${off}m` : text
  }

  /** Breaks at spaces; a word that is longer than the line stands alone and runs over. */
  #wrap(text: string, first: number, rest: number): string {
    const lines: string[] = []
    let line = ' '.repeat(first)
    let empty = true
    for (const word of text.split(' ')) {
      if (!empty && widthOf(line) + 1 + widthOf(word) > this.#width) {
        lines.push(line)
        line = ' '.repeat(rest)
        empty = true
      }
      line += empty ? word : ` ${word}`
      empty = false
    }
    return [...lines, line].join('\n')
  }
}

/** Columns that a text takes on a terminal: none for combining marks, two for wide characters. */
export function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let width = 0
  for (const character of text) {
    if (!/\p{M}/u.test(character)) width += WIDE.test(character) ? 2 : 1
  }
  return width
}

/** Unicode TR11, the blocks that are wide as a whole. */
const WIDE =
  /[\u{1100}-\u{115f}\u{2e80}-\u{303e}\u{3041}-\u{a4cf}\u{ac00}-\u{d7a3}\u{f900}-\u{faff}\u{fe30}-\u{fe6f}\u{ff00}-\u{ff60}\u{ffe0}-\u{ffe6}\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u

export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)))
}

/** One line of JSON in which nothing is invisible: what JSON leaves as it is, but people cannot see, is `\uXXXX`. */
export function jsonLine(value: unknown): string {
  const text = JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'bigint' ? item.toString() : item,
  )
  const visible = text.replace(/[^\x20-\x7e]/gu, (character) => {
    if (escapeForDisplay(character) === character) return character
    const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i))
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
  })
  return `${visible}\n`
}
