import { Buffer } from 'node:buffer'
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import type { TransparencyLog, Window } from '../../trust/authority.ts'
import type { LogEntry } from '../../trust/bundle.ts'
import { parsePublicKey, type PublicKey } from '../../trust/keys.ts'
import { TestTree } from './test-tree.ts'

/**
 * A transparency log and witnesses in memory, of either generation, that sign whatever a test asks for, true or
 * not. Independent of the code under test: formats are written out by hand from their specifications.
 *
 *     const log = new TestLog({ generation: 2 })
 *     const index = log.append(body)
 *     const entry = log.entry(index)            // verifies against [log.authority]
 *     const lie = log.entry(index, { checkpoint: log.checkpoint({ rootHash: other }) })
 */
export type TestKeyType = 'ed25519' | 'ecdsa-p256' | 'ecdsa-p384' | 'rsa' | 'ml-dsa-44'

export interface TestLogOptions {
  /** 1: promises, shard origins, key IDs from the key alone. 2 (default): tiles. */
  readonly generation?: 1 | 2
  /** Host of the log: its key name, and the start of its origin. */
  readonly name?: string
  /** Ed25519 for generation 2, P-256 for generation 1. */
  readonly keyType?: TestKeyType
  readonly treeId?: string
  readonly validFor?: Window
  /** Entries before this shard began, which global indexes count and indexes in the tree do not. */
  readonly globalOffset?: bigint
}

export interface TestSignature {
  readonly name: string
  readonly keyId: string
  readonly signature: Uint8Array
}

export interface TestCheckpoint {
  readonly size?: bigint
  readonly origin?: string
  readonly rootHash?: Uint8Array
  readonly extensions?: readonly string[]
  readonly witnesses?: readonly TestWitness[]
  /** Seconds that witnesses state. */
  readonly witnessedAt?: bigint
}

/** 2024-01-01T00:00:00Z, the time of everything that a test does not date itself. */
export const TEST_SECONDS = 1_704_067_200n

export class TestLog {
  readonly generation: 1 | 2
  readonly name: string
  readonly origin: string
  readonly tree = new TestTree()
  /** What a trusted root would say about the log. */
  readonly authority: TransparencyLog
  readonly bodies: Uint8Array[] = []
  private readonly pair: TestKeyPair
  private readonly globalOffset: bigint

  constructor(options: TestLogOptions = {}) {
    this.generation = options.generation ?? 2
    this.name = options.name ?? 'log.sigward.test'
    this.origin =
      this.generation === 2 ? this.name : `${this.name} - ${options.treeId ?? '1193050959916656506'}`
    this.globalOffset = options.globalOffset ?? (this.generation === 2 ? 0n : 4_163_431n)
    this.pair = newTestKey(options.keyType ?? (this.generation === 2 ? 'ed25519' : 'ecdsa-p256'))
    const { publicKey } = this.pair
    const logId = this.generation === 1 ? sha256(publicKey.spki) : noteKeyHash(this.name, publicKey)
    this.authority = {
      purpose: 'tlog',
      baseUrl: `https://${this.name}`,
      operator: this.name,
      logId: logId.toString('hex'),
      key: publicKey,
      validFor: options.validFor ?? { start: new Date('2023-01-01T00:00:00Z'), end: undefined },
      names: [this.name],
      checkpointKeyId: logId.subarray(0, 4).toString('hex'),
    }
  }

  get size(): bigint {
    return this.tree.size
  }

  /** Returns the index in the tree. */
  append(body: Uint8Array | string): bigint {
    const bytes = Buffer.from(body)
    this.bodies.push(bytes)
    return this.tree.append(bytes)
  }

  /** Text of a checkpoint, without signatures. */
  checkpointText({
    size = this.size,
    origin = this.origin,
    rootHash,
    extensions = [],
  }: TestCheckpoint = {}): string {
    const root = Buffer.from(rootHash ?? this.tree.root(size)).toString('base64')
    return [origin, String(size), root, ...extensions, ''].join('\n')
  }

  /** The log's own signature line over any text. */
  sign(text: string): TestSignature {
    const keyId = this.authority.checkpointKeyId
    if (this.pair.publicKey.type === 'ml-dsa-44') {
      return { name: this.name, keyId, signature: cosignMlDsa(this.pair, this.name, text, TEST_SECONDS) }
    }
    return { name: this.name, keyId, signature: signLikeLog(this.pair, Buffer.from(text)) }
  }

  /** A signed note, witnesses after the log. */
  checkpoint(options: TestCheckpoint = {}): string {
    const text = this.checkpointText(options)
    const witnesses = options.witnesses ?? []
    return formatNote(text, [this.sign(text), ...witnesses.map((w) => w.cosign(text, options.witnessedAt))])
  }

  /** Signed entry timestamp of Rekor v1 over these very values. */
  promise(body: Uint8Array, integratedTime: bigint, logIndex: bigint): Uint8Array {
    const base64 = Buffer.from(body).toString('base64')
    const { logId } = this.authority
    const signed = `{"body":"${base64}","integratedTime":${integratedTime},"logID":"${logId}","logIndex":${logIndex}}`
    return signLikeLog(this.pair, Buffer.from(signed))
  }

  /** A complete entry of a bundle for a body that was appended. */
  entry(
    index: bigint,
    options: { readonly checkpoint?: string; readonly integratedTime?: bigint } = {},
  ): LogEntry {
    const body = this.bodies[Number(index)]
    if (body === undefined) throw new Error(`nothing was appended at ${index}`)
    const { generation, size } = this
    const logIndex = index + this.globalOffset
    const integratedTime = options.integratedTime ?? (generation === 1 ? TEST_SECONDS : undefined)
    return {
      logIndex,
      logId: this.authority.logId,
      kind: 'hashedrekord',
      version: generation === 1 ? '0.0.1' : '0.0.2',
      generation,
      integratedTime,
      promise: generation === 1 ? this.promise(body, integratedTime ?? TEST_SECONDS, logIndex) : undefined,
      proof: {
        logIndex: index,
        rootHash: this.tree.root(),
        treeSize: size,
        hashes: this.tree.inclusionProof(index),
        checkpoint: options.checkpoint ?? this.checkpoint(),
      },
      body,
      bodyBase64: Buffer.from(body).toString('base64'),
    }
  }

  /** The member of `tlogs` in a trusted root. */
  trustedRootJson(): Record<string, unknown> {
    const { baseUrl, operator, logId, key, validFor, checkpointKeyId } = this.authority
    return {
      baseUrl,
      operator,
      hashAlgorithm: 'SHA2_256',
      publicKey: {
        rawBytes: Buffer.from(key.spki).toString('base64'),
        keyDetails: KEY_DETAILS[this.pair.type],
        validFor: {
          start: validFor.start.toISOString(),
          ...(validFor.end === undefined ? {} : { end: validFor.end.toISOString() }),
        },
      },
      logId: { keyId: Buffer.from(logId, 'hex').toString('base64') },
      checkpointKeyId: { keyId: Buffer.from(checkpointKeyId, 'hex').toString('base64') },
    }
  }
}

/** The member of `tlogEntries` in a bundle. */
export function entryJson(entry: LogEntry): Record<string, unknown> {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
  const { proof, promise } = entry
  return {
    logIndex: String(entry.logIndex),
    logId: { keyId: Buffer.from(entry.logId, 'hex').toString('base64') },
    kindVersion: { kind: entry.kind, version: entry.version },
    ...(entry.integratedTime === undefined ? {} : { integratedTime: String(entry.integratedTime) }),
    ...(promise === undefined ? {} : { inclusionPromise: { signedEntryTimestamp: base64(promise) } }),
    ...(proof === undefined
      ? {}
      : {
          inclusionProof: {
            logIndex: String(proof.logIndex),
            ...(proof.rootHash === undefined ? {} : { rootHash: base64(proof.rootHash) }),
            ...(proof.treeSize === undefined ? {} : { treeSize: String(proof.treeSize) }),
            hashes: proof.hashes.map(base64),
            ...(proof.checkpoint === undefined ? {} : { checkpoint: { envelope: proof.checkpoint } }),
          },
        }),
    canonicalizedBody: base64(entry.body),
  }
}

export class TestWitness {
  readonly name: string
  readonly keyId: string
  readonly vkey: string
  private readonly pair: TestKeyPair

  constructor(name: string, algorithm: 'ed25519' | 'ml-dsa-44' = 'ed25519') {
    this.name = name
    this.pair = newTestKey(algorithm)
    const material = Buffer.concat([
      Buffer.from([algorithm === 'ed25519' ? 0x04 : 0x06]),
      this.pair.publicKey.spki.subarray(algorithm === 'ed25519' ? -32 : -1312),
    ])
    this.keyId = sha256(Buffer.from(`${name}\n`), material)
      .toString('hex')
      .slice(0, 8)
    this.vkey = `${name}+${this.keyId}+${material.toString('base64')}`
  }

  cosign(text: string, seconds: bigint = TEST_SECONDS): TestSignature {
    if (this.pair.type === 'ml-dsa-44') {
      return {
        name: this.name,
        keyId: this.keyId,
        signature: cosignMlDsa(this.pair, this.name, text, seconds),
      }
    }
    const message = Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`)
    const signature = Buffer.concat([uint64(seconds), sign(null, message, this.pair.privateKey)])
    return { name: this.name, keyId: this.keyId, signature }
  }
}

/** Joins text and signature lines, without looking at either. */
export function formatNote(text: string, signatures: readonly TestSignature[]): string {
  const lines = signatures.map(({ name, keyId, signature }) => {
    const bytes = Buffer.concat([Buffer.from(keyId, 'hex'), signature])
    return `\u2014 ${name} ${bytes.toString('base64')}\n`
  })
  return `${text}\n${lines.join('')}`
}

export interface TestKeyPair {
  readonly type: TestKeyType
  readonly publicKey: PublicKey
  readonly privateKey: KeyObject
}

export function newTestKey(type: TestKeyType): TestKeyPair {
  const { publicKey, privateKey } = generate(type)
  return { type, publicKey: parsePublicKey(publicKey.export({ type: 'spki', format: 'der' })), privateKey }
}

function generate(type: TestKeyType): { publicKey: KeyObject; privateKey: KeyObject } {
  switch (type) {
    case 'ed25519':
      return generateKeyPairSync('ed25519')
    case 'ecdsa-p256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    case 'ecdsa-p384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' })
    case 'rsa':
      return generateKeyPairSync('rsa', { modulusLength: 2048 })
    case 'ml-dsa-44':
      return generateKeyPairSync('ml-dsa-44')
  }
}

const KEY_DETAILS: Readonly<Record<TestKeyType, string>> = {
  ed25519: 'PKIX_ED25519',
  'ecdsa-p256': 'PKIX_ECDSA_P256_SHA_256',
  'ecdsa-p384': 'PKIX_ECDSA_P384_SHA_384',
  rsa: 'PKIX_RSA_PKCS1V15_2048_SHA256',
  'ml-dsa-44': 'ML_DSA_44',
}

/** SHA-256 whatever the curve, as logs do; a plain Ed25519 signature otherwise. */
export function signLikeLog({ type, privateKey }: TestKeyPair, message: Uint8Array): Uint8Array {
  return sign(type === 'ed25519' ? null : 'sha256', message, privateKey)
}

/** Full note key hash; its first four bytes are the key ID. */
function noteKeyHash(name: string, key: PublicKey): Buffer {
  const start = Buffer.from(`${name}\n`)
  if (key.type === 'ed25519') return sha256(start, Buffer.from([0x01]), key.spki.subarray(-32))
  if (key.type === 'ml-dsa-44') return sha256(start, Buffer.from([0x06]), key.spki.subarray(-1312))
  if (key.type === 'rsa') return sha256(start, Buffer.from('\xffPKIX-RSA-PKCS#1v1.5', 'latin1'), key.spki)
  return sha256(key.spki)
}

function cosignMlDsa({ privateKey }: TestKeyPair, name: string, text: string, seconds: bigint): Uint8Array {
  const [origin = '', size = '', root = ''] = text.split('\n')
  const message = Buffer.concat([
    Buffer.from('subtree/v1\n\0'),
    Buffer.from([Buffer.byteLength(name)]),
    Buffer.from(name),
    uint64(seconds),
    Buffer.from([Buffer.byteLength(origin)]),
    Buffer.from(origin),
    uint64(0n),
    uint64(BigInt(size)),
    Buffer.from(root, 'base64'),
  ])
  return Buffer.concat([uint64(seconds), sign(null, message, privateKey)])
}

function uint64(n: bigint): Buffer {
  return Buffer.from(n.toString(16).padStart(16, '0'), 'hex')
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const h = createHash('sha256')
  for (const part of parts) h.update(part)
  return h.digest()
}
