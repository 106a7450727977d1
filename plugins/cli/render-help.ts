import { COMMANDS } from './commands.ts'
import { helpOf } from './wire.ts'

/** Every help text: that of the program under `''`, that of a command under its name. */
export async function renderHelp(): Promise<Record<string, string>> {
  const texts: Record<string, string> = { '': await helpOf(undefined) }
  for (const command of COMMANDS) texts[command.name] = await helpOf(command)
  return texts
}
