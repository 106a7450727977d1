import { parsePurl, encodePurl } from '../../formats/index.ts'
import { decodeUtf8 } from '../../trust/encoding.ts'
import { MalformedError } from '../../trust/errors.ts'
import { STRICT_THRESHOLDS, type SpeaksFor, type Thresholds } from '../../trust/domain.ts'
import { parseWitnessPolicy, type WitnessPolicy } from '../../trust/log/witness-policy.ts'
import type { PatternMatcher } from '../../trust/policy.ts'
import type { PolicyFiles } from './files.ts'
import type { PolicyFields, PolicyNode } from './node.ts'

/** A trust domain as the policy declares it; the root itself is read by whoever uses it. */
export interface DomainDeclaration {
  readonly name: string
  /** The path is absolute. */
  readonly trustedRoot: { readonly kind: 'embedded' } | { readonly kind: 'file'; readonly path: string }
  readonly speaksFor: SpeaksFor
  readonly thresholds: Thresholds
  readonly witnesses: WitnessPolicy | undefined
}

/** More operators than any instance has: beyond it a number is a slip. */
const MOST_OPERATORS = 99

export async function readDomains(
  node: PolicyNode,
  files: PolicyFiles,
): Promise<readonly DomainDeclaration[]> {
  const domains: DomainDeclaration[] = []
  for (const [name, { keyNode, value }] of node.entries()) {
    if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(name)) {
      keyNode.fail('this is no name for a trust domain', {
        got: name,
        wanted: 'lower-case letters, digits, dot, dash',
      })
    }
    domains.push(await readDomain(name, value, files))
  }
  return domains
}

async function readDomain(name: string, node: PolicyNode, files: PolicyFiles): Promise<DomainDeclaration> {
  const fields = node.fields([
    'trustedRoot',
    'issuers',
    'issuerPatterns',
    'packages',
    'thresholds',
    'witnesses',
  ])
  const root = fields.required('trustedRoot').text()
  const isEmbedded = root === 'embedded'
  const thresholds = readThresholds(fields.optional('thresholds'), isEmbedded)
  return {
    name,
    trustedRoot: isEmbedded ? { kind: 'embedded' } : { kind: 'file', path: files.resolve(root) },
    speaksFor: {
      issuers: (await readIssuers(fields)) ?? (isEmbedded ? 'any' : []),
      packages: readPackages(fields.optional('packages')) ?? (isEmbedded ? 'any' : []),
    },
    thresholds,
    witnesses: await readWitnesses(fields.optional('witnesses'), thresholds, files),
  }
}

/** There is no word for any issuer: whoever runs a private authority could mint the identities of a public one. */
async function readIssuers(fields: PolicyFields): Promise<readonly (string | PatternMatcher)[] | undefined> {
  const exact = fields.optional('issuers')?.texts()
  const patterns = fields.optional('issuerPatterns')
  if (exact === undefined && patterns === undefined) return undefined
  patterns?.texts()
  const compiled: PatternMatcher[] = []
  for (const node of patterns?.items() ?? []) compiled.push(await readPattern(node))
  return [...(exact ?? []), ...compiled]
}

/** The engine for patterns loads on first use. */
export async function readPattern(node: PolicyNode): Promise<PatternMatcher> {
  const source = node.text()
  const { pattern } = await import('../../trust/pattern.ts')
  return node.placed(() => pattern(source))
}

function readPackages(node: PolicyNode | undefined): SpeaksFor['packages'] | undefined {
  if (node?.isText() === true) return node.oneOf<'any'>(['any'])
  node?.texts()
  return node?.items().map(readPrefix)
}

/** `pkg:npm/%40acme`, in canonical spelling: a prefix is completed by a name. */
function readPrefix(node: PolicyNode): string {
  const text = node.text()
  const completed = /[*?#]/.test(text) ? undefined : parsePurl(`${text}/name`)
  if (completed === undefined) {
    const wanted = 'the start of package URLs up to a slash, such as pkg:npm/%40acme, without version or *'
    return node.fail('this is no start of package URLs', { got: text, wanted })
  }
  return encodePurl(completed).slice(0, -'/name'.length)
}

/**
 * An instance without logs is legitimate where its root says so; the public-good instance has them. Without a time
 * a certificate proves nothing.
 */
function readThresholds(node: PolicyNode | undefined, isEmbedded: boolean): Thresholds {
  const fields = node?.fields(['logs', 'certificateLogs', 'times'])
  const count = (key: keyof Thresholds, least: number): number =>
    fields?.optional(key)?.count(least, MOST_OPERATORS) ?? STRICT_THRESHOLDS[key]
  const least = isEmbedded ? 1 : 0
  return {
    logs: count('logs', least),
    certificateLogs: count('certificateLogs', least),
    times: count('times', 1),
  }
}

async function readWitnesses(
  node: PolicyNode | undefined,
  { logs }: Thresholds,
  files: PolicyFiles,
): Promise<WitnessPolicy | undefined> {
  if (node === undefined) return undefined
  if (logs === 0)
    node.fail('witnesses cosign logs, and the thresholds ask for no log', {
      got: 'logs: 0',
      wanted: 'logs: 1',
    })
  const path = files.resolve(node.text())
  return node.placed(async () => {
    const text = decodeUtf8(await files.read(path))
    if (text !== undefined) return parseWitnessPolicy(text)
    throw new MalformedError('MALFORMED_WITNESS_POLICY', 'the witness policy is not valid UTF-8', {
      got: path,
    })
  })
}
