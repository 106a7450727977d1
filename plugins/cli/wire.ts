import yargs, { type Argv } from 'yargs'
import { escapeForDisplay } from '../../trust/encoding.ts'
import { UsageError } from '../../trust/errors.ts'
import { COMMANDS, findCommand, synopsis, type CommandDefinition, type FlagDefinition } from './commands.ts'
import { nearest } from './nearest.ts'

/**
 * yargs, made from the table of commands: it renders help and says what is wrong with a command line that the strict
 * parser would not read. It never decides what is judged: it drops a lone `-`, and what follows `--`, without a word.
 * Loaded only for these two, because it takes longer to load than a package takes to verify.
 */

/** Columns of help texts. */
const HELP_WIDTH = 90

/** Words for people in place of the types of flags. */
const TEXTS = {
  boolean: 'switch',
  string: 'value',
  array: 'repeatable',
  'Not enough arguments following: %s': 'a flag needs a value: %s',
}

/** The help of the program, or of one command. */
export async function helpOf(command: CommandDefinition | undefined): Promise<string> {
  const program = start()
  if (command === undefined) addCommands(program)
  else configure(program, command)
  return `${await program.getHelp()}\n`
}

/** What is wrong with a command line that the strict parser would not read: USAGE_FLAG or USAGE_ARGUMENT. */
export async function complaintAbout(args: readonly string[]): Promise<UsageError> {
  const [name] = args
  if (name === undefined) return new UsageError('USAGE_ARGUMENT', 'no command was given')
  const command = findCommand(name)
  if (command === undefined && !name.startsWith('-')) return unknownCommand(name)
  const own = command === undefined ? undefined : ownComplaint(command, args.slice(1))
  if (own !== undefined) return own
  const said = await askYargs(args)
  if (command !== undefined && /^(?:not enough non-option arguments|missing required argument)/.test(said)) {
    const missing = command.positional?.name.replaceAll('|', ', ') ?? ''
    const hint = `sigward ${synopsis(command)}, or sigward ${command.name} --help`
    return new UsageError('USAGE_ARGUMENT', `an argument is missing: ${missing}`, { hint })
  }
  const flag = /^unknown argument: (?<name>[a-z-]+)/.exec(said)?.groups?.['name'] ?? ''
  const meant = nearest(flag, command?.flags.map((known) => known.name) ?? ['help', 'version'])
  const see = `run sigward ${command === undefined ? '' : `${command.name} `}--help`
  const hint = flag === '' || meant === undefined ? see : `did you mean --${meant}? else ${see}`
  return new UsageError('USAGE_FLAG', said, { hint })
}

/** What yargs lets pass and the strict parser does not. */
function ownComplaint(command: CommandDefinition, args: readonly string[]): UsageError | undefined {
  const seen = new Set<string>()
  for (const arg of args) {
    if (arg === '--') return undefined
    if (arg === '-') {
      const hint = 'write what comes in to a file first, and give its name'
      return new UsageError('USAGE_ARGUMENT', "'-' is not a file: nothing is read from standard input", {
        hint,
      })
    }
    const [, name = '', , value] = /^--([a-z-]+)(=([^]*))?$/.exec(arg) ?? []
    const kind = command.flags.find((flag) => flag.name === name)?.kind
    if (kind === undefined) continue
    if (value === '') return new UsageError('USAGE_FLAG', `the value of --${name} is empty`)
    if (kind === 'switch' && value !== undefined) {
      return new UsageError('USAGE_FLAG', `--${name} is a switch and takes no value`)
    }
    if (kind !== 'list' && seen.has(name))
      return new UsageError('USAGE_FLAG', `--${name} is given more than once`)
    seen.add(name)
  }
  return undefined
}

function unknownCommand(name: string): UsageError {
  const shown = `'${escapeForDisplay(name)}'`
  const meant = nearest(
    name,
    COMMANDS.map((command) => command.name),
  )
  const looksLikeFile = /[./:]/.test(name)
  const hint = looksLikeFile
    ? 'to judge a file: sigward verify FILE'
    : meant === undefined
      ? 'run sigward --help for the commands'
      : `did you mean sigward ${meant}?`
  return new UsageError('USAGE_ARGUMENT', `${shown} is not a command`, { hint })
}

async function askYargs(args: readonly string[]): Promise<string> {
  let said = 'the command line cannot be read'
  const program = addCommands(start())
  program.fail((message) => {
    said = message
  })
  try {
    await program.parseAsync([...args])
  } catch (error) {
    if (!(error instanceof Error)) throw error
    said = error.message
  }
  // the same style as everywhere else
  return `${said.slice(0, 1).toLowerCase()}${escapeForDisplay(said.slice(1))}`
}

function start(): Argv {
  return yargs([])
    .scriptName('sigward')
    .locale('en')
    .updateStrings(TEXTS)
    .wrap(HELP_WIDTH)
    .exitProcess(false)
    .help(false)
    .version(false)
    .strict()
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'greedy-arrays': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'short-option-groups': false,
    })
    .option('help', { alias: 'h', type: 'boolean', describe: 'show help' })
}

function addCommands(program: Argv): Argv {
  for (const command of COMMANDS) {
    program.command(
      synopsis(command),
      command.summary,
      (child) => configure(child, command),
      () => undefined,
    )
  }
  return program
    .usage(
      'sigward <command>\n\nJudges signed packages, with no network: npm tarballs, jars, gems, Helm charts, Homebrew bottles, WASM modules and plain files.',
    )
    .option('version', { type: 'boolean', describe: 'show the version' })
    .demandCommand(1, 'no command was given')
    .epilogue(
      `${examplesOf(COMMANDS.slice(0, 1))}\n\n"sigward <command> --help" has the flags of a command, and more examples.`,
    )
}

/** Whole commands, each on a line of its own, to be copied; yargs would set them in a narrow column. */
function examplesOf(commands: readonly CommandDefinition[]): string {
  const lines = commands.flatMap(({ examples }) =>
    examples.map(([example, meaning]) => `  # ${meaning}\n  ${example}`),
  )
  return `Examples:\n${lines.join('\n')}`
}

function configure(program: Argv, command: CommandDefinition): Argv {
  program.usage(`sigward ${synopsis(command)}\n\n${[command.summary, ...command.details].join('\n\n')}`)
  const { positional } = command
  if (positional !== undefined) {
    program.positional(positional.name.split('|')[0] ?? '', { type: 'string', describe: positional.describe })
  }
  for (const flag of command.flags) program.option(flag.name, optionOf(flag))
  return program.epilogue(examplesOf([command]))
}

function optionOf(flag: FlagDefinition) {
  const { group } = flag
  if (flag.kind === 'switch') return { type: 'boolean', describe: flag.describe, group } as const
  const describe = `<${flag.value ?? 'VALUE'}> ${flag.describe}`
  return { type: 'string', array: flag.kind === 'list', requiresArg: true, describe, group } as const
}
