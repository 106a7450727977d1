import { decodeBase64, encodeBase64 } from './encoding.ts'

/** One block of textual encoding (RFC 7468): the words between the dashes, and the bytes. */
export interface PemBlock {
  readonly label: string
  readonly der: Uint8Array
}

/** Blocks and whatever stands around them, trimmed; callers decide whether text around blocks is welcome. */
export interface PemText {
  readonly blocks: readonly PemBlock[]
  readonly outside: string
}

/** The inverse of `readPem`, for one block. */
export function encodePem(label: string, der: Uint8Array): string {
  const base64 = encodeBase64(der)
  let lines = ''
  for (let at = 0; at < base64.length; at += 64) lines += `${base64.slice(at, at + 64)}\n`
  return `-----BEGIN ${label}-----\n${lines}-----END ${label}-----\n`
}

/**
 * Reads every block of a text. Lines may be of any length, indented, and end in LF or
 * CRLF; the base64 is strict. Gives
 * `undefined` where a block is open, ends under another label or holds anything but base64.
 */
export function readPem(text: string): PemText | undefined {
  const blocks: PemBlock[] = []
  const outside: string[] = []
  let label: string | undefined
  let base64 = ''
  for (const line of text.split(/\r?\n/)) {
    const boundary = /^[ \t]*-----(BEGIN|END) ([A-Z0-9 ]+)-----[ \t]*$/.exec(line)
    if (boundary === null) {
      if (line.includes('-----')) return undefined
      if (label === undefined) outside.push(line)
      else base64 += line.trim()
    } else if (boundary[1] === 'BEGIN') {
      if (label !== undefined) return undefined
      label = boundary[2]
      base64 = ''
    } else {
      const der = label === boundary[2] && label !== undefined ? decodeBase64(base64) : undefined
      if (der === undefined || der.length === 0 || label === undefined) return undefined
      blocks.push({ label, der })
      label = undefined
    }
  }
  return label === undefined ? { blocks, outside: outside.join('\n').trim() } : undefined
}
