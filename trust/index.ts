/**
 * Sigward as a library: parse Sigstore bundles and trusted roots, say whom you trust, and verify, without network,
 * files or clock. `docs/library.md` has a walk through.
 *
 * @packageDocumentation
 */
export type { Artifact, EmbeddedBundle, NativeSignature, Subject } from './artifact.ts'
export {
  parseBundle,
  type Bundle,
  type BundleContent,
  type BundleVersion,
  type InclusionProof,
  type KeyMaterial,
  type LogEntry,
} from './bundle.ts'
export { REMEDIES, type Code } from './codes.ts'
export type { FoundBundle } from './content.ts'
export { digestStream, formatDigest, type ArtifactDigests, type Digest, type DigestAlgorithm } from './digest.ts'
export {
  STRICT_THRESHOLDS,
  TIMESTAMP_ONLY_THRESHOLDS,
  type DomainKey,
  type DomainSource,
  type SpeaksFor,
  type Thresholds,
  type TrustDomain,
} from './domain.ts'
export {
  CheckFailed,
  CodedError,
  MalformedError,
  StoreError,
  TrustError,
  UsageError,
  type CheckName,
  type ErrorDetails,
} from './errors.ts'
export type {
  CertificateTimestamp,
  Evidence,
  LoggedEntry,
  PassedCheck,
  Signer,
  VerifiedTime,
} from './evidence.ts'
export { parsePublicKey, parsePublicKeyPem, type KeyType, type PublicKey } from './keys.ts'
export { pattern } from './pattern.ts'
export {
  allOf,
  anyOf,
  exactly,
  identity,
  managedKey,
  nobody,
  policy,
  type ExactMatcher,
  type IdentityOptions,
  type IdentityRequirement,
  type KeyOptions,
  type KeyRequirement,
  type Matcher,
  type PatternMatcher,
  type Policy,
  type PolicyOptions,
  type Quantifier,
  type Requirement,
} from './policy.ts'
export type { Statement, StatementSubject } from './statement.ts'
export { parseClientTrustConfig, parseTrustedRoot, type TrustedRoot } from './trusted-root.ts'
export type {
  BundleReport,
  DomainReport,
  Failure,
  OtherVerdict,
  Verdict,
  VerdictSubject,
  Verified,
  VerifiedVerdict,
} from './verdict.ts'
export { verify } from './verify.ts'
