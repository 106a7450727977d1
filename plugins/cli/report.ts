import type { NativeSignatureReport, VerifyReply } from '../../daemon/api.ts'
import type { BundleReport, Verdict } from '../../trust/verdict.ts'
import type { Evidence } from '../../trust/evidence.ts'
import { describeEvidence, describeTrust } from './evidence.ts'
import { describeRefusal, refusalOfFailure } from './failure.ts'
import type { Piece, Row, Tone } from './terminal.ts'

/** The words for the outcomes. "verified" belongs to one of them and is said of nothing else. */
export const OUTCOME_WORDS: Readonly<Record<Verdict['outcome'], string>> = {
  verified: 'verified',
  rejected: 'rejected',
  'signed-by-unknown': 'signed by unknown',
  unsigned: 'unsigned',
}

export const OUTCOME_TONES: Readonly<Record<Verdict['outcome'], Tone>> = {
  verified: 'good',
  rejected: 'bad',
  'signed-by-unknown': 'attention',
  unsigned: 'attention',
}

const BUNDLE_OUTCOMES: Readonly<Record<BundleReport['outcome'], string>> = {
  accepted: 'in order, by a signer that the policy names',
  valid: 'in order, by a signer that the policy does not name',
  rejected: 'found false',
  foreign: 'of an instance that no trust domain knows: nothing can be said about it',
}

export interface ReportContext {
  /** What the user called the artifact. */
  readonly name: string
  readonly explain: boolean
  readonly now: Date
  /** How the signer of some evidence could be accepted. */
  readonly accept: (evidence: Evidence) => Acceptance
}

export type Acceptance =
  | { readonly kind: 'command'; readonly text: string }
  /** A name in it holds characters that cannot be shown. */
  | { readonly kind: 'hidden' }
  | { readonly kind: 'no-issuer' }

/** One artifact, for people: outcome, what it is, who signed, why not. */
export function describeReply(reply: VerifyReply, context: ReportContext): readonly Piece[] {
  const { verdict } = reply
  const word = OUTCOME_WORDS[verdict.outcome]
  return [
    { kind: 'head', tone: OUTCOME_TONES[verdict.outcome], word, text: context.name },
    {
      kind: 'fields',
      rows: [
        ...describeSubject(verdict),
        ...describeSigners(verdict, context),
        ...remarks(reply, context.explain),
      ],
    },
    ...conclusion(verdict, context),
    ...(context.explain || verdict.outcome === 'rejected' ? verdict.bundles.flatMap(describeBundle) : []),
  ]
}

/** What the package says it is may be called "package" only where its signature was accepted. */
function describeSubject({ outcome, subject }: Verdict): readonly Row[] {
  const { name, version, purl, format, digests } = subject
  const said = purl ?? [name, version].filter((part) => part !== undefined).join(' ')
  const label = outcome === 'verified' ? 'package' : 'says it is'
  return [
    ...(said === '' ? [] : [[label, said] as const]),
    ['format', format],
    ...[...digests].map(
      ([algorithm, bytes]) => ['digest', `${algorithm}:${Buffer.from(bytes).toString('hex')}`] as const,
    ),
  ]
}

function describeSigners(verdict: Verdict, { now }: ReportContext): readonly Row[] {
  const shown = evidenceOf(verdict)
  const [first, ...others] = shown
  if (first === undefined)
    return verdict.domains.map((domain) => ['asked', describeTrust(domain, now)] as const)
  return [first, ...others.slice(0, 3)].flatMap((evidence, i) => {
    const domain = verdict.domains.find(({ name }) => name === evidence.domain)
    const bundle = verdict.bundles.find((report) => report.evidence.includes(evidence))
    return describeEvidence(evidence, { domain, bundle: bundle?.where, now, isFirst: i === 0 })
  })
}

/** What holds: the accepted evidence first, else what other signers prove. */
export function evidenceOf(verdict: Verdict): readonly Evidence[] {
  return verdict.outcome === 'verified'
    ? verdict.evidence
    : verdict.bundles.flatMap(({ evidence }) => evidence)
}

/** What the adapter noticed while reading is for those who ask: it bears on no verdict. */
function remarks({ notes, nativeSignatures, verdict }: VerifyReply, explain: boolean): readonly Row[] {
  return [
    ...nativeSignatures.map((signature) => ['own signature', describeNative(signature)] as const),
    ...(explain ? notes.map((note) => ['note', note] as const) : []),
    ...verdict.bundles.flatMap(({ where, notes: own }) =>
      own.map((note) => ['note', `${where}: ${note}`] as const),
    ),
  ]
}

const NATIVE_STATES: Readonly<Record<NativeSignatureReport['state'], string>> = {
  holds: 'holds',
  broken: 'broken',
  'key-unknown': 'its key is not known, so nothing can be said about it',
  'reported-only': 'present and not checked',
}

export function describeNative({ scheme, keyId, covers, state, remark }: NativeSignatureReport): string {
  const by = keyId === undefined ? '' : ` by ${keyId}`
  return `${scheme}${by} over ${covers}: ${NATIVE_STATES[state]}${remark === '' ? '' : ` (${remark})`}`
}

function conclusion(verdict: Verdict, context: ReportContext): readonly Piece[] {
  switch (verdict.outcome) {
    case 'verified':
      return []
    case 'rejected':
      return verdict.failures.flatMap((failure) => [
        { kind: 'space' },
        ...describeRefusal(refusalOfFailure(failure), 2),
      ])
    case 'unsigned':
      return [
        { kind: 'text', indent: 2, text: 'no bundle was found beside the file or inside it' },
        { kind: 'hint', indent: 2, text: 'if there is a bundle elsewhere, name it with --bundle FILE' },
      ]
    case 'signed-by-unknown':
      return describeUnknown(verdict, context)
  }
}

function describeUnknown(verdict: Verdict, { accept }: ReportContext): readonly Piece[] {
  const ways = evidenceOf(verdict).map(accept)
  const commands = new Set(ways.flatMap((way) => (way.kind === 'command' ? [way.text] : [])))
  const pieces: Piece[] = [
    { kind: 'space' },
    {
      kind: 'text',
      indent: 2,
      text: 'the signature holds, but nobody was named who may sign this, and anybody can sign anything',
    },
  ]
  if (commands.size > 0) {
    pieces.push({
      kind: 'hint',
      indent: 2,
      text: 'if this is who should sign it, accept that signer by name:',
    })
    for (const text of commands) pieces.push({ kind: 'command', indent: 4, text })
  }
  if (ways.some(({ kind }) => kind === 'hidden')) {
    const text =
      'a name holds characters that cannot be shown, so no command to accept it is given; be suspicious'
    pieces.push({ kind: 'hint', indent: 2, text })
  }
  if (ways.some(({ kind }) => kind === 'no-issuer')) {
    const text = 'the certificate names no issuer that vouches for its name, so no flags can accept it'
    pieces.push({ kind: 'hint', indent: 2, text })
  }
  return pieces
}

/** The trace of one bundle: what each check saw, and where it ended. */
function describeBundle(report: BundleReport): readonly Piece[] {
  const { where, outcome, digest, evidence, checks, failures } = report
  const domains = new Set([...evidence, ...failures].map(({ domain }) => domain))
  // which domain, where there is more than one
  const under = (domain: string | undefined) =>
    domain === undefined || domains.size < 2 ? '' : ` [${domain}]`
  const passed = evidence.length === 0 ? [{ domain: undefined, checks }] : evidence
  const rows: Row[] = passed.flatMap(({ domain, checks: list }) =>
    list.map(({ check, saw }) => [`passed ${check}`, `${saw}${under(domain)}`] as const),
  )
  for (const { check, code, domain, message } of failures) {
    rows.push([`failed ${check}`, `${code}: ${message}${under(domain)}`])
  }
  return [
    { kind: 'space' },
    { kind: 'text', indent: 2, text: `bundle ${where}: ${BUNDLE_OUTCOMES[outcome]}` },
    { kind: 'fields', indent: 4, rows: [['sha256', digest], ...rows] },
  ]
}
