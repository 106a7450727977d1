import { Buffer } from 'node:buffer'
import { createPublicKey, hash, sign, type KeyObject } from 'node:crypto'
import {
  emailName,
  fulcioExtension,
  leafExtensions,
  newAuthority,
  newLeaf,
  type TestAuthority,
} from './test-certificates.ts'
import { newKey, type TestKey } from './test-der.ts'
import { entryJson, TestLog } from './test-log.ts'
import { newTimestampAuthority, stamp, type TestTimestampAuthority } from './test-timestamp.ts'

/**
 * A whole Sigstore instance in memory: authority, certificate log, log, timestamps, and the trusted root that tells of
 * them. It signs for anybody.
 *
 *     const instance = new TestInstance()
 *     const bundle = instance.sign(bytes, { names: [emailName('a@b.example')], issuer: 'https://issuer.example' })
 *     const root = instance.trustedRoot()
 */
export interface TestInstanceOptions {
  /** `timestamps`: no logs at all, as GitHub's instance for private repositories. */
  readonly evidence?: 'log' | 'timestamps'
  /** Organisation and operator of the authorities. */
  readonly organization?: string
  readonly operator?: string
}

export interface SignOptions {
  readonly names?: readonly Uint8Array[]
  readonly issuer?: string
  /** Signs a statement with these members about the bytes, in place of the bytes. */
  readonly statement?: Readonly<Record<string, unknown>>
}

/** Inside the validity of the certificates. */
const SIGNED_AT = new Date('2026-03-01T12:05:00Z')
const MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json'
const PAYLOAD_TYPE = 'application/vnd.in-toto+json'
const VALID_FOR = { start: '2020-01-01T00:00:00Z' }

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

export class TestInstance {
  readonly #evidence: 'log' | 'timestamps'
  readonly #organization: string
  readonly #operator: string
  readonly #authority: TestAuthority = newAuthority()
  readonly #certificateLog: TestKey = newKey()
  readonly #log = new TestLog({ generation: 1 })
  readonly #timestamps: TestTimestampAuthority = newTimestampAuthority()

  constructor(options: TestInstanceOptions = {}) {
    this.#evidence = options.evidence ?? 'log'
    this.#organization = options.organization ?? 'Example'
    this.#operator = options.operator ?? 'instance.example'
  }

  /** JSON of a bundle for these bytes, signed with a certificate. */
  sign(bytes: Uint8Array, options: SignOptions = {}): Buffer {
    const { names = [emailName('dev@example.com')], issuer = 'https://issuer.example' } = options
    const key = newKey()
    const extensions = [
      ...leafExtensions(this.#authority, key, names).slice(0, -2),
      fulcioExtension(1, issuer),
      fulcioExtension(8, issuer),
    ]
    const logs = this.#evidence === 'log' ? { logs: [{ log: this.#certificateLog }] } : {}
    const { certificate } = newLeaf(this.#authority, { key, extensions, ...logs })
    const verifier = `-----BEGIN CERTIFICATE-----\n${base64(certificate)}\n-----END CERTIFICATE-----\n`
    const material = { certificate: { rawBytes: base64(certificate) } }
    return this.#bundle(bytes, { material, key: key.privateKey, verifier }, options)
  }

  /** The same, signed with a key that somebody manages. */
  signWithKey(bytes: Uint8Array, key: KeyObject, hint = '', options: SignOptions = {}): Buffer {
    const verifier = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()
    return this.#bundle(bytes, { material: { publicKey: { hint } }, key, verifier }, options)
  }

  #bundle(bytes: Uint8Array, { material, key, verifier }: BundleSigner, { statement }: SignOptions): Buffer {
    const digest = hash('sha256', bytes, 'hex')
    const payload =
      statement === undefined ? undefined : json({ ...STATEMENT, subject: [{ name: 'file', digest: { sha256: digest } }], ...statement })
    const signature = sign('sha256', payload === undefined ? bytes : encodeEnvelope(payload), key)
    const evidence = this.#witness({ signature, digest, payload }, verifier)
    const content =
      payload === undefined
        ? {
            messageSignature: {
              messageDigest: { algorithm: 'SHA2_256', digest: base64(Buffer.from(digest, 'hex')) },
              signature: base64(signature),
            },
          }
        : {
            dsseEnvelope: {
              payload: base64(payload),
              payloadType: PAYLOAD_TYPE,
              signatures: [{ sig: base64(signature) }],
            },
          }
    return json({ mediaType: MEDIA_TYPE, verificationMaterial: { ...material, ...evidence }, ...content })
  }

  /** Log entry or timestamp. */
  #witness({ signature, digest, payload }: Signed, verifier: string): object {
    if (this.#evidence === 'timestamps') {
      const signedTimestamp = base64(stamp(this.#timestamps.leaf, signature))
      return { tlogEntries: [], timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp }] } }
    }
    const kind = payload === undefined ? 'hashedrekord' : 'dsse'
    const spec =
      payload === undefined
        ? {
            data: { hash: { algorithm: 'sha256', value: digest } },
            signature: { content: base64(signature), publicKey: { content: base64(Buffer.from(verifier)) } },
          }
        : {
            payloadHash: { algorithm: 'sha256', value: hash('sha256', payload, 'hex') },
            signatures: [{ signature: base64(signature), verifier: base64(Buffer.from(verifier)) }],
          }
    const index = this.#log.append(json({ apiVersion: '0.0.1', kind, spec }))
    const integratedTime = BigInt(SIGNED_AT.getTime() / 1000)
    return { tlogEntries: [entryJson({ ...this.#log.entry(index, { integratedTime }), kind })] }
  }

  /** What `trusted_root.json` of this instance says. */
  trustedRoot(): Readonly<Record<string, unknown>> {
    const hasLogs = this.#evidence === 'log'
    const common = {
      subject: { organization: this.#organization },
      uri: 'https://ca.instance.example',
      operator: this.#operator,
      validFor: VALID_FOR,
    }
    const chain = (certificates: readonly Uint8Array[]): object => ({
      certChain: { certificates: certificates.map((der) => ({ rawBytes: base64(der) })) },
    })
    const { leaf, ca } = this.#timestamps
    return {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: hasLogs ? [this.#log.trustedRootJson()] : [],
      ctlogs: hasLogs ? [this.#certificateLogJson()] : [],
      certificateAuthorities: [{ ...common, ...chain(this.#authority.chain) }],
      timestampAuthorities: [{ ...common, ...chain([leaf.certificate, ...ca.chain]) }],
    }
  }

  #certificateLogJson(): object {
    const { spki } = this.#certificateLog
    return {
      baseUrl: 'https://ct.instance.example',
      hashAlgorithm: 'SHA2_256',
      publicKey: { rawBytes: base64(spki), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor: VALID_FOR },
      logId: { keyId: base64(hash('sha256', spki, 'buffer')) },
    }
  }
}

interface BundleSigner {
  readonly material: object
  readonly key: KeyObject
  /** PEM as it is logged. */
  readonly verifier: string
}

interface Signed {
  readonly signature: Uint8Array
  /** SHA-256 of the artifact in hex. */
  readonly digest: string
  readonly payload: Uint8Array | undefined
}

const STATEMENT = {
  _type: 'https://in-toto.io/Statement/v1',
  predicateType: 'https://example.com/predicate/v1',
  predicate: {},
}

/** DSSE's pre-authentication encoding. */
function encodeEnvelope(payload: Uint8Array): Buffer {
  const head = `DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `
  return Buffer.concat([Buffer.from(head), payload])
}
