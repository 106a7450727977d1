import { readFileSync } from 'node:fs'

/** The text that the build put beside this code; undefined where there is none. */
export function readRenderedHelp(name: string): string | undefined {
  try {
    const texts: unknown = JSON.parse(readFileSync(new URL('./help.json', import.meta.url), 'utf8'))
    const text = new Map<string, unknown>(Object.entries(texts ?? {})).get(name)
    return typeof text === 'string' ? text : undefined
  } catch {
    // Only the time to render it is lost.
    return undefined
  }
}
