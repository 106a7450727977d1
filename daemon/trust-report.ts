import type { AuthorityReport, TrustDomainReport, TrustReport } from './api.ts'
import type { Window } from '../trust/authority.ts'
import type { SpeaksFor, TrustDomain } from '../trust/domain.ts'
import { digestOf } from '../trust/digest.ts'
import { encodeHex } from '../trust/encoding.ts'
import { keyId, type PublicKey } from '../trust/keys.ts'
import type { Certificate } from '../trust/x509/certificate.ts'

/** The roots in use, as text for people and machines. */
export function describeDomains(domains: readonly TrustDomain[]): TrustReport {
  return { domains: domains.map(describeDomain) }
}

function describeDomain(domain: TrustDomain): TrustDomainReport {
  const { root, thresholds, keys } = domain
  const registry = keys.map(({ owner, usage, hint }) => `key of ${owner} for ${usage}: ${hint}`)
  return {
    name: domain.name,
    source: domain.source.description,
    rootDigest: root.digest,
    asOf: domain.source.asOf?.toISOString(),
    speaksFor: describeSpeaksFor(domain.speaksFor),
    thresholds: `logs ${thresholds.logs}, certificate logs ${thresholds.certificateLogs}, times ${thresholds.times}`,
    authorities: [
      ...root.authorities.map((ca) => report('certificate authority', ca.name, ca, fingerprint(ca.chain[0]))),
      ...root.logs.map((log) => report('transparency log', log.names[0], log, describeKey(log.key))),
      ...root.certificateLogs.map((log) => report('certificate log', log.baseUrl, log, describeKey(log.key))),
      ...root.timestampAuthorities.map((tsa) =>
        report('timestamp authority', tsa.name, tsa, fingerprint(tsa.leaf ?? tsa.chain[0])),
      ),
    ],
    notes: [...root.notes, ...registry],
  }
}

function describeSpeaksFor({ issuers, packages }: SpeaksFor): string {
  const who =
    issuers === 'any'
      ? 'any issuer'
      : issuers.map((one) => (typeof one === 'string' ? one : one.source)).join(', ')
  return `${who || 'no issuer'}; ${packages === 'any' ? 'any package' : packages.join(', ') || 'no package'}`
}

interface Trusted {
  readonly operator: string
  readonly validFor: Window
}

function report(role: AuthorityReport['role'], name: string, trusted: Trusted, key: string): AuthorityReport {
  const { start, end } = trusted.validFor
  return { role, name, key, operator: trusted.operator, start: start.toISOString(), end: end?.toISOString() }
}

function describeKey(key: PublicKey): string {
  return `${key.type} ${keyId(key)}`
}

function fingerprint(certificate: Certificate): string {
  return `${certificate.publicKey.type} certificate ${encodeHex(digestOf('sha256', certificate.der))}`
}
