import { judgeTrial, trialOf, type BundleVector } from '../support/bundle-vectors.ts'
import { readNodes, walk, type JsonNode } from '../support/json-nodes.ts'
import { unsignedSpans, type UnsignedSpan } from '../support/test-timestamp.ts'
import { readAll, readElement, type Element } from '../../trust/x509/der.ts'
import type { Evidence } from '../../trust/evidence.ts'
import type { TransparencyLog } from '../../trust/authority.ts'

/** What a bundle is, as far as it decides which of its parts nothing covers. */
export interface BundleFacts {
  readonly version: string
  /** Contents and evidence in words, whatever the version: bundles of one kind are much alike. */
  readonly kind: string
  readonly signer: 'certificate' | 'key'
  readonly namedKeys: number
  /** Times that count, by where they come from. */
  readonly promises: number
  readonly stamps: number
  readonly generations: readonly string[]
  readonly logs: readonly TransparencyLog[]
  /** Parts of the timestamp at a path that no signature covers. */
  readonly spansAt: ReadonlyMap<string, readonly UnsignedSpan[]>
  /** Where a timestamp names the certificate that signed it. */
  readonly signerIdAt: ReadonlyMap<string, { readonly from: number; readonly to: number }>
  readonly nodeAt: ReadonlyMap<string, JsonNode>
}

interface BundleShape {
  readonly mediaType: string
  readonly messageSignature?: unknown
  readonly dsseEnvelope?: { readonly payloadType: string }
  readonly verificationMaterial: {
    readonly publicKey?: unknown
    readonly certificate?: unknown
    readonly x509CertificateChain?: { readonly certificates: readonly unknown[] }
    readonly tlogEntries?: readonly {
      readonly kindVersion: { readonly kind: string; readonly version: string }
      readonly inclusionPromise?: unknown
      readonly inclusionProof?: { readonly checkpoint?: { readonly envelope?: string } }
    }[]
    readonly timestampVerificationData?: { readonly rfc3161Timestamps?: readonly unknown[] }
  }
}

export function factsOf(vector: BundleVector): BundleFacts {
  const trial = trialOf(vector)
  const verdict = judgeTrial(trial)
  if (verdict.outcome !== 'verified') throw new Error(`${vector.id} is not verified`)
  const text = vector.bundle.toString('utf8')
  const shape = JSON.parse(text) as BundleShape
  const nodes = [...walk(readNodes(text))]
  const stamps = nodes.filter(({ name }) => name === 'signedTimestamp')
  const entries = shape.verificationMaterial.tlogEntries ?? []
  const [evidence] = verdict.evidence
  return {
    version: /0\.[123]/.exec(shape.mediaType)?.[0] ?? '',
    kind: kindOf(shape),
    signer: evidence.signer.kind,
    namedKeys: vector.signer.kind === 'keys' ? vector.signer.keys.length : 0,
    promises: timesOf(evidence, 'log-promise'),
    stamps: timesOf(evidence, 'timestamp'),
    generations: entries.map(({ kindVersion }) => `${kindVersion.kind} ${kindVersion.version}`),
    logs: trial.domain.root.logs,
    spansAt: new Map(stamps.map(({ path, value }) => [path, unsignedSpans(Buffer.from(value, 'base64'))])),
    signerIdAt: new Map(stamps.map(({ path, value }) => [path, signerIdIn(Buffer.from(value, 'base64'))])),
    nodeAt: new Map(nodes.map((node) => [node.path, node])),
  }
}

function timesOf({ times }: Evidence, source: string): number {
  return times.filter((time) => time.source === source).length
}

/** RFC 5652 section 5.3: the second part of the only SignerInfo, which ends the SignedData. */
function signerIdIn(response: Buffer): { readonly from: number; readonly to: number } {
  const inside = ({ content }: Element): Element[] => readAll(content)
  const [, contentInfo] = inside(readElement(response))
  const signedData = inside(inside(contentInfo!)[1]!)[0]!
  const [signer] = inside(inside(signedData).at(-1)!)
  const { raw } = inside(signer!)[1]!
  const from = raw.byteOffset - response.byteOffset
  return { from, to: from + raw.length }
}

function kindOf({ messageSignature, dsseEnvelope, verificationMaterial: material }: BundleShape): string {
  const certificates = material.x509CertificateChain?.certificates.length ?? 0
  const stamps = material.timestampVerificationData?.rfc3161Timestamps?.length ?? 0
  const entries = (material.tlogEntries ?? []).map(({ kindVersion, inclusionPromise, inclusionProof }) => {
    const proof = (inclusionProof?.checkpoint?.envelope ?? '') === '' ? '' : ' proof'
    return `${kindVersion.kind} ${kindVersion.version}${inclusionPromise === undefined ? '' : ' promise'}${proof}`
  })
  return [
    messageSignature === undefined
      ? (dsseEnvelope?.payloadType ?? '').replace('application/vnd.', '')
      : 'message',
    material.publicKey !== undefined ? 'key' : certificates > 1 ? 'chain' : 'certificate',
    entries.length === 0 ? 'no entry' : entries.join(' and '),
    ...(stamps === 0 ? [] : ['timestamp']),
  ].join(', ')
}
