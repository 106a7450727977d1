import { hash } from 'node:crypto'
import { windowContains, type TimestampAuthority, type Window } from '../authority.ts'
import { digestOf, equalDigests, formatDigest, type DigestAlgorithm } from '../digest.ts'
import { encodeHex } from '../encoding.ts'
import { CheckFailed, MalformedError } from '../errors.ts'
import type { VerifiedTime } from '../evidence.ts'
import { schemeFits, verifySignature } from '../keys.ts'
import type { Certificate } from './certificate.ts'
import { EXTENSION, isAuthority, PURPOSE, readExtendedKeyUsage, readKeyUsage } from './extensions.ts'
import { PathFinder } from './path.ts'
import { describeSigner, embeddedClaims, listedClaims, type Claim } from './timestamp-signer.ts'
import { parseTimestampResponse, type TimestampResponse } from './timestamp.ts'

/** A time that a trusted authority signed. */
export interface TimestampEvidence extends VerifiedTime {
  readonly known: true
  readonly source: 'timestamp'
  /** `genTime`, rounded down to whole milliseconds. */
  readonly at: Date
  /**
   * `genTime`, rounded up: later than `at` only where the authority wrote a fraction finer than a millisecond.
   * Whatever must hold at the time of the timestamp must hold at both.
   */
  readonly latest: Date
  /** Lower-case hex of the INTEGER's content. */
  readonly serial: string
  /** Dotted object identifier of the authority's policy; recorded, not judged. */
  readonly policy: string
  /** Of the message imprint. */
  readonly hash: DigestAlgorithm
}

/** Nobody whom the trusted root knows is said to have signed: the timestamp does not count, for or against. */
export interface UnknownAuthority {
  readonly known: false
  readonly reason: string
}

/** Why a claim does not hold; of several, the one that came furthest is the one to report. */
interface Refusal {
  readonly progress: number
  readonly error: CheckFailed
}

const ALWAYS: Window = { start: new Date(-8.64e15), end: undefined }

/**
 * RFC 3161 timestamp over the raw bytes of a bundle's signature (client specification section 4.2, RFC 5652
 * section 5.6, RFC 5816), at the time that it states: what has expired since stays true.
 *
 * An authority is known when the token names its listed certificate as the signer, or, where none is listed, a
 * certificate issued in its name. From a known authority everything must hold, or the check fails: `TIME_IMPRINT`,
 * `TIME_SIGNATURE`, `TIME_SIGNER`, `TIME_CERTIFICATE`, `TIME_WINDOW`. Also `TIME_STATUS`, and `TIME_MALFORMED` as
 * MalformedError. Nonce, policy and accuracy are not judged.
 */
export function checkTimestamp(
  token: Uint8Array,
  signature: Uint8Array,
  authorities: readonly TimestampAuthority[],
): TimestampEvidence | UnknownAuthority {
  const response = parseTimestampResponse(token)
  const open = authorities.filter(({ leaf }) => leaf === undefined)
  const claims = [...listedClaims(response, authorities), ...embeddedClaims(response, open)]
  if (claims.length > 0) return evidence(response, requireOne(response, signature, claims).authority)
  const reason = `no known timestamp authority is ${describeSigner(response.signer.id)}`
  // The trusted root may list other certificates of the issuer than this one. A true one was issued after the trusted
  // root was made: unknown, but honest. A false one is an attempt to pass for an authority that we know.
  const siblings = embeddedClaims(response, authorities).filter(({ signer }) => signer !== undefined)
  if (siblings.length === 0) return { known: false, reason }
  requireOne(
    response,
    signature,
    siblings.map((claim) => ({ ...claim, validFor: ALWAYS })),
  )
  return { known: false, reason: `${reason}, which its issuer did issue: the trusted root lists others` }
}

/** The first claim that holds; else the refusal that came furthest is thrown. `claims` has at least one. */
function requireOne(response: TimestampResponse, signature: Uint8Array, claims: readonly Claim[]): Claim {
  requireContent(response, signature)
  let furthest: Refusal | undefined
  for (const claim of claims) {
    const refusal = refuse(response, claim)
    if (refusal === undefined) return claim
    if (furthest === undefined || refusal.progress > furthest.progress) furthest = refusal
  }
  throw furthest?.error ?? new TypeError('there is no claim to judge')
}

/** What does not depend on who signed: the timestamp is of this signature, and is what its signer saw. */
function requireContent({ info, content, signer }: TimestampResponse, signature: Uint8Array): void {
  const { imprint } = info
  const wanted = digestOf(imprint.algorithm, signature)
  if (!equalDigests(imprint.bytes, wanted)) {
    throw new CheckFailed('time', 'TIME_IMPRINT', 'the timestamp is of another signature', {
      got: formatDigest(imprint),
      wanted: formatDigest({ algorithm: imprint.algorithm, bytes: wanted }),
    })
  }
  if (!equalDigests(signer.messageDigest, digestOf(signer.digestAlgorithm, content))) {
    throw new CheckFailed('time', 'TIME_SIGNATURE', 'the content of the timestamp is not what its signer saw')
  }
}

function refuse(response: TimestampResponse, claim: Claim): Refusal | undefined {
  const { signer } = claim
  if (signer === undefined) {
    const message = 'neither the timestamp nor the trusted root holds the certificate that signed'
    const got = describeSigner(response.signer.id)
    return { progress: -1, error: new CheckFailed('time', 'TIME_SIGNER', message, { got }) }
  }
  const steps = [
    () => requireSignature(response, signer),
    () => requireCertificateHashes(response, signer),
    () => requireTimestampLeaf(signer),
    () => requirePath(response, claim, signer),
    () => requireWindow(response, claim.validFor),
  ]
  for (const [progress, step] of steps.entries()) {
    try {
      step()
    } catch (error) {
      if (error instanceof CheckFailed && error.check === 'time') return { progress, error }
      if (!(error instanceof CheckFailed || error instanceof MalformedError)) throw error
      return { progress, error: unfit(error.message, error) }
    }
  }
  return undefined
}

function unfit(message: string, cause?: CheckFailed | MalformedError): CheckFailed {
  return new CheckFailed('time', 'TIME_CERTIFICATE', `certificate of the timestamp authority: ${message}`, {
    ...(cause?.got === undefined ? {} : { got: cause.got }),
    ...(cause?.wanted === undefined ? {} : { wanted: cause.wanted }),
    ...(cause === undefined ? {} : { cause }),
  })
}

/** The hash is the signer's choice, not the curve's: P-384 keys sign with SHA-256. */
function requireSignature({ signer }: TimestampResponse, { publicKey }: Certificate): void {
  const { scheme, signedAttributes, signature } = signer
  if (schemeFits(publicKey, scheme) && verifySignature(publicKey, scheme, signedAttributes, signature)) return
  throw new CheckFailed('time', 'TIME_SIGNATURE', 'the timestamp authority did not sign this timestamp')
}

/** RFC 5816: where the signed attributes name the certificate, another one with the same key is not it. */
function requireCertificateHashes({ signer }: TimestampResponse, certificate: Certificate): void {
  for (const { algorithm, hash: wanted } of signer.certificateHashes) {
    const got = hash(algorithm, certificate.der, 'buffer')
    if (equalDigests(got, wanted)) continue
    throw new CheckFailed(
      'time',
      'TIME_SIGNER',
      'the timestamp names another certificate than the one that signed it',
      {
        got: `${algorithm}:${encodeHex(got)}`,
        wanted: `${algorithm}:${encodeHex(wanted)}`,
      },
    )
  }
}

/** RFC 3161 section 2.3: the key signs timestamps and nothing else. */
function requireTimestampLeaf(leaf: Certificate): void {
  if (isAuthority(leaf)) throw unfit('it is an authority certificate')
  const purposes = readExtendedKeyUsage(leaf) ?? []
  const critical = leaf.extensions.get(EXTENSION.extendedKeyUsage)?.critical === true
  if (!critical || purposes.length !== 1 || purposes[0] !== PURPOSE.timeStamping) {
    throw unfit('it is not for timestamps alone, as a critical extension has to say')
  }
  const usage = readKeyUsage(leaf)
  if (usage === undefined || usage.digitalSignature || isForNonRepudiation(leaf)) return
  throw unfit('it is not for signatures')
}

/** RFC 5280 section 4.2.1.12 admits either usage with this purpose. `readKeyUsage` has read the shape. */
function isForNonRepudiation(leaf: Certificate): boolean {
  const [, , , bits = 0] = leaf.extensions.get(EXTENSION.keyUsage)?.value ?? []
  return (bits & 0x40) !== 0
}

function requirePath(
  { info }: TimestampResponse,
  { authority, untrusted }: Claim,
  signer: Certificate,
): void {
  const anchors = [{ chain: authority.chain, validFor: ALWAYS }]
  const finder = new PathFinder(signer, untrusted, anchors, 'timeStamping')
  finder.at(info.earliest)
  if (info.latest > info.earliest) finder.at(info.latest)
}

function requireWindow({ info }: TimestampResponse, validFor: Window): void {
  if (windowContains(validFor, info.earliest) && windowContains(validFor, info.latest)) return
  throw new CheckFailed('time', 'TIME_WINDOW', 'the authority was not trusted at the time of the timestamp', {
    got: info.latest.toISOString(),
    wanted: `${validFor.start.toISOString()} to ${validFor.end?.toISOString() ?? 'now'}`,
  })
}

function evidence({ info }: TimestampResponse, authority: TimestampAuthority): TimestampEvidence {
  return {
    known: true,
    source: 'timestamp',
    at: info.earliest,
    latest: info.latest,
    authority: authority.name,
    operator: authority.operator,
    serial: encodeHex(info.serial),
    policy: info.policy,
    hash: info.imprint.algorithm,
  }
}
