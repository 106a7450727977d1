import type { Window } from '../../trust/authority.ts'
import {
  isClientTrustConfig,
  parseClientTrustConfig,
  parseTrustedRoot,
  type TrustedRoot,
} from '../../trust/trusted-root.ts'
import { formatName } from '../../trust/x509/name.ts'
import type { Certificate } from '../../trust/x509/certificate.ts'
import { describeKeyInLine } from './certificate.ts'
import { attempt, field, numbered, time, type Fields } from './fields.ts'

/** A trusted root, or the one inside a client trust config: who may be believed, for what and when. */
export function describeTrustedRoot(bytes: Uint8Array): Fields {
  return attempt(() => {
    const root = isClientTrustConfig(bytes) ? parseClientTrustConfig(bytes) : parseTrustedRoot(bytes)
    return [
      field('sha256', root.digest),
      ...describeAuthorities(root),
      ...describeLogs(root),
      ...root.notes.map((note) => field('note', note)),
    ]
  })
}

function describeAuthorities({ authorities, timestampAuthorities }: TrustedRoot): Fields {
  return [
    ...numbered('certificate authority', authorities, ({ name, uri, operator, validFor, chain }) => [
      field('name', name),
      field('address', uri),
      field('operator', operator),
      field('trusted', describeWindow(validFor)),
      ...describeChain(chain),
    ]),
    ...numbered(
      'timestamp authority',
      timestampAuthorities,
      ({ name, uri, operator, validFor, leaf, chain }) => [
        field('name', name),
        field('address', uri),
        field('operator', operator),
        field('trusted', describeWindow(validFor)),
        ...describeChain(leaf === undefined ? chain : [leaf, ...chain]),
      ],
    ),
  ]
}

function describeLogs({ logs, certificateLogs }: TrustedRoot): Fields {
  return [
    ...numbered('transparency log', logs, ({ baseUrl, operator, logId, checkpointKeyId, key, validFor }) => [
      field('address', baseUrl),
      field('operator', operator),
      field('key', describeKeyInLine(key)),
      field('log ID', logId),
      field('key ID of checkpoints', checkpointKeyId),
      field('trusted', describeWindow(validFor)),
    ]),
    ...numbered('certificate log', certificateLogs, ({ baseUrl, operator, logId, key, validFor }) => [
      field('address', baseUrl),
      field('operator', operator),
      field('key', describeKeyInLine(key)),
      field('log ID', logId),
      field('trusted', describeWindow(validFor)),
    ]),
  ]
}

function describeChain(chain: readonly Certificate[]): Fields {
  return chain.map((certificate, i) =>
    field(i === chain.length - 1 ? 'anchor' : 'certificate', describeLink(certificate)),
  )
}

function describeLink({ subject, notBefore, notAfter, publicKey }: Certificate): string {
  return `${formatName(subject)}, ${time(notBefore)} to ${time(notAfter)}, ${describeKeyInLine(publicKey)}`
}

function describeWindow({ start, end }: Window): string {
  return `${time(start)} to ${end === undefined ? 'now, still open' : time(end)}`
}
