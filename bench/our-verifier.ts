import type { Artifact } from '../trust/artifact.ts'
import { STRICT_THRESHOLDS, type TrustDomain } from '../trust/domain.ts'
import { exactly, identity, policy, type Policy } from '../trust/policy.ts'
import { parseTrustedRoot } from '../trust/trusted-root.ts'
import { verify } from '../trust/verify.ts'
import type { Verdict } from '../trust/verdict.ts'
import { IDENTITY } from './instance.ts'

/** What the daemon keeps between requests: domains, read once. */
export function domainOf(trustedRoot: Uint8Array): TrustDomain {
  return {
    name: 'bench',
    root: parseTrustedRoot(trustedRoot),
    source: { kind: 'given', description: 'bench', asOf: undefined },
    speaksFor: { issuers: 'any', packages: 'any' },
    thresholds: STRICT_THRESHOLDS,
    keys: [],
    witnesses: undefined,
  }
}

export const POLICY: Policy = policy(
  identity({ subject: exactly(IDENTITY.subject), issuer: exactly(IDENTITY.issuer) }),
)

/** An artifact without a name, as a plain file is. */
export function artifactOf(bytes: Uint8Array): Artifact {
  return {
    format: 'plain-file',
    subject: { name: undefined, version: undefined, purl: undefined, statementNames: [] },
    embedded: [],
    nativeSignatures: [],
    notes: [],
    signedBytes: async function* () {
      yield bytes
    },
  }
}

/** From bytes to the decision, with the function that the library exports. */
export async function verifyBundle(
  bundle: Uint8Array,
  artifact: Uint8Array,
  domains: readonly TrustDomain[],
): Promise<void> {
  requireVerified(
    await verify(artifactOf(artifact), [{ where: 'bench', bytes: bundle, notes: [] }], domains, POLICY),
  )
}

/** A quick refusal is no verification. */
export function requireVerified(verdict: Verdict): void {
  if (verdict.outcome === 'verified') return
  const why = verdict.failures.map(({ code, message }) => `${code}: ${message}`).join(', ')
  throw new Error(`a good bundle is ${verdict.outcome}: ${why}`)
}
