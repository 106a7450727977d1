import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { PAGES } from '../plugins/cli/explain/pages.ts'
import { REMEDIES } from '../trust/codes.ts'

/**
 * Every code that the sources use has a remedy, a page and a test that provokes it; every remedy and page belongs to a
 * code that is used. What each list names is what is missing.
 */
const root = fileURLToPath(new URL('..', import.meta.url))
const codes = Object.keys(REMEDIES)
const prefixes = [...new Set(codes.map((code) => code.split('_')[0]))].join('|')

/** Files where codes stand only to be listed or explained. */
const LISTS = /^(?:trust\/codes\.ts|plugins\/cli\/explain\/)/

function textsOf(pattern: string): ReadonlyMap<string, string> {
  const paths = globSync(pattern, { cwd: root })
  return new Map(paths.map((path) => [path, readFileSync(`${root}${path}`, 'utf8')]))
}

/** Quoted words that have the form of a code, with the file that holds them. */
function quotedCodes(texts: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const form = new RegExp(`(['"\`])((?:${prefixes})(?:_[A-Z0-9]+)+)\\1`, 'g')
  for (const [path, text] of texts) {
    for (const [, , code = ''] of text.matchAll(form)) found.set(code, path)
  }
  return found
}

const sources = new Map(
  [...textsOf('{trust,formats,daemon,plugins}/**/*.{ts,js}')].filter(([path]) => !LISTS.test(path)),
)
const tests = new Map([...textsOf('test/**/*.ts')].filter(([path]) => path !== 'test/codes.test.ts'))
const used = quotedCodes(sources)

/** Tests of reports only name the codes of failures that they invent: they provoke those of the command line. */
function counts(path: string, code: string): boolean {
  return (
    path.endsWith('.test.ts') && (!path.startsWith('test/plugins/cli/') || /^(?:USAGE|STORE)_/.test(code))
  )
}

describe('codes', () => {
  it('are found in the sources', () => {
    expect(used.size).toBeGreaterThan(50)
  })

  it('that the sources use have a remedy', () => {
    const names = new Set([...Object.keys(PAGES), ...codes])
    // the word of a protocol may look like one of our codes
    const foreign = new Set(['PACKAGE_JSON'])
    const unknown = [...used].filter(([code]) => !names.has(code) && !foreign.has(code))
    expect(unknown.map(([code, path]) => `${code} in ${path}`)).toEqual([])
  })

  it('that have a remedy have a page, and the other way round', () => {
    expect(Object.keys(PAGES).toSorted()).toEqual(codes.toSorted())
  })

  it('are all used: none is left over', () => {
    expect(codes.filter((code) => !used.has(code))).toEqual([])
  })

  it('are all provoked by a test', () => {
    const isProvoked = (code: string): boolean => {
      const word = new RegExp(`\\b${code}\\b`)
      return [...tests].some(([path, text]) => counts(path, code) && word.test(text))
    }
    expect(codes.filter((code) => !isProvoked(code))).toEqual([])
  })
})

describe('the word "verified"', () => {
  it('stands in no text that could be printed beside another outcome', () => {
    const found: string[] = []
    for (const [path, text] of sources) {
      if (path.startsWith('plugins/')) continue
      const bare = text.replaceAll(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')
      for (const [literal] of bare.matchAll(/'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g)) {
        if (/\bverified\b/i.test(literal) && literal !== "'verified'") found.push(`${path}: ${literal}`)
      }
    }
    expect(found).toEqual([])
  })
})
