import { digestOf, equalDigests, type ArtifactDigests, type Digest } from '../digest.ts'
import { CheckFailed } from '../errors.ts'
import { findSubject, parseStatement, type Statement } from '../statement.ts'
import type { SignedContent } from './signature.ts'

/** What was signed, tied to the artifact. */
export interface SignedSubject {
  readonly digest: Digest
  /** undefined for a message signature, which is over the artifact itself. */
  readonly statement: Statement | undefined
  readonly index: number | undefined
}

const IN_TOTO = 'application/vnd.in-toto+json'

/**
 * A message signature covers the artifact; a statement covers it when one of its subjects has its digest. An envelope
 * of any other type says nothing about other files: it covers the artifact only where its payload is the artifact.
 */
export function checkSubject(
  { content, signedDigest }: SignedContent,
  digests: ArtifactDigests,
): SignedSubject {
  if (content.kind === 'message') return { digest: signedDigest, statement: undefined, index: undefined }
  if (content.payloadType !== IN_TOTO) {
    const own = payloadDigest(content.payload, digests)
    if (own !== undefined) return { digest: own, statement: undefined, index: undefined }
    throw new CheckFailed(
      'subject',
      'STATEMENT_PAYLOAD_TYPE',
      'the envelope holds neither an in-toto statement nor this artifact',
      {
        got: content.payloadType,
        wanted: IN_TOTO,
        where: '$.dsseEnvelope.payloadType',
      },
    )
  }
  const statement = parseStatement(content.payload)
  const { digest, index } = findSubject(statement, digests)
  return { digest, statement, index }
}

function payloadDigest(payload: Uint8Array, digests: ArtifactDigests): Digest | undefined {
  const known = [...digests].map(([algorithm, bytes]): Digest => ({ algorithm, bytes }))
  const all = known.every(({ algorithm, bytes }) => equalDigests(bytes, digestOf(algorithm, payload)))
  return all ? known[0] : undefined
}
