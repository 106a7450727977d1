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

/** What to judge, and by what. */
export interface VerifyRequest {
  /** The artifact. */
  readonly target: Target
  /** Bundle files; empty: look beside and inside the artifact. */
  readonly bundles: readonly string[]
  /** Who must have signed. */
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

/**
 * Who must have signed: a certificate's identity, keys (PEM or DER files), what a policy file says, or nobody, which
 * is never `verified`.
 */
export type PolicySource =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'identity'; readonly subject: TextMatcher; readonly issuer: TextMatcher }
  | { readonly kind: 'keys'; readonly paths: readonly string[] }
  | { readonly kind: 'file'; readonly path: string }

/** Exact text, or a pattern (RE2 syntax, anchored at both ends). */
export type TextMatcher =
  | { readonly kind: 'exact'; readonly value: string }
  | { readonly kind: 'pattern'; readonly source: string }

/** What became of a request. */
export interface VerifyReply {
  /** The answer. */
  readonly verdict: Verdict
  /** Remarks of the adapter and of the search for bundles: legacy signatures, repaired bundles. */
  readonly notes: readonly string[]
  /** Signatures of the format's own kind, and whether they hold; never a reason for `verified`. */
  readonly nativeSignatures: readonly NativeSignatureReport[]
}

/** A signature of a format's own kind: a signed jar, a module signature, a chart's provenance. */
export interface NativeSignatureReport {
  /** `wasm-signature`, `jarsigner`, `helm-provenance`. */
  readonly scheme: string
  /** What signs, in the package's own words; undefined where it does not say. */
  readonly keyId: string | undefined
  /** What the signature covers, in words. */
  readonly covers: string
  /** `holds` only where the signature was verified with a key that the caller named. */
  readonly state: 'holds' | 'broken' | 'key-unknown' | 'reported-only'
  /** Why it is in that state, for people. */
  readonly remark: string
}

/** What to look at. */
export interface InspectRequest {
  /** A bundle, trusted root, checkpoint, certificate, timestamp, package, statement or public key. */
  readonly path: string
}

/** A tree of labelled text, for people and as JSON. Nothing in it has been verified. */
export interface Inspection {
  /** What the file is, by its content. */
  readonly kind:
    | 'bundle'
    | 'trusted-root'
    | 'checkpoint'
    | 'certificate'
    | 'timestamp'
    | 'package'
    | 'statement'
    | 'key'
  /** One line for people. */
  readonly title: string
  /** What it says. */
  readonly fields: readonly InspectionField[]
}

/** One line of an inspection, or a group of them. */
export interface InspectionField {
  /** For people; may change between releases. */
  readonly label: string
  /** Text from the file is not escaped. */
  readonly value: string | readonly InspectionField[]
}

/** Which roots to report. */
export interface TrustRequest {
  /** Trusted root files; empty: the embedded seed. */
  readonly trustedRoots: readonly string[]
}

/** The roots in use. */
export interface TrustReport {
  /** Each by itself; they are never merged. */
  readonly domains: readonly TrustDomainReport[]
}

/** One trust domain, as text. */
export interface TrustDomainReport {
  /** Verdicts name the domain by it. */
  readonly name: string
  /** Where its root comes from. */
  readonly source: string
  /** Lower-case hex SHA-256 of the trusted root's bytes. */
  readonly rootDigest: string
  /** ISO 8601; undefined where nothing says how old the material is. */
  readonly asOf: string | undefined
  /** Issuers and packages it may speak for, in words. */
  readonly speaksFor: string
  /** How many operators must vouch, in words. */
  readonly thresholds: string
  /** Everybody in the root. */
  readonly authorities: readonly AuthorityReport[]
  /** Entries of the root that cannot be used, and why. */
  readonly notes: readonly string[]
}

/** One authority or log of a trusted root. */
export interface AuthorityReport {
  /** What it vouches for. */
  readonly role: 'certificate authority' | 'transparency log' | 'certificate log' | 'timestamp authority'
  /** As the trusted root names it. */
  readonly name: string
  /** `ecdsa-p256`, and the key ID or fingerprint. */
  readonly key: string
  /** ISO 8601; from when on it is trusted. */
  readonly start: string
  /** ISO 8601; undefined: still open. */
  readonly end: string | undefined
  /** Thresholds count operators. */
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

/** The exit code of `sigward verify` for a verdict: one of {@link EXIT_CODES}. */
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
