/**
 * Every code that Sigward may put into a failure or an error, with the one-line remedy printed beside it.
 *
 * Codes are stable: scripts and policies may rely on them. The prefix names the check or the class of error.
 * `sigward explain CODE` has the long form; a test keeps the two lists equal.
 */
export const REMEDIES = {
  // bundle: the shape of the bundle, before any cryptography
  BUNDLE_TOO_LARGE: 'ask the publisher for a bundle under the size limit; honest bundles are a few kilobytes',
  BUNDLE_JSON: 'fetch the bundle again; if it is the same, the publisher must make a new one',
  BUNDLE_MEDIA_TYPE: 'use a bundle of version 0.1, 0.2 or 0.3; a newer version needs a newer sigward',
  BUNDLE_FIELD: 'fetch the bundle again; if it is the same, the publisher must make a new one',
  BUNDLE_CONTENT: 'a bundle carries exactly one message signature or one envelope; ask for a new one',
  BUNDLE_KEY_MATERIAL: 'a bundle carries exactly one certificate or one key hint; ask for a new one',
  BUNDLE_CHAIN:
    'a bundle carries only the signing certificate; ask the publisher to sign again with a current tool',
  BUNDLE_ROOT_CERTIFICATE:
    'roots come from the trusted root, never from a bundle; ask for a bundle without it',
  BUNDLE_LIMIT: 'the bundle has more items than any honest bundle; ask for a new one',
  BUNDLE_SIGNATURE_COUNT:
    'an envelope in a bundle has exactly one signature; ask for one bundle per signature',
  BUNDLE_KEYID: 'the envelope and the bundle name different keys; ask the publisher to sign again',
  BUNDLE_ENTRY_KIND:
    'the log entry is of a kind that sigward does not verify; ask for a bundle with a supported one',
  BUNDLE_ENTRY_PROOF:
    'ask for a bundle with an inclusion proof and checkpoint; sigward never looks them up online',
  BUNDLE_ENTRY_PROMISE:
    'the log promise does not fit the bundle version or the log; ask the publisher to sign again',
  BUNDLE_DUPLICATE: 'the same evidence stands in the bundle twice; ask for a bundle without repetition',
  // digest and signature over the artifact
  ARTIFACT_DIGEST: 'the file is not the one that was signed; get file and bundle again from the same release',
  SIGNATURE_INVALID: 'the signature is not by this key over these bytes; do not use the file',
  SIGNATURE_ALGORITHM:
    'ask the publisher to sign with ECDSA P-256, or another algorithm that sigward verifies',
  SIGNATURE_NEEDS_ARTIFACT: 'pass the file itself; this algorithm cannot be checked from a digest',
  // statement
  STATEMENT_PAYLOAD_TYPE: 'only in-toto statements are accepted as attestations; ask for one',
  STATEMENT_MALFORMED: 'the signed statement is not valid in-toto; the publisher must sign again',
  STATEMENT_TYPE: 'ask for an in-toto statement of version 0.1 or 1',
  SUBJECT_NOT_FOUND: 'this statement is about other files; get the attestation of this very file',
  SUBJECT_NAME: 'the statement names another package; check that package and attestation belong together',
  PREDICATE_TYPE: 'ask for an attestation of the predicate type that your policy wants',
  // log entry against bundle
  ENTRY_MALFORMED: 'the logged entry cannot be read; ask the publisher to sign again',
  ENTRY_KIND: 'the logged entry is of a kind that does not fit what was signed; do not use the file',
  ENTRY_DIGEST: 'the log entry is about another artifact; do not use the file',
  ENTRY_SIGNATURE: 'the log entry holds another signature; do not use the file',
  ENTRY_VERIFIER: 'the log entry holds another key or certificate; do not use the file',
  // transparency log
  LOG_UNKNOWN:
    'use the trusted root of the instance that signed, or ask for a bundle from a log that you trust',
  LOG_CHECKPOINT_MALFORMED: 'the checkpoint cannot be read; ask the publisher to sign again',
  LOG_CHECKPOINT_ORIGIN: 'the checkpoint is of another log; do not use the file',
  LOG_CHECKPOINT_SIGNATURE: 'the log did not sign this checkpoint; do not use the file',
  LOG_PROOF: 'the entry is not proven to be in the log; do not use the file',
  LOG_ROOT_MISMATCH: 'proof and checkpoint speak of different trees; do not use the file',
  LOG_INDEX: 'the entry claims an impossible position in the log; do not use the file',
  LOG_KEY_WINDOW: 'the log key was not valid at that time; refresh the trusted root, or distrust the bundle',
  LOG_PROMISE: 'the log did not sign this promise; do not use the file',
  LOG_THRESHOLD: 'too few logs vouch for the entry; the trust domain asks for more',
  LOG_COSIGNATURE: 'a witness that your policy names did not sign this checkpoint; do not use the file',
  LOG_WITNESS_QUORUM: 'too few witnesses cosigned the checkpoint; the policy asks for more',
  // time
  TIME_MALFORMED: 'the timestamp cannot be read; ask the publisher to sign again',
  TIME_STATUS: 'the timestamp authority refused the request; ask the publisher to sign again',
  TIME_IMPRINT: 'the timestamp is of another signature; do not use the file',
  TIME_SIGNATURE: 'the timestamp authority did not sign this timestamp; do not use the file',
  TIME_SIGNER: 'the timestamp names another certificate than the one that signed it; do not use the file',
  TIME_CERTIFICATE: 'the certificate of the timestamp authority is not fit for that; do not use the file',
  TIME_WINDOW: 'the timestamp lies outside the time for which its authority is trusted',
  TIME_UNKNOWN_AUTHORITY: 'use the trusted root that knows this timestamp authority',
  TIME_THRESHOLD: 'ask for a bundle with a signed timestamp; without a time, a certificate proves nothing',
  TIME_KEY_WINDOW: 'the key was not valid at that time; use the key that was',
  // certificate
  CERT_MALFORMED: 'the certificate cannot be read; the publisher must sign again',
  CERT_UNKNOWN_AUTHORITY:
    'use the trusted root of the instance that issued the certificate, or distrust the file',
  CERT_AUTHORITY_WINDOW:
    'the authority was not trusted at that time; refresh the trusted root, or distrust the file',
  CERT_TIME: 'the signature was made outside the validity of the certificate; the publisher must sign again',
  CERT_CHAIN: 'the certificate does not lead to a trusted authority; do not use the file',
  CERT_SIGNATURE: 'the authority did not sign this certificate; do not use the file',
  CERT_PATH_LENGTH: 'the chain is longer than its authority allows; do not use the file',
  CERT_IS_CA: 'an authority certificate may not sign packages; the publisher must sign again',
  CERT_KEY_USAGE: 'the certificate is not meant for signatures; the publisher must sign again',
  CERT_EXTENDED_KEY_USAGE: 'the certificate is not meant for code signing; the publisher must sign again',
  CERT_EXTENSION: 'the certificate has a critical or broken extension; the publisher must sign again',
  CERT_SUBJECT_ALT_NAME: 'the certificate must name exactly one identity; the publisher must sign again',
  CERT_SUBJECT: 'a signing certificate has an empty subject; the publisher must sign again',
  CERT_ISSUER_CONFLICT: 'the certificate names two OIDC issuers; do not use the file',
  // certificate transparency
  SCT_MISSING:
    'the certificate was not logged; ask for a bundle from an instance with certificate transparency',
  SCT_MALFORMED: 'the certificate timestamp cannot be read; the publisher must sign again',
  SCT_SIGNATURE: 'the certificate log did not sign this certificate; do not use the file',
  SCT_WINDOW: 'the certificate log key was not valid at that time; refresh the trusted root',
  SCT_THRESHOLD: 'too few known certificate logs vouch for the certificate; the trust domain asks for more',
  // identity and policy
  IDENTITY_SUBJECT: 'check who should sign this package; if this signer is right, name it in the policy',
  IDENTITY_ISSUER:
    'check which issuer should vouch for the signer; if this one is right, name it in the policy',
  IDENTITY_EXTENSION: 'a certificate extension differs from what the policy wants; check the build behind it',
  IDENTITY_KEY: 'the key is not the one that the policy names; check which key should sign this package',
  IDENTITY_KIND: 'the policy expects a key and the bundle has a certificate, or the other way round',
  IDENTITY_DOMAIN: 'the policy wants another trust domain to vouch; check which one should',
  DOMAIN_ISSUER:
    'this trust domain may not speak for that issuer; name the issuer in its settings if it should',
  DOMAIN_PACKAGE:
    'this trust domain may not speak for that package; name the package in its settings if it should',
  PACKAGE_NAME: 'the package is not the one that was asked for; do not use it under that name',
  // registry and embedded signatures
  REGISTRY_KEY_UNKNOWN: 'the registry key is not known; refresh the trust domain that lists it',
  REGISTRY_KEY_EXPIRED: 'the registry key was not valid at that time; refresh the trust domain that lists it',
  REGISTRY_SIGNATURE: 'the registry did not sign this package; do not use it',
  // exceptions: no verdict was reached
  MALFORMED_PACKAGE: 'get the package again; if it is the same, it is broken or hostile',
  PACKAGE_TRUNCATED: 'get the package again; the end is missing',
  PACKAGE_LIMIT: 'the package exceeds a safety limit; do not unpack it with other tools either',
  PACKAGE_PATH: 'the package tries to write outside its folder; do not unpack it',
  PACKAGE_DUPLICATE: 'the package holds the same file twice, so tools may read different ones; do not use it',
  PACKAGE_CHANGED: 'the file changed while it was read; find out what writes to it and run again',
  PACKAGE_METADATA: 'the package does not say what it is; get it again or ask the publisher',
  MALFORMED_BUNDLE: 'fetch the bundle again; if it is the same, the publisher must make a new one',
  MALFORMED_TRUSTED_ROOT: 'get the trusted root again from whoever runs the instance',
  MALFORMED_KEY: 'give a PEM or DER public key (SubjectPublicKeyInfo)',
  MALFORMED_CERTIFICATE: 'give a PEM or DER certificate',
  MALFORMED_DER: 'the file is damaged, or not what its name says',
  MALFORMED_JSON: 'the file is damaged, or not what its name says',
  MALFORMED_NOTE: 'give a signed note: text, an empty line, then signature lines',
  MALFORMED_VKEY: 'give a verifier key of the form name+hash+key',
  MALFORMED_POLICY: 'correct the policy at the place named; docs/policy.md has every key',
  MALFORMED_WITNESS_POLICY: 'correct the witness policy at the line named',
  MALFORMED_PROVENANCE: 'get the provenance file again from where the chart came from',
  MALFORMED_ATTESTATIONS: 'fetch the attestations again from the registry',
  TRUST_SEED_MISMATCH: 'reinstall sigward: its embedded root is not the one it was built with',
  TRUST_DOMAIN_NAMES: 'give every trust domain a name of its own',
  TRUST_NO_DOMAIN: 'give at least one trust domain',
  STORE_NOT_FOUND: 'check the path',
  STORE_UNREADABLE: 'check the path and its permissions',
  USAGE_FLAG: 'run the command with --help',
  USAGE_POLICY: 'give --identity with --issuer, or --key, or --policy FILE; not several of them',
  USAGE_ARGUMENT: 'run the command with --help',
  USAGE_PATTERN: 'give a pattern that the linear-time engine accepts: no look-around, no back-references',
  USAGE_UNKNOWN_CODE: 'run sigward explain without an argument for the list',
} as const satisfies Record<string, string>

/** A stable code of a failure or an error; `sigward explain CODE` has a page for each. */
export type Code = keyof typeof REMEDIES

export function remedyFor(code: Code): string {
  return REMEDIES[code]
}
