import type { VerifyReply } from '../../daemon/api.ts'
import { exitCodeOf, exitCodeOfError } from '../../daemon/api.ts'
import type { CodedError } from '../../trust/errors.ts'
import type { BundleReport, Failure } from '../../trust/verdict.ts'
import type { Evidence } from '../../trust/evidence.ts'
import { refusalOfError, refusalOfFailure, refusalToJson } from './failure.ts'

/**
 * The shape that programs read; docs/json.md documents it, and a change to it is a change of the interface. Absent
 * is null, never a missing field; times are ISO 8601, indexes and sizes are decimal text, bytes are lower-case hex.
 */
export function replyToJson(name: string, { verdict, notes, nativeSignatures }: VerifyReply) {
  const { format, name: packageName, version, purl, digests } = verdict.subject
  const accepted = verdict.outcome === 'verified' ? verdict.evidence : []
  return {
    target: name,
    outcome: verdict.outcome,
    exitCode: exitCodeOf(verdict),
    package: { format, name: packageName ?? null, version: version ?? null, purl: purl ?? null },
    digests: Object.fromEntries([...digests].map(([algorithm, bytes]) => [algorithm, hex(bytes)])),
    trust: verdict.domains.map(({ name: domain, source, rootDigest, asOf }) => ({
      name: domain,
      source,
      rootDigest,
      asOf: asOf?.toISOString() ?? null,
    })),
    // only here where it was accepted: whoever reads a signer without looking at the outcome must find none
    signer: accepted[0] === undefined ? null : signerToJson(accepted[0].signer),
    failures: (verdict.outcome === 'verified' ? [] : verdict.failures).map(failureToJson),
    bundles: verdict.bundles.map((report) => bundleToJson(report, accepted)),
    nativeSignatures: nativeSignatures.map((signature) => ({ ...signature, keyId: signature.keyId ?? null })),
    notes,
  }
}

/** In place of a reply, where no verdict was reached. `target` is null for a command line that makes no sense. */
export function errorToJson(name: string | null, error: CodedError) {
  return { target: name, exitCode: exitCodeOfError(error), error: refusalToJson(refusalOfError(error)) }
}

function bundleToJson(report: BundleReport, accepted: readonly Evidence[]) {
  const { where, digest, outcome, evidence, checks, failures, notes } = report
  return {
    where,
    digest,
    outcome,
    evidence: evidence.map((one) => ({ accepted: accepted.includes(one), ...evidenceToJson(one) })),
    checks: evidence.length === 0 ? checks : [],
    failures: failures.map(failureToJson),
    notes,
  }
}

function failureToJson(failure: Failure) {
  return { check: failure.check, domain: failure.domain ?? null, ...refusalToJson(refusalOfFailure(failure)) }
}

function evidenceToJson(evidence: Evidence) {
  const { domain, algorithm, digest, statement, subjectIndex, times, entries, certificateLogs, checks } =
    evidence
  return {
    domain,
    signer: signerToJson(evidence.signer),
    algorithm,
    digest: `${digest.algorithm}:${hex(digest.bytes)}`,
    statement:
      statement === undefined
        ? null
        : {
            predicateType: statement.predicateType,
            subjects: statement.subjects.length,
            subject: subjectIndex ?? null,
          },
    times: times.map(({ at, source, authority, operator }) => ({
      at: at.toISOString(),
      source,
      authority,
      operator,
    })),
    entries: entries.map(({ log, operator, kind, logIndex, proof, promised }) => ({
      log,
      operator,
      kind,
      logIndex: logIndex.toString(),
      proof:
        proof === undefined
          ? null
          : { treeSize: proof.treeSize.toString(), origin: proof.origin, witnesses: proof.witnesses },
      promised,
    })),
    certificateLogs: certificateLogs.map(({ log, operator, at }) => ({
      log,
      operator,
      at: at.toISOString(),
    })),
    checks,
  }
}

function signerToJson(signer: Evidence['signer']) {
  if (signer.kind === 'key') {
    const { keyId, namedBy, owner, hint } = signer
    return { kind: 'key', keyId, namedBy, owner: owner ?? null, hint }
  }
  const { identity, authority, notBefore, notAfter, certificate } = signer
  return {
    kind: 'certificate',
    identity: identity.subject.value,
    identityKind: identity.subject.kind,
    issuer: identity.issuer ?? null,
    extensions: Object.fromEntries(identity.extensions),
    authority,
    notBefore: notBefore.toISOString(),
    notAfter: notAfter.toISOString(),
    certificate: Buffer.from(certificate).toString('base64'),
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
