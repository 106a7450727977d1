import { contentOfDigest, type PreparedBundle } from '../trust/content.ts'
import { digestOf } from '../trust/digest.ts'
import { EvidenceCache } from '../trust/evidence-cache.ts'
import { judge } from '../trust/verify.ts'
import { interleave, ratioOf } from './interleave.ts'
import { artifactOf, domainOf, POLICY, requireVerified } from './our-verifier.ts'
import { printRates, type Bench } from './report.ts'
import { cycle, sigstore } from './verify.ts'
import { loadWorkload } from './workload.ts'

const BUNDLES = 100

/**
 * Bundles that were verified before: their bytes are hashed, the evidence is remembered, and policy, names and
 * freshness are decided anew. The artifact was hashed when it came; the peer does not keep anything.
 */
export const verifyRepeated: Bench = {
  name: 'verify-repeated',
  what: 'repeated bundle, from bytes, full policy decision',
  run: async ({ quick }) => {
    const workload = loadWorkload('rekor1', quick ? 20 : 1000)
    const domains = [domainOf(workload.trustedRoot)]
    const cache = new EvidenceCache()
    const known = await Promise.all(
      workload.samples.slice(0, BUNDLES).map(async (sample) => {
        const digests = new Map([
          ['sha256', digestOf('sha256', sample.artifact)],
          ['sha512', digestOf('sha512', sample.artifact)],
        ] as const)
        const content = { ...(await contentOfDigest(digests)), bytes: sample.artifact }
        return { ...sample, content, file: artifactOf(sample.artifact) }
      }),
    )
    const next = cycle(known)
    const repeat = (): void => {
      const { bundle, content, file } = next()
      const prepared: PreparedBundle = {
        where: 'bench',
        bytes: bundle,
        notes: [],
        parsed: undefined,
        content,
      }
      requireVerified(judge(file, content, [prepared], domains, POLICY, cache))
    }
    const contenders = [{ name: 'sigward', run: repeat }, sigstore(workload)]
    const measured = await interleave(
      contenders,
      quick ? { rounds: 3, slice: 10, warmUp: 10 } : { rounds: 50, slice: 40, warmUp: 1500 },
    )
    printRates(measured)
    const ratio = ratioOf(measured, 'sigward', 'sigstore packages')
    return [{ bench: 'verify-repeated', against: 'sigstore packages', ratio, target: 400 }]
  },
}
