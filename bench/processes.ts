import { spawnSync } from 'node:child_process'
import { median, quantile, shuffled } from './interleave.ts'
import { line } from './report.ts'

/** One whole process of this Node. */
export interface Command {
  readonly name: string
  /** What follows `node`. */
  readonly args: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

/** Wall milliseconds from the start of a process to its end, one value for each round. */
export type Timed = ReadonlyMap<string, readonly number[]>

/** In each round every command runs once, in a new order; the first run of each is not counted. */
export function timeProcesses(commands: readonly Command[], rounds: number): Timed {
  const times = new Map(commands.map(({ name }) => [name, [] as number[]]))
  for (const command of commands) runOnce(command)
  for (let round = 0; round < rounds; round++) {
    for (const command of shuffled(commands)) times.get(command.name)?.push(runOnce(command))
  }
  return times
}

function runOnce({ name, args, environment }: Command): number {
  const env = { ...cleanEnvironment(), ...environment }
  const start = performance.now()
  const { status, stderr, error } = spawnSync(process.execPath, args, {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const elapsed = performance.now() - start
  if (status !== 0) throw new Error(`${name} ended with ${status ?? error?.message}: ${stderr.toString()}`)
  return elapsed
}

/** Without what npm and test runners have set: a user's own terminal has none of it. */
function cleanEnvironment(): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(([name]) => !/^(?:npm_|NODE_|VITEST)/i.test(name))
  return Object.fromEntries(kept)
}

/** How many times as long `slow` takes as `quick`: the median of the ratios of all rounds. */
export function timesAsLong(timed: Timed, slow: string, quick: string): number {
  const [slower, quicker] = [timesOf(timed, slow), timesOf(timed, quick)]
  return median(slower.map((time, round) => time / (quicker[round] ?? Number.NaN)))
}

function timesOf(timed: Timed, name: string): readonly number[] {
  const times = timed.get(name)
  if (times === undefined) throw new Error(`no command is called ${name}`)
  return times
}

export function printTimes(timed: Timed): void {
  const width = Math.max(...[...timed.keys()].map(({ length }) => length))
  for (const [name, times] of timed) {
    const [middle, low, high] = [0.5, 0.1, 0.9].map((share) => quantile(times, share).toFixed(1))
    line(`${name.padEnd(width)}  ${middle} [${low}..${high}] ms wall`)
  }
}

/**
 * Says on descriptor 3 how much memory and CPU time the process needed. Linux knows the memory of each process image;
 * `getrusage` counts what the parent held when it forked.
 */
const REPORT = `import { readFileSync, writeSync } from 'node:fs'
process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
  let peak = maxRSS
  try { peak = Number(/^VmHWM:\\s+(\\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))[1]) } catch {}
  writeSync(3, JSON.stringify({ memory: peak / 1024, cpu: (userCPUTime + systemCPUTime) / 1000 }))
})`

export interface Needs {
  /** Most resident memory, in MiB. */
  readonly memory: number
  /** CPU milliseconds of all its threads. */
  readonly cpu: number
}

/** Medians of runs of their own: the report costs time. */
export function needsOf({ name, args, environment }: Command, runs: number): Needs {
  const hook = ['--import', `data:text/javascript,${encodeURIComponent(REPORT)}`]
  const env = { ...cleanEnvironment(), ...environment }
  const reports = Array.from({ length: runs }, (): Needs => {
    const stdio = ['ignore', 'ignore', 'pipe', 'pipe'] as const
    const { status, output } = spawnSync(process.execPath, [...hook, ...args], { env, stdio: [...stdio] })
    if (status !== 0) throw new Error(`${name} ended with ${status}`)
    return JSON.parse(output[3]?.toString() ?? '') as Needs
  })
  return { memory: median(reports.map(({ memory }) => memory)), cpu: median(reports.map(({ cpu }) => cpu)) }
}

export function printNeeds(command: Command, { memory, cpu }: Needs): void {
  line(`${command.name}: ${cpu.toFixed(1)} ms cpu, ${memory.toFixed(1)} MiB`)
}
