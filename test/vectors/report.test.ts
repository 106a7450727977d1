import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CLAIMS, EXCLUSIONS, type Claim } from '../support/vector-coverage.ts'
import { readVector, vectorCases, vectorPath, type VectorCase } from '../support/vectors.ts'

const project = dirname(dirname(import.meta.dirname))
const isThere = vectorPath('MANIFEST.json') !== undefined

/** All kinds of the archive, the largest first. */
const kinds = isThere ? kindsIn(readVector('MANIFEST.json').toString('utf8')) : []

function kindsIn(manifest: string): readonly string[] {
  const { cases } = JSON.parse(manifest) as { readonly cases: readonly { readonly kind: string }[] }
  const counts = new Map<string, number>()
  for (const { kind } of cases) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return [...counts].toSorted(([, a], [, b]) => b - a).map(([kind]) => kind)
}

function claimsOn(vector: VectorCase): readonly Claim[] {
  return CLAIMS.filter(({ kind, covers }) => kind === vector.kind && covers(vector))
}

function reasonsAgainst(vector: VectorCase): readonly string[] {
  return EXCLUSIONS.filter(({ kind, excludes }) => kind === vector.kind && excludes(vector)).map(
    ({ why }) => why,
  )
}

/** A test asks for a kind, or for a file of the case, or takes what it claims. */
function isAskedFor(text: string, vector: VectorCase): boolean {
  if (text.includes('claimedCases(') || text.includes(`vectorCases('${vector.kind}')`)) return true
  const names = vector.files.flatMap((file) => [file, dirname(file)])
  return names.some((name) => text.includes(`'${name}`))
}

describe('the published vectors', () => {
  it.each(kinds)('of kind %s are all run, or left out for a reason', (kind) => {
    const lost: string[] = []
    const contradictory: string[] = []
    for (const vector of vectorCases(kind)) {
      const [claims, reasons] = [claimsOn(vector), reasonsAgainst(vector)]
      if (claims.length === 0 && reasons.length === 0) lost.push(vector.id)
      if (claims.length > 0 && reasons.length > 0) contradictory.push(vector.id)
      for (const { where } of claims) {
        const path = join(project, where)
        const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
        if (!isAskedFor(text, vector)) lost.push(`${vector.id}, which ${where} does not ask for`)
      }
    }
    expect({ lost, contradictory }).toEqual({ lost: [], contradictory: [] })
  })

  it.runIf(isThere)('are listed', () => {
    const table = [['kind', 'total', 'run', 'left out', 'where, or why not'], ...kinds.flatMap(rowsOf)]
    const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
    const lines = table.map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    console.log(['published vectors', ...lines].join('\n'))
    const sum = (column: number): number => table.slice(1).reduce((all, row) => all + Number(row[column]), 0)
    expect(sum(2) + sum(3)).toBe(sum(1))
    expect(sum(2)).toBeGreaterThan(300)
  })

  it('have no claim without a case and no reason without one', () => {
    const useless = isThere
      ? [...CLAIMS, ...EXCLUSIONS].filter((rule) => {
          const applies = 'covers' in rule ? rule.covers : rule.excludes
          return !vectorCases(rule.kind).some((vector) => applies(vector))
        })
      : []
    expect(useless).toEqual([])
  })
})

/** The first row of a kind has its counts; places and reasons beyond the first follow below it. */
function rowsOf(kind: string): readonly (readonly string[])[] {
  const vectors = vectorCases(kind)
  const run = vectors.filter((vector) => claimsOn(vector).length > 0)
  const notes = new Map<string, number>()
  for (const vector of vectors) {
    const texts = run.includes(vector) ? claimsOn(vector).map(({ where }) => where) : reasonsAgainst(vector)
    for (const text of texts) notes.set(text, (notes.get(text) ?? 0) + 1)
  }
  const [first = '', ...others] = [...notes].map(([text, count]) => `${count}: ${text}`)
  const counts = [vectors.length, run.length, vectors.length - run.length].map(String)
  return [[kind, ...counts, first], ...others.map((text) => ['', '', '', '', text])]
}
