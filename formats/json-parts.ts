import { decodeUtf8, encodeUtf8 } from '../trust/encoding.ts'
import { elementsAt } from './json-spans.ts'

/**
 * The values in a file of bundles, byte for byte: the elements of one array, the lines of JSON Lines, or the whole.
 * Says nothing about what the parts are; text that is no JSON comes out whole.
 */
export function splitJson(bytes: Uint8Array): readonly Uint8Array[] {
  const text = decodeUtf8(bytes)
  if (text === undefined) return [bytes]
  if (text.trimStart().startsWith('[') && isJson(text)) {
    return (elementsAt(text, 0) ?? []).map(({ start, end }) => encodeUtf8(text.slice(start, end)))
  }
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (lines.length > 1 && isJson(lines[0] ?? '')) return lines.map((line) => encodeUtf8(line))
  return [bytes]
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
