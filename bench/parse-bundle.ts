import { parseBundle } from '../trust/bundle.ts'
import { interleave, median, ratesOf, ratioOf } from './interleave.ts'
import { printRates, type Bench } from './report.ts'
import { parseWithSigstore } from './sigstore-verifier.ts'
import { cycle } from './verify.ts'
import { loadWorkload } from './workload.ts'

const MICROSECONDS = 35

/** From bytes to a bundle whose shape holds. */
export const parseBundles: Bench = {
  name: 'parse-bundle',
  what: 'parse and validate a bundle',
  run: async ({ quick }) => {
    const { samples } = loadWorkload('rekor1', quick ? 20 : 1000)
    const [our, theirs] = [cycle(samples), cycle(samples)]
    const contenders = [
      { name: 'sigward', run: () => void parseBundle(our().bundle) },
      {
        name: 'sigstore packages',
        run: () => {
          const { bundle, artifact } = theirs()
          parseWithSigstore(bundle, artifact)
        },
      },
    ]
    const measured = await interleave(
      contenders,
      quick ? { rounds: 3, slice: 5, warmUp: 5 } : { rounds: 60, slice: 25, warmUp: 1000 },
    )
    printRates(measured)
    const bench = 'parse-bundle'
    const each = 1e6 / median(ratesOf(measured, 'sigward').cpu)
    return [
      {
        bench,
        against: 'sigstore packages',
        ratio: ratioOf(measured, 'sigward', 'sigstore packages'),
        target: 5,
      },
      { bench, against: `${MICROSECONDS} us`, ratio: MICROSECONDS / each, target: 1 },
    ]
  },
}
