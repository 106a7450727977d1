import { formatDigest } from '../../trust/digest.ts'
import { parseTimestampResponse } from '../../trust/x509/timestamp.ts'
import type { SignerId } from '../../trust/x509/signed-data.ts'
import { formatName } from '../../trust/x509/name.ts'
import { describeCertificate } from './certificate.ts'
import { attempt, field, hex, numbered, time, type Fields } from './fields.ts'

/** An RFC 3161 timestamp in DER: when, over what, by whom. */
export function describeTimestamp(der: Uint8Array): Fields {
  return attempt(() => {
    const { info, signer, certificates } = parseTimestampResponse(der)
    return [
      field('time', time(info.earliest)),
      ...(info.accuracy === undefined ? [] : [field('accuracy', `${info.accuracy} microseconds either way`)]),
      field('over the digest', formatDigest(info.imprint)),
      field('policy', info.policy),
      field('serial number', hex(info.serial)),
      ...(info.nonce === undefined ? [] : [field('nonce', hex(info.nonce))]),
      field('signed by', describeSigner(signer.id)),
      ...numbered('certificate inside', certificates, describeCertificate),
    ]
  })
}

function describeSigner(id: SignerId): string {
  if (id.kind === 'key-id') return `the key with ID ${hex(id.keyId)}`
  return `the certificate ${hex(id.serial)} of ${formatName(id.issuer)}`
}
