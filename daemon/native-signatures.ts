import type { NativeSignatureReport } from './api.ts'
import { provenanceSignature } from '../formats/index.ts'
import type { Artifact, NativeSignature } from '../trust/artifact.ts'
import { encodeHex } from '../trust/encoding.ts'
import { MalformedError, StoreError } from '../trust/errors.ts'
import { verifySignature, type PublicKey } from '../trust/keys.ts'
import { readSmallFile } from './package-file.ts'
import { verifyPgp, type Keyring } from './openpgp.ts'

/**
 * Signatures of a format's own kind: module signatures, signed jars, chart provenance. They are reported beside the
 * verdict and never make one: no log has seen them, and no time is proven.
 */
export interface NativeKeys {
  readonly keys: readonly PublicKey[]
  readonly keyrings: readonly Keyring[]
}

export function reportEmbedded(artifact: Artifact, { keys }: NativeKeys): readonly NativeSignatureReport[] {
  return artifact.nativeSignatures.map((signature) => reportOne(signature, keys))
}

function reportOne(signature: NativeSignature, keys: readonly PublicKey[]): NativeSignatureReport {
  const { scheme, keyId, covers, contentMatches } = signature
  const report = (state: NativeSignatureReport['state'], remark: string): NativeSignatureReport => ({
    scheme,
    keyId,
    covers,
    state,
    remark,
  })
  if (signature.algorithm !== 'ed25519' || signature.message === undefined) {
    const remark = contentMatches
      ? 'its hashes fit the content'
      : 'its hashes do not cover all of the content'
    return report('reported-only', `${remark}; the ${signature.algorithm} signature itself is not judged`)
  }
  if (!contentMatches) return report('broken', 'the signed hashes are not those of this file')
  const { message } = signature
  const fitting = keys.filter(({ type }) => type === 'ed25519')
  if (fitting.length === 0) return report('key-unknown', 'name its Ed25519 key with --key to have it checked')
  const holds = fitting.some((key) => verifySignature(key, { kind: 'ed25519' }, message, signature.signature))
  return holds
    ? report('holds', 'made by the key that was named; no log has seen it')
    : report('key-unknown', 'not made by a key that was named')
}

/** The provenance file beside a chart, if there is one. */
export async function reportProvenance(
  path: string,
  filename: string,
  sha256: Uint8Array,
  { keyrings }: NativeKeys,
): Promise<readonly NativeSignatureReport[]> {
  const bytes = await readIfThere(`${path}.prov`)
  if (bytes === undefined) return []
  const report = (
    state: NativeSignatureReport['state'],
    covers: string,
    remark: string,
  ): NativeSignatureReport => ({
    scheme: 'helm-provenance',
    keyId: undefined,
    covers,
    state,
    remark,
  })
  let provenance: Awaited<ReturnType<typeof provenanceSignature>>
  try {
    provenance = await provenanceSignature(bytes)
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    return [report('broken', 'nothing', error.message)]
  }
  const { covers, files, message, signature } = provenance
  const named = files.get(filename)
  if (named === undefined) return [report('broken', covers, 'it is about files of other names')]
  if (named !== `sha256:${encodeHex(sha256)}`)
    return [report('broken', covers, 'it is about another file of this name')]
  if (message === undefined || keyrings.length === 0) {
    return [report('key-unknown', covers, 'name its OpenPGP keyring with --key to have it checked')]
  }
  const outcomes = await Promise.all(keyrings.map((keyring) => verifyPgp(message, signature, keyring)))
  const best =
    outcomes.find(({ state }) => state === 'holds') ??
    outcomes.find(({ state }) => state === 'broken') ??
    outcomes[0]
  if (best?.state === 'holds')
    return [report('holds', covers, `made by OpenPGP key ${best.by}; no log has seen it`)]
  if (best?.state === 'broken') return [report('broken', covers, best.why)]
  return [report('key-unknown', covers, `OpenPGP key ${best?.by ?? ''} is in no keyring that was named`)]
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readSmallFile(path, 1024 * 1024)
  } catch (error) {
    if (error instanceof StoreError && error.code === 'STORE_NOT_FOUND') return undefined
    throw error
  }
}
