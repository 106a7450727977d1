import type { CertificateAuthority } from '../authority.ts'
import { encodeHex } from '../encoding.ts'
import { CheckFailed, MalformedError } from '../errors.ts'
import type { PublicKey } from '../keys.ts'
import type { Certificate } from '../x509/certificate.ts'
import {
  isAuthority,
  PURPOSE,
  readExtendedKeyUsage,
  readIdentity,
  readKeyUsage,
  type CertificateIdentity,
} from '../x509/extensions.ts'
import { formatName } from '../x509/name.ts'
import { PathFinder, type Path } from '../x509/path.ts'

/** A time that some authority vouches for, as `checks/time.ts` establishes it. */
interface Timed {
  readonly at: Date
}

export interface CertificateEvidence<T extends Timed = Timed> {
  readonly identity: CertificateIdentity
  /** The key of the leaf. */
  readonly key: PublicKey
  /** One path for each verified time, in the order given. */
  readonly paths: readonly [TimedPath<T>, ...TimedPath<T>[]]
  /** Name of the authority on the first path. */
  readonly authority: string
  /** Issuer of the leaf on the first path. */
  readonly issuer: Certificate
  /** Its own issuer; undefined where the issuer is the anchor. */
  readonly issuerOfIssuer: Certificate | undefined
}

export interface TimedPath<T extends Timed = Timed> {
  readonly time: T
  readonly path: Path<CertificateAuthority>
}

/**
 * Client specification section 4.3: the signing certificate is for signing code, names one identity, and leads to a
 * trusted authority at every verified time. One time that fails fails the check: whoever controls one clock must
 * not be able to choose it.
 */
export function checkCertificate<T extends Timed>(
  leaf: Certificate,
  untrusted: readonly Certificate[],
  authorities: readonly CertificateAuthority[],
  times: readonly [T, ...T[]],
): CertificateEvidence<T> {
  try {
    requireSigner(leaf)
    const finder = new PathFinder(leaf, untrusted, authorities, 'codeSigning')
    const [first, ...rest] = times
    const pathAt = (time: T): TimedPath<T> => ({ time, path: finder.at(time.at) })
    const paths = [pathAt(first), ...rest.map(pathAt)] as const
    requireEmptySubject(leaf)
    const { authority, issuer, certificates } = paths[0].path
    const [, , issuerOfIssuer] = certificates
    const identity = readIdentity(leaf)
    return { identity, key: leaf.publicKey, paths, authority: authority.name, issuer, issuerOfIssuer }
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    const details = error.got === undefined ? { cause: error } : { cause: error, got: error.got }
    throw new CheckFailed('certificate', 'CERT_MALFORMED', `signing certificate: ${error.message}`, details)
  }
}

/** Rules for the role: not an authority, for signatures, for code signing. */
export function requireSigner(leaf: Certificate): void {
  if (isAuthority(leaf)) {
    throw new CheckFailed(
      'certificate',
      'CERT_IS_CA',
      'the signing certificate is an authority certificate',
      {
        got: formatName(leaf.subject),
      },
    )
  }
  if (readKeyUsage(leaf)?.digitalSignature !== true) {
    throw new CheckFailed(
      'certificate',
      'CERT_KEY_USAGE',
      'the certificate is not meant for digital signatures',
    )
  }
  const purposes = readExtendedKeyUsage(leaf) ?? []
  if (!purposes.includes(PURPOSE.codeSigning)) {
    throw new CheckFailed(
      'certificate',
      'CERT_EXTENDED_KEY_USAGE',
      'the certificate is not meant for code signing',
      {
        got: purposes.join(', '),
        wanted: PURPOSE.codeSigning,
      },
    )
  }
}

/** Fulcio names the signer in one place only; a second name in the subject is nothing that anybody verified. */
function requireEmptySubject({ subject }: Certificate): void {
  if (encodeHex(subject) === '3000') return
  throw new CheckFailed('certificate', 'CERT_SUBJECT', 'the signing certificate has a subject', {
    got: formatName(subject),
  })
}
