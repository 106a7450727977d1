import type { Buffer } from 'node:buffer'
import { bundleFromJSON } from '@sigstore/bundle'
import { TrustedRoot } from '@sigstore/protobuf-specs'
import { toSignedEntity, toTrustMaterial, Verifier, type SignedEntity } from '@sigstore/verify'
import { IDENTITY } from './instance.ts'

/** The `sigstore` packages at their quickest: trust material is built once and the verifier kept. */
export class SigstoreVerifier {
  readonly #verifier: Verifier

  constructor(trustedRoot: Buffer) {
    const root = TrustedRoot.fromJSON(JSON.parse(trustedRoot.toString()))
    this.#verifier = new Verifier(toTrustMaterial(root))
  }

  verify(bundle: Buffer, artifact: Buffer): void {
    this.#verifier.verify(parseWithSigstore(bundle, artifact), {
      subjectAlternativeName: IDENTITY.subject,
      extensions: { issuer: IDENTITY.issuer },
    })
  }
}

export function parseWithSigstore(bundle: Buffer, artifact: Buffer): SignedEntity {
  return toSignedEntity(bundleFromJSON(JSON.parse(bundle.toString())), artifact)
}
