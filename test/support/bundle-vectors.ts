import { hash } from 'node:crypto'
import { registryKeys } from '../../daemon/trust-store.ts'
import type { Artifact } from '../../trust/artifact.ts'
import { prehashed, type ArtifactContent } from '../../trust/content.ts'
import { DIGEST_ALGORITHMS, type DigestAlgorithm } from '../../trust/digest.ts'
import { STRICT_THRESHOLDS, type Thresholds, type TrustDomain } from '../../trust/domain.ts'
import { CodedError } from '../../trust/errors.ts'
import type { EvidenceCache } from '../../trust/evidence-cache.ts'
import { parsePublicKeyPem } from '../../trust/keys.ts'
import * as policies from '../../trust/policy.ts'
import type { Policy } from '../../trust/policy.ts'
import { parseTrustedRoot } from '../../trust/trusted-root.ts'
import type { Verdict } from '../../trust/verdict.ts'
import { judge } from '../../trust/verify.ts'
import { readVector, vectorCases, type VectorCase } from './vectors.ts'

/**
 * Every published case that holds a Sigstore bundle, made ready to be judged again and again: one bundle, what it is
 * about, whom to trust, and the policy that names exactly its signer.
 */
export interface BundleVector {
  readonly id: string
  readonly expected: 'pass' | 'fail'
  readonly bundle: Buffer
  /** Undefined where only the digest in the statement is known. */
  readonly artifact: Buffer | undefined
  readonly content: ArtifactContent
  /** JSON of the trusted root. */
  readonly root: Buffer
  readonly thresholds: Thresholds
  readonly signer: NamedSigner
}

export type NamedSigner =
  | {
      readonly kind: 'identity'
      readonly subject: string
      readonly issuer: string
      readonly sourceRepository?: string
    }
  | { readonly kind: 'keys'; readonly keys: readonly NamedKey[] }
  | { readonly kind: 'nobody' }

export interface NamedKey {
  readonly pem: string
  /** Undefined for a key that a file gives without a name. */
  readonly hint: string | undefined
}

/** What a verdict is reached with. */
export interface Trial {
  readonly bundle: Uint8Array
  readonly content: ArtifactContent
  readonly domain: TrustDomain
  readonly policy: Policy
}

const KINDS = ['bundle-verify', 'npm', 'jar', 'gem'] as const

/** All bundles of the archive; empty, and reported as skipped, where it is absent. */
export async function bundleVectors(): Promise<readonly BundleVector[]> {
  const vectors: BundleVector[] = []
  for (const one of KINDS.flatMap((kind) => vectorCases(kind))) {
    if (one.expected.result !== 'pass' && one.expected.result !== 'fail') continue
    if (typeof one.inputs['bundle'] === 'string') vectors.push(await readCase(one, readBundle(one), one.id))
    else if (typeof one.inputs['attestations'] === 'string') vectors.push(...(await readAttestations(one)))
  }
  return vectors
}

function readBundle({ inputs }: VectorCase): Buffer {
  const bytes = readVector(String(inputs['bundle']))
  const selector = inputs['bundleSelector'] as { jsonlLine?: number } | undefined
  return selector?.jsonlLine === undefined ? bytes : line(bytes, selector.jsonlLine)
}

function line(bytes: Buffer, index: number): Buffer {
  const text = bytes.toString('utf8').split('\n')[index]
  if (text === undefined) throw new Error(`there is no line ${index}`)
  return Buffer.from(text)
}

/** The document of a registry holds one bundle for each predicate type. Those of failing cases may be missing. */
async function readAttestations(one: VectorCase): Promise<readonly BundleVector[]> {
  if (one.expected.result !== 'pass') return []
  const document = JSON.parse(readVector(String(one.inputs['attestations'])).toString('utf8')) as {
    attestations: readonly { bundle: unknown; predicateType: string }[]
  }
  const vectors: BundleVector[] = []
  for (const { bundle, predicateType } of document.attestations) {
    const name = predicateType.includes('provenance') ? 'provenance' : 'publish'
    vectors.push(await readCase(one, Buffer.from(JSON.stringify(bundle)), `${one.id}#${name}`))
  }
  return vectors
}

async function readCase(one: VectorCase, bundle: Buffer, id: string): Promise<BundleVector> {
  const { inputs, expected } = one
  const artifactName = inputs['artifact'] ?? inputs['tarball']
  const artifact = typeof artifactName === 'string' ? readVector(artifactName) : undefined
  const options = inputs['verifierOptions'] as Record<string, number | undefined> | null | undefined
  const root = readVector(String(inputs['trustedRoot']))
  const rootLine = inputs['trustedRootLine']
  const vector: BundleVector = {
    id,
    expected: expected.result === 'pass' ? 'pass' : 'fail',
    bundle,
    artifact,
    content: artifact === undefined ? await contentOfEnvelope(bundle) : await contentOf(artifact),
    root: typeof rootLine === 'number' ? line(root, rootLine) : root,
    thresholds: {
      ...STRICT_THRESHOLDS,
      ...(options?.['tlogThreshold'] === undefined ? {} : { logs: options['tlogThreshold'] }),
      ...(options?.['ctlogThreshold'] === undefined ? {} : { certificateLogs: options['ctlogThreshold'] }),
    },
    signer: signerOf(one),
  }
  const discovered = vector.signer.kind === 'nobody' && expected.result === 'pass'
  return discovered ? { ...vector, signer: discoverSigner(vector, inputs['registryKeys']) } : vector
}

function signerOf({ inputs }: VectorCase): NamedSigner {
  const { key, identity: subject, issuer, policy } = inputs
  if (typeof key === 'string') {
    return { kind: 'keys', keys: [{ pem: readVector(key).toString('utf8'), hint: undefined }] }
  }
  const repository = (policy as { sourceRepositoryURI?: string } | undefined)?.sourceRepositoryURI
  const extra = repository === undefined ? {} : { sourceRepository: repository }
  if (typeof subject === 'string' && typeof issuer === 'string') {
    return { kind: 'identity', subject, issuer, ...extra }
  }
  return { kind: 'nobody' }
}

/** Passing cases that name no identity: the one in the certificate, or the registry's keys by their names. */
function discoverSigner(vector: BundleVector, keysFile: unknown): NamedSigner {
  const verdict = judgeTrial(trialOf(vector))
  const signer = verdict.bundles[0]?.evidence[0]?.signer
  if (signer?.kind === 'certificate') {
    return {
      kind: 'identity',
      subject: signer.identity.subject.value,
      issuer: signer.identity.issuer ?? '',
    }
  }
  if (typeof keysFile !== 'string') return { kind: 'nobody' }
  const keys = registryKeys('registry.example', readVector(keysFile)).filter(
    (k) => k.usage === 'attestations',
  )
  return {
    kind: 'keys',
    keys: keys.map(({ hint, key }) => ({
      hint,
      pem: `-----BEGIN PUBLIC KEY-----\n${Buffer.from(key.spki).toString('base64')}\n-----END PUBLIC KEY-----\n`,
    })),
  }
}

/** All digests that a bundle may speak of, and the bytes. */
export async function contentOf(bytes: Uint8Array): Promise<ArtifactContent> {
  const digests = DIGEST_ALGORITHMS.map((one) => [one, hash(one, bytes, 'buffer')] as const)
  return { digests: new Map(digests), bytes, verifyDigest: await prehashed() }
}

/** For cases without an artifact: what the statement says of its first subject, or the payload itself. */
async function contentOfEnvelope(bundle: Buffer): Promise<ArtifactContent> {
  const { dsseEnvelope } = JSON.parse(bundle.toString('utf8')) as {
    dsseEnvelope?: { payload: string; payloadType: string }
  }
  const payload = Buffer.from(dsseEnvelope?.payload ?? '', 'base64')
  if (dsseEnvelope?.payloadType !== 'application/vnd.in-toto+json') return contentOf(payload)
  const statement = JSON.parse(payload.toString('utf8')) as {
    subject?: readonly { digest: Record<string, string> }[]
  }
  const digests = DIGEST_ALGORITHMS.flatMap((algorithm): [DigestAlgorithm, Uint8Array][] => {
    const hex = statement.subject?.[0]?.digest[algorithm]
    return hex === undefined ? [] : [[algorithm, Buffer.from(hex, 'hex')]]
  })
  return { digests: new Map(digests), bytes: undefined, verifyDigest: await prehashed() }
}

/** @throws CodedError for a trusted root or key that cannot be read */
export function trialOf(vector: BundleVector): Trial {
  const { bundle, content, root, signer } = vector
  return { bundle, content, domain: domainOf(vector, root), policy: policyOf(signer) }
}

export function domainOf({ thresholds }: Pick<BundleVector, 'thresholds'>, root: Uint8Array): TrustDomain {
  return {
    name: 'vectors',
    root: parseTrustedRoot(root),
    source: { kind: 'given', description: 'a published vector', asOf: undefined },
    speaksFor: { issuers: 'any', packages: 'any' },
    thresholds,
    keys: [],
    witnesses: undefined,
  }
}

export function policyOf(signer: NamedSigner): Policy {
  switch (signer.kind) {
    case 'nobody':
      return policies.policy(policies.nobody())
    case 'keys': {
      const keys = signer.keys.map(({ pem, hint }) =>
        policies.managedKey(parsePublicKeyPem(pem), hint === undefined ? {} : { hint }),
      )
      return policies.policy(policies.anyOf(keys))
    }
    case 'identity': {
      const { subject, issuer, sourceRepository } = signer
      return policies.policy(
        policies.identity({
          subject: policies.exactly(subject),
          issuer: policies.exactly(issuer),
          extensions:
            sourceRepository === undefined
              ? []
              : [['sourceRepositoryURI', policies.exactly(sourceRepository)]],
        }),
      )
    }
  }
}

/** A file without a name: names are the business of formats. */
const NAMELESS: Artifact = {
  format: 'file',
  subject: { name: undefined, version: undefined, purl: undefined, statementNames: [] },
  embedded: [],
  nativeSignatures: [],
  notes: [],
  signedBytes: () => {
    throw new TypeError('the content was read before')
  },
}

/** `judge` of trust/verify.ts, from the bytes of the bundle. Never throws for whatever the bytes are. */
export function judgeTrial({ bundle, content, domain, policy }: Trial, cache?: EvidenceCache): Verdict {
  const found = { where: 'vector', bytes: bundle, notes: [], parsed: undefined, content }
  return judge(NAMELESS, content, [found], [domain], policy, cache)
}

/** Whether a case is accepted as it stands; a trusted root or key that cannot be read refuses it. */
export function accepts(vector: BundleVector): {
  readonly accepted: boolean
  readonly codes: readonly string[]
} {
  try {
    const verdict = judgeTrial(trialOf(vector))
    if (verdict.outcome === 'verified') return { accepted: true, codes: [] }
    const unnamed = verdict.outcome === 'signed-by-unknown' && vector.signer.kind === 'nobody'
    return { accepted: unnamed, codes: verdict.failures.map(({ code }) => code) }
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    return { accepted: false, codes: [error.code] }
  }
}
