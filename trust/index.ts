/**
 * The core as a library: parse Sigstore bundles and trusted roots, say whom you trust, and verify, without network,
 * files or clock. `daemon/library.ts` adds what touches files.
 */
export type { Artifact, EmbeddedBundle, NativeSignature, Subject } from './artifact.ts'
export type {
  CertificateAuthority,
  CertificateLog,
  LogKey,
  TimestampAuthority,
  TransparencyLog,
  Window,
} from './authority.ts'
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
export {
  DIGEST_ALGORITHMS,
  digestStream,
  formatDigest,
  type ArtifactDigests,
  type Digest,
  type DigestAlgorithm,
} from './digest.ts'
export {
  STRICT_THRESHOLDS,
  TIMESTAMP_ONLY_THRESHOLDS,
  type DomainKey,
  type DomainSource,
  type SpeaksFor,
  type Thresholds,
  type TrustDomain,
} from './domain.ts'
export { escapeForDisplay } from './encoding.ts'
export {
  CheckFailed,
  CHECKS,
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
export { artifactFromBytes, trustDomain, type ArtifactOptions, type TrustDomainOptions } from './given.ts'
export { JsonNumber, type Json, type JsonObject } from './json.ts'
export {
  parsePublicKey,
  parsePublicKeyPem,
  type EcdsaKeyType,
  type KeyType,
  type MlDsaKeyType,
  type PublicKey,
} from './keys.ts'
export type { Cosigner } from './log/cosignature.ts'
export { NOTE_TYPE } from './log/note.ts'
export type { Vkey, VkeyType } from './log/vkey.ts'
export {
  parseWitnessPolicy,
  type PolicyLog,
  type PolicyWitness,
  type WitnessGroup,
  type WitnessPolicy,
} from './log/witness-policy.ts'
export { pattern } from './pattern.ts'
export {
  allOf,
  anyOf,
  exactly,
  identity,
  intersectionOf,
  managedKey,
  nobody,
  policy,
  type CompoundRequirement,
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
export { STATEMENT_TYPES, type Statement, type StatementSubject, type StatementType } from './statement.ts'
export { parseClientTrustConfig, parseTrustedRoot, type TrustedRoot } from './trusted-root.ts'
export type {
  BundleReport,
  DomainReport,
  Failure,
  OtherVerdict,
  Verdict,
  VerdictFacts,
  VerdictSubject,
  Verified,
  VerifiedVerdict,
} from './verdict.ts'
export { verify } from './verify.ts'
export type { Certificate, Extension } from './x509/certificate.ts'
export type { CertificateIdentity } from './x509/extensions.ts'
