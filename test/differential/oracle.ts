import { createPublicKey } from 'node:crypto'
import { bundleFromJSON } from '@sigstore/bundle'
import { TrustedRoot } from '@sigstore/protobuf-specs'
import { toSignedEntity, toTrustMaterial, Verifier, type VerificationPolicy } from '@sigstore/verify'
import type { BundleVector, NamedSigner } from '../support/bundle-vectors.ts'

/** Asks the packages the question that a vector asks us; every exception is a refusal. */
export function oracleOf(vector: BundleVector): (bundle: Uint8Array) => boolean {
  const { root, signer, thresholds, artifact } = vector
  let verifier: Verifier
  try {
    const trusted = TrustedRoot.fromJSON(JSON.parse(root.toString('utf8')))
    verifier = new Verifier(
      toTrustMaterial(trusted, (hint) => keyFor(signer, hint)),
      {
        tlogThreshold: thresholds.logs,
        ctlogThreshold: thresholds.certificateLogs,
        // a managed key needs no time
        timestampThreshold: signer.kind === 'keys' ? 0 : thresholds.times,
      },
    )
  } catch {
    return () => false
  }
  const policy = policyOf(signer)
  return (bundle) => {
    try {
      const entity = toSignedEntity(
        bundleFromJSON(JSON.parse(Buffer.from(bundle).toString('utf8'))),
        artifact,
      )
      verifier.verify(entity, policy)
      return true
    } catch {
      return false
    }
  }
}

function keyFor(
  signer: NamedSigner,
  hint: string,
): { publicKey: ReturnType<typeof createPublicKey>; validFor: () => boolean } {
  const keys = signer.kind === 'keys' ? signer.keys : []
  const key = keys.find((one) => one.hint === undefined || one.hint === hint)
  if (key === undefined) throw new Error('no such key')
  return { publicKey: createPublicKey(key.pem), validFor: () => true }
}

function policyOf(signer: NamedSigner): VerificationPolicy | undefined {
  if (signer.kind !== 'identity') return undefined
  const escaped = signer.subject.replaceAll(/[.*+?^${}()|[\]\\]/g, (c) => `\\${c}`)
  return { subjectAlternativeName: `^${escaped}$`, extensions: { issuer: signer.issuer } }
}
