import { describe, expect, it } from 'vitest'
import { Progress } from '../../../plugins/cli/progress.ts'
import { buildCommand, flagArguments, pathArgument, quoteForShell } from '../../../plugins/cli/shell.ts'
import {
  jsonLine,
  Printer,
  widthOf,
  type Environment,
  type Output,
  type Piece,
} from '../../../plugins/cli/terminal.ts'
import { execFileSync } from 'node:child_process'

interface Screen extends Output {
  readonly text: () => string
}

function screen(isTerminal: boolean, columns?: number): Screen {
  let text = ''
  return { isTerminal, columns, write: (more) => (text += more), text: () => text }
}

function print(pieces: readonly Piece[], columns?: number, environment: Environment = {}): string {
  const out = screen(columns !== undefined, columns)
  new Printer(out, environment).print(pieces)
  return out.text()
}

const HEAD: Piece = { kind: 'head', tone: 'bad', word: 'rejected', text: 'a.tgz' }

describe('colours', () => {
  it('repeat the word on a terminal', () => {
    expect(print([HEAD], 80)).toBe(
      '\u001b[1m\u001b[31mrejected\u001b[39m\u001b[22m  \u001b[1ma.tgz\u001b[22m\n',
    )
  })

  it.each([
    ['a pipe', undefined, {}],
    ['NO_COLOR', 80, { NO_COLOR: '1' }],
    ['NO_COLOR of any value', 80, { NO_COLOR: '0' }],
    ['TERM=dumb', 80, { TERM: 'dumb' }],
  ])('are left out for %s', (_, columns, environment) => {
    expect(print([HEAD], columns, environment)).toBe('rejected  a.tgz\n')
  })

  it('stay for an empty NO_COLOR, which stands for none', () => {
    expect(print([HEAD], 80, { NO_COLOR: '' })).toContain('\u001b[31m')
  })
})

describe('width', () => {
  const prose = 'one two three four five six seven eight nine ten eleven twelve'

  it('breaks prose at spaces, with the rest set below the first word', () => {
    expect(print([{ kind: 'text', indent: 2, text: prose }], 40)).toBe(
      '  one two three four five six seven\n  eight nine ten eleven twelve\n',
    )
    expect(print([{ kind: 'hint', text: prose }], 40)).toBe(
      'hint: one two three four five six seven\n      eight nine ten eleven twelve\n',
    )
  })

  it('never breaks what somebody may copy', () => {
    const digest = `sha256:${'ab'.repeat(32)}`
    const command = `sigward verify ${'a '.repeat(60)}`
    expect(print([{ kind: 'fields', rows: [['digest', digest]] }], 40)).toContain(digest)
    expect(print([{ kind: 'command', text: command }], 40)).toBe(`  ${command}\n`)
  })

  it('is that of the terminal within reason, and none in a pipe', () => {
    const lines = (columns?: number) => print([{ kind: 'text', text: prose.repeat(5) }], columns).split('\n')
    expect(Math.max(...lines(5).map((line) => line.length))).toBeLessThanOrEqual(40)
    expect(Math.max(...lines(500).map((line) => line.length))).toBeLessThanOrEqual(120)
    expect(lines()).toHaveLength(2)
  })

  it.each([
    ['abc', 3],
    ['日本', 4],
    ['e\u0301', 1],
    ['\u{1f600}', 2],
    ['naïve', 5],
  ])('of %s is %i', (text, width) => {
    expect(widthOf(text)).toBe(width)
  })

  it('lines up labels and values by what is seen', () => {
    expect(
      print([
        {
          kind: 'fields',
          rows: [
            ['日本', 'x'],
            ['a', 'y'],
          ],
        },
      ]),
    ).toBe('  日本  x\n  a     y\n')
  })
})

describe('a table', () => {
  it('is in lock step, also with wide and escaped text', () => {
    const out = screen(false)
    new Printer(out, {}).table([
      ['good', 'verified', '日本.tgz', 'x'],
      ['bad', 'rejected', 'a\u0007', 'SUBJECT_NOT_FOUND'],
      ['attention', 'unsigned', 'b', ''],
    ])
    expect(out.text()).toBe('verified  日本.tgz  x\nrejected  a\\u{7}    SUBJECT_NOT_FOUND\nunsigned  b\n')
  })
})

describe('everything printed is escaped', () => {
  const hostile = '\u001b]0;x\u0007\u202e\u200b\u2066'

  it.each<Piece>([
    { kind: 'head', tone: 'good', word: 'verified', text: hostile },
    { kind: 'text', text: hostile },
    { kind: 'hint', text: hostile },
    { kind: 'command', text: hostile },
    { kind: 'fields', rows: [[hostile, hostile]] },
  ])('in $kind', (piece) => {
    const text = print([piece])
    expect(text).toContain('\\u{1b}]0;x\\u{7}\\u{202e}\\u{200b}\\u{2066}')
    expect(text).not.toMatch(/[^\n\x20-\x7e]/)
  })

  it('in JSON, without loss', () => {
    const value = { a: `${hostile}é日\u{1f600}\u{e0001}`, n: 2n ** 64n }
    const line = jsonLine(value)
    expect(line).toBe(
      '{"a":"\\u001b]0;x\\u0007\\u202e\\u200b\\u2066é日\u{1f600}\\udb40\\udc01","n":"18446744073709551616"}\n',
    )
    expect(JSON.parse(line)).toEqual({ ...value, n: '18446744073709551616' })
  })
})

describe('shell quoting', () => {
  const words = [
    'plain',
    'a b',
    "it's",
    '$HOME',
    '`id`',
    '"',
    '\\',
    '*',
    '~',
    '',
    '!x',
    '#',
    'a;b',
    '&',
    '=ls',
    '-n',
    'é',
  ]

  it.each(words)('the shell reads %j as it was', (word) => {
    const quoted = quoteForShell(word)
    expect(quoted).toBeDefined()
    const said = execFileSync('/bin/sh', ['-c', `printf '%s|' ${quoted}`], { encoding: 'utf8' })
    expect(said).toBe(`${word}|`)
  })

  it.each(['\n', '\u0007', '\u202e', '\u200b', '\ufeff'])('%j has no quoted form', (character) => {
    expect(quoteForShell(`a${character}b`)).toBeUndefined()
    expect(buildCommand(['sigward', `a${character}b`])).toBeUndefined()
  })

  it('paths and values that look like flags are written so that they are none', () => {
    expect(pathArgument('-rf')).toBe('./-rf')
    expect(flagArguments('key', '-k')).toEqual(['--key=-k'])
    expect(flagArguments('key', 'k')).toEqual(['--key', 'k'])
  })
})

describe('the progress bar', () => {
  const draw = (out: Screen, total = 4, environment: Environment = {}, wanted = true) => {
    const progress = new Progress(out, environment, total, wanted)
    progress.show('a.tgz')
    progress.advance()
    progress.show('b.tgz')
    progress.clear()
    return out.text()
  }

  it('is drawn on one line and taken away', () => {
    expect(draw(screen(true, 80))).toBe(
      `\r\u001b[K[${'.'.repeat(20)}] 0/4 a.tgz\r\u001b[K[#####${'.'.repeat(15)}] 1/4 b.tgz\r\u001b[K`,
    )
  })

  it('never runs over the end of the line', () => {
    expect(draw(screen(true, 30))).toBe(
      `\r\u001b[K[${'.'.repeat(20)}] 0/4 \r\u001b[K[#####${'.'.repeat(15)}] 1/4 \r\u001b[K`,
    )
  })

  it('is not drawn in a pipe, for one artifact, on a dumb terminal, or when not wanted', () => {
    expect(draw(screen(false))).toBe('')
    expect(draw(screen(true, 80), 1)).toBe('')
    expect(draw(screen(true, 80), 4, { TERM: 'dumb' })).toBe('')
    expect(draw(screen(true, 80), 4, {}, false)).toBe('')
  })
})
