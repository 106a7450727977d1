import { windowContains, type Window } from '../authority.ts'
import { equalBytes } from '../encoding.ts'
import { CheckFailed, CodedError, MalformedError } from '../errors.ts'
import type { Certificate } from './certificate.ts'
import {
  PURPOSE,
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readExtendedKeyUsage,
  readKeyUsage,
  readSubjectKeyIdentifier,
  requireUnderstood,
} from './extensions.ts'
import { formatName } from './name.ts'
import { readSignatureScheme, verifyCertificateSignature } from './signature.ts'

/**
 * Certificate paths (RFC 5280 section 6) from a leaf to an authority of the trusted root, at a given time. Every
 * refusal is a `CheckFailed` of check `certificate`; who asks for another check maps the code.
 */

export type PathPurpose = 'codeSigning' | 'timeStamping'

/** What `CertificateAuthority` and `TimestampAuthority` have in common. */
export interface AuthorityChain {
  /** The issuer of leaves, then each one's issuer, the anchor last. */
  readonly chain: readonly [Certificate, ...Certificate[]]
  readonly validFor: Window
}

export interface Path<A extends AuthorityChain = AuthorityChain> {
  readonly authority: A
  /** The leaf first, the anchor last. */
  readonly certificates: readonly [Certificate, Certificate, ...Certificate[]]
  /** The certificate whose key signed the leaf. */
  readonly issuer: Certificate
}

/** Intermediates that may come along with a leaf. */
export const MAX_UNTRUSTED = 4
const MAX_CHAIN = 8

/**
 * Judges a chain of the trusted root by everything but its signatures, when it is loaded, and gives it with the issuer
 * of leaves first. `PathFinder` proves the signatures inside it, once, before the chain first vouches for anything:
 * a root lists many chains and a verification needs one. The anchor is believed because it is listed, so its own
 * signature says nothing and it need not be self-signed. Errors:
 * `MALFORMED_TRUSTED_ROOT`, and `SIGNATURE_ALGORITHM` for an algorithm that is not supported.
 */
export function linkAuthority(
  listed: readonly Certificate[],
  purpose: PathPurpose,
): readonly [Certificate, ...Certificate[]] {
  if (listed.length > MAX_CHAIN) malformed(`chain has ${listed.length} certificates`)
  try {
    const [issuer, ...above] = leafIssuerFirst(listed)
    if (issuer === undefined) malformed('chain is empty')
    requireLinked([issuer, ...above], purpose)
    return [issuer, ...above]
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    if (error.code === 'MALFORMED_TRUSTED_ROOT' || error.code === 'SIGNATURE_ALGORITHM') throw error
    throw new MalformedError('MALFORMED_TRUSTED_ROOT', `unfit authority: ${error.message}`, { cause: error })
  }
}

/** The order is specified, but lists with a self-signed root in front are in use; both orders say the same. */
function leafIssuerFirst(listed: readonly Certificate[]): readonly Certificate[] {
  const [first, second] = listed
  if (first === undefined || second === undefined || isNamedIssuer(first, second)) return listed
  return isNamedIssuer(second, first) ? listed.toReversed() : listed
}

function requireLinked(chain: readonly Certificate[], purpose: PathPurpose): void {
  for (const [i, certificate] of chain.entries()) {
    requireAuthority(certificate, purpose)
    // A key that cannot be used would only show when the first leaf comes.
    void certificate.publicKey
    const issuer = chain[i + 1]
    if (issuer === undefined) continue
    if (!isNamedIssuer(certificate, issuer))
      malformed('an authority does not name the next one as its issuer')
    if (readSignatureScheme(certificate.signatureAlgorithm) === undefined) {
      throw new MalformedError(
        'SIGNATURE_ALGORITHM',
        'an authority is signed with an algorithm that is not supported',
      )
    }
  }
  requirePathLengths(chain)
}

function malformed(message: string): never {
  throw new MalformedError('MALFORMED_TRUSTED_ROOT', message)
}

/** Names agree byte by byte, and key identifiers where both are present. */
function isNamedIssuer(certificate: Certificate, issuer: Certificate): boolean {
  if (!equalBytes(certificate.issuer, issuer.subject)) return false
  const wanted = readAuthorityKeyIdentifier(certificate)
  const id = wanted && readSubjectKeyIdentifier(issuer)
  return wanted === undefined || id === undefined || equalBytes(wanted, id)
}

function isSelfIssued({ issuer, subject }: Certificate): boolean {
  return equalBytes(issuer, subject)
}

/** Rules for every certificate above the leaf: `CERT_CHAIN`, `CERT_EXTENSION`. */
function requireAuthority(certificate: Certificate, purpose: PathPurpose): void {
  if (FIT[purpose].has(certificate)) return
  if (readBasicConstraints(certificate)?.ca !== true) refuseChain(certificate, 'is not an authority')
  if (readKeyUsage(certificate)?.keyCertSign !== true) refuseChain(certificate, 'may not sign certificates')
  const purposes = readExtendedKeyUsage(certificate)
  if (purposes !== undefined && !purposes.includes(PURPOSE[purpose]) && !purposes.includes(PURPOSE.any)) {
    refuseChain(certificate, `is not for ${purpose}`)
  }
  requireUnderstood(certificate, 'authority')
  FIT[purpose].add(certificate)
}

/** Authorities that were found fit: they are read once, and not with every leaf. */
const FIT: Readonly<Record<PathPurpose, WeakSet<Certificate>>> = {
  codeSigning: new WeakSet(),
  timeStamping: new WeakSet(),
}

function refuseChain(certificate: Certificate, why: string): never {
  const message = `a certificate above the leaf ${why}`
  throw new CheckFailed('certificate', 'CERT_CHAIN', message, { got: formatName(certificate.subject) })
}

/** Section 6.1.4 (l) and (m): how many authorities stand below each, self-issued ones not counted. */
function requirePathLengths(authorities: readonly Certificate[]): void {
  let below = 0
  for (const certificate of authorities) {
    const { pathLength } = readBasicConstraints(certificate) ?? {}
    if (pathLength !== undefined && below > pathLength) {
      throw new CheckFailed(
        'certificate',
        'CERT_PATH_LENGTH',
        'path is longer than an authority in it allows',
        {
          got: `${below} authorities below '${formatName(certificate.subject)}'`,
          wanted: `at most ${pathLength}`,
        },
      )
    }
    if (!isSelfIssued(certificate)) below++
  }
}

interface Route<A> {
  readonly authority: A
  /** Untrusted intermediates between leaf and authority, from the leaf upwards. */
  readonly between: readonly Certificate[]
}

/** Why a route is no path; the one that came furthest is the one to report. */
interface Refusal {
  readonly progress: number
  readonly error: CheckFailed
}

/** Finds paths for one leaf, at as many times as are asked for; validity and windows are decided for each. */
export class PathFinder<A extends AuthorityChain> {
  readonly #leaf: Certificate
  readonly #untrusted: readonly Certificate[]
  readonly #authorities: readonly A[]
  readonly #purpose: PathPurpose

  /** Untrusted intermediates only fill a gap below the issuer that the trusted root lists; a root is never one. */
  constructor(
    leaf: Certificate,
    untrusted: readonly Certificate[],
    authorities: readonly A[],
    purpose: PathPurpose,
  ) {
    if (untrusted.length > MAX_UNTRUSTED) {
      throw new CheckFailed('certificate', 'CERT_CHAIN', 'too many intermediate certificates', {
        got: String(untrusted.length),
        wanted: `at most ${MAX_UNTRUSTED}`,
      })
    }
    this.#leaf = leaf
    this.#untrusted = untrusted.filter((certificate) => !isSelfIssued(certificate))
    this.#authorities = authorities
    this.#purpose = purpose
  }

  /**
   * The first path that holds at this time. Errors, the most telling one: `CERT_UNKNOWN_AUTHORITY`,
   * `CERT_SIGNATURE`, `SIGNATURE_ALGORITHM`, `CERT_AUTHORITY_WINDOW`, `CERT_TIME`, `CERT_CHAIN`,
   * `CERT_PATH_LENGTH`, `CERT_EXTENSION`.
   */
  at(time: Date): Path<A> {
    requireUnderstood(this.#leaf, 'leaf')
    let furthest: Refusal | undefined
    for (const route of this.#routes(this.#leaf, [])) {
      const refusal = this.#refusal(route, time)
      if (refusal === undefined) return this.#path(route)
      if (furthest === undefined || refusal.progress > furthest.progress) furthest = refusal
    }
    throw furthest?.error ?? this.#unknown()
  }

  #unknown(): CheckFailed {
    return new CheckFailed(
      'certificate',
      'CERT_UNKNOWN_AUTHORITY',
      'no trusted authority issued the certificate',
      {
        got: formatName(this.#leaf.issuer),
        wanted: this.#authorities.map(({ chain }) => formatName(chain[0].subject)).join(' or '),
      },
    )
  }

  #path({ authority, between }: Route<A>): Path<A> {
    const [issuer, ...above] = [...between, ...authority.chain]
    if (issuer === undefined) throw new TypeError('an authority has no certificate')
    return { authority, certificates: [this.#leaf, issuer, ...above], issuer }
  }

  /** All ways up by names and key identifiers: directly first, then through each unused intermediate. */
  *#routes(below: Certificate, between: readonly Certificate[]): Generator<Route<A>> {
    for (const authority of this.#authorities) {
      if (isNamedIssuer(below, authority.chain[0])) yield { authority, between }
    }
    for (const candidate of this.#untrusted) {
      if (between.includes(candidate) || !isNamedIssuer(below, candidate)) continue
      yield* this.#routes(candidate, [...between, candidate])
    }
  }

  #refusal(route: Route<A>, time: Date): Refusal | undefined {
    const { certificates } = this.#path(route)
    const authorities = certificates.slice(1)
    const steps = [
      () => requireSignatures([this.#leaf, ...route.between, route.authority.chain[0]]),
      () => requireSignatures(route.authority.chain),
      () => requireWindow(route.authority, time),
      () => requireValidity(this.#leaf, time, 'CERT_TIME'),
      () => authorities.forEach((certificate) => requireValidity(certificate, time, 'CERT_CHAIN')),
      () => authorities.forEach((certificate) => requireAuthority(certificate, this.#purpose)),
      () => requirePathLengths(authorities),
    ]
    for (const [progress, step] of steps.entries()) {
      try {
        step()
      } catch (error) {
        if (error instanceof CheckFailed) return { progress, error }
        if (!(error instanceof MalformedError)) throw error
        const message = `a certificate above the leaf cannot be used: ${error.message}`
        return { progress, error: new CheckFailed('certificate', 'CERT_CHAIN', message, { cause: error }) }
      }
    }
    return undefined
  }
}

/** Each is signed by the next. */
function requireSignatures(chain: readonly Certificate[]): void {
  for (const [i, certificate] of chain.entries()) {
    const issuer = chain[i + 1]
    if (issuer === undefined || isSignedBy(certificate, issuer)) continue
    throw new CheckFailed('certificate', 'CERT_SIGNATURE', 'the issuer did not sign the certificate', {
      got: formatName(issuer.subject),
    })
  }
}

/**
 * Which issuer signed which certificate is a fact about their bytes, whatever the time. Remembered by the identity of
 * both parsed certificates, so only those that outlive one verification gain from it: the authorities of a trusted
 * root, a timestamp authority's own certificate above all.
 */
const SIGNED = new WeakMap<Certificate, Map<Certificate, boolean>>()

function isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
  const known = SIGNED.get(certificate)
  const before = known?.get(issuer)
  if (before !== undefined) return before
  const signed = verifyCertificateSignature(certificate, issuer.publicKey)
  if (known === undefined) SIGNED.set(certificate, new Map([[issuer, signed]]))
  else known.set(issuer, signed)
  return signed
}

function requireWindow({ validFor }: AuthorityChain, time: Date): void {
  if (windowContains(validFor, time)) return
  throw new CheckFailed(
    'certificate',
    'CERT_AUTHORITY_WINDOW',
    'the authority was not trusted at that time',
    {
      got: showTime(time),
      wanted: `${showTime(validFor.start)} to ${validFor.end === undefined ? 'now' : showTime(validFor.end)}`,
    },
  )
}

function requireValidity(certificate: Certificate, time: Date, code: 'CERT_TIME' | 'CERT_CHAIN'): void {
  if (time >= certificate.notBefore && time <= certificate.notAfter) return
  throw new CheckFailed('certificate', code, 'a certificate was not valid at that time', {
    got: showTime(time),
    wanted: `${showTime(certificate.notBefore)} to ${showTime(certificate.notAfter)}`,
  })
}

/** An invalid date lies in no interval and is still worth a message. */
function showTime(time: Date): string {
  return Number.isNaN(time.getTime()) ? 'no time' : time.toISOString()
}

export interface PathRequest {
  readonly at: Date
  readonly purpose: PathPurpose
}

/** A path at one time; `PathFinder` serves several. */
export function buildPath<A extends AuthorityChain>(
  leaf: Certificate,
  untrusted: readonly Certificate[],
  authorities: readonly A[],
  { at, purpose }: PathRequest,
): Path<A> {
  return new PathFinder(leaf, untrusted, authorities, purpose).at(at)
}
