import { keyId, parsePublicKey, parsePublicKeyPem, type PublicKey } from '../../trust/keys.ts'
import { decodeBase64, decodeUtf8, encodeBase64 } from '../../trust/encoding.ts'
import { digestOf } from '../../trust/digest.ts'
import { parseVkey } from '../../trust/log/vkey.ts'
import { parseCertificate, type Certificate } from '../../trust/x509/certificate.ts'
import {
  EXTENSION,
  PURPOSE,
  readBasicConstraints,
  readExtendedKeyUsage,
  readIdentity,
  readKeyUsage,
  readSubjectAltNames,
  readTimestampList,
} from '../../trust/x509/extensions.ts'
import { formatName } from '../../trust/x509/name.ts'
import { attempt, field, hex, optional, time, type Fields } from './fields.ts'

/** A certificate in DER: whom it names, for how long, what Fulcio wrote into it, which logs saw it. */
export function describeCertificate(der: Uint8Array): Fields {
  return attempt(() => {
    const certificate = parseCertificate(der)
    return [
      ...attempt(() => describeNames(certificate)),
      field('not before', time(certificate.notBefore)),
      field('not after', time(certificate.notAfter)),
      field('issued by', formatName(certificate.issuer) || 'an empty name'),
      field('subject', formatName(certificate.subject) || 'empty, as it should be for signing'),
      field('serial number', hex(certificate.serial)),
      ...attempt(() => [field('public key', describeKeyInLine(certificate.publicKey))]),
      ...attempt(() => describeUses(certificate)),
      ...attempt(() => describeIdentity(certificate)),
      ...attempt(() => describeTimestamps(certificate)),
      field('sha256', hex(digestOf('sha256', der))),
    ]
  })
}

const NAME_KINDS = {
  email: 'e-mail',
  uri: 'URI',
  otherName: 'user name',
  unsupported: 'name of an unknown kind',
} as const

function describeNames(certificate: Certificate): Fields {
  return (readSubjectAltNames(certificate) ?? []).map(({ kind, value }) =>
    field(`identity (${NAME_KINDS[kind]})`, value),
  )
}

const PURPOSES: ReadonlyMap<string, string> = new Map([
  [PURPOSE.any, 'anything'],
  [PURPOSE.codeSigning, 'code signing'],
  [PURPOSE.timeStamping, 'timestamping'],
  [PURPOSE.precertificateSigning, 'signing of precertificates'],
])

function describeUses(certificate: Certificate): Fields {
  const constraints = readBasicConstraints(certificate)
  const usage = readKeyUsage(certificate)
  const purposes = readExtendedKeyUsage(certificate)?.map((oid) => PURPOSES.get(oid) ?? oid)
  const uses = [
    ...(usage?.digitalSignature === true ? ['signatures'] : []),
    ...(usage?.keyCertSign === true ? ['certificates'] : []),
  ]
  const below = constraints?.pathLength
  const authority = below === undefined ? 'yes' : `yes, with at most ${below} authorities below it`
  return [
    field('is an authority', constraints?.ca === true ? authority : 'no'),
    ...optional('may sign', uses.join(' and ')),
    ...optional('purposes', purposes?.join(', ')),
  ]
}

function describeIdentity(certificate: Certificate): Fields {
  if (!certificate.extensions.has(EXTENSION.subjectAltName)) return []
  const { issuer, extensions } = readIdentity(certificate)
  const rest = [...extensions].filter(([name]) => name !== 'issuer')
  return [
    field('OIDC issuer', issuer ?? 'not named'),
    ...(rest.length === 0
      ? []
      : [
          field(
            'what the issuer said of the build',
            rest.map(([name, text]) => field(name, text)),
          ),
        ]),
  ]
}

const MOST_TIMESTAMPS = 16

/**
 * Signed certificate timestamps (RFC 6962 section 3.3), for show: a list of opaque structures, of which version,
 * log and time stand at fixed places.
 */
function describeTimestamps(certificate: Certificate): Fields {
  const list = readTimestampList(certificate)
  if (list === undefined) return []
  const view = new DataView(list.buffer, list.byteOffset, list.byteLength)
  const found: Fields[number][] = []
  for (
    let start = 2;
    start + 43 <= list.length && found.length < MOST_TIMESTAMPS;
    start += 2 + view.getUint16(start)
  ) {
    const log = hex(list.subarray(start + 3, start + 35))
    found.push(field('certificate log', `${log}, ${time(new Date(Number(view.getBigUint64(start + 35))))}`))
  }
  return found
}

export function describeKeyInLine(key: PublicKey): string {
  return `${key.type}${key.bits === undefined ? '' : ` of ${key.bits} bits`}, sha256:${keyId(key)}`
}

export function describeKey(key: PublicKey): Fields {
  const digest = digestOf('sha256', key.spki)
  return [
    field('type', key.bits === undefined ? key.type : `${key.type} of ${key.bits} bits`),
    field('sha256', hex(digest)),
    field('hint in bundles', encodeBase64(digest)),
  ]
}

/** A key file: PEM, DER, or a verifier key of a log or witness. */
export function describeKeyFile(bytes: Uint8Array): Fields {
  return attempt(() => {
    const text = decodeUtf8(bytes)?.trim()
    if (text?.startsWith('-----BEGIN') === true) return describeKey(parsePublicKeyPem(text))
    if (text === undefined || !isVkey(text)) return describeKey(parsePublicKey(bytes))
    const { name, keyId: id, key, type } = parseVkey(text)
    const uses = type === 0x04 || type === 0x06 ? 'cosignatures of a witness' : 'notes of a log'
    return [field('name', name), field('key ID', id), field('signs', uses), ...describeKey(key)]
  })
}

export function isVkey(text: string): boolean {
  return /^[^+\s]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/.test(text)
}

/** A certificate in base64, as bundles and trusted roots carry it. */
export function describeBase64Certificate(base64: string | undefined): Fields {
  const der = decodeBase64(base64 ?? '')
  return der === undefined ? [field('certificate', 'not base64')] : describeCertificate(der)
}
