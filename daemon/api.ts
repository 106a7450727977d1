import type { CodedError } from '../trust/errors.ts'
import type { Verdict } from '../trust/verdict.ts'

/**
 * What plugins ask and what they get back: one contract, whether the engine runs in this process or behind a
 * socket. Plain data only.
 */
export interface Engine {
  /** Judges one artifact. Exceptions mean that no verdict was reached. */
  verify(request: VerifyRequest): Promise<VerifyReply>
  /** Says what a file says, believing nothing of it. */
  inspect(request: InspectRequest): Promise<Inspection>
  /** The roots in use. */
  trust(request: TrustRequest): Promise<TrustReport>
}

export interface VerifyRequest {
  readonly target: Target
  /** Bundle files; empty: look beside and inside the artifact. */
  readonly bundles: readonly string[]
  readonly policy: PolicySource
  /** Trusted root files; empty: the embedded seed. Never both. */
  readonly trustedRoots: readonly string[]
  /** Package URL that the artifact must be. */
  readonly package: string | undefined
}

/** `sha256:<hex>` (or sha384, sha512) is a digest unless a file of that name exists. */
export type Target =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'digest'; readonly text: string }

export type PolicySource =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'identity'; readonly subject: TextMatcher; readonly issuer: TextMatcher }
  | { readonly kind: 'keys'; readonly paths: readonly string[] }
  | { readonly kind: 'file'; readonly path: string }

export type TextMatcher =
  | { readonly kind: 'exact'; readonly value: string }
  | { readonly kind: 'pattern'; readonly source: string }

export interface VerifyReply {
  readonly verdict: Verdict
  /** Remarks of the adapter and of the search for bundles: legacy signatures, repaired bundles. */
  readonly notes: readonly string[]
  /** Signatures of the format's own kind, and whether they hold; never a reason for `verified`. */
  readonly nativeSignatures: readonly NativeSignatureReport[]
}

export interface NativeSignatureReport {
  readonly scheme: string
  readonly keyId: string | undefined
  readonly covers: string
  /** `holds` only where the signature was verified with a key that the caller named. */
  readonly state: 'holds' | 'broken' | 'key-unknown' | 'reported-only'
  readonly remark: string
}

export interface InspectRequest {
  readonly path: string
}

/** A tree of labelled text, for people and as JSON. Nothing in it has been verified. */
export interface Inspection {
  readonly kind: 'bundle' | 'trusted-root' | 'checkpoint' | 'certificate' | 'timestamp' | 'package' | 'statement' | 'key'
  readonly title: string
  readonly fields: readonly InspectionField[]
}

export interface InspectionField {
  readonly label: string
  readonly value: string | readonly InspectionField[]
}

export interface TrustRequest {
  readonly trustedRoots: readonly string[]
}

export interface TrustReport {
  readonly domains: readonly TrustDomainReport[]
}

export interface TrustDomainReport {
  readonly name: string
  readonly source: string
  /** Lower-case hex SHA-256 of the trusted root's bytes. */
  readonly rootDigest: string
  /** ISO 8601; undefined where nothing says how old the material is. */
  readonly asOf: string | undefined
  /** Issuers and packages it may speak for, in words. */
  readonly speaksFor: string
  readonly thresholds: string
  readonly authorities: readonly AuthorityReport[]
  /** Entries of the root that cannot be used, and why. */
  readonly notes: readonly string[]
}

export interface AuthorityReport {
  readonly role: 'certificate authority' | 'transparency log' | 'certificate log' | 'timestamp authority'
  readonly name: string
  /** `ecdsa-p256`, and the key ID or fingerprint. */
  readonly key: string
  readonly start: string
  /** undefined: still open. */
  readonly end: string | undefined
  readonly operator: string
}

/** One table for every command. */
export const EXIT_CODES = {
  verified: 0,
  rejected: 1,
  usage: 2,
  'no-verdict': 3,
  misbehaviour: 4,
  unsigned: 5,
  'signed-by-unknown': 6,
  bug: 70,
} as const

export function exitCodeOf(verdict: Verdict): number {
  return EXIT_CODES[verdict.outcome]
}

export function exitCodeOfError(error: CodedError): number {
  return error.name === 'UsageError' ? EXIT_CODES.usage : EXIT_CODES['no-verdict']
}

/** Several artifacts, one exit code: what most needs attention wins. */
export function worstExitCode(codes: readonly number[]): number {
  const order = [70, 4, 1, 3, 5, 6, 2, 0]
  return order.find((code) => codes.includes(code)) ?? EXIT_CODES.usage
}
