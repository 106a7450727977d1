import type { KeyMaterial } from './bundle.ts'
import { parseCertificate, type Certificate } from './x509/certificate.ts'

type CertificateMaterial = Extract<KeyMaterial, { readonly kind: 'certificate' }>

/** Certificates of a bundle, parsed; nothing is known about them yet. */
export interface BundleCertificates {
  readonly leaf: Certificate
  /** Further certificates of a chain: material for a path. */
  readonly untrusted: readonly Certificate[]
}

/** By the identity of a value that never changes; a bundle that is judged under several domains is read once. */
const PARSED = new WeakMap<CertificateMaterial, BundleCertificates>()

/** Errors: `MALFORMED_CERTIFICATE`, each time it is asked for. */
export function parseBundleCertificates(material: CertificateMaterial): BundleCertificates {
  const before = PARSED.get(material)
  if (before !== undefined) return before
  const parsed = {
    leaf: parseCertificate(material.leaf),
    untrusted: material.untrusted.map(parseCertificate),
  }
  PARSED.set(material, parsed)
  return parsed
}
