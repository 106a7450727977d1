import { escapeForDisplay } from '../../trust/encoding.ts'

/**
 * One argument for a POSIX shell, in single quotes where it needs them. undefined for text with characters that
 * cannot be shown: a command that does not say what it does must not be copied.
 */
export function quoteForShell(text: string): string | undefined {
  if (escapeForDisplay(text) !== text) return undefined
  return /^[A-Za-z0-9_./:@,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/** A whole command, or undefined where one of its arguments cannot be shown. */
export function buildCommand(args: readonly string[]): string | undefined {
  const quoted = args.map(quoteForShell)
  return quoted.includes(undefined) ? undefined : quoted.join(' ')
}

/** A flag with its value; `=` keeps a value that begins with a dash from being read as a flag. */
export function flagArguments(name: string, value: string): readonly string[] {
  return value.startsWith('-') ? [`--${name}=${value}`] : [`--${name}`, value]
}

/** A path as an argument; one that begins with a dash is written so that it is no flag. */
export function pathArgument(path: string): string {
  return path.startsWith('-') ? `./${path}` : path
}
