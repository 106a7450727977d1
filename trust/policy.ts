import type { PublicKey } from './keys.ts'
import type { Window } from './authority.ts'
import { UsageError } from './errors.ts'

/**
 * Who must have signed. A policy is a required argument everywhere: there is no default that accepts anybody.
 * Exact text is the normal form; a pattern is a type of its own, so that no plain string is ever read as one.
 */
export interface Policy {
  /** Who must have signed. */
  readonly requirement: Requirement
  /**
   * For bundles of a predicate type (`''` stands for message signatures): must one of them satisfy the
   * requirement, or every one? Types that are not listed follow `quantifier`.
   */
  readonly perPredicateType: ReadonlyMap<string, Quantifier>
  /** For all predicate types that are not listed; `any` unless it is given. */
  readonly quantifier: Quantifier
  /** What the package must be: a package URL, compared with the name and version inside the package. */
  readonly package: string | undefined
}

/** How many bundles of one predicate type must satisfy the requirement. */
export type Quantifier = 'any' | 'all'

/** Built by {@link identity}, {@link managedKey}, {@link anyOf}, {@link allOf}, {@link intersectionOf}, {@link nobody}. */
export type Requirement =
  | IdentityRequirement
  | KeyRequirement
  | CompoundRequirement
  /** Nobody is named: the best outcome is `signed-by-unknown`. */
  | { readonly kind: 'nobody' }

/**
 * Requirements joined to one:
 *
 * - `anyOf`: one of them is met
 * - `allOf`: each is met, if need be by different bundles
 * - `intersectionOf`: each is met by the same bundles, so that a signer must be named by all of them
 */
export interface CompoundRequirement {
  readonly kind: 'anyOf' | 'allOf' | 'intersectionOf'
  /** At least one: a list of nobody would be met by anybody. */
  readonly of: readonly [Requirement, ...Requirement[]]
}

/** A certificate with this subject from this issuer, as {@link identity} builds it. */
export interface IdentityRequirement {
  readonly kind: 'identity'
  /** Subject alternative name of the certificate: an e-mail address, a workflow. */
  readonly subject: Matcher
  /** OpenID Connect issuer that vouched for the subject. */
  readonly issuer: Matcher
  /** Kind of the subject alternative name, where the policy cares. */
  readonly subjectKind: 'email' | 'uri' | 'otherName' | undefined
  /** Certificate extensions by the names of `x509/extensions.ts`; all must match. */
  readonly extensions: readonly (readonly [name: string, matcher: Matcher])[]
  /** Names of trust domains that may vouch; undefined leaves it to the domains' own settings. */
  readonly domains: readonly string[] | undefined
  /** Only statements of these types count, message signatures then do not; undefined leaves it open. */
  readonly predicateTypes: readonly string[] | undefined
}

/** A managed key, as {@link managedKey} builds it. */
export interface KeyRequirement {
  readonly kind: 'key'
  /** The only key that satisfies it. */
  readonly key: PublicKey
  /** Signatures without a time inside this window are refused; undefined leaves time alone. */
  readonly validFor: Window | undefined
  /** Key ID that bundles use for this key, where it is not the digest of the key. */
  readonly hint: string | undefined
  /** Names of trust domains that may vouch for the log entries; undefined: any of them. */
  readonly domains: readonly string[] | undefined
  /** Only statements of these types count, message signatures then do not; undefined leaves it open. */
  readonly predicateTypes: readonly string[] | undefined
}

/** Exact text, or a pattern; a plain string is neither, so that none is ever read as a pattern. */
export type Matcher = ExactMatcher | PatternMatcher

/** Matches one text, letter by letter; built by {@link exactly}. */
export interface ExactMatcher {
  readonly kind: 'exact'
  /** The text; not empty. */
  readonly value: string
}

/** Built by {@link pattern} only: anchored at both ends, linear time. */
export interface PatternMatcher {
  readonly kind: 'pattern'
  /** The expression as it was given. */
  readonly source: string
  /** Whether the whole text matches. */
  matches(text: string): boolean
}

/**
 * Matches one text and nothing else: no case folding, no trimming, no normalisation.
 *
 * @throws UsageError `USAGE_POLICY` for the empty text
 */
export function exactly(value: string): ExactMatcher {
  if (value === '') throw new UsageError('USAGE_POLICY', 'an identity or issuer to match must not be empty')
  return { kind: 'exact', value }
}

export function matches(matcher: Matcher, text: string): boolean {
  return matcher.kind === 'exact' ? matcher.value === text : matcher.matches(text)
}

export function describeMatcher(matcher: Matcher): string {
  return matcher.kind === 'exact' ? matcher.value : `text matching ^(?:${matcher.source})$`
}

/** What {@link identity} makes a requirement of. */
export interface IdentityOptions {
  /** Subject alternative name of the certificate: an e-mail address, a workflow. */
  readonly subject: Matcher
  /** OpenID Connect issuer that vouched for the subject. */
  readonly issuer: Matcher
  /** Kind of the subject alternative name; any kind unless it is given. */
  readonly subjectKind?: 'email' | 'uri' | 'otherName'
  /** Certificate extensions by name, such as `sourceRepositoryURI`; all must match. */
  readonly extensions?: readonly (readonly [string, Matcher])[]
  /** Names of trust domains that may vouch; not empty. */
  readonly domains?: readonly string[]
  /** Only statements of these types count; not empty. */
  readonly predicateTypes?: readonly string[]
}

/**
 * A certificate with this subject from this issuer. Both are needed: a subject means nothing without its issuer.
 *
 * @param options - subject and issuer, and what else must hold
 * @throws UsageError `USAGE_POLICY` for an empty list
 *
 * @example
 * ```ts
 * import { exactly, identity, pattern, policy } from 'sigward'
 *
 * const release = identity({
 *   subject: pattern('https://github\\.com/acme/app/\\.github/workflows/release\\.yml@refs/tags/v[0-9.]+'),
 *   issuer: exactly('https://token.actions.githubusercontent.com'),
 *   extensions: [['sourceRepositoryURI', exactly('https://github.com/acme/app')]],
 * })
 * const acme = policy(release, { package: 'pkg:npm/%40acme/app' })
 * ```
 */
export function identity(options: IdentityOptions): IdentityRequirement {
  return {
    kind: 'identity',
    subject: options.subject,
    issuer: options.issuer,
    subjectKind: options.subjectKind,
    extensions: options.extensions ?? [],
    domains: nonEmpty(options.domains, 'domains'),
    predicateTypes: nonEmpty(options.predicateTypes, 'predicate types'),
  }
}

/** What {@link managedKey} asks for beside the key. */
export interface KeyOptions {
  /** Signatures then need a signed time, and all of their times inside it. */
  readonly validFor?: Window
  /** What bundles call the key, where that is not the SHA-256 of it. */
  readonly hint?: string
  /** Names of trust domains that may vouch for the log entries; not empty. */
  readonly domains?: readonly string[]
  /** Only statements of these types count; not empty. */
  readonly predicateTypes?: readonly string[]
}

/**
 * A managed key, with or without the time for which it is good.
 *
 * @throws UsageError `USAGE_POLICY` for an empty list
 */
export function managedKey(key: PublicKey, options: KeyOptions = {}): KeyRequirement {
  return {
    kind: 'key',
    key,
    validFor: options.validFor,
    hint: options.hint,
    domains: nonEmpty(options.domains, 'domains'),
    predicateTypes: nonEmpty(options.predicateTypes, 'predicate types'),
  }
}

/**
 * One of these is enough.
 *
 * @throws UsageError `USAGE_POLICY` for an empty list
 */
export function anyOf(requirements: readonly Requirement[]): Requirement {
  return { kind: 'anyOf', of: atLeastOne(requirements, 'anyOf') }
}

/**
 * All of these, by one bundle or by several.
 *
 * @throws UsageError `USAGE_POLICY` for an empty list
 */
export function allOf(requirements: readonly Requirement[]): Requirement {
  return { kind: 'allOf', of: atLeastOne(requirements, 'allOf') }
}

/**
 * All of these by the same bundles: each narrows who may have signed.
 *
 * @throws UsageError `USAGE_POLICY` for an empty list
 */
export function intersectionOf(requirements: readonly Requirement[]): Requirement {
  return { kind: 'intersectionOf', of: atLeastOne(requirements, 'intersectionOf') }
}

/** Names nobody: signatures are judged and signers reported, and nothing is ever `verified`. */
export function nobody(): Requirement {
  return { kind: 'nobody' }
}

/** What {@link policy} asks for beside the requirement. */
export interface PolicyOptions {
  /** Must one bundle satisfy the requirement, or every bundle of its predicate type? `any` unless it is given. */
  readonly quantifier?: Quantifier
  /** The same for single predicate types; `''` stands for message signatures. */
  readonly perPredicateType?: ReadonlyMap<string, Quantifier>
  /** Package URL that the package must be, with or without a version, in canonical spelling: `pkg:npm/%40acme/app`. */
  readonly package?: string
}

/**
 * Makes the policy that {@link verify} asks for. There is no default policy: {@link nobody} says that nobody is named,
 * and then nothing is ever `verified`.
 *
 * @param requirement - who must have signed
 * @param options - how many of the bundles, and which package it must be
 *
 * @example
 * ```ts
 * import { anyOf, exactly, identity, managedKey, parsePublicKeyPem, policy } from 'sigward'
 *
 * const policyFor = (pem: string) =>
 *   policy(
 *     anyOf([
 *       managedKey(parsePublicKeyPem(pem)),
 *       identity({ subject: exactly('dev@acme.example'), issuer: exactly('https://oidc.acme.example') }),
 *     ]),
 *   )
 * ```
 */
export function policy(requirement: Requirement, options: PolicyOptions = {}): Policy {
  return {
    requirement,
    quantifier: options.quantifier ?? 'any',
    perPredicateType: options.perPredicateType ?? new Map(),
    package: options.package,
  }
}

/** All managed keys that a requirement names, in order. */
export function managedKeys(requirement: Requirement): readonly KeyRequirement[] {
  if (requirement.kind === 'key') return [requirement]
  return 'of' in requirement ? requirement.of.flatMap(managedKeys) : []
}

export function namesSomebody(requirement: Requirement): boolean {
  return 'of' in requirement ? requirement.of.some(namesSomebody) : requirement.kind !== 'nobody'
}

/** An empty list would be satisfied by everything (allOf) or be a riddle (anyOf): refused when it is built. */
function atLeastOne(
  requirements: readonly Requirement[],
  name: string,
): readonly [Requirement, ...Requirement[]] {
  const [first, ...rest] = requirements
  if (first === undefined) throw new UsageError('USAGE_POLICY', `${name} needs at least one requirement`)
  return [first, ...rest]
}

function nonEmpty(list: readonly string[] | undefined, name: string): readonly string[] | undefined {
  if (list?.length === 0) throw new UsageError('USAGE_POLICY', `a list of ${name} must not be empty`)
  return list
}
