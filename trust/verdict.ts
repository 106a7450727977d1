import type { Artifact } from './artifact.ts'
import type { ArtifactDigests } from './digest.ts'
import { CheckFailed, type CheckName, type CodedError } from './errors.ts'
import type { Code } from './codes.ts'
import type { Evidence, PassedCheck } from './evidence.ts'

/**
 * The answer of a verification. It is a value: an exception means that no verdict was reached.
 *
 * - `verified`: a bundle satisfies the policy, and no bundle of a known trust domain was found false
 * - `signed-by-unknown`: signatures hold, but the policy names nobody
 * - `rejected`: something was found false, or nobody whom the policy names has signed
 * - `unsigned`: there is no bundle at all
 */
export type Verdict = VerifiedVerdict | OtherVerdict

declare const proof: unique symbol

/** An artifact whose signature was verified: code that unpacks asks for this type, so an unchecked unpack does not compile. */
export type Verified<T> = T & { readonly [proof]: true }

interface VerdictFacts {
  /** What the package says it is, and the digests that were computed. */
  readonly subject: VerdictSubject
  /** Every bundle that was found, each judged. */
  readonly bundles: readonly BundleReport[]
  /** Names of the trust domains that were asked. */
  readonly domains: readonly DomainReport[]
}

export interface VerifiedVerdict extends VerdictFacts {
  readonly outcome: 'verified'
  readonly artifact: Verified<Artifact>
  /** The evidence that satisfied the policy; the first is the one that reports show. */
  readonly evidence: readonly [Evidence, ...Evidence[]]
}

export interface OtherVerdict extends VerdictFacts {
  readonly outcome: 'signed-by-unknown' | 'rejected' | 'unsigned'
  /** Why, most telling first; empty for `unsigned` and `signed-by-unknown`. */
  readonly failures: readonly Failure[]
}

export interface VerdictSubject {
  readonly format: string
  readonly name: string | undefined
  readonly version: string | undefined
  readonly purl: string | undefined
  readonly digests: ArtifactDigests
}

export interface DomainReport {
  readonly name: string
  readonly source: string
  /** Lower-case hex SHA-256 of the trusted root's bytes. */
  readonly rootDigest: string
  readonly asOf: Date | undefined
}

export interface BundleReport {
  /** Where the bundle was found: a file name, or a place inside the package. */
  readonly where: string
  /** Lower-case hex SHA-256 of the bundle's bytes. */
  readonly digest: string
  /**
   * `accepted`: evidence that the policy names. `valid`: evidence by somebody else. `rejected`: found false.
   * `foreign`: no trust domain knows who issued it, so nothing could be said.
   */
  readonly outcome: 'accepted' | 'valid' | 'rejected' | 'foreign'
  readonly evidence: readonly Evidence[]
  /** Checks that passed before the first failure. */
  readonly checks: readonly PassedCheck[]
  readonly failures: readonly Failure[]
  /** Remarks such as repairs of a broken stored bundle. */
  readonly notes: readonly string[]
}

/** One check's refusal. */
export interface Failure {
  readonly check: CheckName
  readonly code: Code
  readonly message: string
  readonly got: string | undefined
  readonly wanted: string | undefined
  readonly where: string | undefined
  readonly remedy: string
  /** The trust domain under which the check failed; undefined before a domain was chosen. */
  readonly domain: string | undefined
}

/** What cannot be parsed is a failure of the bundle, unless a check already says what it belongs to. */
export function failureOf(error: CodedError, domain?: string): Failure {
  return {
    check: error instanceof CheckFailed ? error.check : 'bundle',
    code: error.code,
    message: error.message,
    got: error.got,
    wanted: error.wanted,
    where: error.where,
    remedy: error.hint,
    domain,
  }
}
