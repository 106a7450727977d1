import { Buffer } from 'node:buffer'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { formatTotals } from '../support/reporter.ts'
import { fuzz, type TargetResult } from './fuzz.ts'
import { inputAt } from './input.ts'
import type { Target } from './target.ts'
import type { Found } from './watch.ts'

/**
 * `npm run fuzz -- [--budget SECONDS] [--seed N] [--target NAME]... [--from INDEX] [--count N] [--input FILE] [--list]`
 *
 * `--module FILE` runs the targets of another module.
 *
 * Feeds changed inputs to every parser until the budget, which all targets share, is used up. Inputs follow from the
 * seed, the target and their number alone. A finding is written as hex, and the run ends with exit code 1.
 */
const { values } = parseArgs({
  options: {
    budget: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    target: { type: 'string', multiple: true },
    from: { type: 'string', default: '0' },
    count: { type: 'string' },
    input: { type: 'string' },
    module: { type: 'string', default: fileURLToPath(new URL('targets.ts', import.meta.url)) },
    list: { type: 'boolean', default: false },
  },
})

/** Milliseconds that one input may take; an honest one takes a few. */
const TIME_LIMIT = 5000
const { TARGETS } = (await import(pathToFileURL(values.module).href)) as {
  readonly TARGETS: readonly Target[]
}

function wholeNumber(flag: string, text: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text)
  throw new Error(`--${flag} takes a whole number, not '${text}'`)
}

function describe({ target, totals }: TargetResult): string {
  if (totals === undefined) return `${target}: FINDING`
  const { inputs, refused, slowest, memory } = totals
  const most = `${Math.round(slowest)} ms, ${Math.round(memory / 1024 / 1024)} MiB`
  return `${target}: ${inputs} inputs, ${refused} refused, at most ${most}`
}

/** The input of a finding as hex, and how to see it again. */
function save({ target, index, why }: Found, seed: number, given: string | undefined): readonly string[] {
  const found = TARGETS.find(({ name }) => name === target) as Target
  const bytes = given === undefined ? inputAt(found, found.corpus(), seed, index) : readInput(given)
  const path = join(mkdtempSync(join(tmpdir(), 'sigward-fuzz-')), `${target}-${seed}-${index}.hex`)
  writeFileSync(path, Buffer.from(bytes).toString('hex'))
  return [
    `  ${why.replaceAll('\n', '\n  ')}`,
    `  input ${index} of seed ${seed}, ${bytes.length} bytes, as hex in ${path}`,
    `  to see it again: npm run fuzz -- --target ${target} --input ${path}`,
    `  or, from the same corpus: npm run fuzz -- --target ${target} --seed ${seed} --from ${index} --count 1`,
  ]
}

function readInput(path: string): Uint8Array {
  const bytes = readFileSync(path)
  return path.endsWith('.hex') ? Buffer.from(bytes.toString('latin1').trim(), 'hex') : bytes
}

async function main(): Promise<void> {
  const names = TARGETS.map(({ name }) => name)
  const targets = values.target ?? names
  const unknown = targets.filter((name) => !names.includes(name))
  if (values.list || unknown.length > 0) {
    console.log([...unknown.map((name) => `there is no target '${name}'; there are:`), ...names].join('\n'))
    process.exitCode = unknown.length > 0 ? 2 : 0
    return
  }
  const seed = wholeNumber('seed', values.seed)
  const file = values.input === undefined ? {} : { file: decoded(values.input) }
  const milliseconds = (wholeNumber('budget', values.budget) * 1000) / targets.length
  const count = values.count === undefined ? Number.MAX_SAFE_INTEGER : wholeNumber('count', values.count)
  const from = wholeNumber('from', values.from)
  console.log(`seed ${seed}, ${targets.length} targets`)
  const options = {
    module: values.module,
    targets,
    seed,
    from,
    count,
    milliseconds,
    timeLimit: TIME_LIMIT,
    ...file,
  }
  const results = await fuzz(options, (result) => {
    const lines = result.found === undefined ? [] : save(result.found, seed, values.input)
    console.log([describe(result), ...lines].join('\n'))
  })
  const failed = results.filter(({ found }) => found !== undefined).length
  console.log(formatTotals({ passed: results.length - failed, failed, skipped: 0 }, []).trimEnd())
  process.exitCode = failed > 0 ? 1 : 0
}

/** Workers read plain bytes. */
function decoded(path: string): string {
  const plain = join(mkdtempSync(join(tmpdir(), 'sigward-fuzz-')), 'input')
  writeFileSync(plain, readInput(path))
  return plain
}

await main()
