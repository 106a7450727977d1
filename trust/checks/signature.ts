import { digestOf, equalDigests, formatDigest, type Digest, type DigestAlgorithm } from '../digest.ts'
import { preAuthenticationEncoding } from '../dsse.ts'
import type { ArtifactContent, VerifyDigest } from '../content.ts'
import { CheckFailed } from '../errors.ts'
import { schemesFor, verifySignature, type PublicKey, type SignatureScheme } from '../keys.ts'
import type { BundleContent } from '../bundle.ts'

/** A signature that holds, and what it is over. */
export interface SignedContent {
  readonly scheme: SignatureScheme
  readonly signature: Uint8Array
  /** Digest, under the scheme's hash, of what was signed: the artifact, or the encoded envelope. */
  readonly signedDigest: Digest
  readonly content: BundleContent
}

/** Verifies the bundle's signature with `key` (client specification section 4.5, DSSE protocol). */
export function checkSignature(
  content: BundleContent,
  key: PublicKey,
  artifact: ArtifactContent,
): SignedContent {
  return content.kind === 'message'
    ? checkMessage(content, key, artifact)
    : checkEnvelope(content, key, artifact.verifyDigest)
}

type Message = Extract<BundleContent, { kind: 'message' }>
type Envelope = Extract<BundleContent, { kind: 'envelope' }>

function checkMessage(content: Message, key: PublicKey, artifact: ArtifactContent): SignedContent {
  const digest = artifact.digests.get(content.digestAlgorithm)
  if (digest === undefined) {
    throw new CheckFailed(
      'signature',
      'SIGNATURE_NEEDS_ARTIFACT',
      'the bundle signs another kind of digest',
      {
        got: [...artifact.digests.keys()].join(', '),
        wanted: content.digestAlgorithm,
      },
    )
  }
  const signedDigest: Digest = { algorithm: content.digestAlgorithm, bytes: digest }
  if (!equalDigests(digest, content.digest)) {
    throw new CheckFailed('signature', 'ARTIFACT_DIGEST', 'the artifact is not the one that was signed', {
      got: formatDigest(signedDigest),
      wanted: formatDigest({ algorithm: content.digestAlgorithm, bytes: content.digest }),
    })
  }
  const fitting = schemesFor(key).filter((scheme) =>
    [undefined, content.digestAlgorithm].includes(hashOf(scheme)),
  )
  if (fitting.length === 0) throw noScheme(key, content.digestAlgorithm)
  for (const scheme of fitting) {
    if (holds(key, scheme, content.signature, artifact.bytes, digest, artifact.verifyDigest)) {
      return { scheme, signature: content.signature, signedDigest, content }
    }
  }
  throw invalid(key, 'the artifact')
}

function holds(
  key: PublicKey,
  scheme: SignatureScheme,
  signature: Uint8Array,
  message: Uint8Array | undefined,
  digest: Uint8Array,
  verifyDigest: VerifyDigest | undefined,
): boolean {
  if (message !== undefined && scheme.kind !== 'ed25519ph')
    return verifySignature(key, scheme, message, signature)
  if (verifyDigest === undefined) throw new TypeError('a prehashed signature, and no way to verify a digest')
  const prehashed =
    scheme.kind === 'ed25519ph' && message !== undefined ? digestOf('sha512', message) : digest
  return verifyDigest(key, scheme, prehashed, signature)
}

function checkEnvelope(
  content: Envelope,
  key: PublicKey,
  verifyDigest: VerifyDigest | undefined,
): SignedContent {
  const encoded = preAuthenticationEncoding(content.payloadType, content.payload)
  for (const scheme of schemesFor(key)) {
    const algorithm = hashOf(scheme) ?? 'sha256'
    const signedDigest: Digest = { algorithm, bytes: digestOf(algorithm, encoded) }
    if (holds(key, scheme, content.signature, encoded, signedDigest.bytes, verifyDigest)) {
      return { scheme, signature: content.signature, signedDigest, content }
    }
  }
  throw invalid(key, 'the envelope')
}

/** The hash that a scheme puts before the signature; undefined for schemes that sign the message itself. */
function hashOf(scheme: SignatureScheme): DigestAlgorithm | undefined {
  if (scheme.kind === 'ed25519ph') return 'sha512'
  return 'hash' in scheme ? scheme.hash : undefined
}

function noScheme(key: PublicKey, algorithm: DigestAlgorithm): CheckFailed {
  return new CheckFailed('signature', 'SIGNATURE_ALGORITHM', 'key and digest algorithm do not go together', {
    got: `${key.type} key with ${algorithm}`,
    wanted: schemesFor(key).map(describeScheme).join(' or '),
  })
}

function invalid(key: PublicKey, what: string): CheckFailed {
  return new CheckFailed('signature', 'SIGNATURE_INVALID', `the signature over ${what} does not verify`, {
    got: `a signature that this ${key.type} key did not make`,
    wanted: schemesFor(key).map(describeScheme).join(' or '),
  })
}

function describeScheme(scheme: SignatureScheme): string {
  return 'hash' in scheme ? `${scheme.kind} ${scheme.hash}` : scheme.kind
}

/** Key and scheme in one term: `ecdsa-p256 sha256`, `rsa-pkcs1 sha256 of 3072 bits`, `ed25519ph`, `ml-dsa-44`. */
export function describeAlgorithm(key: PublicKey, scheme: SignatureScheme): string {
  if (scheme.kind === 'ecdsa') return `${key.type} ${scheme.hash}`
  if ('hash' in scheme) return `${describeScheme(scheme)} of ${key.bits} bits`
  return scheme.kind === 'ml-dsa' ? key.type : scheme.kind
}
