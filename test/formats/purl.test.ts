import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { buildPurl, comparePurl, encodePurl, parsePurl } from '../../formats/purl.ts'

describe('package URLs', () => {
  it.each([
    ['pkg:npm/%40scope/name@1.2.3', { type: 'npm', namespace: '@scope', name: 'name', version: '1.2.3' }],
    ['pkg:npm/left-pad', { type: 'npm', namespace: undefined, name: 'left-pad', version: undefined }],
    ['pkg:maven/org.example/lib@1.0', { namespace: 'org.example', name: 'lib' }],
    ['pkg:brew/openssl%403@3.1', { name: 'openssl@3', version: '3.1' }],
  ])('%s', (text, wanted) => {
    const purl = parsePurl(text)
    expect(purl).toMatchObject(wanted)
    expect(purl && encodePurl(purl)).toBe(text)
  })

  it.each([
    ['pkg:NPM/%40Scope/name@1.2.3%2b5', 'pkg:npm/%40Scope/name@1.2.3%2B5'],
    ['pkg:npm/@scope/name@1.0.0', 'pkg:npm/%40scope/name@1.0.0'],
    ['pkg:gem/a@1?z=1&Platform=java', 'pkg:gem/a@1?platform=java&z=1'],
    ['pkg:generic/a?url=https://x/y', 'pkg:generic/a?url=https:%2F%2Fx%2Fy'],
    ['pkg:gem/%61@1', 'pkg:gem/a@1'],
  ])('%s has the canonical spelling %s', (text, canonical) => {
    const purl = parsePurl(text)
    expect(purl && encodePurl(purl)).toBe(canonical)
  })

  it.each([
    '',
    'npm/a@1',
    'pkg:npm',
    'pkg:npm/',
    'pkg:/a@1',
    'pkg://npm/a@1',
    'pkg:npm/a//b',
    'pkg:npm/a@',
    'pkg:npm/a@1#sub/path',
    'pkg:npm/a?',
    'pkg:npm/a?x',
    'pkg:npm/a?x=',
    'pkg:npm/a?=x',
    'pkg:npm/a?x=1&X=2',
    'pkg:npm/%2fa',
    'pkg:npm/a%2',
    'pkg:npm/%ff',
    'pkg:npm/..',
    'pkg:npm/%2e%2e/a',
    ' pkg:npm/a',
  ])('%j is none', (text) => {
    expect(parsePurl(text)).toBeUndefined()
  })

  it('come back from any name and version', () => {
    const part = fc
      .string({ minLength: 1, unit: 'grapheme' })
      .filter((s) => !/^\.{1,2}$|\//.test(s) && s.isWellFormed())
    fc.assert(
      fc.property(part, part, part, (namespace, name, version) => {
        const text = buildPurl('npm', name, version, { namespace, qualifiers: { platform: version } })
        expect(parsePurl(text)).toEqual({
          type: 'npm',
          namespace,
          name,
          version,
          qualifiers: new Map([['platform', version]]),
        })
      }),
      { numRuns: 200 },
    )
  })
})

describe('is it the package that was asked for', () => {
  it.each([
    ['pkg:npm/%40s/a@1.0.0', 'pkg:npm/%40s/a@1.0.0', 'same'],
    ['pkg:npm/@s/a@1.0.0', 'pkg:npm/%40s/a@1.0.0', 'same'],
    ['pkg:npm/a', 'pkg:npm/a@1.0.0', 'same'],
    ['pkg:npm/a@1.0.1', 'pkg:npm/a@1.0.0', 'different'],
    ['pkg:npm/A@1.0.0', 'pkg:npm/a@1.0.0', 'different'],
    ['pkg:npm/s/a@1.0.0', 'pkg:npm/a@1.0.0', 'different'],
    ['pkg:gem/a@1.0.0', 'pkg:npm/a@1.0.0', 'different'],
    ['pkg:npm/a@1.0.0', undefined, 'unknown'],
    ['pkg:npm/a@1.0.0', 'pkg:npm/a', 'unknown'],
    ['pkg:gem/a@1?platform=java', 'pkg:gem/a@1?platform=java', 'same'],
    ['pkg:gem/a@1?platform=java', 'pkg:gem/a@1', 'different'],
    ['pkg:gem/a@1?platform=ruby', 'pkg:gem/a@1', 'same'],
    ['pkg:gem/a@1', 'pkg:gem/a@1?platform=java', 'same'],
    ['pkg:maven/g/a@1?type=jar', 'pkg:maven/g/a@1', 'same'],
    ['pkg:npm/a@1?repository_url=x', 'pkg:npm/a@1', 'unknown'],
    ['pkg:gem/a@1?repository_url=x&platform=java', 'pkg:gem/a@1', 'different'],
    ['pkg:npm/b?repository_url=x', 'pkg:npm/a', 'different'],
  ] as const)('asked for %s, holds %s: %s', (asked, purl, result) => {
    expect(comparePurl(asked, { purl })).toBe(result)
  })

  it('refuses a question that cannot be read', () => {
    expect(() => comparePurl('left-pad', { purl: 'pkg:npm/left-pad@1.0.0' })).toThrow(
      expect.objectContaining({ code: 'USAGE_ARGUMENT', name: 'UsageError' }),
    )
  })
})
