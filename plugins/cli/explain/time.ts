import type { Pages } from './page.ts'

const TIME = 'Sigstore client specification, section 4.2.1'

export const TIME_PAGES = {
  TIME_MALFORMED: {
    title: 'the timestamp cannot be read',
    what: 'The timestamp is a complete RFC 3161 response in DER: a status, one signed token, one signer, and the attributes that must be signed.',
    why: 'The time of the signature decides whether a short-lived certificate was good. It must mean the same to every reader.',
    breaks:
      'A bare token in place of the whole response, or a timestamp that passed through a tool that rewrites DER.',
    todo: 'Ask the publisher to sign again with a current tool.',
    spec: 'RFC 3161, section 2.4.2; RFC 5652, section 5',
  },
  TIME_STATUS: {
    title: 'the timestamp authority refused',
    what: 'The response says that the timestamp was granted (status 0 or 1).',
    why: 'A refusal holds no time.',
    breaks: 'A signing tool that stored the answer without looking at it.',
    todo: 'Ask the publisher to sign again.',
    spec: 'RFC 3161, section 2.4.2',
  },
  TIME_IMPRINT: {
    title: 'the timestamp is of another signature',
    what: 'The timestamp is over the digest (SHA-256, SHA-384 or SHA-512) of the signature in this bundle.',
    why: 'A timestamp of another signature would make this one look as if it had been made at another time.',
    breaks: 'A tool that had the file stamped in place of the signature, or the base64 text of it.',
    todo: 'Do not use the file. Ask the publisher to sign again.',
    spec: TIME,
  },
  TIME_SIGNATURE: {
    title: 'the timestamp authority did not sign this timestamp',
    what: 'The signature of the token holds over its signed attributes, and these hold the digest of the content.',
    why: 'Without it the time is what the maker of the bundle wished it to be.',
    breaks: 'A timestamp that was edited.',
    todo: 'Fetch the bundle again. If the bytes stay the same, do not use the file.',
    spec: `${TIME}; RFC 5652, section 5.4`,
  },
  TIME_SIGNER: {
    title: 'the timestamp names another certificate than its signer',
    what: 'The signing certificate attribute, where there is one, has the digest of the certificate that made the signature.',
    why: 'It binds the token to one certificate, so that another certificate for the same key cannot take its place.',
    breaks: 'Timestamp authorities that changed their certificate and not their configuration.',
    todo: 'Do not count on this timestamp. Ask the publisher to have the signature stamped again.',
    spec: 'RFC 3161, section 2.4.1; RFC 5816',
  },
  TIME_CERTIFICATE: {
    title: 'the certificate of the authority is not fit for timestamps',
    what: 'The certificate is no authority itself, is meant for timestamping and nothing else (critical extended key usage), leads to an authority of the trusted root, and was valid at the time of the timestamp.',
    why: 'Any certificate under the same root could otherwise make times.',
    breaks: 'A general certificate used for a private timestamp service.',
    todo: 'Whoever runs the timestamp authority has to give it a certificate of its own.',
    spec: `RFC 3161, section 2.3; ${TIME}`,
  },
  TIME_WINDOW: {
    title: 'the timestamp lies outside the time for which its authority is trusted',
    what: 'The time in the token lies in the window that the trusted root gives to this authority; both ends belong to it.',
    why: 'An authority that was retired, perhaps because its key leaked, must not make new times, and not old ones either.',
    breaks:
      'A trusted root that is older than the authority, or a private instance whose window was set too short.',
    todo: 'Refresh the trusted root. If the window is over, distrust the bundle.',
    spec: 'sigstore_trustroot.proto, CertificateAuthority.valid_for',
  },
  TIME_UNKNOWN_AUTHORITY: {
    title: 'no authority that is trusted made this timestamp',
    what: 'The certificate that signed the timestamp leads to a timestamp authority of the trusted root. Certificates inside the timestamp are no proof of anything.',
    why: 'Anybody can run a timestamp authority and set its clock.',
    breaks:
      'A bundle of a private or staging instance, or stamped by a public authority that the trusted root does not name.',
    todo: 'Name the trusted root that knows this authority with --trusted-root.',
    spec: TIME,
  },
  TIME_THRESHOLD: {
    title: 'nothing trusted says when this was signed',
    what: 'As many different operators as the trust domain asks for (at least one for a certificate) say when the signature was made: timestamp authorities, or logs by their promise.',
    why: 'A signing certificate is good for some minutes. Without a trusted time it proves nothing, because its key may have leaked since.',
    breaks: 'An entry of a tile log (Rekor v2) without a timestamp: such logs give no time.',
    todo: 'Ask for a bundle with a signed timestamp.',
    spec: 'Sigstore client specification, section 4.2; Rekor v2 specification, section 4.2',
  },
  TIME_KEY_WINDOW: {
    title: 'the key was not good at that time',
    what: 'Where a key has a window (in a policy, or in the list of a registry), each trusted time of the signature lies in it.',
    why: 'A key that was replaced must not sign anything new.',
    breaks:
      'A key rotation in which the policy was changed and the packages were not signed again, or the other way round.',
    todo: 'Use the key that was good at that time, or correct the window.',
    spec: 'sigstore_trustroot.proto, PublicKey.valid_for',
  },
} as const satisfies Pages
