import type { Pages } from './page.ts'

export const SIGNATURE_PAGES = {
  ARTIFACT_DIGEST: {
    title: 'the bundle is about a file with another digest',
    what: 'The digest that the bundle states is the digest of the file, computed anew from its bytes.',
    why: 'The stated digest is a hint that nobody signed. It is compared so that a mix-up is called by its name.',
    breaks:
      'File and bundle of different releases, a download that ended early, or a tool that unpacked and packed the file again.',
    todo: 'Get file and bundle again from the same release. If they still differ, do not use the file.',
    spec: 'Sigstore client specification, section 4.5',
  },
  SIGNATURE_INVALID: {
    title: 'the signature is not by this key over these bytes',
    what: 'The signature holds over the file (or over the envelope with its statement) under the key in the certificate, or the key that you named.',
    why: 'This is the link between signer and bytes. Without it everything else in the bundle is about something else.',
    breaks:
      'The file was changed after it was signed, the bundle belongs to another file, or another key was named with --key.',
    todo: 'Get file and bundle again from the same release, and check which key is the right one. Do not use the file before it holds.',
    spec: 'Sigstore client specification, section 4.5; DSSE protocol for envelopes',
  },
  SIGNATURE_ALGORITHM: {
    title: 'the algorithm is not one that is accepted',
    what: 'Accepted are ECDSA on P-256, P-384 and P-521, RSA of at least 2048 bits, Ed25519, Ed25519ph, and ML-DSA where this Node has it. SHA-1 is never accepted.',
    why: 'Weak or unusual algorithms can be forged, or are read differently by different programs.',
    breaks: 'Old RSA keys, secp256k1 keys, or keys made for other purposes.',
    todo: 'Ask the publisher to sign with ECDSA P-256.',
    spec: 'Sigstore algorithm registry',
  },
  SIGNATURE_NEEDS_ARTIFACT: {
    title: 'this signature cannot be checked from a digest',
    what: 'Ed25519 and ML-DSA sign the file itself and not its digest, so the file has to be there.',
    why: 'A digest alone cannot prove such a signature, and Sigward does not answer what it cannot prove.',
    breaks: 'Naming a digest (sha256:…) for a bundle that was signed with such a key.',
    todo: 'Name the file in place of its digest.',
    spec: 'RFC 8032, section 5.1; FIPS 204',
  },
  STATEMENT_PAYLOAD_TYPE: {
    title: 'the envelope does not hold an in-toto statement',
    what: 'The payload type of the envelope is application/vnd.in-toto+json.',
    why: 'A signature over something else, made for another purpose, must not be taken for a statement about this file.',
    breaks: 'Envelopes of other systems that use DSSE, too.',
    todo: 'Ask for an in-toto attestation of the file.',
    spec: 'Sigstore client specification, section 4.5; in-toto attestation framework, envelope layer',
  },
  STATEMENT_MALFORMED: {
    title: 'the signed statement cannot be read',
    what: 'The payload is strict JSON with at least one subject, each subject with at least one digest, and a predicate type.',
    why: 'The statement is signed as it is. If readers could differ about it, the signer would be taken to have said two things.',
    breaks: 'Statements written by hand; digests in base64 where hexadecimal is asked for.',
    todo: 'The publisher has to make and sign the statement again.',
    spec: 'in-toto attestation framework, statement layer',
  },
  STATEMENT_TYPE: {
    title: 'the statement is of a version that is not known',
    what: 'The field _type names in-toto Statement v0.1 or v1.',
    why: 'The version says what the other fields mean.',
    breaks: 'Layouts and links of in-toto, which are no statements.',
    todo: 'Ask for an in-toto statement of version 0.1 or 1.',
    spec: 'in-toto attestation framework, statement layer',
  },
  SUBJECT_NOT_FOUND: {
    title: 'the statement is about other files',
    what: 'One of the subjects of the statement has the digest of this file, under every algorithm that it names and Sigward knows. Names are never enough.',
    why: 'A true statement about another file says nothing about this one. Whoever could attach it here could borrow any good reputation.',
    breaks:
      'The attestation of another version or platform; a file that was packed again after the build; an archive where the statement is about its content.',
    todo: 'Get the attestation of exactly this file. "sigward inspect BUNDLE" lists the subjects and their digests.',
    spec: 'in-toto attestation framework, on matching subjects by digest; Sigstore client specification, section 4.5',
  },
  SUBJECT_NAME: {
    title: 'the statement calls this file by another name',
    what: 'Where an ecosystem has a rule for the name of the subject (npm: the package URL), the name that belongs to the digest agrees with the package.',
    why: 'Equal bytes published under two names are two packages. A statement for one must not vouch for the other.',
    breaks: 'A package that was published under another scope or name after the attestation was made.',
    todo: 'Check that package and attestation belong together.',
    spec: 'npm publish attestation and npm provenance; Homebrew build provenance',
  },
  PREDICATE_TYPE: {
    title: 'the statement says something else than what the policy asks for',
    what: 'The predicate type is one of those that the policy lists.',
    why: 'A software bill of materials is no build provenance, whoever signed it.',
    breaks: 'Packages with several attestations of which only one was fetched.',
    todo: 'Get the attestation of the wanted type, or correct the list in the policy.',
    spec: 'in-toto attestation framework, predicate layer',
  },
} as const satisfies Pages
