import type { Pages } from './page.ts'

const POLICY =
  'Sigstore client specification, sections 4.1 and 4.3, on the identity that the verifier expects'

export const IDENTITY_PAGES = {
  IDENTITY_SUBJECT: {
    title: 'somebody else signed',
    what: 'The name in the certificate (e-mail address, workflow, user name) is the one that you named, character by character, or matches your pattern from the first to the last character.',
    why: 'A signature by anybody proves nothing. The question is whether the right one signed.',
    breaks:
      'The project moved its release workflow, renamed its default branch, or another maintainer released. Workflow identities hold the branch or tag, so a new tag is a new identity: use a pattern for the part that changes.',
    todo: 'Find out from the project, not from the package, who signs its releases. If the new signer is right, name it.',
    spec: POLICY,
  },
  IDENTITY_ISSUER: {
    title: 'somebody else vouches for the signer',
    what: 'The OpenID Connect issuer in the certificate is the one that you named.',
    why: 'The same e-mail address at two issuers can be two people: whoever runs an issuer can let anybody be anybody there.',
    breaks:
      'The address of a sign-in page in place of the issuer, a missing or additional slash at the end, or a project that moved to another build service.',
    todo: 'Compare what was got with what was wanted. "sigward inspect BUNDLE" shows the issuer as the certificate spells it.',
    spec: POLICY,
  },
  IDENTITY_EXTENSION: {
    title: 'the build differs from what the policy wants',
    what: 'Each extension of the certificate that the policy names (repository, commit, trigger, runner and others) has the wanted value.',
    why: 'The identity of a workflow can be used by builds that you do not want, such as those of a fork or on a runner of somebody else.',
    breaks: 'A release built by hand in place of the usual trigger, or a repository that was moved.',
    todo: 'Look at the build behind the certificate. If it is right, correct the policy.',
    spec: "Fulcio's list of object identifiers, 1.3.6.1.4.1.57264.1.1 to .24",
  },
  IDENTITY_KEY: {
    title: 'another key signed, or no key was named',
    what: 'The bundle was signed with a key, and that key is one of those that you named.',
    why: 'A key hint in a bundle is text that nobody signed. Only the key itself proves who signed.',
    breaks:
      'The publisher changed the key, or the bundle has no log entry from which the key could at least be shown.',
    todo: 'Get the key from the project by a way that you trust and give it with --key.',
    spec: 'Sigstore client specification, section 4.6, on managed keys',
  },
  IDENTITY_KIND: {
    title: 'a key where a certificate was expected, or the other way round',
    what: 'A policy of identities is met by certificates, a policy of keys by keys.',
    why: 'The two are not interchangeable: a key has no name, and a short-lived certificate no lasting key.',
    breaks: 'A project that changed from keys to keyless signing; --key in place of --identity.',
    todo: '"sigward inspect BUNDLE" says which of the two the bundle has. Name a key or an identity accordingly.',
    spec: 'Sigstore client specification, section 4.1',
  },
  IDENTITY_DOMAIN: {
    title: 'another trust domain vouches for the signer',
    what: 'Where the policy names trust domains for an identity, one of these vouches for it.',
    why: 'A private instance can issue certificates with any name in them; each domain may only be believed for what it is there for.',
    breaks: 'A package that was signed by the public instance and again by a private one.',
    todo: 'Compare the domain that vouched with the list in the policy.',
  },
  DOMAIN_ISSUER: {
    title: 'this trust domain may not speak for that issuer',
    what: 'The issuer in the certificate is one of those for which the trust domain may speak.',
    why: 'Whoever runs a private certificate authority could otherwise issue certificates in the name of a public issuer.',
    breaks: 'A private domain that was added without saying for whom it speaks: it speaks for nobody then.',
    todo: 'If the domain should speak for that issuer, name the issuer in the settings of the domain.',
  },
  DOMAIN_PACKAGE: {
    title: 'this trust domain may not speak for that package',
    what: 'The package is one of those for which the trust domain may speak.',
    why: 'The signing service of one company must not be able to vouch for the packages of everybody.',
    breaks: 'A new scope or group of packages that was not added to the domain.',
    todo: 'If the domain should speak for that package, name the package in the settings of the domain.',
  },
  PACKAGE_NAME: {
    title: 'this is not the package that was asked for',
    what: 'The name and version inside the package, and those in its statement, are the ones that you asked for.',
    why: 'A true signature on an older version, or on another package of the same publisher, would otherwise pass for this one.',
    breaks: 'A file that was renamed, a version that was mistyped, or a plain file that has no name inside.',
    todo: 'Compare the two names. Do not use the file under the name that was asked for.',
    spec: 'Package URL specification (ECMA-427)',
  },
  REGISTRY_KEY_UNKNOWN: {
    title: 'the key of the registry is not known',
    what: 'The signature of the registry names one of the keys that a trust domain lists for this registry.',
    why: 'A registry that brings its own keys vouches for itself.',
    breaks: 'A registry that changed its key, and a list of keys that is older.',
    todo: 'Refresh the trust domain that lists the keys of this registry.',
    spec: 'npm registry signatures',
  },
  REGISTRY_KEY_EXPIRED: {
    title: 'the key of the registry was not good at that time',
    what: 'The key of the registry was good when it signed.',
    why: 'A key that was replaced must not sign anything new.',
    breaks: 'A registry that changed its key, and a list of keys that is older or newer than the signature.',
    todo: 'Refresh the trust domain that lists the keys of this registry.',
    spec: 'npm registry signatures',
  },
  REGISTRY_SIGNATURE: {
    title: 'the registry did not sign this package',
    what: 'The signature of the registry holds over the name, version and digest of the package.',
    why: 'A package that was exchanged on a mirror or on the way has another digest.',
    breaks: 'A mirror that packs packages again.',
    todo: 'Do not use the package. Get it from the registry itself.',
    spec: 'npm registry signatures',
  },
} as const satisfies Pages
