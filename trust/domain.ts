import type { Bundle } from './bundle.ts'
import { parseBundleCertificates } from './bundle-certificates.ts'
import { equalBytes } from './encoding.ts'
import { CheckFailed, UsageError } from './errors.ts'
import { formatName } from './x509/name.ts'
import type { Window } from './authority.ts'
import type { PublicKey } from './keys.ts'
import type { TrustedRoot } from './trusted-root.ts'
import type { WitnessPolicy } from './log/witness-policy.ts'
import type { PatternMatcher } from './policy.ts'

/**
 * A trust domain: one trusted root by name, what it may speak for, and how much evidence it asks for. Domains are
 * never merged: a bundle is judged under each alone, and each verdict names the one it rests on.
 */
export interface TrustDomain {
  /** Verdicts name the domain by it; no two domains of one verification share it. */
  readonly name: string
  /** Its keys and certificates. */
  readonly root: TrustedRoot
  /** Where the root comes from. */
  readonly source: DomainSource
  /** Whose identities and which packages it may vouch for. */
  readonly speaksFor: SpeaksFor
  /** How much evidence it asks for. */
  readonly thresholds: Thresholds
  /** Managed keys that the domain itself vouches for, such as a registry's, found by the hint in a bundle. */
  readonly keys: readonly DomainKey[]
  /** Witnesses whose cosignatures checkpoints must carry; undefined asks for none. */
  readonly witnesses: WitnessPolicy | undefined
}

/** A managed key that a domain vouches for. */
export interface DomainKey {
  /** Exactly as bundles and registries write it: `SHA256:…`. */
  readonly hint: string
  /** The key itself. */
  readonly key: PublicKey
  /** Signatures need a time inside it. */
  readonly validFor: Window
  /** Whose key it is: the host of a registry. */
  readonly owner: string
  /** What it may sign: statements in bundles, or the registry's own kind of signature. */
  readonly usage: 'attestations' | 'signatures'
}

/** Where a trusted root comes from. */
export interface DomainSource {
  /** `given`: by a caller of the library. */
  readonly kind: 'embedded-seed' | 'file' | 'client-trust-config' | 'json-lines' | 'given'
  /** For people: a path with its line, or the release of the seed. */
  readonly description: string
  /** When this material was known to be current; undefined where nothing says so. */
  readonly asOf: Date | undefined
}

/** What a trust domain may vouch for. Evidence about anything else does not count. */
export interface SpeaksFor {
  /**
   * OpenID Connect issuers, exactly or by pattern. `'any'` is for a public instance, whose certificate authority
   * decides which issuers it admits.
   */
  readonly issuers: 'any' | readonly (string | PatternMatcher)[]
  /** Package URL prefixes up to a `/` or `@` border, such as `pkg:npm/%40acme`; plain files have no name. */
  readonly packages: 'any' | readonly string[]
}

/** Least numbers of distinct operators. They belong to the domain: no bundle and no flag changes them. */
export interface Thresholds {
  /** Transparency logs that hold the signature. */
  readonly logs: number
  /** Certificate logs that hold the signing certificate. */
  readonly certificateLogs: number
  /** Authorities that say when it was signed; for certificates 0 counts as 1. */
  readonly times: number
}

/** One of each: what the public-good instance and everything like it offers. */
export const STRICT_THRESHOLDS: Thresholds = { logs: 1, certificateLogs: 1, times: 1 }

/** An instance without logs of its own, such as GitHub's for private repositories: time comes from timestamps. */
export const TIMESTAMP_ONLY_THRESHOLDS: Thresholds = { logs: 0, certificateLogs: 0, times: 1 }

/** Verdicts name domains, so names must tell them apart. */
export function requireDistinct(domains: readonly TrustDomain[]): void {
  if (domains.length === 0) throw new UsageError('TRUST_NO_DOMAIN', 'there is no trust domain to judge by')
  const names = domains.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined)
    throw new UsageError('TRUST_DOMAIN_NAMES', 'two trust domains have the same name', { got: twice })
}

/**
 * Does this domain know who issued the bundle at all? Otherwise it has nothing to say about it, which is not the
 * same as saying that it is false.
 * @throws CheckFailed of check `domain`: CERT_UNKNOWN_AUTHORITY or LOG_UNKNOWN
 */
export function requireKnown(domain: TrustDomain, bundle: Bundle): void {
  const { keyMaterial, entries } = bundle
  if (keyMaterial.kind === 'key') {
    if (
      entries.length === 0 ||
      entries.some(({ logId }) => domain.root.logs.some((log) => log.logId === logId))
    )
      return
    throw new CheckFailed(
      'domain',
      'LOG_UNKNOWN',
      `trust domain ${domain.name} knows none of the logs in the bundle`,
      {
        got: entries.map(({ logId }) => logId).join(', '),
        wanted: domain.root.logs.map(({ logId }) => logId).join(', ') || 'no log is listed',
      },
    )
  }
  const { leaf, untrusted } = parseBundleCertificates(keyMaterial)
  const chain = [leaf, ...untrusted]
  const known = domain.root.authorities.some((authority) =>
    authority.chain.some(({ subject }) => chain.some(({ issuer }) => equalBytes(issuer, subject))),
  )
  if (known) return
  throw new CheckFailed(
    'domain',
    'CERT_UNKNOWN_AUTHORITY',
    `trust domain ${domain.name} does not know the issuer`,
    {
      got: formatName(leaf.issuer),
      wanted:
        [...new Set(domain.root.authorities.map(({ name }) => name))].join(' or ') ||
        'no authority is listed',
    },
  )
}

/**
 * Is the domain allowed to vouch for this issuer and this package?
 * @throws CheckFailed of check `domain`: DOMAIN_ISSUER or DOMAIN_PACKAGE
 */
export function requireSpeaksFor(
  domain: TrustDomain,
  issuer: string | undefined,
  purl: string | undefined,
): void {
  const { issuers, packages } = domain.speaksFor
  if (issuer !== undefined && issuers !== 'any' && !issuers.some((one) => admits(one, issuer))) {
    const listed = issuers.map((one) => (typeof one === 'string' ? one : one.source))
    throw new CheckFailed(
      'domain',
      'DOMAIN_ISSUER',
      `trust domain ${domain.name} may not speak for this issuer`,
      {
        got: issuer,
        wanted: listed.join(' or ') || 'no issuer is listed',
      },
    )
  }
  if (packages !== 'any' && !packages.some((prefix) => purl !== undefined && isWithin(purl, prefix))) {
    throw new CheckFailed(
      'domain',
      'DOMAIN_PACKAGE',
      `trust domain ${domain.name} may not speak for this package`,
      {
        got: purl ?? 'a file without a package name',
        wanted: packages.join(' or ') || 'no package is listed',
      },
    )
  }
}

function admits(rule: string | PatternMatcher, issuer: string): boolean {
  return typeof rule === 'string' ? rule === issuer : rule.matches(issuer)
}

/** `pkg:npm/%40acme` holds `pkg:npm/%40acme/x@1`, not `pkg:npm/%40acme-evil/x@1`. */
function isWithin(purl: string, prefix: string): boolean {
  return purl === prefix || purl.startsWith(`${prefix}/`) || purl.startsWith(`${prefix}@`)
}
