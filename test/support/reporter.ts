import { existsSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { tmpdir } from 'node:os'
import type { Reporter, TestModule } from 'vitest/node'

/**
 * Prints `N passed, N failed, N skipped` as the very last line of a run.
 *
 * What a test could not read (published vectors that are not on this machine) it appends to the file named by
 * `SIGWARD_SKIP_LOG`, one JSON object a line: `{"suite": "bundle", "skipped": 12, "why": "folder absent"}`.
 * Each is printed, and counts as skipped.
 */
export class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const totals = countTests(modules)
    totals.failed += unhandledErrors.length
    const log = process.env['SIGWARD_SKIP_LOG']
    const skips = log === undefined ? [] : readSkips(log)
    for (const skip of skips) totals.skipped += skip.skipped
    if (log !== undefined && dirname(log).startsWith(join(tmpdir(), 'sigward-skips-'))) {
      rmSync(dirname(log), { recursive: true, force: true })
    }
    // Other reporters and the coverage table still print after this call; nothing prints after the exit event.
    process.once('exit', () => process.stdout.write(formatTotals(totals, skips)))
  }
}

/** What a run counted. */
export interface Totals {
  passed: number
  failed: number
  skipped: number
}

/** Vectors that a suite could not run, and the reason. */
export interface Skip {
  readonly suite: string
  readonly skipped: number
  readonly why: string
}

/** Counts test cases; a file or a suite that broke outside a test counts as one failure. */
export function countTests(modules: readonly TestModule[]): Totals {
  const totals: Totals = { passed: 0, failed: 0, skipped: 0 }
  for (const module of modules) {
    if (module.errors().length > 0) totals.failed += 1
    for (const suite of module.children.allSuites()) {
      if (suite.errors().length > 0) totals.failed += 1
    }
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      if (state === 'passed' || state === 'failed') totals[state] += 1
      else totals.skipped += 1
    }
  }
  return totals
}

/** Reads the skip log; a line that is not of its form is an error, so that no skip is lost. */
export function readSkips(path: string): Skip[] {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => parseSkip(line))
}

function parseSkip(line: string): Skip {
  const value: unknown = JSON.parse(line)
  if (
    typeof value === 'object' &&
    value !== null &&
    'suite' in value &&
    'skipped' in value &&
    'why' in value
  ) {
    const { suite, skipped, why } = value
    if (typeof suite === 'string' && typeof why === 'string' && Number.isSafeInteger(skipped)) {
      return { suite, skipped: Number(skipped), why }
    }
  }
  throw new Error(`not a line of the skip log: ${line}`)
}

/** The text after everything else: a line for each skip, then the totals alone on the last line. */
export function formatTotals(totals: Totals, skips: readonly Skip[]): string {
  const lines = skips.map(
    ({ suite, skipped, why }) => `skipped: ${skipped} vectors absent (${suite}: ${why})`,
  )
  return [...lines, `${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`, ''].join(
    '\n',
  )
}
