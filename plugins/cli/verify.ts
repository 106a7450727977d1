import {
  exitCodeOf,
  exitCodeOfError,
  worstExitCode,
  type Engine,
  type VerifyReply,
} from '../../daemon/api.ts'
import { CodedError, UsageError } from '../../trust/errors.ts'
import type { Evidence } from '../../trust/evidence.ts'
import { describeRefusal, refusalOfError } from './failure.ts'
import type { Invocation } from './invocation.ts'
import { Progress } from './progress.ts'
import {
  describeReply,
  evidenceOf,
  OUTCOME_TONES,
  OUTCOME_WORDS,
  type Acceptance,
  type ReportContext,
} from './report.ts'
import { errorToJson, replyToJson } from './report-json.ts'
import { buildCommand, flagArguments, pathArgument } from './shell.ts'
import { findTargets, type Item } from './targets.ts'
import { jsonLine, Printer, type Piece, type Tone } from './terminal.ts'
import { readVerifyOptions, type VerifyOptions } from './verify-options.ts'
import type { World } from './world.ts'

/** What became of one artifact: a verdict, or the reason why there is none. */
type Result = { readonly name: string } & ({ readonly reply: VerifyReply } | { readonly error: CodedError })

/** `sigward verify`. Judges one artifact after the other, reports, and answers with the exit code. */
export async function runVerify({ positionals, flags }: Invocation, world: World): Promise<number> {
  const options = readVerifyOptions(flags)
  refusePackageForMany(options, positionals.length)
  const { items, remarks } = findTargets(positionals)
  refusePackageForMany(options, items.length)
  refuseDigestWithoutBundle(options, items)
  const printer = new Printer(world.stdout, world.environment)
  const complain = new Printer(world.stderr, world.environment)
  complain.print(remarks.map((text) => ({ kind: 'text', text })))
  const progress = new Progress(world.stderr, world.environment, items.length, options.progress)
  const engine = await world.engine()
  const results: Result[] = []
  for (const item of items) {
    progress.show(item.name)
    const result = await judge(item, engine, options)
    results.push(result)
    progress.advance()
    progress.clear()
    report(result, { options, printer, world, isAlone: items.length === 1 })
  }
  if (results.length > 1 && !options.json && !options.quiet) summarize(results, printer)
  return worstExitCode(results.map(exitCodeOfResult))
}

async function judge(item: Item, engine: Engine, { question }: VerifyOptions): Promise<Result> {
  const { name } = item
  if ('error' in item) return { name, error: item.error }
  try {
    return { name, reply: await engine.verify({ ...question, target: item.target }) }
  } catch (error) {
    // a usage error is about the question, so every other artifact would meet it too
    if (error instanceof CodedError && !(error instanceof UsageError)) return { name, error }
    throw error
  }
}

interface Reporting {
  readonly options: VerifyOptions
  readonly printer: Printer
  readonly world: World
  readonly isAlone: boolean
}

function report(result: Result, { options, printer, world, isAlone }: Reporting): void {
  const { name } = result
  if (options.json) {
    world.stdout.write(
      jsonLine('reply' in result ? replyToJson(name, result.reply) : errorToJson(name, result.error)),
    )
  } else if (options.quiet) {
    const { word, tone, reason } = briefly(result)
    if (word !== OUTCOME_WORDS.verified)
      printer.print([{ kind: 'head', tone, word, text: `${name}  ${reason}`.trimEnd() }])
  } else if ('error' in result) {
    printer.print([...describeNoVerdict(result.name, result.error), ...(isAlone ? [] : [SPACE])])
  } else if (isAlone || options.explain || NEEDS_WORDS.has(result.reply.verdict.outcome)) {
    const context: ReportContext = {
      name,
      explain: options.explain,
      now: world.now(),
      accept: (evidence) => acceptance(name, evidence, options),
    }
    printer.print([...describeReply(result.reply, context), ...(isAlone ? [] : [SPACE])])
  }
}

/** Of several artifacts, those that a line in the summary does not do justice. */
const NEEDS_WORDS: ReadonlySet<string> = new Set(['rejected', 'signed-by-unknown'])
const SPACE: Piece = { kind: 'space' }
const NO_VERDICT = 'no verdict'

function describeNoVerdict(name: string, error: CodedError): readonly Piece[] {
  return [
    { kind: 'head', tone: 'bad', word: NO_VERDICT, text: name },
    ...describeRefusal(refusalOfError(error), 2),
  ]
}

/** The command that was given, with the signer named; what else was said about roots and bundles stays. */
function acceptance(name: string, { signer }: Evidence, { question }: VerifyOptions): Acceptance {
  if (signer.kind === 'certificate' && signer.identity.issuer === undefined) return { kind: 'no-issuer' }
  const who =
    signer.kind === 'key'
      ? flagArguments('key', 'FILE')
      : [
          ...flagArguments('identity', signer.identity.subject.value),
          ...flagArguments('issuer', signer.identity.issuer ?? ''),
        ]
  const text = buildCommand([
    'sigward',
    'verify',
    pathArgument(name),
    ...who,
    ...question.bundles.flatMap((path) => flagArguments('bundle', path)),
    ...question.trustedRoots.flatMap((path) => flagArguments('trusted-root', path)),
    ...(question.package === undefined ? [] : flagArguments('package', question.package)),
  ])
  return text === undefined ? { kind: 'hidden' } : { kind: 'command', text }
}

function briefly(result: Result): { word: string; tone: Tone; reason: string } {
  if ('error' in result) return { word: NO_VERDICT, tone: 'bad', reason: result.error.code }
  const { verdict } = result.reply
  const [failure] = verdict.outcome === 'verified' ? [] : verdict.failures
  const [evidence] = evidenceOf(verdict)
  const reason = failure?.code ?? (evidence === undefined ? '' : nameOfSigner(evidence))
  return { word: OUTCOME_WORDS[verdict.outcome], tone: OUTCOME_TONES[verdict.outcome], reason }
}

function nameOfSigner({ signer }: Evidence): string {
  return signer.kind === 'key' ? `key sha256:${signer.keyId.slice(0, 16)}` : signer.identity.subject.value
}

/** One line each, in the order of the command line, then the counts. */
function summarize(results: readonly Result[], printer: Printer): void {
  const counts = new Map<string, number>()
  const rows = results.map((result) => {
    const { word, tone, reason } = briefly(result)
    counts.set(word, (counts.get(word) ?? 0) + 1)
    return [tone, word, result.name, reason] as const
  })
  printer.table(rows)
  const list = [...counts].map(([word, count]) => `${count} ${word}`).join(', ')
  printer.print([{ kind: 'text', text: `${results.length} artifacts: ${list}` }])
}

function exitCodeOfResult(result: Result): number {
  return 'error' in result ? exitCodeOfError(result.error) : exitCodeOf(result.reply.verdict)
}

function refusePackageForMany({ question }: VerifyOptions, count: number): void {
  if (question.package === undefined || count <= 1) return
  const hint = 'judge that package alone, or use a policy file for several'
  throw new UsageError('USAGE_FLAG', '--package says what one package must be, and several are named', {
    hint,
  })
}

function refuseDigestWithoutBundle({ question }: VerifyOptions, items: readonly Item[]): void {
  const digest = items.find((item) => 'target' in item && item.target.kind === 'digest')
  if (digest === undefined || question.bundles.length > 0) return
  const hint = 'add --bundle FILE: there is no place to look for the bundle of a digest'
  throw new UsageError('USAGE_ARGUMENT', `'${digest.name}' is a digest, and no bundle is named`, { hint })
}
