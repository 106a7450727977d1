import type { Contender } from './interleave.ts'
import { interleave, ratioOf, shuffled } from './interleave.ts'
import { floorOf } from './floor.ts'
import { domainOf, verifyBundle } from './our-verifier.ts'
import { printRates, type Bench, type Comparison } from './report.ts'
import { SigstoreVerifier } from './sigstore-verifier.ts'
import { loadWorkload, type ProfileName, type Workload } from './workload.ts'

/** Bundles that nobody has seen before: from bytes to the decision, one core, nothing cached. */

const ROUNDS = { rounds: 40, slice: 50, warmUp: 2500 }
const QUICK = { rounds: 3, slice: 10, warmUp: 10 }
const SIGSTORE = 'sigstore packages'

function newBundles(name: string, profile: ProfileName, targets: { sigstore: number; floor: number }): Bench {
  return {
    name,
    what: `new public bundle, profile ${profile}`,
    run: async ({ quick }) => {
      const workload = loadWorkload(profile, quick ? 20 : 1000)
      const contenders = [ours(workload), sigstore(workload), floor(workload)]
      const measured = await interleave(contenders, quick ? QUICK : ROUNDS)
      printRates(measured)
      const compared = (against: string, target: number): Comparison => {
        return { bench: name, against, ratio: ratioOf(measured, 'sigward', against), target }
      }
      return [compared(SIGSTORE, targets.sigstore), compared('floor', targets.floor)]
    },
  }
}

export const verifyRekor1 = newBundles('verify-rekor1', 'rekor1', { sigstore: 6.5, floor: 0.75 })
export const verifyRekor2 = newBundles('verify-rekor2', 'rekor2', { sigstore: 6, floor: 0.75 })

/** Our own instance signs with what is quick to verify; the peer verifies public bundles, because that is all it meets. */
export const verifyOwnInstance: Bench = {
  name: 'verify-own-instance',
  what: 'new bundle of an own instance, against public ones',
  run: async ({ quick }) => {
    const count = quick ? 20 : 1000
    const own = loadWorkload('own', count)
    const contenders = [ours(own), sigstore(loadWorkload('rekor2', count)), floor(own)]
    const measured = await interleave(contenders, quick ? QUICK : ROUNDS)
    printRates(measured)
    const bench = 'verify-own-instance'
    return [
      { bench, against: `${SIGSTORE}, Rekor v2`, ratio: ratioOf(measured, 'sigward', SIGSTORE), target: 20 },
      { bench, against: 'floor', ratio: ratioOf(measured, 'sigward', 'floor'), target: 0.7 },
    ]
  },
}

/** Each sample once in random order, then again. */
export function cycle<T>(samples: readonly T[]): () => T {
  const order = shuffled(samples)
  let next = 0
  return () => {
    const sample = order[next++ % order.length]
    if (sample === undefined) throw new Error('the workload is empty')
    return sample
  }
}

function ours({ trustedRoot, samples }: Workload): Contender {
  const domains = [domainOf(trustedRoot)]
  const next = cycle(samples)
  return {
    name: 'sigward',
    run: () => {
      const { bundle, artifact } = next()
      return verifyBundle(bundle, artifact, domains)
    },
  }
}

export function sigstore({ trustedRoot, samples }: Workload): Contender {
  const verifier = new SigstoreVerifier(trustedRoot)
  const next = cycle(samples)
  return {
    name: SIGSTORE,
    run: () => {
      const { bundle, artifact } = next()
      verifier.verify(bundle, artifact)
    },
  }
}

function floor(workload: Workload): Contender {
  return { name: 'floor', run: floorOf(workload) }
}
