import { findCommand, type CommandDefinition } from './commands.ts'

/** What was asked on the command line. Both parsers make it, and a test holds them equal. */
export interface Invocation {
  readonly command: CommandDefinition
  readonly positionals: readonly string[]
  readonly flags: Flags
}

/** By flag name: true for a switch, each value that was given otherwise. Flags that were not given are absent. */
export type Flags = ReadonlyMap<string, true | readonly string[]>

/** What was asked before any command runs. */
export type Request =
  | { readonly kind: 'help'; readonly command: CommandDefinition | undefined }
  | { readonly kind: 'version' }
  | { readonly kind: 'run'; readonly invocation: Invocation }

/**
 * Reads a command line that is beyond doubt, and nothing else: undefined sends it to yargs, which knows how to say
 * what is wrong. Small because it is on the way of every start.
 */
export function parseStrictly(args: readonly string[]): Request | undefined {
  const [first, ...rest] = args
  if (first === '--version') return rest.length === 0 ? { kind: 'version' } : undefined
  const beforeEnd = args.slice(0, args.includes('--') ? args.indexOf('--') : args.length)
  const command = findCommand(first)
  if (beforeEnd.includes('--help') || beforeEnd.includes('-h')) {
    const known = command !== undefined || first === '--help' || first === '-h'
    return known ? { kind: 'help', command } : undefined
  }
  if (command === undefined) return undefined
  const invocation = readInvocation(command, rest)
  return invocation === undefined ? undefined : { kind: 'run', invocation }
}

function readInvocation(command: CommandDefinition, args: readonly string[]): Invocation | undefined {
  const flags = new Map<string, true | string[]>()
  const positionals: string[] = []
  for (let i = 0; i < args.length; i += 1) {
    const arg = args[i] ?? ''
    if (arg === '--') {
      positionals.push(...args.slice(i + 1))
      break
    }
    if (!arg.startsWith('-')) {
      positionals.push(arg)
      continue
    }
    const [, name = '', , attached] = /^--([a-z-]+)(=([^]*))?$/.exec(arg) ?? []
    const kind = command.flags.find((flag) => flag.name === name)?.kind
    if (kind === undefined) return undefined
    if (kind === 'switch') {
      if (attached !== undefined || flags.has(name)) return undefined
      flags.set(name, true)
      continue
    }
    // a value in the next argument is beyond doubt only where that cannot be a flag
    const next = args[i + 1] ?? '-'
    const value = attached ?? (next.startsWith('-') ? '' : next)
    if (attached === undefined) i += 1
    if (!addValue(flags, kind, name, value)) return undefined
  }
  return fits(command, positionals) ? { command, positionals, flags } : undefined
}

function addValue(
  flags: Map<string, true | string[]>,
  kind: 'text' | 'list',
  name: string,
  value: string,
): boolean {
  const before = flags.get(name)
  if (value === '' || before === true || (kind === 'text' && before !== undefined)) return false
  if (before === undefined) flags.set(name, [value])
  else before.push(value)
  return true
}

/** Whether there are as many positional arguments as the command takes. */
function fits(command: CommandDefinition, positionals: readonly string[]): boolean {
  switch (command.positional?.count) {
    case undefined:
      return positionals.length === 0
    case 'one':
      return positionals.length === 1
    case 'one-or-more':
      return positionals.length > 0
    case 'optional':
      return positionals.length <= 1
  }
}

/** The value of a flag that is given at most once. */
export function flagText(flags: Flags, name: string): string | undefined {
  const value = flags.get(name)
  return value === true ? undefined : value?.[0]
}

export function flagList(flags: Flags, name: string): readonly string[] {
  const value = flags.get(name)
  return value === undefined || value === true ? [] : value
}
