import { UsageError } from '../../trust/errors.ts'
import { COMMANDS, type CommandDefinition } from './commands.ts'
import { PAGES } from './explain/pages.ts'
import type { Invocation } from './invocation.ts'
import { nearest } from './nearest.ts'
import type { World } from './world.ts'

/**
 * `sigward completion SHELL`: a script that holds every command, flag and code, so that a press of the tab key
 * starts no process of ours. @throws UsageError USAGE_ARGUMENT
 */
export function runCompletion({ positionals }: Invocation, world: World): number {
  const [shell = ''] = positionals
  const scripts: Readonly<Record<string, () => string>> = { bash, zsh, fish }
  const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined
  if (script === undefined) {
    const meant = nearest(shell, Object.keys(scripts))
    const hint = meant === undefined ? 'give bash, zsh or fish' : `did you mean ${meant}?`
    throw new UsageError('USAGE_ARGUMENT', `there is no completion for '${shell}'`, { hint })
  }
  world.stdout.write(script())
  return 0
}

const NAMES = COMMANDS.map((command) => command.name).join(' ')

/** What may stand in place of the positional argument; undefined for file names. */
function wordsOf({ positional }: CommandDefinition): readonly string[] | undefined {
  if (positional === undefined) return []
  if (positional.completes === 'files') return undefined
  return positional.completes === 'codes' ? Object.keys(PAGES) : positional.completes
}

function flagsOf(command: CommandDefinition): readonly string[] {
  return [...command.flags.map((flag) => `--${flag.name}`), '--help']
}

function bash(): string {
  const cases = COMMANDS.map((command) => {
    const words = wordsOf(command)
    const files = command.flags.filter((flag) => flag.completes === 'files').map((flag) => `--${flag.name}`)
    const values = command.flags.filter((flag) => flag.kind !== 'switch' && flag.completes === undefined)
    const previous = [
      ...(files.length === 0 ? [] : [`        ${files.join('|')}) _sigward_reply -f; return ;;`]),
      ...(values.length === 0
        ? []
        : [`        ${values.map(({ name }) => `--${name}`).join('|')}) return ;;`]),
    ]
    return [
      `    ${command.name})`,
      ...(previous.length === 0 ? [] : ['      case $before in', ...previous, '      esac']),
      `      if [[ $word == -* ]]; then _sigward_reply -W "${flagsOf(command).join(' ')}"`,
      words === undefined
        ? '      else _sigward_reply -f; fi ;;'
        : `      else _sigward_reply -W "${words.join(' ')}"; fi ;;`,
    ].join('\n')
  })
  return `# completion of sigward for bash
_sigward_reply() {
  local line
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "$@" -- "\${COMP_WORDS[COMP_CWORD]}")
}
_sigward() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then _sigward_reply -W "${NAMES} --help --version"; return; fi
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
  esac
}
complete -o filenames -F _sigward sigward
`
}

function zsh(): string {
  const cases = COMMANDS.map((command) => {
    const words = wordsOf(command)
    const { positional } = command
    const action = words === undefined ? '_files' : `(${words.join(' ')})`
    const specs = command.flags.map((flag) => {
      const repeat = flag.kind === 'list' ? '*' : ''
      const value =
        flag.kind === 'switch'
          ? ''
          : `:${flag.value ?? 'value'}:${flag.completes === 'files' ? '_files' : ''}`
      return `'${repeat}--${flag.name}[${zshText(flag.describe)}]${value}'`
    })
    const place = positional?.count === 'one-or-more' ? '*' : '1'
    const argument = positional === undefined ? [] : [`'${place}:${zshText(positional.name)}:${action}'`]
    return `    ${command.name}) _arguments ${[...specs, "'--help[show help]'", ...argument].join(' ')} ;;`
  })
  const commands = COMMANDS.map((command) => `'${command.name}:${zshText(command.summary)}'`)
  return `#compdef sigward
_sigward() {
  local -a commands=(${commands.join(' ')})
  if ((CURRENT == 2)); then _describe command commands; return; fi
  local name=$words[2]
  shift words
  ((CURRENT--))
  case $name in
${cases.join('\n')}
  esac
}
compdef _sigward sigward
`
}

/** Inside a specification of _arguments: no quote ends it, no colon or bracket divides it. */
function zshText(text: string): string {
  return text.replaceAll("'", '’').replaceAll(/[[\]:]/g, ' ')
}

function fish(): string {
  const lines = COMMANDS.flatMap((command) => {
    const within = `-n '__fish_seen_subcommand_from ${command.name}'`
    const words = wordsOf(command)
    return [
      `complete -c sigward -n __fish_use_subcommand -f -a ${command.name} -d '${fishText(command.summary)}'`,
      ...(words === undefined ? [] : [`complete -c sigward ${within} -f -a '${words.join(' ')}'`]),
      ...command.flags.map((flag) => {
        const value = flag.kind === 'switch' ? '' : flag.completes === 'files' ? ' -r -F' : ' -x'
        return `complete -c sigward ${within} -l ${flag.name}${value} -d '${fishText(flag.describe)}'`
      }),
    ]
  })
  return `# completion of sigward for fish
complete -c sigward -n __fish_use_subcommand -f -l help -d 'show help'
complete -c sigward -n __fish_use_subcommand -f -l version -d 'show the version'
${lines.join('\n')}
`
}

function fishText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")
}
