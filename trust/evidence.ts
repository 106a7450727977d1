import type { Digest } from './digest.ts'
import type { Statement } from './statement.ts'
import type { Certificate } from './x509/certificate.ts'
import type { CertificateIdentity } from './x509/extensions.ts'
import type { CheckName } from './errors.ts'

/**
 * What one bundle proves under one trust domain: facts about immutable bytes, before any policy. Evidence exists
 * only when every check of the domain passed.
 */
export interface Evidence {
  /** Name of the trust domain on which everything below rests. */
  readonly domain: string
  readonly signer: Signer
  /** For people: `ecdsa-p256 sha256`. */
  readonly algorithm: string
  /** The digest of the artifact that signature or statement speak about. */
  readonly digest: Digest
  /** Present when the bundle carries a statement. */
  readonly statement: Statement | undefined
  /** Index of the subject that matched. */
  readonly subjectIndex: number | undefined
  readonly times: readonly VerifiedTime[]
  readonly entries: readonly LoggedEntry[]
  readonly certificateLogs: readonly CertificateTimestamp[]
  readonly checks: readonly PassedCheck[]
}

export type Signer =
  | {
      readonly kind: 'certificate'
      readonly identity: CertificateIdentity
      /** DER of the signing certificate. */
      readonly certificate: Uint8Array
      /** Name of the authority whose anchor the path reached. */
      readonly authority: string
      readonly notBefore: Date
      readonly notAfter: Date
    }
  | {
      readonly kind: 'key'
      /** Lower-case hex SHA-256 of the SubjectPublicKeyInfo. */
      readonly keyId: string
      /**
       * Who named the key: the policy, a trust domain (with the owner), or nobody, when it was read from the log
       * entry and only says that one and the same key signed and logged.
       */
      readonly namedBy: 'policy' | 'domain' | 'entry'
      readonly owner: string | undefined
      readonly hint: string
    }

/** What reports show of a certificate and where it led. */
export function certificateSigner(
  { der, notBefore, notAfter }: Pick<Certificate, 'der' | 'notBefore' | 'notAfter'>,
  { identity, authority }: { readonly identity: CertificateIdentity; readonly authority: string },
): Signer {
  return { kind: 'certificate', identity, certificate: der, authority, notBefore, notAfter }
}

export interface VerifiedTime {
  readonly at: Date
  readonly source: 'timestamp' | 'log-promise'
  /** Who vouches: name of the timestamp authority or log. */
  readonly authority: string
  /** Thresholds count these. */
  readonly operator: string
}

export interface LoggedEntry {
  readonly log: string
  readonly operator: string
  readonly kind: string
  readonly logIndex: bigint
  /** Proven by the log's signature over the tree, by its promise, or by both. */
  readonly proof: { readonly treeSize: bigint; readonly origin: string; readonly witnesses: readonly string[] } | undefined
  readonly promised: boolean
}

export interface CertificateTimestamp {
  readonly log: string
  readonly operator: string
  readonly at: Date
}

export interface PassedCheck {
  readonly check: CheckName
  /** What it saw, for people. */
  readonly saw: string
}
