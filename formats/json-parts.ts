import { decodeUtf8, encodeUtf8 } from '../trust/encoding.ts'
import { isWhole, takeElements } from './json-spans.ts'

/** A file of more parts than this is no file of bundles; reading them all would only cost memory. */
export const MOST_PARTS = 256

/**
 * The values in a file of bundles, byte for byte: the elements of one array, the lines of JSON Lines, or the whole.
 * Looks at brackets only, so what the parts are is for their parser to say; text that is no such list comes out
 * whole. Stops at one part more than `MOST_PARTS`.
 */
export function splitJson(bytes: Uint8Array): readonly Uint8Array[] {
  const text = decodeUtf8(bytes)
  if (text === undefined) return [bytes]
  const spans = takeElements(text, MOST_PARTS)
  const parts = spans === undefined ? linesOf(text) : spans.map(({ start, end }) => text.slice(start, end))
  return parts === undefined ? [bytes] : parts.map((part) => encodeUtf8(part))
}

/** Several lines of which the first is a whole object or array: one value may be spread over lines, but never so. */
function linesOf(text: string): readonly string[] | undefined {
  const lines: string[] = []
  for (let start = 0; start < text.length && lines.length <= MOST_PARTS;) {
    const newline = text.indexOf('\n', start)
    const end = newline === -1 ? text.length : newline
    const line = text.slice(start, end)
    if (line.trim() !== '') {
      if (lines.length === 0 && !isWhole(line)) return undefined
      lines.push(line)
    }
    start = end + 1
  }
  return lines.length > 1 ? lines : undefined
}
