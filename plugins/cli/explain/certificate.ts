import type { Pages } from './page.ts'

const CLIENT = 'Sigstore client specification, section 4.3'
const PROFILE = 'Fulcio specification, section 7.3'

export const CERTIFICATE_PAGES = {
  CERT_MALFORMED: {
    title: 'the signing certificate cannot be read',
    what: 'The certificate is one X.509 certificate in DER, without a byte before or after it.',
    why: 'Key and identity are read from it; two readers must not see two different ones.',
    breaks: 'A certificate in PEM where the bundle wants DER in base64, or a damaged bundle.',
    todo: 'Fetch the bundle again. If the bytes stay the same, the publisher has to sign again.',
    spec: 'RFC 5280, section 4.1; X.690 (DER)',
  },
  CERT_UNKNOWN_AUTHORITY: {
    title: 'no authority that is trusted issued the certificate',
    what: 'The certificate leads to one of the certificate authorities of the trusted root.',
    why: 'Anybody can make a certificate that names anybody.',
    breaks: 'A bundle of a private or staging instance, or a trusted root that is older than the authority.',
    todo: 'Name the trusted root of the instance that issued it with --trusted-root, or refresh the one you have.',
    spec: CLIENT,
  },
  CERT_AUTHORITY_WINDOW: {
    title: 'the authority was not trusted at that time',
    what: 'Each trusted time of the signature lies in the window that the trusted root gives to the authority; both ends belong to it.',
    why: 'An authority that was retired, perhaps because its key leaked, must not vouch for anything new.',
    breaks:
      'A trusted root that is older than the authority, or a private instance whose window was set too short.',
    todo: 'Refresh the trusted root. If the window is over, distrust the file.',
    spec: 'sigstore_trustroot.proto, CertificateAuthority.valid_for',
  },
  CERT_TIME: {
    title: 'the signature was made outside the validity of the certificate',
    what: 'At every trusted time of the signature, the certificate and all above it were valid; both ends belong to it. All times count, not the best one.',
    why: 'The key of a short-lived certificate is thrown away after some minutes. A later signature was made by whoever found the key.',
    breaks:
      'A slow build that asked for the certificate first and signed more than ten minutes later, or a signing machine with a wrong clock.',
    todo: 'The publisher has to sign again, and should hash first and ask for the certificate last.',
    spec: `${CLIENT}; RFC 5280, section 6`,
  },
  CERT_CHAIN: {
    title: 'the certificate does not lead to a trusted authority',
    what: 'From the certificate, issuer by issuer, names and key identifiers lead to an anchor of the trusted root.',
    why: 'Each link of the path is one signature that somebody answers for. A gap is nobody.',
    breaks:
      'A private authority whose intermediate certificate stands neither in the trusted root nor in the bundle.',
    todo: 'Whoever runs the instance has to publish the whole chain in its trusted root.',
    spec: 'RFC 5280, section 6.1',
  },
  CERT_SIGNATURE: {
    title: 'the authority did not sign this certificate',
    what: 'The signature on each certificate of the path holds under the key of the one above it.',
    why: 'Without it the certificate names whomever its maker wished.',
    breaks: 'It does not happen with certificates as they were issued.',
    todo: 'Do not use the file. Ask the publisher where the bundle came from.',
    spec: 'RFC 5280, section 6.1.3 (a)(1)',
  },
  CERT_PATH_LENGTH: {
    title: 'the path is longer than its authority allows',
    what: 'No more authorities stand below an authority than its basic constraints allow.',
    why: 'An authority that may only sign end certificates must not make further authorities.',
    breaks: 'Private authorities that were built by hand.',
    todo: 'Do not use the file. Whoever runs the instance has to correct the certificates.',
    spec: 'RFC 5280, sections 4.2.1.9 and 6.1.4',
  },
  CERT_IS_CA: {
    title: 'an authority signed the package itself',
    what: 'The signing certificate is not that of an authority.',
    why: 'Authorities issue certificates. A bundle signed by one shows no identity, and possibly a stolen key.',
    breaks: 'Home-made setups with one certificate for everything.',
    todo: 'The publisher has to sign with an end certificate.',
    spec: `${CLIENT}; ${PROFILE}`,
  },
  CERT_KEY_USAGE: {
    title: 'the certificate is not meant for signatures',
    what: 'Key usage names digital signatures for the signing certificate, and signing of certificates for authorities.',
    why: 'A certificate that was issued for encryption must not be turned into one that signs.',
    breaks: 'Certificates of a company authority, made for another purpose.',
    todo: 'The publisher has to sign with a certificate for code signing.',
    spec: `RFC 5280, section 4.2.1.3; ${PROFILE}`,
  },
  CERT_EXTENDED_KEY_USAGE: {
    title: 'the certificate is not meant for code signing',
    what: 'Extended key usage of the signing certificate names code signing; where an authority restricts its purposes, code signing is one of them.',
    why: 'A certificate for a web server or for mail says nothing about packages, though it leads to the same authority.',
    breaks: 'Certificates of a company authority, made for TLS.',
    todo: 'The publisher has to sign with a certificate for code signing.',
    spec: `${CLIENT}; RFC 5280, section 4.2.1.12; ${PROFILE}`,
  },
  CERT_EXTENSION: {
    title: 'an extension of the certificate is critical and unknown, or broken',
    what: 'Every critical extension is understood, and every extension that is used can be read to its last byte. Name constraints are refused, not ignored.',
    why: 'A critical extension limits what the certificate may do. Who does not understand the limit must not act.',
    breaks: 'Certificates of company authorities with extensions of their own.',
    todo: 'The publisher has to sign with a certificate without it.',
    spec: 'RFC 5280, section 4.2',
  },
  CERT_SUBJECT_ALT_NAME: {
    title: 'the certificate does not name exactly one identity',
    what: 'The subject alternative name holds one name: an e-mail address, a URI, or a user name of Fulcio.',
    why: 'With two names, one could be compared with the policy and the other one be shown.',
    breaks: 'Certificates of general authorities, which list several host names.',
    todo: 'The publisher has to sign with a certificate that names one identity.',
    spec: `${PROFILE}; RFC 5280, section 4.2.1.6`,
  },
  CERT_SUBJECT: {
    title: 'the certificate has a subject beside its identity',
    what: 'The subject field of a signing certificate is empty: the identity stands in the subject alternative name only.',
    why: 'A second place for a name is a place where something else can be said.',
    breaks: 'Certificates of general authorities.',
    todo: 'The publisher has to sign with a certificate whose subject is empty.',
    spec: PROFILE,
  },
  CERT_ISSUER_CONFLICT: {
    title: 'the certificate names two issuers',
    what: 'Where both spellings of the OpenID Connect issuer are there (extensions 1.3.6.1.4.1.57264.1.1 and .1.8), they are equal.',
    why: 'The policy would be compared with one of them, and another program would read the other.',
    breaks: 'It does not happen with certificates of the known authorities.',
    todo: 'Do not use the file. Tell whoever runs the certificate authority.',
    spec: `${PROFILE}; Fulcio's list of object identifiers`,
  },
} as const satisfies Pages

const RFC = 'RFC 6962, sections 3.2 and 3.3'

export const SCT_PAGES = {
  SCT_MISSING: {
    title: 'the certificate was not logged',
    what: 'The signing certificate carries a signed certificate timestamp: the word of a certificate log that it was made public.',
    why: 'An authority that issues in secret can name anybody without being found out.',
    breaks: 'Private instances without certificate transparency.',
    todo: 'Ask for a bundle of an instance that logs its certificates, or judge by a trust domain that asks for none.',
    spec: `${CLIENT}; Fulcio specification, section 4`,
  },
  SCT_MALFORMED: {
    title: 'the certificate timestamp cannot be read',
    what: 'The extension holds a list of timestamps of version 1, without a byte too many or too few.',
    why: 'What cannot be read to the end can hide something.',
    breaks: 'A certificate authority with a fault, or a damaged bundle.',
    todo: 'Fetch the bundle again. If the bytes stay the same, the publisher has to sign again.',
    spec: RFC,
  },
  SCT_SIGNATURE: {
    title: 'the certificate log did not sign for this certificate',
    what: 'The signature of a known certificate log holds over this certificate (without the timestamp itself), the key of its issuer and the time.',
    why: 'Without it the timestamp is a claim of whoever made the certificate.',
    breaks: 'A trusted root of another instance: the log has the same identifier only there.',
    todo: 'Check that bundle and trusted root belong to one instance. Else do not use the file.',
    spec: RFC,
  },
  SCT_WINDOW: {
    title: 'the key of the certificate log was not valid at that time',
    what: 'The time of the certificate timestamp lies in the window in which the trusted root trusts that log; both ends belong to it.',
    why: 'A key that was retired must not vouch for new certificates.',
    breaks: 'A trusted root that does not know the newest shard of the log.',
    todo: 'Refresh the trusted root.',
    spec: 'sigstore_trustroot.proto, TransparencyLogInstance; public deployment specification, section 3.3 on shards',
  },
  SCT_THRESHOLD: {
    title: 'too few known certificate logs vouch for the certificate',
    what: 'Timestamps by logs of as many different operators as the trust domain asks for hold. Unknown logs do not count.',
    why: 'The number belongs to the domain; a certificate that could lower it would.',
    breaks: 'A certificate logged only in logs that the trusted root does not name.',
    todo: 'Name the trusted root of the instance that issued the certificate, or refresh the one you have.',
    spec: CLIENT,
  },
} as const satisfies Pages
