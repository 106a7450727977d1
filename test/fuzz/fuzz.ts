import { availableParallelism } from 'node:os'
import type { Job, Task, Totals } from './protocol.ts'
import { watch, type Found } from './watch.ts'

export interface FuzzOptions {
  readonly module: string
  readonly targets: readonly string[]
  readonly seed: number
  readonly from?: number
  /** Inputs for each target. */
  readonly count: number
  /** Milliseconds for each target. */
  readonly milliseconds: number
  /** Milliseconds that one input may take. */
  readonly timeLimit: number
  /** Runs this one file in place of inputs that are made. */
  readonly file?: string
  readonly jobs?: number
}

export interface TargetResult {
  readonly target: string
  readonly totals: Totals | undefined
  readonly found: Found | undefined
}

/** Runs targets in as many workers as there are processors; each target ends with its first finding. */
export async function fuzz(
  options: FuzzOptions,
  onResult: (result: TargetResult) => void,
): Promise<readonly TargetResult[]> {
  const results: TargetResult[] = []
  const jobs = Math.min(options.jobs ?? availableParallelism(), options.targets.length)
  const shares = Array.from({ length: jobs }, (_, i) =>
    options.targets.filter((_target, at) => at % jobs === i),
  )
  const settle = (result: TargetResult): void => {
    results.push(result)
    onResult(result)
  }
  await Promise.all(shares.map((share) => fuzzShare(options, share, settle)))
  return results
}

async function fuzzShare(
  options: FuzzOptions,
  targets: readonly string[],
  settle: (result: TargetResult) => void,
): Promise<void> {
  const open = new Map(targets.map((target) => [target, taskFor(options, target)]))
  while (open.size > 0) {
    const { totals, found } = await watch(jobOf(options, [...open.values()]), options.timeLimit)
    for (const [target, one] of totals) {
      if (found?.target === target) continue
      settle({ target, totals: one, found: undefined })
      open.delete(target)
    }
    if (found === undefined) continue
    const confirmed = await confirm(options, found)
    const task = open.get(found.target)
    if (confirmed !== undefined || task === undefined) {
      settle({ target: found.target, totals: undefined, found: confirmed ?? found })
      open.delete(found.target)
    } else {
      // a busy machine: go on behind that input
      const done = found.index + 1 - task.from
      open.set(found.target, { ...task, from: found.index + 1, count: task.count - done })
    }
  }
}

function taskFor({ from = 0, count, milliseconds, file }: FuzzOptions, target: string): Task {
  return file === undefined
    ? { target, from, count, milliseconds }
    : { target, from, count: 1, milliseconds, file }
}

function jobOf({ module, seed }: FuzzOptions, tasks: readonly Task[]): Job {
  return { module, seed, tasks }
}

/** What rests on time or memory must happen again, alone in a new process, with twice the time. */
async function confirm(options: FuzzOptions, found: Found): Promise<Found | undefined> {
  if (found.how === 'error' || found.index < 0) return found
  const task = {
    ...taskFor(options, found.target),
    from: found.index,
    count: 1,
    milliseconds: options.timeLimit * 4,
  }
  const again = await watch(jobOf(options, [task]), options.timeLimit * 2)
  return again.found
}
