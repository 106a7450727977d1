import type { TimestampAuthority, Window } from '../authority.ts'
import { encodeHex, equalBytes } from '../encoding.ts'
import { CheckFailed, MalformedError } from '../errors.ts'
import { parseCertificate, type Certificate } from './certificate.ts'
import { readAuthorityKeyIdentifier, readSubjectKeyIdentifier } from './extensions.ts'
import { formatName } from './name.ts'
import type { SignerId } from './signed-data.ts'
import type { TimestampResponse } from './timestamp.ts'

/**
 * Who a timestamp says has signed it, among those whom a trusted root knows. By names only: nothing found here is
 * proven, and nothing is missed that could be.
 */

/** A certificate that may be the signer's, under the authority that would vouch for it. */
export interface Claim {
  readonly authority: TimestampAuthority
  /** Undefined where the token names an issuer that we know and brings no certificate. */
  readonly signer: Certificate | undefined
  readonly untrusted: readonly Certificate[]
  readonly validFor: Window
}

/** Authorities whose listed certificate the timestamp names as its signer. */
export function listedClaims(
  response: TimestampResponse,
  authorities: readonly TimestampAuthority[],
): Claim[] {
  const { id } = response.signer
  return authorities
    .filter(({ leaf }) => leaf !== undefined && isNamed(id, leaf))
    .map((authority) => ({ authority, signer: authority.leaf, untrusted: [], validFor: authority.validFor }))
}

/** Certificates in the token that fit the signer's name and claim to be issued under one of these authorities. */
export function embeddedClaims(
  response: TimestampResponse,
  authorities: readonly TimestampAuthority[],
): Claim[] {
  if (authorities.length === 0) return []
  const { id } = response.signer
  const embedded = response.certificates.flatMap(parseEmbedded)
  const signers = embedded.filter((certificate) => isNamed(id, certificate))
  const claims: Claim[] = []
  for (const authority of authorities) {
    const { chain, validFor } = authority
    for (const signer of signers) {
      const untrusted = intermediatesAbove(signer, embedded)
      const isDirect = chain.some((issuer) => namesIssuer(signer, issuer))
      const isKnown = isDirect || untrusted.some((certificate) => namesIssuer(certificate, chain[0]))
      if (isKnown) claims.push({ authority, signer, untrusted, validFor })
    }
    const isMissing = signers.length === 0 && id.kind === 'issuer-serial'
    if (isMissing && chain.some(({ subject }) => equalBytes(subject, id.issuer))) {
      claims.push({ authority, signer: undefined, untrusted: [], validFor })
    }
  }
  return claims
}

/**
 * Whether a certificate claims to be issued by this one. Name and, where both have one, key identifier: the public
 * instance and its staging twin have authorities of one name and two keys. A claim that cannot be read is one.
 */
function namesIssuer(certificate: Certificate, issuer: Certificate): boolean {
  if (!equalBytes(certificate.issuer, issuer.subject)) return false
  try {
    const wanted = readAuthorityKeyIdentifier(certificate)
    const keyId = readSubjectKeyIdentifier(issuer)
    return wanted === undefined || keyId === undefined || equalBytes(wanted, keyId)
  } catch (error) {
    if (error instanceof CheckFailed) return true
    throw error
  }
}

/** What is embedded is only material: a certificate that cannot be read is one that is not there. */
function parseEmbedded(der: Uint8Array): Certificate[] {
  try {
    return [parseCertificate(der)]
  } catch (error) {
    if (error instanceof MalformedError) return []
    throw error
  }
}

/** Embedded certificates that the names lead to from the signer; roots are never material. */
function intermediatesAbove(signer: Certificate, embedded: readonly Certificate[]): readonly Certificate[] {
  const found = new Set<Certificate>()
  for (let below = [signer]; below.length > 0;) {
    const above = embedded.filter(
      (certificate) =>
        !found.has(certificate) &&
        !equalBytes(certificate.subject, certificate.issuer) &&
        below.some(({ issuer }) => equalBytes(issuer, certificate.subject)),
    )
    for (const certificate of above) found.add(certificate)
    below = above
  }
  return [...found]
}

function isNamed(id: SignerId, certificate: Certificate): boolean {
  if (id.kind === 'issuer-serial') {
    return equalBytes(id.serial, certificate.serial) && equalBytes(id.issuer, certificate.issuer)
  }
  try {
    const keyId = readSubjectKeyIdentifier(certificate)
    return keyId !== undefined && equalBytes(keyId, id.keyId)
  } catch (error) {
    if (error instanceof CheckFailed) return false
    throw error
  }
}

export function describeSigner(id: SignerId): string {
  if (id.kind === 'key-id') return `the holder of key ${encodeHex(id.keyId)}`
  const serial = encodeHex(id.serial)
  try {
    return `certificate ${serial} of '${formatName(id.issuer)}'`
  } catch (error) {
    if (error instanceof MalformedError) return `certificate ${serial} of an issuer without a readable name`
    throw error
  }
}
