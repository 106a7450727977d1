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
  /** Who signed. */
  readonly signer: Signer
  /** For people: `ecdsa-p256 sha256`. */
  readonly algorithm: string
  /** The digest of the artifact that signature or statement speak about. */
  readonly digest: Digest
  /** Present when the bundle carries a statement. */
  readonly statement: Statement | undefined
  /** Index of the subject that matched. */
  readonly subjectIndex: number | undefined
  /** When it was signed, by everybody who vouches for a time; at least one where a certificate signed. */
  readonly times: readonly VerifiedTime[]
  /** Where it was logged; entries of logs that the domain does not know are left out. */
  readonly entries: readonly LoggedEntry[]
  /** Where the signing certificate was logged. */
  readonly certificateLogs: readonly CertificateTimestamp[]
  /** Every check, in the order in which they ran. */
  readonly checks: readonly PassedCheck[]
}

/** Who signed: the holder of a certificate, or of a managed key. */
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

/** A time at which the signature existed, on the word of somebody trusted. */
export interface VerifiedTime {
  /** Whole milliseconds; a finer time comes as the two around it. */
  readonly at: Date
  /** A timestamp (RFC 3161), or the promise of a Rekor v1 log. */
  readonly source: 'timestamp' | 'log-promise'
  /** Who vouches: name of the timestamp authority or log. */
  readonly authority: string
  /** Thresholds count these. */
  readonly operator: string
}

/** A log entry that was proven to be about this signature and to be in its log. */
export interface LoggedEntry {
  /** Host of the log. */
  readonly log: string
  /** Thresholds count these. */
  readonly operator: string
  /** Kind and version of the entry: `hashedrekord 0.0.1`. */
  readonly kind: string
  /** Place in the log: among all shards where Rekor v1 promised it, else in the tree of the proof. */
  readonly logIndex: bigint
  /** Proven by the log's signature over the tree, by its promise, or by both. */
  readonly proof:
    | { readonly treeSize: bigint; readonly origin: string; readonly witnesses: readonly string[] }
    | undefined
  /** True where the log signed a promise too. */
  readonly promised: boolean
}

/** A certificate log's promise to publish the signing certificate (RFC 6962). */
export interface CertificateTimestamp {
  /** URL of the log. */
  readonly log: string
  /** Thresholds count these. */
  readonly operator: string
  /** The log's own word, inside the window of its key. */
  readonly at: Date
}

/** One check that held. */
export interface PassedCheck {
  /** Which one. */
  readonly check: CheckName
  /** What it saw, for people. */
  readonly saw: string
}

/** For the list of checks. */
export function describeTimes(times: readonly VerifiedTime[]): string {
  return times.map(({ at, authority }) => `${at.toISOString()} by ${authority}`).join(', ') || 'none needed'
}
