import type { Engine, PolicySource, TextMatcher, TrustReport, VerifyReply, VerifyRequest } from './api.ts'
import type { FormatAdapter } from '../formats/index.ts'
import { openPackage, parsePurl, encodePurl } from '../formats/index.ts'
import type { Artifact } from '../trust/artifact.ts'
import { contentOfDigest, prepare, prepareForDigest, type FoundBundle } from '../trust/content.ts'
import { DIGEST_ALGORITHMS, DIGEST_LENGTH, type DigestAlgorithm } from '../trust/digest.ts'
import type { SpeaksFor, TrustDomain } from '../trust/domain.ts'
import { decodeHex } from '../trust/encoding.ts'
import { UsageError } from '../trust/errors.ts'
import {
  exactly,
  identity,
  managedKey,
  anyOf,
  nobody,
  policy,
  type Matcher,
  type Policy,
  type Requirement,
} from '../trust/policy.ts'
import { EvidenceCache } from '../trust/evidence-cache.ts'
import { judge } from '../trust/verify.ts'
import { bundlesBeside, bundlesIn } from './bundle-search.ts'
import { readKeys, type NamedKeys } from './key-file.ts'
import { reportEmbedded, reportProvenance } from './native-signatures.ts'
import { LocalFile } from './package-file.ts'
import { describeDomains } from './trust-report.ts'
import { declaredDomains, domainsFromFiles, embeddedDomain } from './trust-store.ts'

/**
 * All of verification that touches the world: files in, a verdict out. No network.
 *
 * @returns an engine; keep it, because it remembers the evidence of bundles that it has judged
 *
 * @example
 * ```ts
 * import { createEngine } from 'sigward'
 *
 * const engine = createEngine()
 * const { verdict } = await engine.verify({
 *   target: { kind: 'file', path: 'app.tgz' },
 *   bundles: [],
 *   policy: { kind: 'file', path: 'sigward.yaml' },
 *   trustedRoots: [],
 *   package: 'pkg:npm/app@1.2.3',
 * })
 * if (verdict.outcome !== 'verified') process.exitCode = 1
 * ```
 */
export function createEngine(): Engine {
  const cache = new EvidenceCache()
  let seed: Promise<TrustDomain> | undefined
  const embedded = (): Promise<TrustDomain> => (seed ??= embeddedDomain())
  return {
    verify: async (request) => verifyTarget(request, await settle(request, embedded), cache),
    inspect: async (request) => {
      const { inspectFile } = await import('./inspect.ts')
      return inspectFile(request)
    },
    trust: async ({ trustedRoots }): Promise<TrustReport> => {
      const anybody: SpeaksFor = { issuers: 'any', packages: 'any' }
      const domains =
        trustedRoots.length === 0 ? [await embedded()] : await domainsFromFiles(trustedRoots, anybody)
      return describeDomains(domains)
    },
  }
}

/** What a request asks for, once flags and files are read: whom to trust, and the policy for each package. */
interface Settled {
  readonly domains: readonly TrustDomain[]
  /** Keys that the user named, also those that only a format's own signatures use. */
  readonly named: NamedKeys
  readonly policyFor: (purl: string | undefined) => Policy
}

async function settle(request: VerifyRequest, embedded: () => Promise<TrustDomain>): Promise<Settled> {
  const asked = request.package === undefined ? undefined : canonicalPurl(request.package)
  const named = await readKeys(request.policy.kind === 'keys' ? request.policy.paths : [])
  if (request.policy.kind === 'file') {
    const { loadPolicyFile } = await import('./policy-file.ts')
    const loaded = await loadPolicyFile(request.policy.path)
    if (request.trustedRoots.length > 0) {
      // a root that came without saying whom it speaks for would speak for every issuer that the policy names
      throw new UsageError('USAGE_POLICY', 'a policy file and --trusted-root do not go together', {
        hint: 'declare the root under "domains" in the policy file, with the issuers it may speak for',
      })
    }
    const domains =
      loaded.domains === undefined ? [await embedded()] : await declaredDomains(loaded.domains, embedded)
    return { domains, named, policyFor: (purl) => loaded.policyFor(purl, asked) }
  }
  const requirement = await requirementOf(request.policy, named)
  const made = policy(requirement, asked === undefined ? {} : { package: asked })
  const domains = await rootsOf(request, await speaksFor(request.policy), embedded)
  return { domains, named, policyFor: () => made }
}

async function rootsOf(
  { trustedRoots }: VerifyRequest,
  speaks: SpeaksFor,
  embedded: () => Promise<TrustDomain>,
): Promise<readonly TrustDomain[]> {
  return trustedRoots.length === 0 ? [await embedded()] : domainsFromFiles(trustedRoots, speaks)
}

/**
 * A root that the user names speaks for the issuer that the user names beside it, and for no other. Where no issuer
 * is named nothing can become `verified` through a certificate, so it may tell about anybody.
 */
async function speaksFor(source: PolicySource): Promise<SpeaksFor> {
  if (source.kind !== 'identity') return { issuers: 'any', packages: 'any' }
  const issuer = await matcherOf(source.issuer)
  return { issuers: [issuer.kind === 'exact' ? issuer.value : issuer], packages: 'any' }
}

async function requirementOf(source: PolicySource, named: NamedKeys): Promise<Requirement> {
  switch (source.kind) {
    case 'identity':
      return identity({ subject: await matcherOf(source.subject), issuer: await matcherOf(source.issuer) })
    case 'keys':
      // a keyring alone can only back what a chart's provenance says, and that is no verdict
      return named.keys.length === 0 ? nobody() : anyOf(named.keys.map((key) => managedKey(key)))
    default:
      return nobody()
  }
}

async function matcherOf(matcher: TextMatcher): Promise<Matcher> {
  if (matcher.kind === 'exact') return exactly(matcher.value)
  const { pattern } = await import('../trust/pattern.ts')
  return pattern(matcher.source)
}

function canonicalPurl(text: string): string {
  const purl = parsePurl(text)
  if (purl !== undefined) return encodePurl(purl)
  throw new UsageError('USAGE_ARGUMENT', 'the package URL cannot be read', {
    got: text,
    wanted: 'pkg:type/name@version',
  })
}

async function verifyTarget(
  request: VerifyRequest,
  settled: Settled,
  cache: EvidenceCache,
): Promise<VerifyReply> {
  return request.target.kind === 'digest'
    ? verifyDigest(request.target.text, request.bundles, settled, cache)
    : verifyFile(request.target.path, request.bundles, settled, cache)
}

async function verifyFile(
  path: string,
  bundlePaths: readonly string[],
  { domains, named, policyFor }: Settled,
  cache: EvidenceCache,
): Promise<VerifyReply> {
  const file = await LocalFile.open(path)
  try {
    const { adapter, artifact } = await openPackage(file)
    // bundles inside the file are judged over other ranges of it: then every block must stay the same
    if (artifact.embedded.length === 0) file.stopRecording()
    const found = await findBundles(path, bundlePaths, adapter)
    const decided = policyFor(artifact.subject.purl)
    const { content, bundles } = await prepare(artifact, found, domains, decided)
    await file.finish()
    const verdict = judge(artifact, content, bundles, domains, decided, cache)
    const native = [
      ...reportEmbedded(artifact, named),
      ...(artifact.format === 'helm-chart'
        ? await reportProvenance(
            path,
            file.filename,
            content.digests.get('sha256') ?? new Uint8Array(),
            named,
          )
        : []),
    ]
    return { verdict, notes: artifact.notes, nativeSignatures: native }
  } finally {
    await file.close()
  }
}

async function findBundles(
  path: string,
  named: readonly string[],
  adapter: FormatAdapter,
): Promise<readonly FoundBundle[]> {
  if (named.length === 0) return bundlesBeside(path, adapter)
  return (await Promise.all(named.map((one) => bundlesIn(one, adapter)))).flat()
}

async function verifyDigest(
  text: string,
  bundlePaths: readonly string[],
  { domains, policyFor }: Settled,
  cache: EvidenceCache,
): Promise<VerifyReply> {
  if (bundlePaths.length === 0) {
    throw new UsageError('USAGE_ARGUMENT', 'a digest alone does not say where its bundle is', {
      hint: 'name it with --bundle FILE',
    })
  }
  const { algorithm, bytes } = parseDigest(text)
  const content = await contentOfDigest(new Map([[algorithm, bytes]]))
  const found = (await Promise.all(bundlePaths.map((one) => bundlesIn(one, undefined)))).flat()
  const decided = policyFor(undefined)
  const verdict = judge(DIGEST_ONLY, content, prepareForDigest(found, content), domains, decided, cache)
  return { verdict, notes: [], nativeSignatures: [] }
}

/** There are no bytes behind a digest: nothing can be unpacked from it, and it has no name. */
const DIGEST_ONLY: Artifact = {
  format: 'digest',
  subject: { name: undefined, version: undefined, purl: undefined, statementNames: [] },
  embedded: [],
  nativeSignatures: [],
  notes: [],
  signedBytes: () => {
    throw new TypeError('a digest has no bytes')
  },
}

function parseDigest(text: string): { readonly algorithm: DigestAlgorithm; readonly bytes: Uint8Array } {
  const [name = '', hex = '', ...more] = text.split(':')
  const algorithm = more.length === 0 ? DIGEST_ALGORITHMS.find((known) => known === name) : undefined
  const bytes = decodeHex(hex)
  if (algorithm !== undefined && bytes?.length === DIGEST_LENGTH[algorithm]) return { algorithm, bytes }
  const wanted = 'sha256:, sha384: or sha512: and the digest in hexadecimal'
  throw new UsageError('USAGE_ARGUMENT', 'the digest cannot be read', { got: text, wanted })
}
