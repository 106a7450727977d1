import { Worker } from 'node:worker_threads'
import type { Sample } from './capture.ts'
import { interleave, ratioOf } from './interleave.ts'
import { domainOf, verifyBundle } from './our-verifier.ts'
import { printRates, type Bench } from './report.ts'
import { cycle, sigstore } from './verify.ts'
import { loadWorkload, type Workload } from './workload.ts'

const WORKERS = 2
/** Bundles that a worker holds while it works on one: without them it would wait for the next. */
const IN_FLIGHT = 8
/** Bundles for one operation, so that what is left at its end weighs little. */
const BATCH = 64

/**
 * The same as `verify-rekor1` with a worker on each of two cores. Verification is synchronous, so workers are how a
 * daemon uses more than one core. Rates are per second of wall time: CPU time would not show what a second core adds.
 */
export const verifyBothCores: Bench = {
  name: 'verify-both-cores',
  what: 'new public bundle, Rekor v1, on two cores',
  run: async ({ quick }) => {
    const workload = loadWorkload('rekor1', quick ? 20 : 1000)
    const pool = new Pool(workload)
    const domains = [domainOf(workload.trustedRoot)]
    const next = cycle(workload.samples)
    const one = async (): Promise<void> => {
      const { bundle, artifact } = next()
      await verifyBundle(bundle, artifact, domains)
    }
    const contenders = [
      { name: 'two cores', operations: BATCH, run: () => pool.verifyBatch() },
      { name: 'one core', run: one },
      sigstore(workload),
    ]
    const rounds = quick ? { rounds: 2, slice: 10, warmUp: 10 } : { rounds: 40, slice: 80, warmUp: 2500 }
    const measured = await interleave(contenders, rounds)
    await pool.close()
    printRates(measured, ['wall'])
    const bench = 'verify-both-cores'
    const ratio = (against: string): number => ratioOf(measured, 'two cores', against, 'wall')
    return [
      { bench, against: 'sigstore packages, one core', ratio: ratio('sigstore packages'), target: 10 },
      { bench, against: 'one core', ratio: ratio('one core'), target: 1.6 },
    ]
  },
}

/** Hands out bundles one by one to whichever worker has room. */
class Pool {
  readonly #workers: readonly Worker[]
  readonly #next: () => Sample
  #left = 0
  #pending = 0
  #settle: { resolve(): void; reject(error: unknown): void } | undefined

  constructor({ trustedRoot, samples }: Workload) {
    this.#next = cycle(samples)
    this.#workers = Array.from({ length: WORKERS }, () => {
      const worker = new Worker(new URL('./verify-worker.ts', import.meta.url), { workerData: trustedRoot })
      worker.on('message', () => this.#finished(worker))
      worker.on('error', (error) => this.#settle?.reject(error))
      return worker
    })
  }

  verifyBatch(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#settle = { resolve, reject }
    this.#left = BATCH
    for (let i = 0; i < IN_FLIGHT; i++) for (const worker of this.#workers) this.#hand(worker)
    return promise
  }

  #hand(worker: Worker): void {
    if (this.#left === 0) return
    this.#left--
    this.#pending++
    const { bundle, artifact } = this.#next()
    worker.postMessage({ bundle, artifact }, [])
  }

  #finished(worker: Worker): void {
    this.#pending--
    this.#hand(worker)
    if (this.#pending === 0) this.#settle?.resolve()
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }
}
