import {
  artifactFromBytes,
  exactly,
  identity,
  pattern,
  policy,
  trustDomain,
  verify,
  type Artifact,
  type CertificateLog,
  type FoundBundle,
  type Matcher,
  type PatternMatcher,
  type Policy,
  type TransparencyLog,
  type TrustDomain,
  type TrustedRoot,
  type Verdict,
  type Verified,
} from '../daemon/library.ts'

/** Misuse that must not compile. `npm run check:types` fails where a line below would. */

declare const artifact: Artifact
declare const bundles: readonly FoundBundle[]
declare const domains: readonly TrustDomain[]
declare const rules: Policy
declare const verdict: Verdict
declare const root: TrustedRoot
declare function unpack(checked: Verified<Artifact>): void
declare function use(...values: readonly unknown[]): void

// only a verified verdict carries an artifact that may be unpacked

// @ts-expect-error -- nobody has judged it
unpack(artifact)
// @ts-expect-error -- bytes alone are not verified
unpack(artifactFromBytes(new Uint8Array()))
// @ts-expect-error -- the outcome was not looked at
use(verdict.artifact)
if (verdict.outcome === 'verified') unpack(verdict.artifact)
// @ts-expect-error -- a rejected artifact is not handed out
if (verdict.outcome === 'rejected') use(verdict.artifact)
// @ts-expect-error -- signatures by anybody are not a verification
if (verdict.outcome === 'signed-by-unknown') use(verdict.artifact)
// @ts-expect-error -- evidence of who signed comes with the verified outcome only
use(verdict.evidence)
// @ts-expect-error -- the proof cannot be written by hand
unpack({ ...artifact, proof: true })

// a policy is never optional, and never a part of one

// @ts-expect-error -- no policy
use(verify(artifact, bundles, domains))
// @ts-expect-error -- an absent policy is no policy
use(verify(artifact, bundles, domains, undefined))
// @ts-expect-error -- a requirement is not a policy yet
use(verify(artifact, bundles, domains, identity({ subject: exactly('a'), issuer: exactly('b') })))
// @ts-expect-error -- a policy requires somebody, or says that nobody is named
use(policy())
use(verify(artifact, bundles, domains, rules))

// a subject needs its issuer, and no plain string is read as a pattern

// @ts-expect-error -- a subject means nothing without its issuer
use(identity({ subject: exactly('dev@acme.example') }))
// @ts-expect-error -- is it exact or a pattern?
use(identity({ subject: 'dev@acme.example', issuer: 'https://oidc.acme.example' }))
// @ts-expect-error -- a string is no pattern
export const fromText: PatternMatcher = 'https://github\\.com/acme/.*'
// @ts-expect-error -- neither is a regular expression, which need not be anchored or linear
export const fromRegExp: Matcher = /acme/
// @ts-expect-error -- exact text is no pattern
export const fromExact: PatternMatcher = exactly('https://github.com/acme')
export const right: Matcher = pattern('https://github\\.com/acme/.*')

// keys are for one purpose each

declare const tlog: TransparencyLog
declare const ctlog: CertificateLog
// @ts-expect-error -- a log of signatures does not vouch for certificates
export const asCertificateLog: CertificateLog = tlog
// @ts-expect-error -- a log of certificates does not vouch for signatures
export const asTransparencyLog: TransparencyLog = ctlog
// @ts-expect-error -- nor do they change places in a root
export const swapped: TrustedRoot = { ...root, logs: root.certificateLogs }

// a root speaks for nothing until it is told to

// @ts-expect-error -- for whom?
use(trustDomain({ name: 'acme', root }))
// @ts-expect-error -- and for which packages?
use(trustDomain({ name: 'acme', root, speaksFor: { issuers: 'any' } }))
// @ts-expect-error -- a trusted root is not a trust domain
use(verify(artifact, bundles, [root], rules))
