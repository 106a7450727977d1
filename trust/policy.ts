import type { PublicKey } from './keys.ts'
import type { Window } from './authority.ts'
import { UsageError } from './errors.ts'

/**
 * Who must have signed. A policy is a required argument everywhere: there is no default that accepts anybody.
 * Exact text is the normal form; a pattern is a type of its own, so that no plain string is ever read as one.
 */
export interface Policy {
  readonly requirement: Requirement
  /**
   * For bundles of a predicate type (`''` stands for message signatures): must one of them satisfy the
   * requirement, or every one? Types that are not listed follow `quantifier`.
   */
  readonly perPredicateType: ReadonlyMap<string, Quantifier>
  readonly quantifier: Quantifier
  /** What the package must be: a package URL, compared with the name and version inside the package. */
  readonly package: string | undefined
}

export type Quantifier = 'any' | 'all'

export type Requirement =
  | IdentityRequirement
  | KeyRequirement
  | CompoundRequirement
  /** Nobody is named: the best outcome is `signed-by-unknown`. */
  | { readonly kind: 'nobody' }

/**
 * - `anyOf`: one of them is met
 * - `allOf`: each is met, if need be by different bundles
 * - `intersectionOf`: each is met by the same bundles, so that a signer must be named by all of them
 */
export interface CompoundRequirement {
  readonly kind: 'anyOf' | 'allOf' | 'intersectionOf'
  readonly of: readonly [Requirement, ...Requirement[]]
}

export interface IdentityRequirement {
  readonly kind: 'identity'
  readonly subject: Matcher
  readonly issuer: Matcher
  /** Kind of the subject alternative name, where the policy cares. */
  readonly subjectKind: 'email' | 'uri' | 'otherName' | undefined
  /** Certificate extensions by the names of `x509/extensions.ts`; all must match. */
  readonly extensions: readonly (readonly [name: string, matcher: Matcher])[]
  /** Names of trust domains that may vouch; undefined leaves it to the domains' own settings. */
  readonly domains: readonly string[] | undefined
  readonly predicateTypes: readonly string[] | undefined
}

export interface KeyRequirement {
  readonly kind: 'key'
  readonly key: PublicKey
  /** Signatures without a time inside this window are refused; undefined leaves time alone. */
  readonly validFor: Window | undefined
  /** Key ID that bundles use for this key, where it is not the digest of the key. */
  readonly hint: string | undefined
  readonly domains: readonly string[] | undefined
  readonly predicateTypes: readonly string[] | undefined
}

export type Matcher = ExactMatcher | PatternMatcher

export interface ExactMatcher {
  readonly kind: 'exact'
  readonly value: string
}

/** Built by `pattern.ts` only: anchored at both ends, linear time. */
export interface PatternMatcher {
  readonly kind: 'pattern'
  readonly source: string
  matches(text: string): boolean
}

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

export interface IdentityOptions {
  readonly subject: Matcher
  readonly issuer: Matcher
  readonly subjectKind?: 'email' | 'uri' | 'otherName'
  readonly extensions?: readonly (readonly [string, Matcher])[]
  readonly domains?: readonly string[]
  readonly predicateTypes?: readonly string[]
}

/** A certificate with this subject from this issuer. Both are needed: a subject means nothing without its issuer. */
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

export interface KeyOptions {
  readonly validFor?: Window
  readonly hint?: string
  readonly domains?: readonly string[]
  readonly predicateTypes?: readonly string[]
}

/** A managed key, with or without the time for which it is good. */
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

export function anyOf(requirements: readonly Requirement[]): Requirement {
  return { kind: 'anyOf', of: atLeastOne(requirements, 'anyOf') }
}

export function allOf(requirements: readonly Requirement[]): Requirement {
  return { kind: 'allOf', of: atLeastOne(requirements, 'allOf') }
}

/** For rules that apply together: each narrows who may have signed. */
export function intersectionOf(requirements: readonly Requirement[]): Requirement {
  return { kind: 'intersectionOf', of: atLeastOne(requirements, 'intersectionOf') }
}

/** Names nobody: signatures are judged and signers reported, and nothing is ever `verified`. */
export function nobody(): Requirement {
  return { kind: 'nobody' }
}

export interface PolicyOptions {
  readonly quantifier?: Quantifier
  readonly perPredicateType?: ReadonlyMap<string, Quantifier>
  readonly package?: string
}

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
function atLeastOne(requirements: readonly Requirement[], name: string): readonly [Requirement, ...Requirement[]] {
  const [first, ...rest] = requirements
  if (first === undefined) throw new UsageError('USAGE_POLICY', `${name} needs at least one requirement`)
  return [first, ...rest]
}

function nonEmpty(list: readonly string[] | undefined, name: string): readonly string[] | undefined {
  if (list?.length === 0) throw new UsageError('USAGE_POLICY', `a list of ${name} must not be empty`)
  return list
}
