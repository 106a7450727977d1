import { Buffer } from 'node:buffer'
import { createHash, hash } from 'node:crypto'
import type { Window } from '../../trust/authority.ts'
import { STRICT_THRESHOLDS, type TrustDomain } from '../../trust/domain.ts'
import { parseTrustedRoot, type TrustedRoot } from '../../trust/trusted-root.ts'
import {
  emailName,
  fulcioExtension,
  leafExtensions,
  newAuthority,
  newLeaf,
  NOT_BEFORE,
  type CertificateFields,
  type TestAuthority,
} from './test-certificates.ts'
import { newKey, type TestKey, type TestKeyType } from './test-der.ts'
import { entryJson, TestLog, type TestLogOptions, type TestWitness } from './test-log.ts'
import { newTimestampAuthority, stamp, type TestTimestampAuthority } from './test-timestamp.ts'
import {
  encodeEnvelope,
  logBody,
  schemeFor,
  signWith,
  type Signable,
  type TestScheme,
} from './test-signing.ts'

/**
 * A whole Sigstore instance in memory: certificate authority, certificate log, logs of either generation and
 * timestamp authorities, with its trusted root. It signs whatever a test asks for, so that each rule can be broken
 * alone. Every bundle is plain JSON that a test may change before `bytesOf` makes a file of it.
 *
 *     const instance = new BreakableInstance()
 *     const bundle = instance.sign({ artifact })
 *     await verify(artifactFromBytes(artifact), [found(bundle)], [instance.domain()], policy(who))
 */
export interface InstanceOptions {
  readonly name?: string
  readonly caKey?: TestKeyType
  /** Of the only log, unless `logs` says more. */
  readonly generation?: 1 | 2
  readonly logs?: readonly TestLogOptions[]
  /** Names of timestamp authorities; one unless they are given. */
  readonly timestamps?: readonly string[]
}

/** What the certificates of every test instance name unless a test says otherwise. */
export const SIGNER = { subject: 'dev@example.com', issuer: 'https://issuer.example' } as const
/** Five minutes into the life of test certificates. */
export const SIGNED_AT = new Date('2026-03-01T12:05:00Z')
export const IN_TOTO = 'application/vnd.in-toto+json'
export const ARTIFACT = Buffer.from('the bytes of an artifact\n')

type JsonObject = Record<string, unknown>

export interface SignRequest {
  /** Signed as a message, unless a statement or a payload is there. */
  readonly artifact?: Uint8Array
  /** JSON of an in-toto statement. */
  readonly statement?: unknown
  /** Payload of an envelope as bytes. */
  readonly payload?: Uint8Array
  readonly payloadType?: string
  /** A managed key: the bundle carries its hint and no certificate. */
  readonly managed?: TestKey
  readonly hint?: string
  /** Key of the signing certificate; new unless it is given. */
  readonly key?: TestKey
  readonly scheme?: TestScheme
  readonly subject?: string
  readonly issuer?: string
  /** Subject alternative name in place of `subject` as an e-mail address. */
  readonly alternativeName?: Uint8Array
  /** Further Fulcio extensions by number. */
  readonly extensions?: readonly (readonly [number, string])[]
  readonly certificate?: Partial<CertificateFields>
  /** The logs that take the signature: all, unless they are given. */
  readonly logs?: readonly TestLog[]
  /** Kind of the entry of a statement in generation 1. */
  readonly kind?: 'dsse' | 'intoto'
  /** Changes the JSON of the body before it is logged; the log is honest about what it got. */
  readonly logged?: (body: JsonObject) => unknown
  readonly witnesses?: readonly TestWitness[]
  /** Those that stamp the signature: all where the logs give no time, unless they are given. */
  readonly timestamps?: readonly TestTimestampAuthority[]
  /** Times of promises and timestamps: one for each log and each authority, or one for all. */
  readonly at?: Date | readonly Date[]
  readonly version?: '0.1' | '0.2' | '0.3'
}

/** As JSON; typed loosely, because tests break it. */
export interface TestBundle extends JsonObject {
  mediaType: string
  verificationMaterial: JsonObject & { tlogEntries: JsonObject[] }
  messageSignature?: JsonObject
  dsseEnvelope?: JsonObject
}

export class BreakableInstance {
  readonly name: string
  readonly ca: TestAuthority
  readonly certificateLog = newKey('p256')
  readonly logs: readonly TestLog[]
  readonly timestamps: readonly TestTimestampAuthority[]

  constructor(options: InstanceOptions = {}) {
    this.name = options.name ?? 'own.test'
    const key = newKey(options.caKey ?? 'p256')
    const root = newAuthority({ key: newKey(options.caKey ?? 'p256'), name: `${this.name} root` })
    this.ca = newAuthority({ key, name: `${this.name} authority`, parent: root })
    const logs = options.logs ?? [{ generation: options.generation ?? 2 }]
    this.logs = logs.map((log, i) => new TestLog({ name: `log${i}.${this.name}`, ...log }))
    const stampers = options.timestamps ?? ['tsa']
    this.timestamps = stampers.map((name) => newTimestampAuthority({ name: `${name}.${this.name}` }))
  }

  /** Of the trusted root, every part by a name of its own, and each part run by an operator of its own. */
  trustedRootJson(): JsonObject &
    Record<'tlogs' | 'ctlogs' | 'certificateAuthorities' | 'timestampAuthorities', JsonObject[]> {
    const validFor = { start: '2023-01-01T00:00:00Z' }
    const authority = (name: string, chain: readonly Uint8Array[]): JsonObject => ({
      subject: { organization: '', commonName: name },
      uri: `https://${name}`,
      operator: name,
      certChain: { certificates: chain.map((der) => ({ rawBytes: base64(der) })) },
      validFor,
    })
    const { spki } = this.certificateLog
    const certificateLog = {
      baseUrl: `https://ct.${this.name}`,
      operator: `ct.${this.name}`,
      hashAlgorithm: 'SHA2_256',
      publicKey: { rawBytes: base64(spki), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor },
      logId: { keyId: base64(hash('sha256', spki, 'buffer')) },
    }
    return {
      mediaType: 'application/vnd.dev.sigstore.trustedroot.v0.2+json',
      tlogs: this.logs.map((log) => log.trustedRootJson()),
      ctlogs: [certificateLog],
      certificateAuthorities: [authority(`ca.${this.name}`, this.ca.chain)],
      timestampAuthorities: this.timestamps.map(({ leaf, ca, authority: { name } }) =>
        authority(name, [leaf.certificate, ...ca.chain]),
      ),
    }
  }

  trustedRoot(
    change: (root: ReturnType<BreakableInstance['trustedRootJson']>) => void = () => {},
  ): TrustedRoot {
    const json = this.trustedRootJson()
    change(json)
    return parseTrustedRoot(Buffer.from(JSON.stringify(json)))
  }

  /** May speak for everything, and asks for one of each. */
  domain(options: Partial<TrustDomain> = {}): TrustDomain {
    return {
      name: this.name,
      root: options.root ?? this.trustedRoot(),
      source: { kind: 'given', description: `test instance ${this.name}`, asOf: undefined },
      speaksFor: { issuers: 'any', packages: 'any' },
      thresholds: STRICT_THRESHOLDS,
      keys: [],
      witnesses: undefined,
      ...options,
    }
  }

  sign(request: SignRequest = {}): TestBundle {
    const key = request.managed ?? request.key ?? newKey('p256')
    const scheme = request.scheme ?? schemeFor(key)
    const signable = signableOf(request)
    const signature = signWith(key, scheme, signable.bytes)
    const certificate = request.managed === undefined ? this.#issue(key, request) : undefined
    const verifier = certificate ?? key.spki
    const logs = request.logs ?? this.logs
    const entries = logs.map((log, i) => {
      const body = logBody(log.generation, {
        ...signable,
        signature,
        scheme,
        key,
        verifier,
        isKey: certificate === undefined,
      })
      const logged = JSON.stringify(request.logged?.(structuredClone(body)) ?? body)
      return entryOf(log, logged, timeAt(request.at, i), request.witnesses ?? [])
    })
    const needed = logs.some(({ generation }) => generation === 2) || logs.length === 0 ? this.timestamps : []
    const stamps = (request.timestamps ?? needed).map((tsa, i) =>
      stampOf(tsa, signature, timeAt(request.at, i)),
    )
    return {
      mediaType: MEDIA_TYPES[request.version ?? '0.3'],
      verificationMaterial: {
        ...keyMaterial(request, key, certificate),
        tlogEntries: entries,
        ...(stamps.length === 0 ? {} : { timestampVerificationData: { rfc3161Timestamps: stamps } }),
      },
      ...contentOf(signable, scheme, signature),
    }
  }

  #issue(key: TestKey, request: SignRequest): Uint8Array {
    const { subject = SIGNER.subject, issuer = SIGNER.issuer } = request
    const usual = leafExtensions(this.ca, key, [request.alternativeName ?? emailName(subject)]).slice(0, -2)
    const named = [1, 8].map((number) => fulcioExtension(number, issuer))
    const more = (request.extensions ?? []).map(([number, text]) => fulcioExtension(number, text))
    return newLeaf(this.ca, {
      key,
      extensions: [...usual, ...named, ...more],
      fields: request.certificate ?? {},
      logs: [{ log: this.certificateLog, at: NOT_BEFORE }],
    }).certificate
  }
}

function signableOf({
  statement,
  payload,
  payloadType = IN_TOTO,
  artifact = ARTIFACT,
  kind,
}: SignRequest): Signable {
  const bytes = payload ?? (statement === undefined ? undefined : Buffer.from(JSON.stringify(statement)))
  if (bytes === undefined) return { bytes: artifact, envelope: undefined, kind: 'hashedrekord' }
  return {
    bytes: encodeEnvelope(payloadType, bytes),
    envelope: { payload: bytes, payloadType },
    kind: kind ?? 'dsse',
  }
}

function contentOf(signable: Signable, scheme: TestScheme, signature: Uint8Array): JsonObject {
  if (signable.envelope !== undefined) {
    const { payload, payloadType } = signable.envelope
    return {
      dsseEnvelope: { payload: base64(payload), payloadType, signatures: [{ sig: base64(signature) }] },
    }
  }
  const algorithm = 'hash' in scheme ? scheme.hash : scheme.kind === 'ed25519ph' ? 'sha512' : 'sha256'
  const digest = base64(hash(algorithm, signable.bytes, 'buffer'))
  const messageDigest = { algorithm: `SHA2_${algorithm.slice(3)}`, digest }
  return { messageSignature: { messageDigest, signature: base64(signature) } }
}

const MEDIA_TYPES = {
  '0.1': 'application/vnd.dev.sigstore.bundle+json;version=0.1',
  '0.2': 'application/vnd.dev.sigstore.bundle+json;version=0.2',
  '0.3': 'application/vnd.dev.sigstore.bundle.v0.3+json',
} as const

function keyMaterial(request: SignRequest, key: TestKey, certificate: Uint8Array | undefined): JsonObject {
  if (certificate === undefined) return { publicKey: { hint: request.hint ?? hintOf(key) } }
  const rawBytes = base64(certificate)
  if ((request.version ?? '0.3') === '0.3') return { certificate: { rawBytes } }
  return { x509CertificateChain: { certificates: [{ rawBytes }] } }
}

function entryOf(log: TestLog, body: string, at: Date, witnesses: readonly TestWitness[]): JsonObject {
  const index = log.append(body)
  const checkpoint = log.checkpoint({ witnesses })
  const entry = log.entry(index, {
    checkpoint,
    ...(log.generation === 1 ? { integratedTime: BigInt(at.getTime() / 1000) } : {}),
  })
  const { kind, apiVersion } = JSON.parse(body) as { kind: string; apiVersion: string }
  return entryJson({ ...entry, kind, version: apiVersion })
}

function timeAt(at: SignRequest['at'], i: number): Date {
  return (at instanceof Date ? at : at?.[i]) ?? SIGNED_AT
}

/** One timestamp of a bundle. */
export function stampOf(
  { leaf }: TestTimestampAuthority,
  signature: Uint8Array,
  at: Date = SIGNED_AT,
): JsonObject {
  const genTime = `${at.toISOString().replace(/[-:T]|\.\d+Z/g, '')}Z`
  return { signedTimestamp: base64(stamp(leaf, signature, { info: { genTime } })) }
}

/** A statement about an artifact, as JSON. */
export function statementAbout(
  artifact: Uint8Array,
  options: { predicateType?: string; name?: string } = {},
): JsonObject {
  const sha256 = createHash('sha256').update(artifact).digest('hex')
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: options.name ?? 'artifact', digest: { sha256 } }],
    predicateType: options.predicateType ?? 'https://slsa.dev/provenance/v1',
    predicate: {},
  }
}

/** What clients write as the hint of a key. */
export function hintOf({ spki }: TestKey): string {
  return base64(hash('sha256', spki, 'buffer'))
}

/** The file. */
export function bytesOf(bundle: unknown): Buffer {
  return Buffer.from(JSON.stringify(bundle))
}

/** As it was found beside an artifact. */
export function found(
  bundle: unknown,
  where = 'a.sigstore.json',
): { where: string; bytes: Uint8Array; notes: readonly string[] } {
  return { where, bytes: bytesOf(bundle), notes: [] }
}

/** From the first to the second time, both of the day on which test certificates are valid. */
export function windowOf(start: string, end?: string): Window {
  return { start: new Date(start), end: end === undefined ? undefined : new Date(end) }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
