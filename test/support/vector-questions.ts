import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import type { Engine, PolicySource, VerifyReply, VerifyRequest } from '../../daemon/api.ts'
import { splitBundles } from '../../daemon/bundle-search.ts'
import { domainsFromFile, embeddedDomain } from '../../daemon/trust-store.ts'
import { openPackage } from '../../formats/index.ts'
import type { TrustDomain } from '../../trust/domain.ts'
import { CodedError } from '../../trust/errors.ts'
import type { Evidence } from '../../trust/evidence.ts'
import { policy, type Requirement } from '../../trust/policy.ts'
import type { Verdict } from '../../trust/verdict.ts'
import { verify } from '../../trust/verify.ts'
import { memoryFile } from './packages.ts'
import { readVector, vectorInput, vectorPath, type VectorCase } from './vectors.ts'

/** What is asked about a published case; who must have signed is added to it. */
export type Question = Omit<VerifyRequest, 'policy'>

/** What came of it, with the codes of all failures in the order of the report. */
export interface Answer {
  readonly outcome: Verdict['outcome'] | 'no-verdict'
  readonly codes: readonly string[]
  readonly reply: VerifyReply | undefined
}

export const NOBODY: PolicySource = { kind: 'nobody' }

export function identityPolicy(subject: string, issuer: string): PolicySource {
  return {
    kind: 'identity',
    subject: { kind: 'exact', value: subject },
    issuer: { kind: 'exact', value: issuer },
  }
}

export function keyPolicy(vector: VectorCase): PolicySource {
  return { kind: 'keys', paths: [pathOf(vectorInput(vector, 'key'))] }
}

export function pathOf(name: string): string {
  const path = vectorPath(name)
  if (path === undefined) throw new Error(`vector '${name}' is absent`)
  return path
}

export function optionalInput({ inputs }: VectorCase, name: string): string | undefined {
  const value = inputs[name]
  return typeof value === 'string' ? value : undefined
}

export async function ask(engine: Engine, question: Question, source: PolicySource): Promise<Answer> {
  try {
    const reply = await engine.verify({ ...question, policy: source })
    const { verdict } = reply
    const failures = verdict.outcome === 'verified' ? [] : verdict.failures
    return { outcome: verdict.outcome, codes: failures.map(({ code }) => code), reply }
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    return { outcome: 'no-verdict', codes: [error.code], reply: undefined }
  }
}

/** The question that a case with a bundle asks: about its artifact, or about a digest where it has none. */
export function questionOf(vector: VectorCase): Question {
  const artifact = optionalInput(vector, 'artifact')
  const [digest] = digestsOf(vector)
  return {
    target:
      artifact === undefined
        ? { kind: 'digest', text: digest ?? '' }
        : { kind: 'file', path: pathOf(artifact) },
    bundles: [pathOf(vectorInput(vector, 'bundle'))],
    trustedRoots: [pathOf(vectorInput(vector, 'trustedRoot'))],
    package: undefined,
  }
}

interface BundleJson {
  readonly dsseEnvelope?: { readonly payload: string; readonly payloadType: string }
  readonly messageSignature?: {
    readonly messageDigest: { readonly algorithm: string; readonly digest: string }
  }
}

/** The digests under which the bundle of a case knows its artifact, computed from the artifact where there is one. */
export function digestsOf(vector: VectorCase): readonly string[] {
  const artifact = optionalInput(vector, 'artifact')
  return claimedDigests(vector).map(([algorithm, hex]) => {
    const computed =
      artifact === undefined ? hex : createHash(algorithm).update(readVector(artifact)).digest('hex')
    return `${algorithm}:${computed}`
  })
}

function claimedDigests(vector: VectorCase): readonly (readonly [algorithm: string, hex: string])[] {
  const bundle = firstBundle(readVector(vectorInput(vector, 'bundle')))
  if (bundle?.messageSignature !== undefined) {
    const { algorithm, digest } = bundle.messageSignature.messageDigest
    return [[algorithm.replace('SHA2_', 'sha'), Buffer.from(digest, 'base64').toString('hex')]]
  }
  if (bundle?.dsseEnvelope === undefined) return []
  const payload = Buffer.from(bundle.dsseEnvelope.payload, 'base64')
  // an envelope of another type covers nothing but its own payload
  if (bundle.dsseEnvelope.payloadType !== 'application/vnd.in-toto+json') {
    return [['sha256', createHash('sha256').update(payload).digest('hex')]]
  }
  const { subject } = JSON.parse(payload.toString()) as {
    subject?: readonly { digest: Record<string, string> }[]
  }
  const digests = Object.entries(subject?.[0]?.digest ?? { sha256: '0'.repeat(64) })
  return digests.filter(([algorithm]) => ['sha256', 'sha384', 'sha512'].includes(algorithm))
}

/** undefined for text that is no JSON; some cases are about that. */
function firstBundle(bytes: Buffer): BundleJson | undefined {
  const [line = ''] = bytes.toString().split('\n')
  for (const text of [bytes.toString(), line]) {
    try {
      return JSON.parse(text) as BundleJson
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
  }
  return undefined
}

/** All that the bundles prove, whoever signed. */
export function evidenceIn({ reply }: Answer): readonly Evidence[] {
  return reply?.verdict.bundles.flatMap(({ evidence }) => evidence) ?? []
}

/** For policies that a command line has no words for: conditions on extensions, thresholds of a domain. */
export async function judgeUnder(
  vector: VectorCase,
  file: { readonly name: string; readonly bundles: string },
  requirement: Requirement,
  changes: Partial<TrustDomain> = {},
): Promise<Verdict> {
  const { artifact, adapter } = await openPackage(memoryFile(basename(file.name), readVector(file.name)))
  const bundles = splitBundles(readVector(file.bundles), file.bundles, adapter)
  const [domain] = await domainsOf(vector)
  if (domain === undefined) throw new Error(`vector ${vector.id} has no trusted root`)
  return verify(artifact, bundles, [{ ...domain, ...changes }], policy(requirement))
}

/** The embedded domain where the case rests on the root that this release embeds: only that knows registries. */
async function domainsOf(vector: VectorCase): Promise<readonly TrustDomain[]> {
  const embedded = await embeddedDomain()
  const root = vectorInput(vector, 'trustedRoot')
  const digest = createHash('sha256').update(readVector(root)).digest('hex')
  if (digest === embedded.root.digest) return [embedded]
  return domainsFromFile(pathOf(root), { issuers: 'any', packages: 'any' })
}
