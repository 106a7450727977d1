import type { Code } from '../../trust/codes.ts'
import { UsageError } from '../../trust/errors.ts'
import { isCode, PAGES, SECTIONS, type Page } from './explain/pages.ts'
import type { Invocation } from './invocation.ts'
import { nearest } from './nearest.ts'
import { jsonLine, Printer, type Piece } from './terminal.ts'
import type { World } from './world.ts'

/** `sigward explain [CODE]`. @throws UsageError USAGE_UNKNOWN_CODE */
export function runExplain({ positionals, flags }: Invocation, world: World): number {
  const [word] = positionals
  const code = word === undefined ? undefined : findCode(word)
  if (flags.has('json')) {
    const shown = code === undefined ? Object.keys(PAGES).filter(isCode) : [code]
    for (const one of shown) world.stdout.write(jsonLine({ code: one, ...PAGES[one] }))
  } else {
    const printer = new Printer(world.stdout, world.environment)
    printer.print(code === undefined ? describeList() : describePage(code, PAGES[code]))
  }
  return 0
}

/** Codes are written in capitals, and found however somebody types them. */
function findCode(word: string): Code {
  const code = word.toUpperCase().replaceAll('-', '_')
  if (isCode(code)) return code
  const meant = nearest(code, Object.keys(PAGES))
  const list = 'run sigward explain without an argument for the list'
  const hint = meant === undefined ? list : `did you mean ${meant}? else ${list}`
  throw new UsageError('USAGE_UNKNOWN_CODE', `there is no code '${word}'`, { hint })
}

function describePage(code: Code, page: Page): readonly Piece[] {
  const part = (heading: string, text: string): readonly Piece[] => [
    { kind: 'space' },
    { kind: 'text', tone: 'strong', text: heading },
    { kind: 'text', indent: 2, text },
  ]
  return [
    { kind: 'head', tone: 'strong', word: code, text: page.title },
    ...part('what is checked', page.what),
    ...part('why it matters', page.why),
    ...part('how it usually breaks', page.breaks),
    ...part('what to do', page.todo),
    ...(page.spec === undefined ? [] : part('where it is written', page.spec)),
  ]
}

function describeList(): readonly Piece[] {
  return SECTIONS.flatMap(({ title, codes }): Piece[] => [
    { kind: 'text', tone: 'strong', text: title },
    { kind: 'fields', rows: codes.map((code) => [code, PAGES[code].title] as const) },
    { kind: 'space' },
  ]).concat([{ kind: 'hint', text: 'sigward explain CODE has a page for each' }])
}
