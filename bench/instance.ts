import { Buffer } from 'node:buffer'
import { createHash, hash, randomBytes, randomInt, sign } from 'node:crypto'
import { canonicalJson } from '../trust/canonical-json.ts'
import { newKey, type TestKey, type TestKeyType } from '../test/support/test-der.ts'
import {
  authorityKeyIdentifier,
  EKU,
  extendedKeyUsage,
  fulcioExtension,
  keyIdentifierOf,
  keyUsage,
  newAuthority,
  newLeaf,
  newTimestampLeaf,
  subjectAltName,
  subjectKeyIdentifier,
  uriName,
  type TestAuthority,
  type TestLeaf,
} from '../test/support/test-certificates.ts'
import { stamp } from '../test/support/test-timestamp.ts'
import { proveInLargeTree } from './large-tree.ts'

/**
 * A Sigstore instance in memory that issues bundles with the algorithms of a given instance: distinct keys,
 * certificates, entries, checkpoints and timestamps in each, as a public log would hand them out. Real bundles of the
 * public instance cannot be had in that number.
 */
export interface Profile {
  /** Of the certificate authority: root and intermediate. */
  readonly authority: TestKeyType
  /** 1: Rekor v1 with promise and P-256 key. 2: tiles with Ed25519 key, and a timestamp for the time. */
  readonly generation: 1 | 2
  /** Of root and signing certificate of the timestamp authority; it signs with SHA-256 as the public one does. */
  readonly timestamps: TestKeyType
}

export const IDENTITY = {
  subject: 'https://github.com/example/project/.github/workflows/release.yml@refs/tags/v1.2.3',
  issuer: 'https://token.actions.githubusercontent.com',
} as const

export interface IssuedBundle {
  /** JSON text. */
  readonly bundle: string
  readonly artifact: Uint8Array
}

const LOG_NAME = 'rekor.bench.test'
const LOG_ORIGIN = `${LOG_NAME} - 2605736670972794746`
/** Inside the ten minutes for which test certificates live. */
const INTEGRATED_TIME = Math.floor(Date.parse('2026-03-01T12:05:00Z') / 1000)
const STAMPED_AT = '20260301120500Z'
/** A shard of the public log holds some tens of millions of entries: proofs have about 25 hashes. */
const TREE_SIZE = 2 ** 25
const ARTIFACT_LENGTH = 2048

type Json = Readonly<Record<string, unknown>>

export class Instance {
  readonly #profile: Profile
  readonly #authority: TestAuthority
  readonly #certificateLog = newKey('p256')
  readonly #log: TestKey
  readonly #timestampRoot: TestAuthority
  readonly #timestampLeaf: TestLeaf

  constructor(profile: Profile) {
    this.#profile = profile
    const root = newAuthority({ key: newKey(profile.authority), name: 'bench root' })
    this.#authority = newAuthority({
      key: newKey(profile.authority),
      name: 'bench intermediate',
      parent: root,
      pathLength: 0,
      purposes: [EKU.codeSigning],
    })
    this.#log = newKey(profile.generation === 1 ? 'p256' : 'ed25519')
    this.#timestampRoot = newAuthority({ key: newKey(profile.timestamps), name: 'bench timestamp root' })
    this.#timestampLeaf = newTimestampLeaf(this.#timestampRoot, { key: newKey(profile.timestamps) })
  }

  /** JSON text, in the media type that every client knows. */
  trustedRoot(): string {
    const validFor = { start: '2021-01-01T00:00:00Z' }
    const log = (key: TestKey, baseUrl: string, logId: Uint8Array): Json => ({
      baseUrl,
      hashAlgorithm: 'SHA2_256',
      publicKey: {
        rawBytes: base64(key.spki),
        keyDetails: key.type === 'ed25519' ? 'PKIX_ED25519' : 'PKIX_ECDSA_P256_SHA_256',
        validFor,
      },
      logId: { keyId: base64(logId) },
    })
    const authority = (uri: string, chain: readonly Uint8Array[]): Json => ({
      subject: { organization: 'bench', commonName: 'bench' },
      uri,
      certChain: { certificates: chain.map((der) => ({ rawBytes: base64(der) })) },
      validFor,
    })
    const stamping = [this.#timestampLeaf.certificate, ...this.#timestampRoot.chain]
    return JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [log(this.#log, `https://${LOG_NAME}`, this.#logId())],
      certificateAuthorities: [authority('https://fulcio.bench.test', this.#authority.chain)],
      ctlogs: [log(this.#certificateLog, 'https://ct.bench.test', sha256(this.#certificateLog.spki))],
      timestampAuthorities:
        this.#profile.generation === 1 ? [] : [authority('https://tsa.bench.test', stamping)],
    })
  }

  #logId(): Uint8Array {
    if (this.#profile.generation === 1) return sha256(this.#log.spki)
    return sha256(Buffer.from(`${LOG_NAME}\n`), Uint8Array.of(1), this.#log.spki.subarray(-32))
  }

  /** One new bundle: a message signature, or a provenance statement in an envelope. */
  issue(kind: 'message' | 'envelope'): IssuedBundle {
    const artifact = randomBytes(ARTIFACT_LENGTH)
    const key = newKey('p256')
    const { certificate } = newLeaf(this.#authority, {
      key,
      extensions: buildExtensions(this.#authority, key),
      logs: [{ log: this.#certificateLog }],
    })
    const content = kind === 'message' ? signMessage(artifact, key) : signStatement(artifact, key)
    const entry = this.#entry(content, certificate)
    const stamped =
      this.#profile.generation === 1
        ? {}
        : {
            timestampVerificationData: {
              rfc3161Timestamps: [{ signedTimestamp: this.#stamp(content.signature) }],
            },
          }
    const bundle = {
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: {
        certificate: { rawBytes: base64(certificate) },
        tlogEntries: [entry],
        ...stamped,
      },
      ...content.json,
    }
    return { bundle: JSON.stringify(bundle), artifact }
  }

  /** With its certificate, as clients ask for it. */
  #stamp(signature: Uint8Array): string {
    const { certificate, key } = this.#timestampLeaf
    const algorithm = key.type === 'ed25519' ? 'ed25519' : 'ecdsa-sha256'
    const serial = randomBytes(20)
    serial[0] = 0x40
    const options = { algorithm, info: { genTime: STAMPED_AT, serial }, certificates: [certificate] } as const
    return base64(stamp(this.#timestampLeaf, signature, options))
  }

  #entry(content: SignedContent, certificate: Uint8Array): Json {
    const { generation } = this.#profile
    const [kind, version] = generation === 1 ? content.kind : (['hashedrekord', '0.0.2'] as const)
    const body = Buffer.from(
      generation === 1 ? content.body(pem(certificate)) : tileBody(content, certificate),
    )
    const proven = proveInLargeTree(body, TREE_SIZE + randomInt(TREE_SIZE))
    const logIndex = String(proven.index + (generation === 1 ? 4_163_431 : 0))
    const logId = Buffer.from(this.#logId())
    return {
      logIndex,
      logId: { keyId: base64(logId) },
      kindVersion: { kind, version },
      ...(generation === 1 ? { integratedTime: String(INTEGRATED_TIME) } : {}),
      ...(generation === 1
        ? { inclusionPromise: { signedEntryTimestamp: this.#promise(body, logIndex) } }
        : {}),
      inclusionProof: {
        logIndex: String(proven.index),
        rootHash: base64(proven.rootHash),
        treeSize: String(proven.size),
        hashes: proven.hashes.map(base64),
        checkpoint: { envelope: this.#checkpoint(proven.size, proven.rootHash) },
      },
      canonicalizedBody: base64(body),
    }
  }

  #promise(body: Uint8Array, logIndex: string): string {
    const logID = Buffer.from(this.#logId()).toString('hex')
    const text = `{"body":"${base64(body)}","integratedTime":${INTEGRATED_TIME},"logID":"${logID}","logIndex":${logIndex}}`
    return base64(this.#sign(text))
  }

  #checkpoint(size: number, rootHash: Uint8Array): string {
    const tiles = this.#profile.generation === 2
    const more = tiles ? '' : `Timestamp: ${INTEGRATED_TIME}000000000\n`
    const text = `${tiles ? LOG_NAME : LOG_ORIGIN}\n${size}\n${base64(rootHash)}\n${more}`
    const signature = Buffer.concat([this.#logId().subarray(0, 4), this.#sign(text)])
    return `${text}\n\u2014 ${LOG_NAME} ${base64(signature)}\n`
  }

  #sign(text: string): Uint8Array {
    return sign(this.#log.type === 'ed25519' ? null : 'sha256', Buffer.from(text), this.#log.privateKey)
  }
}

interface SignedContent {
  readonly json: Json
  readonly signature: Uint8Array
  /** Of what the signature covers. */
  readonly digest: Uint8Array
  /** Kind and version in a log of generation 1. */
  readonly kind: readonly [string, string]
  /** What generation 1 logs: JSON text. */
  body(verifier: string): string
}

function signMessage(artifact: Uint8Array, key: TestKey): SignedContent {
  const digest = sha256(artifact)
  const signature = sign('sha256', artifact, key.privateKey)
  const messageDigest = { algorithm: 'SHA2_256', digest: base64(digest) }
  return {
    json: { messageSignature: { messageDigest, signature: base64(signature) } },
    signature,
    digest,
    kind: ['hashedrekord', '0.0.1'],
    body: (verifier) => {
      const data = { hash: { algorithm: 'sha256', value: hex(digest) } }
      const signed = { content: base64(signature), publicKey: { content: verifier } }
      return canonicalJson({ apiVersion: '0.0.1', kind: 'hashedrekord', spec: { data, signature: signed } })
    },
  }
}

function signStatement(artifact: Uint8Array, key: TestKey): SignedContent {
  const payloadType = 'application/vnd.in-toto+json'
  const payload = Buffer.from(JSON.stringify(provenance(artifact)))
  const encoded = Buffer.concat([
    Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `),
    payload,
  ])
  const signature = sign('sha256', encoded, key.privateKey)
  const envelope = { payload: base64(payload), payloadType, signatures: [{ sig: base64(signature) }] }
  return {
    json: { dsseEnvelope: envelope },
    signature,
    digest: sha256(encoded),
    kind: ['dsse', '0.0.1'],
    body: (verifier) => {
      const envelopeHash = { algorithm: 'sha256', value: hex(sha256(Buffer.from(JSON.stringify(envelope)))) }
      const payloadHash = { algorithm: 'sha256', value: hex(sha256(payload)) }
      const signatures = [{ signature: base64(signature), verifier }]
      const spec = { envelopeHash, payloadHash, signatures }
      return canonicalJson({ apiVersion: '0.0.1', kind: 'dsse', spec })
    },
  }
}

function tileBody({ digest, signature }: SignedContent, certificate: Uint8Array): string {
  const verifier = {
    keyDetails: 'PKIX_ECDSA_P256_SHA_256',
    x509Certificate: { rawBytes: base64(certificate) },
  }
  const data = { algorithm: 'SHA2_256', digest: base64(digest) }
  const hashedRekordV002 = { data, signature: { content: base64(signature), verifier } }
  return canonicalJson({ apiVersion: '0.0.2', kind: 'hashedrekord', spec: { hashedRekordV002 } })
}

/** What an npm package built on a hosted runner carries. */
function provenance(artifact: Uint8Array): Json {
  const repository = 'https://github.com/example/project'
  const commit = hex(randomBytes(20))
  const ref = 'refs/tags/v1.2.3'
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'pkg:npm/project@1.2.3', digest: { sha512: hash('sha512', artifact, 'hex') } }],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1',
        externalParameters: { workflow: { ref, repository, path: '.github/workflows/release.yml' } },
        internalParameters: {
          github: { event_name: 'push', repository_id: '123456789', repository_owner_id: '12345678' },
        },
        resolvedDependencies: [{ uri: `git+${repository}@${ref}`, digest: { gitCommit: commit } }],
      },
      runDetails: {
        builder: { id: 'https://github.com/actions/runner/github-hosted' },
        metadata: { invocationId: `${repository}/actions/runs/${randomInt(2 ** 40)}/attempts/1` },
      },
    },
  }
}

/** All that a certificate for a hosted build has, in the order and size of the public authority. */
function buildExtensions(authority: TestAuthority, key: TestKey): readonly Uint8Array[] {
  const repository = 'https://github.com/example/project'
  const commit = hex(randomBytes(20))
  const texts: readonly (readonly [number, string])[] = [
    [1, IDENTITY.issuer],
    [2, 'push'],
    [3, commit],
    [4, 'Release'],
    [5, 'example/project'],
    [6, 'refs/tags/v1.2.3'],
    [8, IDENTITY.issuer],
    [9, IDENTITY.subject],
    [10, commit],
    [11, 'github-hosted'],
    [12, repository],
    [13, commit],
    [14, 'refs/tags/v1.2.3'],
    [15, '123456789'],
    [16, 'https://github.com/example'],
    [17, '12345678'],
    [18, IDENTITY.subject],
    [19, commit],
    [20, 'push'],
    [21, `${repository}/actions/runs/${randomInt(2 ** 40)}/attempts/1`],
    [22, 'public'],
  ]
  return [
    keyUsage('digitalSignature'),
    extendedKeyUsage([EKU.codeSigning]),
    subjectKeyIdentifier(keyIdentifierOf(key.spki)),
    authorityKeyIdentifier(keyIdentifierOf(authority.key.spki)),
    subjectAltName([uriName(IDENTITY.subject)]),
    ...texts.map(([number, text]) => fulcioExtension(number, text)),
  ]
}

function pem(der: Uint8Array): string {
  const lines = base64(der).match(/.{1,64}/g) ?? []
  return base64(Buffer.from(`-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`))
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const h = createHash('sha256')
  for (const part of parts) h.update(part)
  return h.digest()
}
