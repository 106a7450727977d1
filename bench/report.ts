import { quantile, ratesOf, type Measured } from './interleave.ts'

/** One comparison: `ratio` is how many times better, so that `ratio >= target` means that the target is met. */
export interface Comparison {
  readonly bench: string
  readonly against: string
  readonly ratio: number
  readonly target: number
}

export interface BenchOptions {
  /** A few short rounds over little data: shows that it runs, and measures nothing. */
  readonly quick: boolean
}

export interface Bench {
  readonly name: string
  readonly what: string
  run(options: BenchOptions): Promise<readonly Comparison[]>
}

export function line(text: string): void {
  process.stdout.write(`${text}\n`)
}

export function printComparison({ bench, against, ratio, target }: Comparison): void {
  line(JSON.stringify({ bench, against, ratio: Number(ratio.toPrecision(4)), target }))
}

/** A table for people: operations per second, median with the middle 80 % of rounds. */
export function printRates(measured: Measured, clocks: readonly ('cpu' | 'wall')[] = ['cpu', 'wall']): void {
  const width = Math.max(...[...measured.keys()].map(({ length }) => length))
  for (const name of measured.keys()) {
    const rates = ratesOf(measured, name)
    const shown = clocks.map((clock) => {
      const micros = showRate(1e6 / quantile(rates[clock], 0.5))
      return `${spread(rates[clock])} /s ${clock} (${micros} us each)`
    })
    line(`${name.padEnd(width)}  ${shown.join('  ')}`)
  }
}

function spread(values: readonly number[]): string {
  const [middle, low, high] = [0.5, 0.1, 0.9].map((share) => showRate(quantile(values, share)))
  return `${middle} [${low}..${high}]`
}

function showRate(rate: number): string {
  return rate >= 100 ? String(Math.round(rate)) : rate.toPrecision(3)
}
