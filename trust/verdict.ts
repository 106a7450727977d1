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

/** What every verdict says, whatever the outcome. */
export interface VerdictFacts {
  /** What the package says it is, and the digests that were computed. */
  readonly subject: VerdictSubject
  /** Every bundle that was found, each judged. */
  readonly bundles: readonly BundleReport[]
  /** Names of the trust domains that were asked. */
  readonly domains: readonly DomainReport[]
}

/** Somebody whom the policy names has signed. */
export interface VerifiedVerdict extends VerdictFacts {
  readonly outcome: 'verified'
  /** The artifact that was given, now of a type that says so. */
  readonly artifact: Verified<Artifact>
  /** The evidence that satisfied the policy; the first is the one that reports show. */
  readonly evidence: readonly [Evidence, ...Evidence[]]
}

/** Everything that is not `verified`. */
export interface OtherVerdict extends VerdictFacts {
  readonly outcome: 'signed-by-unknown' | 'rejected' | 'unsigned'
  /** Why, most telling first; empty for `unsigned` and `signed-by-unknown`. */
  readonly failures: readonly Failure[]
}

/** What was judged. Name, version and package URL are the package's own words: believe them where it is `verified`. */
export interface VerdictSubject {
  /** Name of the format: `npm-tarball`. */
  readonly format: string
  /** undefined where the package says none. */
  readonly name: string | undefined
  /** undefined where the package says none. */
  readonly version: string | undefined
  /** Package URL; undefined where the package says none. */
  readonly purl: string | undefined
  /** Computed from the bytes; the one that was given, where only a digest is judged. */
  readonly digests: ArtifactDigests
}

/** A trust domain that was asked. */
export interface DomainReport {
  /** Its name. */
  readonly name: string
  /** Where its root comes from, for people. */
  readonly source: string
  /** Lower-case hex SHA-256 of the trusted root's bytes. */
  readonly rootDigest: string
  /** When the root was known to be current; undefined where nothing says so. */
  readonly asOf: Date | undefined
}

/** One bundle, judged. */
export interface BundleReport {
  /** Where the bundle was found: a file name, or a place inside the package. */
  readonly where: string
  /** Lower-case hex SHA-256 of the bundle's bytes. */
  readonly digest: string
  /**
   * `accepted`: evidence that the policy names. `valid`: evidence by somebody else. `rejected`: found false.
   * `foreign`: no trust domain knows who issued it, or may speak for it, so nothing could be said.
   */
  readonly outcome: 'accepted' | 'valid' | 'rejected' | 'foreign'
  /** What it proves, once for each trust domain that vouches for it and may. */
  readonly evidence: readonly Evidence[]
  /** Checks that passed before the first failure. */
  readonly checks: readonly PassedCheck[]
  /** Why it proves nothing; empty where it does. */
  readonly failures: readonly Failure[]
  /** Remarks such as repairs of a broken stored bundle. */
  readonly notes: readonly string[]
}

/** One check's refusal. */
export interface Failure {
  /** The check that refused. */
  readonly check: CheckName
  /** Stable: scripts may rely on it. */
  readonly code: Code
  /** For people; may change between releases. */
  readonly message: string
  /** What was found; text from outside, so escape it before printing. */
  readonly got: string | undefined
  /** What would have been accepted. */
  readonly wanted: string | undefined
  /** JSON path or offset. */
  readonly where: string | undefined
  /** What to do. */
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
