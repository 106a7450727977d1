import { asBuffer, decodeUtf8, encodeHex } from '../encoding.ts'
import { MalformedError } from '../errors.ts'
import { readAll, readOid, readWhole, TAG, type Element } from './der.ts'

const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.9', 'STREET'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
  ['1.2.840.113549.1.9.1', 'emailAddress'],
])

/** An encoded Name as people write it (RFC 4514): `CN=sigstore,O=sigstore.dev`. For reports only, never compared. */
export function formatName(name: Uint8Array): string {
  try {
    const relative = readAll(readWhole(name, TAG.sequence).content)
    return relative.toReversed().map(formatRelative).join(',')
  } catch (cause) {
    if (!(cause instanceof MalformedError)) throw cause
    throw new MalformedError('MALFORMED_CERTIFICATE', `malformed name: ${cause.message}`, { cause })
  }
}

function formatRelative(element: Element): string {
  return readAll(readWhole(element.raw, TAG.set).content).map(formatAttribute).join('+')
}

function formatAttribute(element: Element): string {
  const [type, value, ...rest] = readAll(readWhole(element.raw, TAG.sequence).content)
  if (type === undefined || value === undefined || rest.length > 0) {
    throw new MalformedError('MALFORMED_CERTIFICATE', 'attribute of a name is not a type and a value')
  }
  const oid = readOid(type)
  return `${SHORT_NAMES.get(oid) ?? oid}=${formatValue(value)}`
}

function formatValue({ tag, content, raw }: Element): string {
  const text =
    tag === TAG.utf8String
      ? decodeUtf8(content)
      : tag === TAG.printableString || tag === TAG.ia5String
        ? asBuffer(content).toString('latin1')
        : undefined
  // Section 2.4: what has no text form is written as its encoding.
  if (text === undefined) return `#${encodeHex(raw)}`
  return text.replaceAll(/[\\,+"<>;]|^[ #]| $/g, '\\$&').replaceAll('\0', '\\00')
}
