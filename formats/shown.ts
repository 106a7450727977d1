import { escapeForDisplay } from '../trust/encoding.ts'

const LENGTH = 200

/** Text from a package for a remark or a message: one line, printable, cut to a readable length. */
export function shown(text: string): string {
  return escapeForDisplay(text.length > LENGTH ? `${text.slice(0, LENGTH)}…` : text)
}
