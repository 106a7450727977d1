import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { How, Job, Message, Task, Totals } from './protocol.ts'

export interface Found {
  readonly target: string
  readonly index: number
  readonly how: How
  readonly why: string
}

/** What became of one worker: what it finished, and why it stopped early, if it did. */
export interface Outcome {
  readonly totals: ReadonlyMap<string, Totals>
  readonly found: Found | undefined
}

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url))
/** A process that collects garbage early, so that what stands out is what the input needed. */
const FLAGS = ['--max-old-space-size=512', '--max-semi-space-size=4']
/** Start-up, loading of targets and making of a corpus, on a busy machine. */
const START_LIMIT = 60_000

/** Runs one worker to its end, or to the input at which it hangs, dies or finds something. */
export async function watch(job: Job, timeLimit: number): Promise<Outcome> {
  const environment = { ...process.env }
  // the corpus is smaller without vectors; whether they are there is for other tests to say
  delete environment['SIGWARD_SKIP_LOG']
  delete environment['NODE_OPTIONS']
  const child = spawn(process.execPath, [...FLAGS, WORKER, JSON.stringify(job)], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: environment,
  })
  const watched = new Watched(job.tasks, timeLimit)
  let complaint = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = `${complaint}${chunk.toString()}`.slice(-2000)
  })
  const guard = setInterval(() => {
    if (watched.isLate()) child.kill('SIGKILL')
  }, 50)
  const lines = createInterface({ input: child.stdio[3] as Readable })
  lines.on('line', (line) => watched.take(JSON.parse(line) as Message))
  const [closed] = await Promise.all([ended(child), new Promise((resolve) => lines.once('close', resolve))])
  clearInterval(guard)
  return watched.outcome(closed, complaint)
}

function ended(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(`exit ${code ?? signal ?? ''}`))
  })
}

class Watched {
  readonly #totals = new Map<string, Totals>()
  readonly #timeLimit: number
  readonly #tasks: readonly Task[]
  #target: string | undefined
  #index: number | undefined
  #found: Found | undefined
  #late = false
  #since = performance.now()

  constructor(tasks: readonly Task[], timeLimit: number) {
    this.#timeLimit = timeLimit
    this.#tasks = tasks
  }

  take(message: Message): void {
    this.#since = performance.now()
    switch (message.kind) {
      case 'start':
        this.#target = message.target
        this.#index = undefined
        break
      case 'input':
        this.#index = message.index
        break
      case 'finding':
        this.#found = message
        break
      case 'end':
        this.#totals.set(message.target, message.totals)
        this.#target = undefined
        break
    }
  }

  isLate(): boolean {
    const limit = this.#index === undefined || this.#target === undefined ? START_LIMIT : this.#timeLimit
    this.#late ||= performance.now() - this.#since > limit
    return this.#late
  }

  outcome(closed: string, complaint: string): Outcome {
    const isDone = this.#totals.size === this.#tasks.length
    if (this.#found !== undefined || isDone) return { totals: this.#totals, found: this.#found }
    const target = this.#target ?? this.#tasks.find((task) => !this.#totals.has(task.target))?.target ?? ''
    const how = this.#late ? 'time' : 'death'
    const why = this.#late ? `no answer within ${this.#timeLimit} ms` : `${closed}: ${complaint.trim()}`
    return { totals: this.#totals, found: { target, index: this.#index ?? -1, how, why } }
  }
}
