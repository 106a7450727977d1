import { BUNDLE_LIMITS, parseBundle } from '../../trust/bundle.ts'
import { decodeBase64 } from '../../trust/encoding.ts'
import { parseJson, type Json } from '../../trust/json.ts'
import { describeBase64Certificate } from './certificate.ts'
import { at, attempt, field, hasAt, hex, listAt, numbered, textAt, type Fields } from './fields.ts'
import { describeEntry } from './log.ts'
import { complaint, describeEnvelope } from './statement.ts'
import { describeTimestamp } from './timestamp.ts'

/**
 * A bundle. Its parts are read one by one, so that a broken bundle still shows the others; what makes it one that
 * cannot be judged comes last.
 */
export function describeBundle(bytes: Uint8Array): Fields {
  return attempt(() => {
    const json = parseJson(bytes, { ...BUNDLE_LIMITS, depth: 64, code: 'BUNDLE_JSON', what: 'bundle' })
    return [
      field('media type', textAt(json, 'mediaType') ?? 'none'),
      ...describeKeyMaterial(at(json, 'verificationMaterial')),
      ...describeContent(json),
      ...numbered('log entry', listAt(json, 'verificationMaterial', 'tlogEntries'), describeEntry),
      ...describeTimestamps(json),
      ...complaint(() => parseBundle(bytes)),
    ]
  })
}

function describeKeyMaterial(material: Json | undefined): Fields {
  const fields: Fields[number][] = []
  if (hasAt(material, 'certificate')) {
    const base64 = textAt(material, 'certificate', 'rawBytes')
    fields.push(field('certificate of the signer', describeBase64Certificate(base64)))
  }
  const chain = listAt(material, 'x509CertificateChain', 'certificates')
  chain.forEach((certificate, i) => {
    const label = i === 0 ? 'certificate of the signer' : `certificate ${i + 1} of the chain, never trusted`
    fields.push(field(label, describeBase64Certificate(textAt(certificate, 'rawBytes'))))
  })
  if (hasAt(material, 'publicKey')) {
    const hint = textAt(material, 'publicKey', 'hint')
    fields.push(
      field('signed with a key', hint === undefined || hint === '' ? 'no hint which' : `hint ${hint}`),
    )
  }
  return fields
}

function describeContent(json: Json): Fields {
  const fields: Fields[number][] = []
  const message = at(json, 'messageSignature')
  if (hasAt(message)) {
    const digest = decodeBase64(textAt(message, 'messageDigest', 'digest') ?? '')
    const algorithm = textAt(message, 'messageDigest', 'algorithm') ?? '?'
    fields.push(
      field('signature over a file', `${algorithm} ${digest === undefined ? 'not base64' : hex(digest)}`),
    )
  }
  const envelope = at(json, 'dsseEnvelope')
  if (envelope !== undefined && envelope !== null) {
    fields.push(field('signature over a statement', describeEnvelope(envelope)))
  }
  return fields
}

function describeTimestamps(json: Json): Fields {
  const list = listAt(json, 'verificationMaterial', 'timestampVerificationData', 'rfc3161Timestamps')
  return numbered('timestamp', list, (item) => {
    const der = decodeBase64(textAt(item, 'signedTimestamp') ?? '')
    return der === undefined ? [field('timestamp', 'not base64')] : describeTimestamp(der)
  })
}
