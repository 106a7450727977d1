import type { Pages } from './page.ts'

const FORMAT =
  'the Sigstore bundle format (protobuf-specs, sigstore_bundle.proto); Sigstore client specification, section 5'

export const BUNDLE_PAGES = {
  BUNDLE_TOO_LARGE: {
    title: 'the bundle is larger than any honest one',
    what: 'A bundle may have at most 16 MiB. The size is looked at before anything is parsed.',
    why: 'Verification runs before anything is trusted, so whoever hands over the bundle could otherwise use up memory and time at will.',
    breaks:
      'Usually another file was given in place of the bundle, or a very large attestation was put into one.',
    todo: 'Check that the file is the bundle. If the publisher really makes bundles of this size, ask for a smaller statement.',
  },
  BUNDLE_JSON: {
    title: 'the bundle is not strict JSON',
    what: 'A bundle is one JSON object in UTF-8, without a repeated key, without a byte order mark, and not nested deeper than the format needs.',
    why: 'Two programs that read doubtful JSON differently can be shown two different bundles in the same bytes.',
    breaks:
      'A download that ended early, an HTML error page saved under the name of the bundle, or a file of several bundles (JSON Lines) given as one.',
    todo: 'Fetch the bundle again. If the bytes stay the same, the publisher has to make a new one.',
    spec: `${FORMAT}; RFC 8259`,
  },
  BUNDLE_MEDIA_TYPE: {
    title: 'the bundle names a version that is not known',
    what: 'The field mediaType must be exactly one of the four spellings of versions 0.1, 0.2 and 0.3.',
    why: 'The version decides which evidence must be there. An unknown one may ask for checks that this release does not know.',
    breaks:
      'A file that is no Sigstore bundle (such as the older cosign bundle, which has no media type), or a bundle from a newer tool.',
    todo: 'Look at the file with "sigward inspect". Ask for a bundle of version 0.3, or use a newer sigward.',
    spec: FORMAT,
  },
  BUNDLE_FIELD: {
    title: 'a field of the bundle is missing or malformed',
    what: 'Every field that is needed is there and has its type: texts, decimal numbers, and bytes in canonical base64. The failure names the JSON path.',
    why: 'Lenient decoders skip what they do not understand, so the same text can mean different bytes to different programs.',
    breaks:
      'A bundle that was edited by hand or passed through a tool that rewrites JSON; base64 with line breaks; keys in snake_case.',
    todo: 'Fetch the bundle again from where the publisher put it, and do not reformat it.',
    spec: FORMAT,
  },
  BUNDLE_CONTENT: {
    title: 'the bundle signs nothing, or two things',
    what: 'A bundle holds exactly one of messageSignature (over the file) and dsseEnvelope (over a statement about it).',
    why: 'With both, one could be checked and the other believed.',
    breaks: 'Bundles put together by scripts.',
    todo: 'Ask the publisher for a bundle made by a signing tool; one bundle for each signature.',
    spec: FORMAT,
  },
  BUNDLE_KEY_MATERIAL: {
    title: 'the bundle does not say once by what it was signed',
    what: 'A bundle holds exactly one of certificate, x509CertificateChain and publicKey.',
    why: 'With two of them, the signature could be checked by one and the identity be read from the other.',
    breaks: 'Bundles put together by scripts, or bundles whose certificate was removed.',
    todo: 'Ask the publisher for a bundle made by a signing tool.',
    spec: FORMAT,
  },
  BUNDLE_CHAIN: {
    title: 'the certificate does not stand in the form of its version',
    what: 'Versions 0.1 and 0.2 carry a chain that is not empty; version 0.3 carries one certificate and no chain.',
    why: 'A chain in a bundle is chosen by whoever made the bundle. Version 0.3 removed it so that nobody mistakes it for trust.',
    breaks: 'Converting a bundle to another version by changing its media type only.',
    todo: 'Ask the publisher to sign again with a current tool.',
    spec: FORMAT,
  },
  BUNDLE_ROOT_CERTIFICATE: {
    title: 'the bundle brings its own root certificate',
    what: 'A bundle of version 0.2 may carry certificates that help to build a path, and never one that is issued by itself.',
    why: 'Roots come from the trusted root alone. Whoever can bring a root can be anybody.',
    breaks: 'Signing tools that copy the whole answer of the certificate authority into the bundle.',
    todo: 'Ask the publisher for a bundle with the signing certificate only.',
    spec: 'Sigstore client specification, section 4.3, and the comments of X509CertificateChain in sigstore_common.proto',
  },
  BUNDLE_LIMIT: {
    title: 'the bundle has more items than any honest one',
    what: 'At most 32 log entries, 32 timestamps, 10 certificates, 64 hashes in a proof, and 64 KiB for a checkpoint.',
    why: 'Each item costs work before anything is trusted; lists without an end are a way to stop a verifier.',
    breaks: 'It does not happen with bundles of the known tools.',
    todo: 'Ask the publisher for a new bundle, and ask where this one came from.',
  },
  BUNDLE_SIGNATURE_COUNT: {
    title: 'the envelope does not have exactly one signature',
    what: 'A DSSE envelope in a bundle has exactly one signature.',
    why: 'There is one certificate and one log entry. A second signature would be covered by neither.',
    breaks: 'An envelope that several parties signed was put into one bundle.',
    todo: 'Ask for one bundle for each signature.',
    spec: 'sigstore_bundle.proto, field dsse_envelope',
  },
  BUNDLE_KEYID: {
    title: 'envelope and bundle name different keys',
    what: 'Where the envelope has a key ID and the bundle has a key hint, and neither is empty, they are equal.',
    why: 'Neither is signed, so they prove nothing; but two that contradict each other show that the parts do not belong together.',
    breaks: 'An envelope that was moved into a bundle of another signature.',
    todo: 'Ask the publisher to sign again.',
    spec: 'DSSE protocol, section on keyid; sigstore_common.proto, PublicKeyIdentifier',
  },
  BUNDLE_ENTRY_KIND: {
    title: 'a log entry is of a kind that is not known here',
    what: 'Known are hashedrekord 0.0.1 and 0.0.2, dsse 0.0.1 and intoto 0.0.2.',
    why: 'The logged body must be compared with what was signed, field by field. A kind that nobody can compare proves nothing.',
    breaks: 'Entries of retired or never released kinds, such as dsse 0.0.2, which was withdrawn in 2026.',
    todo: 'Ask the publisher to sign again with a current tool.',
    spec: 'Sigstore client specification, section 4.4; Rekor v2 specification, section 4.3',
  },
  BUNDLE_ENTRY_PROOF: {
    title: 'a log entry has no inclusion proof',
    what: 'From version 0.2 on, and for every entry of a tile log, the entry carries an inclusion proof with a signed checkpoint.',
    why: 'Without it nothing but a promise says that the entry is in the log, and the question would have to be asked online.',
    breaks:
      'Bundles whose proof was removed to save space, or that were made before the log had published the entry.',
    todo: 'Ask for a bundle with proof and checkpoint. Sigward never looks them up.',
    spec: 'Sigstore client specification, section 4.4; Rekor v2 specification, section 4.1',
  },
  BUNDLE_ENTRY_PROMISE: {
    title: 'the promise of the log does not fit',
    what: 'A bundle of version 0.1 needs a promise (signed entry timestamp) in each entry; an entry of a tile log has none.',
    why: 'The version says which evidence there is. A promise where none can be was put there by somebody else.',
    breaks: 'Converting bundles between versions by hand.',
    todo: 'Ask the publisher to sign again with a current tool.',
    spec: 'sigstore_bundle.proto; Rekor v2 specification, section 4.2',
  },
  BUNDLE_DUPLICATE: {
    title: 'the same evidence stands in the bundle twice',
    what: 'No log entry (log and index) and no timestamp appears more than once.',
    why: 'Policies may ask for two logs or two timestamps. One that is counted twice would be enough.',
    breaks: 'It does not happen with bundles of the known tools.',
    todo: 'Ask the publisher for a bundle without repetition.',
    spec: 'Sigstore client specification, section 4.4, on thresholds',
  },
} as const satisfies Pages
