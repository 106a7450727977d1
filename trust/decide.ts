import type { Artifact, Subject } from './artifact.ts'
import type { PreparedBundle } from './content.ts'
import type { ArtifactDigests } from './digest.ts'
import { requireSpeaksFor, type TrustDomain } from './domain.ts'
import { encodeHex } from './encoding.ts'
import { CheckFailed } from './errors.ts'
import type { Evidence, PassedCheck } from './evidence.ts'
import { namesSomebody, type Policy, type Quantifier, type Requirement } from './policy.ts'
import { refusals } from './requirement.ts'
import {
  failureOf,
  type BundleReport,
  type DomainReport,
  type Failure,
  type Verdict,
  type Verified,
} from './verdict.ts'

/**
 * Sums up one bundle. A bundle that a domain vouches for is valid whatever other domains say of it: they know other
 * things. `foreign` means that no domain knows its issuer.
 */
export function reportOf(
  found: PreparedBundle,
  digest: Uint8Array,
  evidence: readonly Evidence[],
  checks: readonly PassedCheck[],
  failures: readonly Failure[],
): BundleReport {
  const [proven] = evidence
  const telling = failures.filter(({ check }) => check !== 'domain')
  const outcome = proven !== undefined ? 'valid' : telling.length > 0 ? 'rejected' : 'foreign'
  return {
    where: found.where,
    digest: encodeHex(digest),
    outcome,
    evidence,
    checks: proven?.checks ?? checks,
    failures: proven !== undefined ? [] : telling.length > 0 ? telling : failures,
    notes: found.notes,
  }
}

/**
 * The decision. A bundle of a known domain that was found false rejects the artifact, whatever else lies beside it;
 * after that the policy must be satisfied by what was proven.
 */
export function decide(
  artifact: Artifact,
  digests: ArtifactDigests,
  judged: readonly BundleReport[],
  domains: readonly TrustDomain[],
  policy: Policy,
): Verdict {
  const { subject } = artifact
  const asked = policy.package ?? subject.purl
  const bundles = judged.map((bundle) => restrict(bundle, domains, asked))
  const facts = {
    subject: {
      format: artifact.format,
      name: subject.name,
      version: subject.version,
      purl: subject.purl,
      digests,
    },
    bundles,
    domains: domains.map(describeDomain),
  }
  const reject = (failures: readonly Failure[]): Verdict => ({ ...facts, outcome: 'rejected', failures })
  if (bundles.length === 0) return { ...facts, outcome: 'unsigned', failures: [] }
  const found = bundles.filter(({ outcome }) => outcome === 'rejected')
  if (found.length > 0) return reject(found.flatMap(({ failures }) => failures))
  const proven = bundles.flatMap(({ evidence }) => evidence)
  if (proven.length === 0) return reject(bundles.flatMap(({ failures }) => failures))
  if (!namesSomebody(policy.requirement)) {
    const misnamed = nameFailures(subject, proven, policy.package)
    return misnamed.length > 0 ? reject(misnamed) : { ...facts, outcome: 'signed-by-unknown', failures: [] }
  }

  const accepted = satisfying(policy.requirement, proven) ?? []
  const [first, ...rest] = accepted
  if (first === undefined) return reject(unsatisfied(policy.requirement, proven))
  const misnamed = nameFailures(subject, accepted, policy.package)
  if (misnamed.length > 0) return reject(misnamed)
  const strangers = quantified(bundles, accepted, policy)
  if (strangers.length > 0) return reject(unsatisfied(policy.requirement, strangers))
  const marked = bundles.map((bundle) => {
    const own = bundle.evidence.find((one) => accepted.includes(one))
    return own === undefined ? bundle : accept(bundle, own, asked)
  })
  return {
    ...facts,
    bundles: marked,
    outcome: 'verified',
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place where an artifact becomes verified
    artifact: artifact as Verified<Artifact>,
    evidence: [first, ...rest],
  }
}

function accept(bundle: BundleReport, { signer }: Evidence, asked: string | undefined): BundleReport {
  const who = signer.kind === 'key' ? `key ${signer.keyId}` : signer.identity.subject.value
  const passed: readonly PassedCheck[] = [
    { check: 'identity', saw: `${who}, as the policy wants` },
    { check: 'package', saw: asked ?? 'no package name to compare' },
  ]
  return { ...bundle, outcome: 'accepted', checks: [...bundle.checks, ...passed] }
}

function describeDomain(domain: TrustDomain): DomainReport {
  const { name, source, root } = domain
  return { name, source: source.description, rootDigest: root.digest, asOf: source.asOf }
}

/**
 * Evidence counts only where its domain may speak for that issuer and package. Elsewhere the domain has nothing to say,
 * so a stray bundle under it neither helps nor hurts.
 */
function restrict(
  bundle: BundleReport,
  domains: readonly TrustDomain[],
  purl: string | undefined,
): BundleReport {
  if (bundle.evidence.length === 0) return bundle
  const failures: Failure[] = []
  const evidence = bundle.evidence.filter((one) => {
    const domain = domains.find(({ name }) => name === one.domain)
    if (domain === undefined) throw new TypeError(`evidence of the unknown domain ${one.domain}`)
    try {
      const issuer = one.signer.kind === 'certificate' ? (one.signer.identity.issuer ?? '') : undefined
      requireSpeaksFor(domain, issuer, purl)
      return true
    } catch (error) {
      if (!(error instanceof CheckFailed)) throw error
      failures.push(failureOf(error, domain.name))
      return false
    }
  })
  return evidence.length > 0 ? { ...bundle, evidence } : { ...bundle, outcome: 'foreign', evidence, failures }
}

/**
 * Name and version must be what was asked for, and what the statement speaks of. Names are compared with their own
 * kind: package URLs with the package's, and file names where the ecosystem binds those (bottles).
 */
function nameFailures(
  subject: Subject,
  proven: readonly Evidence[],
  asked: string | undefined,
): readonly Failure[] {
  const failures: Failure[] = []
  for (const evidence of proven) {
    const said = subjectNames(evidence)
    for (const kind of [isPurl, isOther]) {
      const names = said.filter(kind)
      const own = subject.statementNames.filter(kind)
      if (names.length === 0 || own.length === 0 || names.some((name) => own.includes(name))) continue
      failures.push(nameFailure('SUBJECT_NAME', 'the statement is about another package', names, own))
    }
    const purls = said.filter(isPurl)
    if (asked !== undefined && subject.purl === undefined && !purls.some((name) => isAsked(asked, name))) {
      const got = purls.length > 0 ? purls : ['a file without a package name']
      failures.push(
        nameFailure('PACKAGE_NAME', 'nothing says that this is the package asked for', got, [asked]),
      )
    }
  }
  if (asked !== undefined && subject.purl !== undefined && !isAsked(asked, subject.purl)) {
    failures.push(nameFailure('PACKAGE_NAME', 'this is not the package asked for', [subject.purl], [asked]))
  }
  return failures
}

const isPurl = (name: string): boolean => name.startsWith('pkg:')
const isOther = (name: string): boolean => !isPurl(name)

function nameFailure(
  code: 'SUBJECT_NAME' | 'PACKAGE_NAME',
  message: string,
  got: readonly string[],
  wanted: readonly string[],
): Failure {
  return failureOf(
    new CheckFailed('package', code, message, { got: got.join(', '), wanted: wanted.join(' or ') }),
  )
}

/**
 * Names of those subjects that have the digest of this artifact, in one spelling: some write the scope of a package
 * unescaped, and some name a download by the digest of its address in front of its own name.
 */
function subjectNames({ statement, digest }: Evidence): readonly string[] {
  const hex = encodeHex(digest.bytes)
  return (statement?.subjects ?? [])
    .filter(({ digests }) => digests.get(digest.algorithm)?.toLowerCase() === hex)
    .flatMap(({ name }) => (name === undefined || name === '' ? [] : [inOneSpelling(name)]))
}

function inOneSpelling(name: string): string {
  return name.replace(/^pkg:npm\/@/, 'pkg:npm/%40').replace(/^[0-9a-f]{64}--/, '')
}

/** Equal, or equal up to the version when none was asked for. */
function isAsked(asked: string, purl: string): boolean {
  return (
    asked === purl || (!asked.slice(asked.lastIndexOf('/')).includes('@') && purl.startsWith(`${asked}@`))
  )
}

/** Evidence that satisfies the requirement, or undefined. */
function satisfying(requirement: Requirement, proven: readonly Evidence[]): readonly Evidence[] | undefined {
  if (!('of' in requirement)) {
    const met = proven.filter((evidence) => refusals(requirement, evidence).length === 0)
    return met.length > 0 ? met : undefined
  }
  const parts = requirement.of.map((part) => satisfying(part, proven))
  if (requirement.kind === 'anyOf') {
    const met = parts.flatMap((part) => part ?? [])
    return met.length > 0 ? [...new Set(met)] : undefined
  }
  if (!parts.every((part) => part !== undefined)) return undefined
  if (requirement.kind === 'allOf') return [...new Set(parts.flat())]
  // what every part accepts must be enough for each part by itself
  const common = proven.filter((evidence) => parts.every((part) => part.includes(evidence)))
  return requirement.of.every((part) => satisfying(part, common) !== undefined) ? common : undefined
}

/** Evidence that had to satisfy the policy too, because its predicate type is quantified with `all`, and did not. */
function quantified(
  bundles: readonly BundleReport[],
  accepted: readonly Evidence[],
  policy: Policy,
): readonly Evidence[] {
  const quantifier = (one: Evidence): Quantifier =>
    policy.perPredicateType.get(one.statement?.predicateType ?? '') ?? policy.quantifier
  return bundles
    .filter(({ evidence }) => !evidence.some((one) => accepted.includes(one)))
    .flatMap(({ evidence }) => evidence.filter((one) => quantifier(one) === 'all'))
}

function unsatisfied(requirement: Requirement, proven: readonly Evidence[]): readonly Failure[] {
  const failures = proven.flatMap((evidence) =>
    refusals(requirement, evidence).map((e) => failureOf(e, evidence.domain)),
  )
  return failures.filter((one, i) => failures.findIndex((other) => sameFailure(one, other)) === i)
}

function sameFailure(a: Failure, b: Failure): boolean {
  return a.code === b.code && a.got === b.got && a.wanted === b.wanted
}
