import type { Code } from '../../trust/codes.ts'

/**
 * What must become of every published conformance case, by the name of its folder: `verified`, or the code of the
 * one failure that the name calls for. A folder that is not listed here fails the test: somebody has to read what
 * it is about.
 */
export const EXPECTED: Readonly<Record<string, Code | 'verified'>> = {
  // shape of the bundle
  'happy-path-v0.1': 'verified',
  'happy-path-v0.2': 'verified',
  'happy-path-v0.3': 'verified',
  'happy-path-v0.3-new-mediaType': 'verified',
  'bundle-empty-certificate-chain_fail': 'BUNDLE_CHAIN',
  'bundle-with-root-cert_fail': 'BUNDLE_ROOT_CERTIFICATE',
  // both instances call their authorities by the same names: what differs first is the log
  'bundle-from-wrong-instance_fail': 'LOG_UNKNOWN',
  'bundle-invalid-base64-signature_fail': 'BUNDLE_FIELD',
  'bundle-malformed-json_fail': 'BUNDLE_JSON',
  'bundle-negative-log-index_fail': 'BUNDLE_FIELD',
  'bundle-unknown-version_fail': 'BUNDLE_MEDIA_TYPE',

  // log of the first generation
  'inclusion-proof-corrupted-hash_fail': 'LOG_PROOF',
  // version 0.2 with a proof from before checkpoints: it lacks what would make it one
  'invalid-inclusion-proof_fail': 'BUNDLE_ENTRY_PROOF',
  'checkpoint-bad-keyhint_fail': 'LOG_CHECKPOINT_SIGNATURE',
  'checkpoint-wrong-roothash_fail': 'LOG_ROOT_MISMATCH',
  'invalid-checkpoint-signature_fail': 'LOG_CHECKPOINT_SIGNATURE',
  'set-invalid-signature_fail': 'LOG_PROMISE',
  'integrated-time-in-future_fail': 'CERT_TIME',
  'incorrect-public-key_fail': 'ENTRY_VERIFIER',
  'wrong-hashedrekord-artifact_fail': 'ENTRY_DIGEST',
  'wrong-hashedrekord-cert-and-sig_fail': 'ENTRY_SIGNATURE',
  'wrong-hashedrekord-entry_fail': 'ENTRY_DIGEST',
  'signature-mismatch_fail': 'SIGNATURE_INVALID',
  'message-digest-mismatch_fail': 'ARTIFACT_DIGEST',
  'wrong-material_fail': 'ARTIFACT_DIGEST',

  // certificate transparency
  'invalid-ct-key_fail': 'SCT_THRESHOLD',
  'bundle-with-sct-with-extensions': 'verified',

  // envelopes
  'happy-path-intoto-in-dsse-v3': 'verified',
  'dsse-invalid-sig_fail': 'SIGNATURE_INVALID',
  'dsse-mismatch-sig_fail': 'ENTRY_SIGNATURE',
  'dsse-mismatch-envelope_fail': 'ENTRY_DIGEST',
  'intoto-with-custom-trust-root': 'verified',
  'intoto-expired-certificate_fail': 'CERT_TIME',
  'intoto-set-outside-signing-cert-validity_fail': 'CERT_TIME',
  'intoto-tsa-timestamp-outside-cert-validity_fail': 'CERT_TIME',
  'intoto-log-entry-mismatch_fail': 'ENTRY_SIGNATURE',
  'intoto-missing-inclusion-proof_fail': 'BUNDLE_ENTRY_PROOF',

  // managed keys
  'managed-key-happy-path': 'verified',
  'managed-key-and-trusted-root': 'verified',
  'managed-key-no-key_fail': 'IDENTITY_KIND',
  // what is given as the key is none
  'managed-key-wrong-key_fail': 'MALFORMED_KEY',

  // tile logs
  'rekor2-happy-path': 'verified',
  'rekor2-no-inclusion-proof_fail': 'BUNDLE_ENTRY_PROOF',
  'rekor2-no-timestamp_fail': 'TIME_THRESHOLD',
  'rekor2-dsse-happy-path': 'verified',
  'rekor2-dsse-invalid-sig_fail': 'SIGNATURE_INVALID',
  'rekor2-dsse-mismatch-sig_fail': 'ENTRY_SIGNATURE',
  'rekor2-dsse-mismatch-envelope_fail': 'ENTRY_DIGEST',
  'rekor2-checkpoint-cosigned': 'verified',
  'rekor2-checkpoint-multiple-cosigs': 'verified',
  'rekor2-checkpoint-two-sigs-from-origin': 'verified',
  'rekor2-checkpoint-two-sigs-cosigned': 'verified',
  'rekor2-checkpoint-origin-not-first': 'verified',
  'rekor2-checkpoint-missing-origin_fail': 'LOG_CHECKPOINT_MALFORMED',
  'rekor2-checkpoint-missing-size_fail': 'LOG_CHECKPOINT_MALFORMED',
  'rekor2-checkpoint-missing-root-hash_fail': 'LOG_CHECKPOINT_MALFORMED',
  'rekor2-checkpoint-missing-log-signature_fail': 'LOG_CHECKPOINT_MALFORMED',
  // signer and origin were renamed together: the note is that of another log
  'rekor2-checkpoint-no-matching-signature_fail': 'LOG_CHECKPOINT_ORIGIN',

  // timestamps
  'rekor2-timestamp-with-embedded-cert': 'verified',
  'rekor2-timestamp-without-embedded-cert': 'verified',
  'rekor2-timestamp-with-expired-cert-chain': 'verified',
  'rekor2-timestamp-untrusted-tsa-with-embedded-cert_fail': 'TIME_UNKNOWN_AUTHORITY',
  'rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail': 'TIME_UNKNOWN_AUTHORITY',
  'rekor2-timestamp-payload-mismatch_fail': 'TIME_IMPRINT',
  // its base64 is broken into lines, which is refused before anything is judged
  'rekor2-timestamp-with-incorrect-time_fail': 'BUNDLE_FIELD',
  'rekor2-timestamp-outside-tsa-cert-validity_fail': 'TIME_CERTIFICATE',
  'rekor2-timestamp-outside-trust-root-tsa-validity_fail': 'TIME_WINDOW',

  // trusted roots
  'trust-root-tlog-missing-validity-start_fail': 'MALFORMED_TRUSTED_ROOT',
  'trust-root-tlog-validity-end-inclusive': 'verified',
  'trust-root-tsa-validity-end-inclusive': 'verified',
}
