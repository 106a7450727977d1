import { Buffer } from 'node:buffer'
import { createPublicKey, hash, verify, type KeyObject } from 'node:crypto'
import type { SignatureCheck } from './capture.ts'
import type { Workload } from './workload.ts'

/**
 * The least that verifying a bundle can cost on this machine: its text parsed and decoded, its structures walked, the
 * key of its certificate made, every necessary signature checked with keys that are ready, every hash made. Nothing is
 * compared and nothing decided.
 */
export function floorOf({ samples }: Workload): () => void {
  const ready = new Map<string, KeyObject>()
  const keyOf = (spki: Buffer): KeyObject => {
    const name = spki.toString('base64')
    const key = ready.get(name) ?? createPublicKey({ key: spki, format: 'der', type: 'spki' })
    ready.set(name, key)
    return key
  }
  const prepared = samples.map(({ bundle, artifact, signatures }) => ({
    bundle,
    artifact,
    checks: signatures.map((check) => ({ ...check, key: check.isLeaf ? undefined : keyOf(check.spki) })),
  }))
  let next = 0
  return () => {
    const sample = prepared[next++ % prepared.length]
    if (sample !== undefined) runFloor(sample.bundle, sample.artifact, sample.checks)
  }
}

type ReadyCheck = SignatureCheck & { readonly key: KeyObject | undefined }

interface BundleJson {
  readonly verificationMaterial: {
    readonly certificate: { readonly rawBytes: string }
    readonly tlogEntries: readonly {
      readonly logId: { readonly keyId: string }
      readonly inclusionPromise?: { readonly signedEntryTimestamp: string }
      readonly inclusionProof: { readonly rootHash: string; readonly hashes: readonly string[] }
      readonly canonicalizedBody: string
    }[]
    readonly timestampVerificationData?: {
      readonly rfc3161Timestamps: readonly { readonly signedTimestamp: string }[]
    }
  }
  readonly messageSignature?: {
    readonly messageDigest: { readonly digest: string }
    readonly signature: string
  }
  readonly dsseEnvelope?: {
    readonly payload: string
    readonly signatures: readonly { readonly sig: string }[]
  }
}

function runFloor(text: Buffer, artifact: Buffer, checks: readonly ReadyCheck[]): void {
  const bundle = JSON.parse(text.toString()) as BundleJson
  const { certificate, tlogEntries, timestampVerificationData } = bundle.verificationMaterial
  walk(bytes(certificate.rawBytes))
  for (const { logId, inclusionPromise, inclusionProof, canonicalizedBody } of tlogEntries) {
    bytes(logId.keyId)
    if (inclusionPromise !== undefined) bytes(inclusionPromise.signedEntryTimestamp)
    bytes(inclusionProof.rootHash)
    JSON.parse(bytes(canonicalizedBody).toString())
    hash('sha256', bytes(canonicalizedBody), 'binary')
    for (const sibling of inclusionProof.hashes) {
      NODE.set(bytes(sibling), 1)
      NODE.write(hash('sha256', NODE, 'binary'), 33, 'latin1')
    }
  }
  for (const { signedTimestamp } of timestampVerificationData?.rfc3161Timestamps ?? []) {
    const token = bytes(signedTimestamp)
    walk(token)
    // imprint, content and signing certificate
    for (let i = 0; i < 3; i++) hash('sha256', token.subarray(0, 100), 'binary')
  }
  hash('sha256', artifact, 'binary')
  if (bundle.messageSignature !== undefined) {
    bytes(bundle.messageSignature.messageDigest.digest)
    bytes(bundle.messageSignature.signature)
  }
  if (bundle.dsseEnvelope !== undefined) {
    const payload = bytes(bundle.dsseEnvelope.payload)
    bytes(bundle.dsseEnvelope.signatures[0]?.sig ?? '')
    JSON.parse(payload.toString())
    hash('sha512', artifact, 'binary')
    // logged by its own hash and by that of the envelope
    hash('sha256', payload, 'binary')
    hash('sha256', payload, 'binary')
  }
  for (const { digest, data, key, spki, signature } of checks) {
    const ready = key ?? createPublicKey({ key: spki, format: 'der', type: 'spki' })
    if (!verify(digest, data, ready, signature))
      throw new Error('a signature that was captured does not hold')
  }
}

const NODE = Buffer.alloc(65)

function bytes(text: string): Buffer {
  return Buffer.from(text, 'base64')
}

/** Every element by offsets, down to the primitive ones. */
function walk(der: Buffer, start = 0, end = der.length): void {
  for (let at = start; at < end;) {
    const tag = der[at] ?? 0
    let length = der[at + 1] ?? 0
    let content = at + 2
    if (length >= 0x80) {
      const count = length & 0x7f
      length = 0
      for (let i = 0; i < count; i++) length = length * 256 + (der[content + i] ?? 0)
      content += count
    }
    if ((tag & 0x20) !== 0) walk(der, content, content + length)
    at = content + length
  }
}
