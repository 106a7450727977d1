import manifest from '../../package.json' with { type: 'json' }
import { EXIT_CODES, exitCodeOfError } from '../../daemon/api.ts'
import { CodedError, UsageError } from '../../trust/errors.ts'
import type { CommandDefinition } from './commands.ts'
import { describeRefusal, refusalOfError } from './failure.ts'
import { parseStrictly, type Invocation } from './invocation.ts'
import { readRenderedHelp } from './rendered-help.ts'
import { errorToJson } from './report-json.ts'
import { jsonLine, Printer, type Piece } from './terminal.ts'
import { runVerify } from './verify.ts'
import type { World } from './world.ts'

/**
 * Runs one command line and answers with the exit code. The heavy parts (yargs, the pages of `explain`) are loaded
 * by the branch that needs them.
 */
export async function dispatch(args: readonly string[], world: World): Promise<number> {
  try {
    return await run(args, world)
  } catch (error) {
    if (error instanceof CodedError) return reportError(error, args, world)
    return reportBug(error, world)
  }
}

async function run(args: readonly string[], world: World): Promise<number> {
  const request = parseStrictly(args)
  switch (request?.kind) {
    case 'version':
      world.stdout.write(`${manifest.version}\n`)
      return 0
    case 'help':
      world.stdout.write(await readHelp(request.command))
      return 0
    case 'run':
      return runCommand(request.invocation, world)
    case undefined: {
      const { complaintAbout } = await import('./wire.ts')
      throw await complaintAbout(args)
    }
  }
}

async function runCommand(invocation: Invocation, world: World): Promise<number> {
  switch (invocation.command.name) {
    case 'verify':
      return runVerify(invocation, world)
    case 'inspect':
      return (await import('./inspect.ts')).runInspect(invocation, world)
    case 'explain':
      return (await import('./explain.ts')).runExplain(invocation, world)
    case 'trust':
      return (await import('./trust.ts')).runTrust(invocation, world)
    case 'completion':
      return (await import('./completion.ts')).runCompletion(invocation, world)
  }
}

/** From the file that the build renders; in a checkout there is none, and yargs renders it now. */
async function readHelp(command: CommandDefinition | undefined): Promise<string> {
  const rendered = readRenderedHelp(command?.name ?? '')
  if (rendered !== undefined) return rendered
  const { helpOf } = await import('./wire.ts')
  return helpOf(command)
}

function reportError(error: CodedError, args: readonly string[], world: World): number {
  const wantsJson = args.includes('--json')
  if (wantsJson) world.stdout.write(jsonLine(errorToJson(null, error)))
  else new Printer(world.stderr, world.environment).print(describeError(error))
  return exitCodeOfError(error)
}

/** What is wrong with a command line fits in two lines; anything else gets what was seen, too. */
function describeError(error: CodedError): readonly Piece[] {
  if (!(error instanceof UsageError)) return describeRefusal(refusalOfError(error), 0)
  const seen = [
    ...(error.got === undefined ? [] : [`got ${error.got}`]),
    ...(error.wanted === undefined ? [] : [`wanted ${error.wanted}`]),
  ]
  const details = seen.length === 0 ? '' : `: ${seen.join(', ')}`
  return [
    { kind: 'text', text: `sigward: ${error.message}${details} (${error.code})` },
    { kind: 'hint', text: error.hint },
  ]
}

/** Everything that is not a CodedError is a mistake of ours: say so in one line, and never with a code of a verdict. */
export function reportBug(
  error: unknown,
  { stderr, environment }: Pick<World, 'stderr' | 'environment'>,
): number {
  const message = error instanceof Error ? error.message : String(error)
  const printer = new Printer(stderr, environment)
  const [first = ''] = message.split('\n')
  printer.print([
    {
      kind: 'text',
      text: `sigward ${manifest.version} met an error of its own and reached no verdict: ${first}`,
    },
    { kind: 'hint', text: 'this is a bug; please report it with what "SIGWARD_DEBUG=1 sigward ..." prints' },
  ])
  if (environment['SIGWARD_DEBUG'] === '1' && error instanceof Error) {
    printer.print((error.stack ?? '').split('\n').map((text) => ({ kind: 'text', text })))
  }
  return EXIT_CODES.bug
}
