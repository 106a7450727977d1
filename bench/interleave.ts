import { setImmediate } from 'node:timers/promises'

/**
 * Compares ways of doing one thing on a machine that does other things too: in each round every contender gets a
 * short slice, in a new order, and ratios are taken inside a round and never between them.
 */
export interface Contender {
  readonly name: string
  run(): void | Promise<void>
  /** How many operations one run is; 1 unless it is given. */
  readonly operations?: number
}

export interface Rounds {
  readonly rounds: number
  /** Wall milliseconds that a contender gets in each round. */
  readonly slice: number
  /** Wall milliseconds for each before the first round: the compiler needs a thousand calls to settle. */
  readonly warmUp: number
}

/** Operations per second, one value for each round. */
export interface Rates {
  /** Per second of CPU time of this thread: what other processes take away does not count. */
  readonly cpu: readonly number[]
  readonly wall: readonly number[]
}

export type Measured = ReadonlyMap<string, Rates>

export async function interleave(
  contenders: readonly Contender[],
  { rounds, slice, warmUp }: Rounds,
): Promise<Measured> {
  const measured = new Map(
    contenders.map(({ name }) => [name, { cpu: [] as number[], wall: [] as number[] }]),
  )
  for (const contender of contenders) await runFor(contender, warmUp)
  for (let round = 0; round < rounds; round++) {
    for (const contender of shuffled(contenders)) {
      const { cpu, wall } = await runFor(contender, slice)
      measured.get(contender.name)?.cpu.push(cpu)
      measured.get(contender.name)?.wall.push(wall)
    }
  }
  return measured
}

async function runFor(contender: Contender, slice: number): Promise<{ cpu: number; wall: number }> {
  // what the one before has left to do is not ours
  await setImmediate()
  const before = process.threadCpuUsage()
  const start = performance.now()
  let operations = 0
  let elapsed = 0
  while (elapsed < slice) {
    const pending = contender.run()
    if (pending !== undefined) await pending
    operations += contender.operations ?? 1
    elapsed = performance.now() - start
  }
  const { user, system } = process.threadCpuUsage(before)
  // the clock of threads may tick in whole milliseconds
  const cpu = Math.max(1000, user + system) / 1e6
  return { cpu: operations / cpu, wall: operations / (elapsed / 1000) }
}

export function shuffled<T>(items: readonly T[]): T[] {
  const copy = [...items]
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    const [a, b] = [copy[i] as T, copy[j] as T]
    copy[i] = b
    copy[j] = a
  }
  return copy
}

/** How many times as fast `a` is as `b`: the median of the ratios of all rounds. */
export function ratioOf(measured: Measured, a: string, b: string, clock: 'cpu' | 'wall' = 'cpu'): number {
  const [first, second] = [ratesOf(measured, a)[clock], ratesOf(measured, b)[clock]]
  return median(first.map((rate, round) => rate / (second[round] ?? Number.NaN)))
}

export function ratesOf(measured: Measured, name: string): Rates {
  const rates = measured.get(name)
  if (rates === undefined) throw new Error(`no contender is called ${name}`)
  return rates
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]]
  if (low === undefined || high === undefined) throw new Error('there is nothing to take a quantile of')
  return low + (high - low) * (at % 1)
}
