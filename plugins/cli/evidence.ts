import type { Evidence, LoggedEntry, VerifiedTime } from '../../trust/evidence.ts'
import type { DomainReport } from '../../trust/verdict.ts'
import type { Row } from './terminal.ts'

export interface EvidenceContext {
  readonly domain: DomainReport | undefined
  /** Where the bundle was found. */
  readonly bundle: string | undefined
  readonly now: Date
  readonly isFirst: boolean
}

/** What one bundle proves, as rows: who, when, where it was logged, and on whose word all of that rests. */
export function describeEvidence(evidence: Evidence, context: EvidenceContext): readonly Row[] {
  const { times, entries, certificateLogs, statement, algorithm } = evidence
  return [
    ...describeSigner(evidence, context.isFirst ? 'signer' : 'also signer'),
    ...times.map((time) => ['signed', describeTime(time)] as const),
    ...warnOfFuture(times, context.now),
    ...entries.map((entry) => ['log', describeEntry(entry)] as const),
    ...certificateLogs.map(({ log, at }) => ['certificate log', `${log}, ${at.toISOString()}`] as const),
    ...(statement === undefined ? [] : [['statement', describeStatement(statement)] as const]),
    ['algorithm', algorithm],
    ...(context.bundle === undefined ? [] : [['bundle', context.bundle] as const]),
    ['trust', context.domain === undefined ? evidence.domain : describeTrust(context.domain, context.now)],
  ]
}

/** Clocks differ a little; beyond that either this machine's clock is wrong or an authority's was. */
const CLOCK_SKEW = 5 * 60 * 1000

/** No verdict depends on this machine's clock, but whoever reads the report should know. */
function warnOfFuture(times: Evidence['times'], now: Date): readonly Row[] {
  const ahead = times.some(({ at }) => at.getTime() > now.getTime() + CLOCK_SKEW)
  return ahead ? [['warning', `signed later than the clock of this machine says: ${now.toISOString()}`]] : []
}

function describeSigner({ signer }: Evidence, label: string): readonly Row[] {
  if (signer.kind === 'key') {
    const named = {
      policy: 'the key that you named',
      domain: `a key of ${signer.owner ?? 'the trust domain'}`,
      entry: 'a key that nobody named',
    }
    return [
      [label, named[signer.namedBy]],
      ['key', `sha256:${signer.keyId}`],
      ...(signer.hint === '' ? [] : [['key hint', signer.hint] as const]),
    ]
  }
  const { subject, issuer, extensions } = signer.identity
  const source = [extensions.get('sourceRepositoryURI'), extensions.get('sourceRepositoryDigest')]
  const known = source.filter((part) => part !== undefined && part !== '')
  return [
    [label, subject.value],
    ['issuer', issuer ?? 'not named in the certificate'],
    ...(known.length === 0 ? [] : [['built from', known.join(' at ')] as const]),
    ['authority', signer.authority],
  ]
}

function describeTime({ at, source, authority }: VerifiedTime): string {
  return `${at.toISOString()}, ${source === 'timestamp' ? 'timestamp' : 'log promise'} by ${authority}`
}

function describeEntry({ log, logIndex, proof, promised, kind }: LoggedEntry): string {
  const proven = proof === undefined ? '' : `, proven in a tree of ${proof.treeSize}`
  const promise = promised ? ', promised' : ''
  const witnesses =
    proof === undefined || proof.witnesses.length === 0 ? '' : `, witnessed by ${proof.witnesses.join(', ')}`
  return `${log}, index ${logIndex}${proven}${promise}${witnesses} (${kind})`
}

function describeStatement({ predicateType, subjects }: NonNullable<Evidence['statement']>): string {
  return `${predicateType}, about ${subjects.length === 1 ? 'this file' : `${subjects.length} files`}`
}

/** The root on which it rests, where it comes from, and how old it is. */
export function describeTrust({ name, source, asOf, rootDigest }: DomainReport, now: Date): string {
  return `${name}: ${source}, ${describeAge(asOf, now)}, sha256:${rootDigest.slice(0, 16)}`
}

const DAY = 24 * 60 * 60 * 1000

export function describeAge(asOf: Date | undefined, now: Date): string {
  if (asOf === undefined) return 'of unknown age'
  const days = Math.floor((now.getTime() - asOf.getTime()) / DAY)
  const date = asOf.toISOString().slice(0, 10)
  if (days < 0) return `as of ${date}, which is in the future of this clock`
  return `as of ${date}, ${days === 1 ? '1 day' : `${days} days`} old`
}
