import { Fields } from './fields.ts'
import { decodeBase64, encodeHex, equalBytes } from './encoding.ts'
import { MalformedError } from './errors.ts'
import { parseJson, type Json } from './json.ts'
import type { DigestAlgorithm } from './digest.ts'
import type { Code } from './codes.ts'

/**
 * A Sigstore bundle (protobuf-specs sigstore_bundle.proto, versions 0.1 to 0.3) whose shape holds: exactly one kind
 * of content, one kind of key material, every list bounded, every entry complete for its version. A value of this
 * type says nothing about truth; it is what the checks start from.
 */
export interface Bundle {
  /** From the media type. */
  readonly version: BundleVersion
  /** Whose key it claims to be signed with. */
  readonly keyMaterial: KeyMaterial
  /** What was signed, with the signature. */
  readonly content: BundleContent
  /** Entries of transparency logs; no two stand at the same place of the same log. */
  readonly entries: readonly LogEntry[]
  /** RFC 3161 TimeStampResp, DER. */
  readonly timestamps: readonly Uint8Array[]
}

/** Versions of the bundle format that are read. */
export type BundleVersion = '0.1' | '0.2' | '0.3'

/** A signing certificate, or the hint of a key that both sides know. */
export type KeyMaterial =
  | {
      readonly kind: 'certificate'
      /** DER of the signing certificate. */
      readonly leaf: Uint8Array
      /** DER of further certificates of a chain: material for a path, never anchors. */
      readonly untrusted: readonly Uint8Array[]
    }
  | { readonly kind: 'key'; readonly hint: string }

/** A signature over the artifact itself, or a DSSE envelope with a statement about it. */
export type BundleContent =
  | {
      readonly kind: 'message'
      readonly digestAlgorithm: DigestAlgorithm
      /** What the bundle claims; compared with the real digest, never used in its place. */
      readonly digest: Uint8Array
      readonly signature: Uint8Array
    }
  | {
      readonly kind: 'envelope'
      readonly payloadType: string
      readonly payload: Uint8Array
      readonly signature: Uint8Array
      readonly keyId: string
    }

/** One entry of a transparency log, as the bundle gives it. */
export interface LogEntry {
  /** Global index in v1, index in the shard in v2. */
  readonly logIndex: bigint
  /** `logId.keyId`, lower-case hex. */
  readonly logId: string
  /** `hashedrekord`, `dsse` or `intoto`. */
  readonly kind: string
  /** Version of the kind: `0.0.1`. */
  readonly version: string
  /** 1 for Rekor v1, 2 for the tiles era. */
  readonly generation: 1 | 2
  /** Seconds; attacker data until the promise is verified. */
  readonly integratedTime: bigint | undefined
  /** Signed entry timestamp. */
  readonly promise: Uint8Array | undefined
  /** undefined only in bundles of version 0.1, which then have a promise. */
  readonly proof: InclusionProof | undefined
  /** `canonicalizedBody`, decoded. */
  readonly body: Uint8Array
  /** `canonicalizedBody`, as it stood. */
  readonly bodyBase64: string
}

/** Where an entry stands in the tree of its log (RFC 6962 section 2.1.1). Root and size are the checkpoint's to say. */
export interface InclusionProof {
  /** Place in the tree of the checkpoint. */
  readonly logIndex: bigint
  /** Must equal that of the checkpoint where it is there. */
  readonly rootHash: Uint8Array | undefined
  /** Must equal that of the checkpoint where it is there. */
  readonly treeSize: bigint | undefined
  /** 32 bytes each, from the leaf upwards. */
  readonly hashes: readonly Uint8Array[]
  /** The signed note; undefined only in bundles of version 0.1. */
  readonly checkpoint: string | undefined
}

export const BUNDLE_LIMITS = {
  /** Bytes of JSON. Envelopes carry their payload; GitHub's largest are a few hundred kilobytes. */
  size: 16 * 1024 * 1024,
  depth: 16,
  values: 100_000,
  entries: 32,
  timestamps: 32,
  certificates: 10,
  proofHashes: 64,
  checkpoint: 64 * 1024,
} as const

const MEDIA_TYPES: ReadonlyMap<string, BundleVersion> = new Map([
  ['application/vnd.dev.sigstore.bundle+json;version=0.1', '0.1'],
  ['application/vnd.dev.sigstore.bundle+json;version=0.2', '0.2'],
  ['application/vnd.dev.sigstore.bundle+json;version=0.3', '0.3'],
  ['application/vnd.dev.sigstore.bundle.v0.3+json', '0.3'],
])

/** Kinds of log entry that are verified, and the log generation that holds them. */
const ENTRY_KINDS: ReadonlyMap<string, 1 | 2> = new Map([
  ['hashedrekord 0.0.1', 1],
  ['dsse 0.0.1', 1],
  ['intoto 0.0.2', 1],
  ['hashedrekord 0.0.2', 2],
])

const DIGEST_NAMES: ReadonlyMap<string, DigestAlgorithm> = new Map([
  ['SHA2_256', 'sha256'],
  ['SHA2_384', 'sha384'],
  ['SHA2_512', 'sha512'],
])

function malformed(
  code: Code,
  message: string,
  where: string,
  got?: string,
  wanted?: string,
): MalformedError {
  return new MalformedError(code, message, {
    where,
    ...(got === undefined ? {} : { got }),
    ...(wanted === undefined ? {} : { wanted }),
  })
}

/**
 * Parses the JSON of one bundle, strictly. Nothing in the result has been verified: {@link verify} takes the bytes and
 * parses them itself. Use this to look at a bundle.
 *
 * @param bytes - UTF-8 of the JSON, at most 16 MiB
 * @returns a bundle whose shape holds: nothing missing, doubled or out of bounds for its version
 * @throws MalformedError with a `BUNDLE_` code, and the JSON path in `where`
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { parseBundle } from 'sigward'
 *
 * const { version, entries } = parseBundle(await readFile('notes.txt.sigstore.json'))
 * console.log(`version ${version}, ${entries.length} log entries`)
 * ```
 */
export function parseBundle(bytes: Uint8Array): Bundle {
  if (bytes.length > BUNDLE_LIMITS.size) {
    throw malformed(
      'BUNDLE_TOO_LARGE',
      `bundle is larger than ${BUNDLE_LIMITS.size} bytes`,
      '$',
      `${bytes.length}`,
    )
  }
  return bundleFromJson(parseJson(bytes, { ...BUNDLE_LIMITS, code: 'BUNDLE_JSON', what: 'bundle' }))
}

export function bundleFromJson(json: Json): Bundle {
  const root = new Fields(json, '$', 'BUNDLE_FIELD')
  const mediaType = root.string('mediaType')
  const version = MEDIA_TYPES.get(mediaType)
  if (version === undefined) {
    const wanted = 'application/vnd.dev.sigstore.bundle.v0.3+json, or version 0.1 to 0.3'
    throw malformed('BUNDLE_MEDIA_TYPE', 'bundle has an unknown media type', '$.mediaType', mediaType, wanted)
  }
  const material = root.object('verificationMaterial')
  const keyMaterial = readKeyMaterial(material, version)
  const content = readContent(root)
  if (keyMaterial.kind === 'key' && content.kind === 'envelope') checkKeyIds(keyMaterial.hint, content.keyId)
  const entries = material
    .objects('tlogEntries', BUNDLE_LIMITS.entries, 'BUNDLE_LIMIT')
    .map((entry) => readEntry(entry, version))
  refuseDuplicateEntries(entries)
  return { version, keyMaterial, content, entries, timestamps: readTimestamps(material) }
}

function readKeyMaterial(material: Fields, version: BundleVersion): KeyMaterial {
  const present = ['publicKey', 'x509CertificateChain', 'certificate'].filter((name) => material.has(name))
  if (present.length !== 1) {
    const got = present.length === 0 ? 'none' : present.join(' and ')
    throw malformed(
      'BUNDLE_KEY_MATERIAL',
      'bundle does not have exactly one key material',
      material.path,
      got,
    )
  }
  if (present[0] === 'publicKey') {
    return { kind: 'key', hint: material.object('publicKey').optionalString('hint') ?? '' }
  }
  if (present[0] === 'certificate') {
    if (version !== '0.3') {
      const message = `bundle version ${version} must carry its certificate as x509CertificateChain`
      throw malformed('BUNDLE_CHAIN', message, material.at('certificate'))
    }
    return { kind: 'certificate', leaf: material.object('certificate').bytes('rawBytes'), untrusted: [] }
  }
  return readChain(material.object('x509CertificateChain'), version)
}

function readChain(chain: Fields, version: BundleVersion): KeyMaterial {
  const where = chain.at('certificates')
  if (version === '0.3') {
    throw malformed('BUNDLE_CHAIN', 'bundle version 0.3 must carry one certificate, not a chain', chain.path)
  }
  const [leaf, ...untrusted] = chain
    .objects('certificates', BUNDLE_LIMITS.certificates, 'BUNDLE_LIMIT')
    .map((certificate) => certificate.bytes('rawBytes'))
  if (leaf === undefined) throw malformed('BUNDLE_CHAIN', 'bundle has an empty certificate chain', where)
  return { kind: 'certificate', leaf, untrusted }
}

function readContent(root: Fields): BundleContent {
  const message = root.optionalObject('messageSignature')
  const envelope = root.optionalObject('dsseEnvelope')
  if ((message === undefined) === (envelope === undefined)) {
    const got = message === undefined ? 'neither' : 'both'
    throw malformed(
      'BUNDLE_CONTENT',
      'bundle does not have exactly one of message signature and envelope',
      '$',
      got,
    )
  }
  if (message !== undefined) {
    const digest = message.object('messageDigest')
    const name = digest.string('algorithm')
    const digestAlgorithm = DIGEST_NAMES.get(name)
    if (digestAlgorithm === undefined) {
      const wanted = [...DIGEST_NAMES.keys()].join(', ')
      throw malformed(
        'BUNDLE_FIELD',
        'message digest has an unknown algorithm',
        digest.at('algorithm'),
        name,
        wanted,
      )
    }
    return {
      kind: 'message',
      digestAlgorithm,
      digest: digest.bytes('digest'),
      signature: message.bytes('signature'),
    }
  }
  return readEnvelope(root.object('dsseEnvelope'))
}

function readEnvelope(envelope: Fields): BundleContent {
  const signatures = envelope.objects('signatures', 64, 'BUNDLE_LIMIT')
  const [signature] = signatures
  if (signature === undefined || signatures.length !== 1) {
    const where = envelope.at('signatures')
    const message = 'envelope does not have exactly one signature'
    throw malformed('BUNDLE_SIGNATURE_COUNT', message, where, `${signatures.length}`, '1')
  }
  return {
    kind: 'envelope',
    payloadType: envelope.string('payloadType'),
    payload: envelope.bytes('payload'),
    signature: signature.bytes('sig'),
    keyId: signature.optionalString('keyid') ?? '',
  }
}

/** DSSE leaves `keyid` unauthenticated and optional; two names that contradict each other are refused all the same. */
function checkKeyIds(hint: string, keyId: string): void {
  if (hint !== '' && keyId !== '' && hint !== keyId) {
    const where = '$.dsseEnvelope.signatures[0].keyid'
    throw malformed('BUNDLE_KEYID', 'envelope and bundle name different keys', where, keyId, hint)
  }
}

function readEntry(entry: Fields, bundleVersion: BundleVersion): LogEntry {
  const kindVersion = entry.object('kindVersion')
  const kind = kindVersion.string('kind')
  const version = kindVersion.string('version')
  const generation = ENTRY_KINDS.get(`${kind} ${version}`)
  if (generation === undefined) {
    const wanted = [...ENTRY_KINDS.keys()].join(', ')
    const got = `${kind} ${version}`
    throw malformed('BUNDLE_ENTRY_KIND', 'log entry is of an unsupported kind', kindVersion.path, got, wanted)
  }
  const promise = entry.optionalObject('inclusionPromise')?.bytes('signedEntryTimestamp')
  const proof = readProof(entry.optionalObject('inclusionProof'), bundleVersion)
  checkEvidenceForVersion(entry.path, bundleVersion, generation, promise, proof)
  return {
    // protobuf leaves zero out, and the first entry of a log has index zero
    logIndex: entry.optionalDecimal('logIndex') ?? 0n,
    logId: encodeHex(entry.object('logId').bytes('keyId')),
    kind,
    version,
    generation,
    integratedTime: entry.optionalDecimal('integratedTime'),
    promise,
    proof,
    body: entry.bytes('canonicalizedBody'),
    bodyBase64: entry.string('canonicalizedBody'),
  }
}

/** Every entry must carry the evidence that its bundle version asks for, not only some entry. */
function checkEvidenceForVersion(
  path: string,
  bundleVersion: BundleVersion,
  generation: 1 | 2,
  promise: Uint8Array | undefined,
  proof: InclusionProof | undefined,
): void {
  if (generation === 2 && promise !== undefined) {
    throw malformed(
      'BUNDLE_ENTRY_PROMISE',
      'entry of a tile log carries a promise',
      `${path}.inclusionPromise`,
    )
  }
  if (bundleVersion === '0.1' && generation === 1) {
    if (promise === undefined) {
      throw malformed('BUNDLE_ENTRY_PROMISE', 'bundle version 0.1 needs an inclusion promise', path)
    }
  } else if (proof === undefined) {
    throw malformed('BUNDLE_ENTRY_PROOF', 'log entry has no inclusion proof', path)
  } else if (proof.checkpoint === undefined) {
    throw malformed('BUNDLE_ENTRY_PROOF', 'inclusion proof has no checkpoint', `${path}.inclusionProof`)
  }
}

function readProof(proof: Fields | undefined, bundleVersion: BundleVersion): InclusionProof | undefined {
  if (proof === undefined) return undefined
  const checkpoint = proof.optionalObject('checkpoint')?.optionalString('envelope') ?? ''
  if (checkpoint.length > BUNDLE_LIMITS.checkpoint) {
    throw malformed('BUNDLE_LIMIT', 'checkpoint is too large', proof.at('checkpoint'), `${checkpoint.length}`)
  }
  // version 0.1 knew proofs before it knew checkpoints; such a proof proves nothing and is set aside
  if (checkpoint === '' && bundleVersion === '0.1') return undefined
  return {
    logIndex: proof.optionalDecimal('logIndex') ?? 0n,
    rootHash: proof.optionalBytes('rootHash'),
    treeSize: proof.optionalDecimal('treeSize'),
    hashes: proof.list('hashes', BUNDLE_LIMITS.proofHashes, 'BUNDLE_LIMIT').map((item, i) => {
      const hash = typeof item === 'string' ? decodeBase64(item) : undefined
      if (hash?.length === 32) return hash
      throw malformed('BUNDLE_FIELD', 'proof hash is not 32 bytes in base64', `${proof.at('hashes')}[${i}]`)
    }),
    checkpoint: checkpoint === '' ? undefined : checkpoint,
  }
}

function refuseDuplicateEntries(entries: readonly LogEntry[]): void {
  const seen = new Set<string>()
  for (const { logId, logIndex } of entries) {
    const position = `${logId} ${logIndex}`
    if (seen.has(position)) {
      const where = '$.verificationMaterial.tlogEntries'
      throw malformed('BUNDLE_DUPLICATE', 'bundle holds the same log entry twice', where, `index ${logIndex}`)
    }
    seen.add(position)
  }
}

function readTimestamps(material: Fields): readonly Uint8Array[] {
  const data = material.optionalObject('timestampVerificationData')
  if (data === undefined) return []
  const timestamps = data
    .objects('rfc3161Timestamps', BUNDLE_LIMITS.timestamps, 'BUNDLE_LIMIT')
    .map((timestamp) => timestamp.bytes('signedTimestamp'))
  timestamps.forEach((timestamp, i) => {
    if (timestamps.slice(0, i).some((earlier) => equalBytes(earlier, timestamp))) {
      const where = `${data.at('rfc3161Timestamps')}[${i}]`
      throw malformed('BUNDLE_DUPLICATE', 'bundle holds the same timestamp twice', where)
    }
  })
  return timestamps
}

/** For the list of checks: what kind of bundle this is. */
export function describeBundle({ version, keyMaterial, content, entries, timestamps }: Bundle): string {
  const evidence = `log entries: ${entries.length}, timestamps: ${timestamps.length}`
  return `version ${version}, ${content.kind} signed with a ${keyMaterial.kind}, ${evidence}`
}
