import { readFileSync, writeSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { peakMemory, resetPeakMemory } from '../support/peak-memory.ts'
import { inputAt } from './input.ts'
import type { How, Job, Message, Task, Totals } from './protocol.ts'
import { MEMORY_FLOOR, type Target } from './target.ts'

/** The process that runs targets. It may hang or die: its parent notices and goes on with another one. */

const job = JSON.parse(process.argv[2] ?? '') as Job
const { TARGETS } = (await import(pathToFileURL(job.module).href)) as { readonly TARGETS: readonly Target[] }
let current: { readonly target: string; readonly index: number } | undefined

function tell(message: Message): void {
  writeSync(3, `${JSON.stringify(message)}\n`)
}

/** Ends the process: after a finding nothing here can be relied on. */
function report(how: How, why: string): never {
  if (current !== undefined) tell({ kind: 'finding', ...current, how, why })
  process.exit(0)
}

process.on('unhandledRejection', (reason) => report('error', `nobody awaited: ${describe(reason)}`))
process.on('uncaughtException', (error) => report('error', `thrown in the background: ${describe(error)}`))

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error)
}

for (const task of job.tasks) await runTask(task)

async function runTask(task: Task): Promise<void> {
  const target = TARGETS.find(({ name }) => name === task.target)
  if (target === undefined) throw new Error(`there is no target '${task.target}'`)
  tell({ kind: 'start', target: target.name })
  const corpus = target.corpus()
  const totals = { inputs: 0, refused: 0, memory: 0, slowest: 0 }
  const deadline = performance.now() + task.milliseconds
  for (let index = task.from; index < task.from + task.count && performance.now() < deadline; index++) {
    current = { target: target.name, index }
    const input = task.file === undefined ? inputAt(target, corpus, job.seed, index) : readFileSync(task.file)
    await runInput(target, input, totals)
  }
  current = undefined
  tell({ kind: 'end', target: target.name, totals })
}

type Mutable<T> = { -readonly [key in keyof T]: T[key] }

async function runInput(target: Target, input: Uint8Array, totals: Mutable<Totals>): Promise<void> {
  tell({ kind: 'input', index: current?.index ?? 0 })
  resetPeakMemory()
  const before = peakMemory()
  const start = performance.now()
  try {
    await target.run(input)
  } catch (error) {
    const { name, code } = error instanceof Error ? (error as Error & { code?: unknown }) : {}
    if (!target.refuses.includes(name ?? '') || typeof code !== 'string') report('error', describe(error))
    totals.refused++
  }
  totals.inputs++
  totals.slowest = Math.max(totals.slowest, performance.now() - start)
  const memory = peakMemory() - before
  totals.memory = Math.max(totals.memory, memory)
  const limit = MEMORY_FLOOR + input.length * target.bytesPerByte
  if (memory > limit)
    report('memory', `${memory} bytes for an input of ${input.length}; at most ${limit} were promised`)
}
