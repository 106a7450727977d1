import type { Artifact } from './artifact.ts'
import { describeBundle, parseBundle } from './bundle.ts'
import { checkCertificate } from './checks/certificate.ts'
import { checkEntries, describeMatching } from './checks/entry.ts'
import { checkLogged, checkLogWindows, describeLogged } from './checks/log.ts'
import { checkScts, describeScts } from './checks/sct.ts'
import { checkSignature, describeAlgorithm } from './checks/signature.ts'
import { checkSubject } from './checks/subject.ts'
import { checkKeyWindow, checkTimes, requireTimes } from './checks/time.ts'
import { prepare, type ArtifactContent, type FoundBundle, type PreparedBundle } from './content.ts'
import { decide, reportOf } from './decide.ts'
import { digestOf, formatDigest } from './digest.ts'
import { requireDistinct, requireKnown, type TrustDomain } from './domain.ts'
import { CodedError, type CheckName } from './errors.ts'
import { certificateSigner, describeTimes, type Evidence, type PassedCheck } from './evidence.ts'
import type { EvidenceCache } from './evidence-cache.ts'
import { keyId } from './keys.ts'
import type { Policy } from './policy.ts'
import { claimSigner, offeredKeys } from './signers.ts'
import { failureOf, type BundleReport, type Failure, type Verdict } from './verdict.ts'

/**
 * Is this artifact signed by whom the policy names? Hashes the artifact, judges every bundle beside and inside it
 * under every trust domain, and decides. No network, no clock, no files; `docs/library.md` has an example.
 * @param bundles - those found beside the artifact; those inside it are added
 * @param domains - never merged; names must differ
 * @returns the verdict; an exception means that none was reached
 * @throws UsageError TRUST_NO_DOMAIN, TRUST_DOMAIN_NAMES; whatever reading the artifact throws
 */
export async function verify(
  artifact: Artifact,
  bundles: readonly FoundBundle[],
  domains: readonly TrustDomain[],
  policy: Policy,
): Promise<Verdict> {
  const prepared = await prepare(artifact, bundles, domains, policy)
  return judge(artifact, prepared.content, prepared.bundles, domains, policy)
}

/** The same for prepared bundles. Evidence may come from a cache; decisions never do. */
export function judge(
  artifact: Artifact,
  content: ArtifactContent,
  bundles: readonly PreparedBundle[],
  domains: readonly TrustDomain[],
  policy: Policy,
  cache?: EvidenceCache,
): Verdict {
  requireDistinct(domains)
  const reports = bundles.map((bundle) => judgeBundle(bundle, domains, policy, cache))
  return decide(artifact, content.digests, reports, domains, policy)
}

/** Under each domain alone, never under a union of them. */
function judgeBundle(
  found: PreparedBundle,
  domains: readonly TrustDomain[],
  policy: Policy,
  cache: EvidenceCache | undefined,
): BundleReport {
  const digest = digestOf('sha256', found.bytes)
  const evidence: Evidence[] = []
  const failures: Failure[] = []
  let furthest: readonly PassedCheck[] = []
  for (const domain of domains) {
    const trace: PassedCheck[] = []
    try {
      const facts = { bundle: digest, artifact: found.content.digests, domain, offered: offeredKeys(policy) }
      const known = cache?.get(facts)
      const proven = known ?? gatherEvidence(found, domain, policy, trace)
      if (known === undefined) cache?.set(facts, proven)
      evidence.push(proven)
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      failures.push(failureOf(error, domain.name))
    }
    if (trace.length > furthest.length) furthest = trace
  }
  return reportOf(found, digest, evidence, furthest, failures)
}

/**
 * Everything that this bundle proves under this domain. Each step takes what the one before has proven; nothing
 * leaves before the last has passed.
 */
function gatherEvidence(
  found: PreparedBundle,
  domain: TrustDomain,
  policy: Policy,
  trace: PassedCheck[],
): Evidence {
  const pass = (check: CheckName, saw: string): unknown => trace.push({ check, saw })
  const { root, thresholds } = domain

  // 0. the bundle has the shape of one, and this domain knows its issuer
  const bundle = found.parsed ?? parseBundle(found.bytes)
  pass('bundle', describeBundle(bundle))
  requireKnown(domain, bundle)
  const claimed = claimSigner(bundle, domain, policy)
  pass('domain', domain.name)

  // 1. the key made this signature, over this artifact or over a statement about it
  const signed = checkSignature(bundle.content, claimed.key, found.content)
  const algorithm = describeAlgorithm(claimed.key, signed.scheme)
  pass('signature', `${algorithm} over the ${bundle.content.kind}`)
  const subject = checkSubject(signed, found.content.digests)
  pass('subject', formatDigest(subject.digest))

  // 2. each entry of a known log is about this very signature and key
  const matching = checkEntries(bundle.entries, root.logs, signed, claimed)
  pass('entry', describeMatching(matching))

  // 3. those entries are in their logs, by checkpoint and proof or by promise, and enough operators say so
  const logged = checkLogged(matching, bundle.entries, domain)
  pass('log', describeLogged(logged))

  // 4. when: the promises of logs, and timestamps over the signature
  const times = checkTimes(bundle.timestamps, signed.signature, logged.promises, root.timestampAuthorities)
  checkLogWindows(logged, times)
  const evidence = {
    domain: domain.name,
    algorithm,
    digest: subject.digest,
    statement: subject.statement,
    subjectIndex: subject.index,
    times,
    entries: logged.entries,
  }

  // 5. who: a managed key inside its window
  if (claimed.kind === 'key') {
    checkKeyWindow(claimed.validFor, times)
    pass('time', describeTimes(times))
    const { hint, namedBy, owner } = claimed
    const signer = { kind: 'key', keyId: keyId(claimed.key), hint, namedBy, owner } as const
    return { ...evidence, signer, certificateLogs: [], checks: trace }
  }

  //    or a certificate that was good at every one of enough times, and that was logged itself
  const enough = requireTimes(times, bundle.timestamps.length, thresholds.times)
  pass('time', describeTimes(times))
  const certified = checkCertificate(claimed.leaf, claimed.untrusted, root.authorities, enough)
  pass('certificate', `${certified.identity.subject.value} by ${certified.authority}`)
  const certificateLogs = checkScts(claimed.leaf, certified, root.certificateLogs, thresholds.certificateLogs)
  pass('sct', describeScts(certificateLogs))
  const signer = certificateSigner(claimed.leaf, certified)
  return { ...evidence, signer, certificateLogs, checks: trace }
}
