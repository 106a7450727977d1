import { describe, expect, it } from 'vitest'
import { parsePublicKey } from '../../trust/keys.ts'
import { pattern } from '../../trust/pattern.ts'
import {
  allOf,
  anyOf,
  exactly,
  identity,
  intersectionOf,
  managedKey,
  managedKeys,
  matches,
  namesSomebody,
  nobody,
  policy,
} from '../../trust/policy.ts'
import { newKey } from '../support/test-der.ts'

const refusal: unknown = expect.objectContaining({ code: 'USAGE_POLICY', name: 'UsageError' })
const key = parsePublicKey(newKey().spki)
const other = parsePublicKey(newKey().spki)
const somebody = identity({ subject: exactly('a@b.example'), issuer: exactly('https://issuer.example') })

describe('a policy', () => {
  it('that would be met by anybody is refused when it is built', () => {
    expect(() => anyOf([])).toThrow(refusal)
    expect(() => allOf([])).toThrow(refusal)
    expect(() => intersectionOf([])).toThrow(refusal)
    expect(() => exactly('')).toThrow(refusal)
    const { subject, issuer } = somebody
    for (const empty of [{ domains: [] }, { predicateTypes: [] }]) {
      expect(() => identity({ subject, issuer, ...empty })).toThrow(refusal)
      expect(() => managedKey(key, empty)).toThrow(refusal)
    }
  })

  it('has no default but: any bundle, any package', () => {
    expect(policy(somebody)).toEqual({
      requirement: somebody,
      quantifier: 'any',
      perPredicateType: new Map(),
      package: undefined,
    })
  })

  it('names the keys of all of its parts', () => {
    const nested = anyOf([managedKey(key), allOf([somebody, intersectionOf([managedKey(other), nobody()])])])
    expect(managedKeys(nested).map((one) => one.key)).toEqual([key, other])
    expect(managedKeys(somebody)).toEqual([])
    expect(managedKeys(nobody())).toEqual([])
  })

  it('names somebody when one of its parts does', () => {
    expect(namesSomebody(nobody())).toBe(false)
    expect(namesSomebody(anyOf([nobody(), allOf([nobody()])]))).toBe(false)
    expect(namesSomebody(anyOf([nobody(), somebody]))).toBe(true)
    expect(namesSomebody(managedKey(key))).toBe(true)
  })
})

describe('a matcher', () => {
  it('that is exact folds no case, trims nothing and knows no wildcard', () => {
    const matcher = exactly('a.b@acme.example')
    expect(matches(matcher, 'a.b@acme.example')).toBe(true)
    for (const text of [
      'A.b@acme.example',
      ' a.b@acme.example',
      'a.b@acme.example ',
      'axb@acme.example',
      '',
    ]) {
      expect(matches(matcher, text)).toBe(false)
    }
    expect(matches(exactly('.*'), 'x')).toBe(false)
    expect(matches(exactly('\u00e9'), 'e\u0301')).toBe(false)
  })

  it('that is a pattern is another type', () => {
    expect(matches(pattern('.*@acme\\.example'), 'a@acme.example')).toBe(true)
    expect(matches(pattern('.*@acme\\.example'), 'a@acmeXexample')).toBe(false)
  })
})
