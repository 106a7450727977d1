import { crc32 } from 'node:zlib'
import { asBuffer, decodeUtf8 } from '../../trust/encoding.ts'
import { MalformedError } from '../../trust/errors.ts'
import { shown } from '../shown.ts'

/** Characters 0x80 to 0xff of IBM code page 437, which a name is in when nothing says otherwise (APPNOTE D.1). */
const CP437 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}'

const UTF8_FLAG = 0x0800
const UNICODE_PATH = 0x7075

/** One extra field of a header: tag and data, in order (APPNOTE 4.5). */
export interface ExtraField {
  readonly tag: number
  readonly data: Buffer
}

/** `tag(2) length(2) data` repeated. Up to three zero bytes at the end are padding that aligning tools leave. */
export function parseExtra(extra: Buffer, where: string): readonly ExtraField[] {
  const fields: ExtraField[] = []
  let at = 0
  while (at + 4 <= extra.length) {
    const length = extra.readUInt16LE(at + 2)
    if (at + 4 + length > extra.length) throw brokenExtra(where)
    fields.push({ tag: extra.readUInt16LE(at), data: extra.subarray(at + 4, at + 4 + length) })
    at += 4 + length
  }
  if (extra.subarray(at).some((byte) => byte !== 0)) throw brokenExtra(where)
  return fields
}

function brokenExtra(where: string): MalformedError {
  return new MalformedError('MALFORMED_PACKAGE', 'an extra field of the zip archive is cut off', { where })
}

/**
 * The name of an entry. Readers disagree about which of the two names counts when a Unicode path field gives a
 * second one, so a second name is accepted only where the first is not ASCII and says nothing by itself.
 */
export function entryName(raw: Buffer, flags: number, extra: readonly ExtraField[], where: string): string {
  const own = (flags & UTF8_FLAG) === 0 ? decodeCp437(raw) : decodeUtf8(raw)
  if (own === undefined) {
    throw new MalformedError(
      'MALFORMED_PACKAGE',
      'a name in the zip archive is not the UTF-8 that it promises',
      { where },
    )
  }
  const second = extra.find((field) => field.tag === UNICODE_PATH)
  if (second === undefined) return own
  const name = unicodePath(second.data, raw)
  if (name === undefined || name === own) return own
  if ((flags & UTF8_FLAG) !== 0 || raw.every((byte) => byte < 0x80)) {
    throw new MalformedError('MALFORMED_PACKAGE', 'a zip entry has two different names', {
      got: `${shown(own)} and ${shown(name)}`,
      where,
    })
  }
  return name
}

/** Info-ZIP Unicode path: `version(1) crc32 of the plain name(4) UTF-8`; undefined where readers ignore it. */
function unicodePath(data: Buffer, raw: Buffer): string | undefined {
  if (data.length < 5 || data[0] !== 1 || data.readUInt32LE(1) !== crc32(raw)) return undefined
  return decodeUtf8(data.subarray(5))
}

function decodeCp437(raw: Uint8Array): string {
  const ascii = decodeUtf8(raw)
  if (ascii !== undefined && ascii.length === raw.length) return ascii
  return Array.from(asBuffer(raw), (byte) =>
    byte < 0x80 ? String.fromCharCode(byte) : CP437.charAt(byte - 0x80),
  ).join('')
}
