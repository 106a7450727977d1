import { CheckFailed } from './errors.ts'
import type { Evidence } from './evidence.ts'
import { keyWindowRefusal } from './key-window.ts'
import { keyId } from './keys.ts'
import {
  describeMatcher,
  matches,
  type IdentityRequirement,
  type KeyRequirement,
  type Matcher,
  type Requirement,
} from './policy.ts'
import type { Code } from './codes.ts'

/**
 * Why this evidence does not satisfy the requirement; empty when it does. Of alternatives all refusals are told.
 * Client specification section 4.3, identity.
 */
export function refusals(requirement: Requirement, evidence: Evidence): readonly CheckFailed[] {
  switch (requirement.kind) {
    case 'identity':
      return atMostOne(identityRefusal(requirement, evidence))
    case 'key':
      return atMostOne(keyRefusal(requirement, evidence))
    case 'nobody':
      return [refusal('IDENTITY_KIND', 'the policy names nobody')]
    case 'anyOf': {
      const each = requirement.of.map((part) => refusals(part, evidence))
      return each.some((part) => part.length === 0) ? [] : each.flat()
    }
    case 'allOf':
    case 'intersectionOf':
      return requirement.of.flatMap((part) => refusals(part, evidence))
  }
}

function atMostOne(failure: CheckFailed | undefined): readonly CheckFailed[] {
  return failure === undefined ? [] : [failure]
}

function identityRefusal(requirement: IdentityRequirement, evidence: Evidence): CheckFailed | undefined {
  const { signer } = evidence
  if (signer.kind !== 'certificate') {
    const wanted = `a certificate for ${describeMatcher(requirement.subject)}`
    return refusal(
      'IDENTITY_KIND',
      'a key signed, and the policy names an identity',
      `key ${signer.keyId}`,
      wanted,
    )
  }
  const { identity } = signer
  if (identity.issuer === undefined || !matches(requirement.issuer, identity.issuer)) {
    const got = identity.issuer ?? 'no issuer in the certificate'
    return refusal(
      'IDENTITY_ISSUER',
      'another issuer vouches for the signer',
      got,
      describeMatcher(requirement.issuer),
    )
  }
  const kind = requirement.subjectKind ?? identity.subject.kind
  if (kind !== identity.subject.kind || !matches(requirement.subject, identity.subject.value)) {
    const got = `${identity.subject.value} (${identity.subject.kind})`
    return refusal('IDENTITY_SUBJECT', 'another identity signed', got, describeMatcher(requirement.subject))
  }
  for (const [name, matcher] of requirement.extensions) {
    const failure = extensionRefusal(name, matcher, identity.extensions.get(name))
    if (failure !== undefined) return failure
  }
  return scopeRefusal(requirement, evidence)
}

function extensionRefusal(
  name: string,
  matcher: Matcher,
  value: string | undefined,
): CheckFailed | undefined {
  if (value !== undefined && matches(matcher, value)) return undefined
  const message = `the certificate has another ${name}`
  return refusal('IDENTITY_EXTENSION', message, value ?? 'no such extension', describeMatcher(matcher))
}

function keyRefusal(requirement: KeyRequirement, evidence: Evidence): CheckFailed | undefined {
  const { signer } = evidence
  const wanted = keyId(requirement.key)
  if (signer.kind !== 'key') {
    const got = `a certificate for ${signer.identity.subject.value}`
    return refusal('IDENTITY_KIND', 'a certificate signed, and the policy names a key', got, `key ${wanted}`)
  }
  if (signer.keyId !== wanted) return refusal('IDENTITY_KEY', 'another key signed', signer.keyId, wanted)
  // several rules may name one key, each with its own window
  return keyWindowRefusal(requirement.validFor, evidence.times) ?? scopeRefusal(requirement, evidence)
}

/** Domains and predicate types that a requirement is limited to. */
function scopeRefusal(
  { domains, predicateTypes }: IdentityRequirement | KeyRequirement,
  evidence: Evidence,
): CheckFailed | undefined {
  if (domains !== undefined && !domains.includes(evidence.domain)) {
    return refusal(
      'IDENTITY_DOMAIN',
      'another trust domain vouches for it',
      evidence.domain,
      domains.join(' or '),
    )
  }
  const type = evidence.statement?.predicateType
  if (predicateTypes !== undefined && (type === undefined || !predicateTypes.includes(type))) {
    const got = type ?? 'a message signature'
    return refusal(
      'PREDICATE_TYPE',
      'the statement is of another predicate type',
      got,
      predicateTypes.join(' or '),
    )
  }
  return undefined
}

function refusal(code: Code, message: string, got?: string, wanted?: string): CheckFailed {
  return new CheckFailed('identity', code, message, {
    ...(got === undefined ? {} : { got }),
    ...(wanted === undefined ? {} : { wanted }),
  })
}
