import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pattern } from '../../trust/pattern.ts'
import { describeMatcher } from '../../trust/policy.ts'

const refusal: unknown = expect.objectContaining({ code: 'USAGE_PATTERN', name: 'UsageError' })

describe('a pattern', () => {
  it('is matched against the whole text', () => {
    const one = pattern('https://github\\.com/acme/.*')
    expect(one.matches('https://github.com/acme/app')).toBe(true)
    expect(one.matches('https://evil.example/?https://github.com/acme/app')).toBe(false)
    expect(pattern('acme').matches('acme-evil')).toBe(false)
    expect(pattern('acme').matches('evil-acme')).toBe(false)
  })

  it('is anchored in each of its alternatives', () => {
    const one = pattern('a@acme\\.example|b@acme\\.example')
    expect(one.matches('a@acme.example')).toBe(true)
    expect(one.matches('b@acme.example')).toBe(true)
    expect(one.matches('a@acme.example.evil.example')).toBe(false)
    expect(one.matches('evil-b@acme.example')).toBe(false)
    expect(pattern('a|ab').matches('ab')).toBe(true)
  })

  it('is not let loose by anchors, flags or line breaks', () => {
    for (const source of ['a', '^a$', '(?m)^a$', '(?s)a', '\\Aa\\z']) {
      const one = pattern(source)
      expect(one.matches('a')).toBe(true)
      for (const text of ['a\n', '\na', 'a\nb', 'b\na', 'a\u0000', ' a', 'a ', ''])
        expect(one.matches(text)).toBe(false)
    }
    expect(pattern('a.b').matches('a\nb')).toBe(false)
    expect(pattern('a').matches('A')).toBe(false)
  })

  it('has no more meaning than equality where it is a plain word', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9]{1,8}$/), fc.string({ maxLength: 10 }), (word, text) => {
        expect(pattern(word).matches(text)).toBe(word === text)
      }),
    )
  })

  it('takes linear time on text made to take forever', () => {
    const text = `${'a'.repeat(20_000)}!`
    const steps = ['(a+)+', '(a|a)*', '(a*)*b', '(?:a?){20}a{20}', '(.*.*.*)*x', '([a-z]+)*$']
    // with backtracking none of these would ever come back
    for (const source of steps) expect(pattern(source).matches(text)).toBe(false)
  })

  it('says how it is read', () => {
    expect(describeMatcher(pattern('a.b'))).toBe('text matching ^(?:a.b)$')
  })
})

describe('what is no pattern', () => {
  const wrong = [
    '(',
    '[',
    'a{2,1}',
    '*',
    '(?=a)',
    '(?!a)',
    '(?<=a)b',
    '(?<!a)b',
    '(a)\\1',
    '\\k<n>',
    'a++',
    '\\',
  ]
  for (const source of wrong) {
    it(`is refused: ${source}`, () => {
      expect(() => pattern(source)).toThrow(refusal)
    })
  }

  it('is refused when it is empty or endless', () => {
    expect(() => pattern('')).toThrow(refusal)
    expect(() => pattern('a'.repeat(1025))).toThrow(refusal)
    expect(pattern('a'.repeat(1024)).matches('a'.repeat(1024))).toBe(true)
  })
})
