import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parsePurlGlob } from '../../daemon/purl-glob.ts'
import { encodePurl, parsePurl, type Purl } from '../../formats/index.ts'

function purlOf(text: string): Purl {
  const purl = parsePurl(text)
  if (purl === undefined) throw new Error(`no package URL: ${text}`)
  return purl
}

function matches(glob: string, text: string): boolean {
  return parsePurlGlob(glob).matches(purlOf(text))
}

describe('a pattern without a star', () => {
  it.each([
    ['pkg:npm/app', 'pkg:npm/app@1.2.3', true],
    ['pkg:npm/app', 'pkg:npm/app', true],
    ['pkg:NPM/app', 'pkg:npm/app@1', true],
    ['pkg:npm/app', 'pkg:npm/App@1', false],
    ['pkg:npm/app', 'pkg:npm/app2@1', false],
    ['pkg:npm/app', 'pkg:npm/%40acme/app@1', false],
    ['pkg:npm/app', 'pkg:gem/app@1', false],
    ['pkg:npm/%40acme/app', 'pkg:npm/%40acme/app@1', true],
    ['pkg:npm/@acme/app', 'pkg:npm/%40acme/app@1', true],
    ['pkg:npm/%40acme/app', 'pkg:npm/%40acme/app@1?x=y', true],
    ['pkg:npm/%40acme/%61pp', 'pkg:npm/%40acme/app@1', true],
    ['pkg:npm/app@1.2.3', 'pkg:npm/app@1.2.3', true],
    ['pkg:npm/app@1.2.3', 'pkg:npm/app@1.2.30', false],
    ['pkg:npm/app@1.0%2B1', 'pkg:npm/app@1.0+1', true],
  ])('%s and %s: %s', (glob, purl, expected) => {
    expect(matches(glob, purl)).toBe(expected)
  })
})

describe('a pattern with stars', () => {
  it.each([
    ['pkg:npm/%40acme/*', 'pkg:npm/%40acme/app@1', true],
    ['pkg:npm/%40acme/*', 'pkg:npm/%40acme-evil/app@1', false],
    ['pkg:npm/%40acme/*', 'pkg:npm/app@1', false],
    ['pkg:npm/*', 'pkg:npm/%40acme/app@1', false],
    ['pkg:npm/%40acme*/app', 'pkg:npm/%40acme-evil/app@1', true],
    ['pkg:maven/org.acme*', 'pkg:maven/org.acme/app@1', false],
    ['pkg:gem/acme-*', 'pkg:gem/acme-@1', true],
    ['pkg:gem/*-acme', 'pkg:gem/acme@1', false],
    ['pkg:gem/a*a', 'pkg:gem/a@1', false],
    ['pkg:gem/a*a', 'pkg:gem/aa@1', true],
    ['pkg:gem/a*b*c', 'pkg:gem/aXbYbZc@1', true],
    ['pkg:gem/a*bc*c', 'pkg:gem/abc@1', false],
    ['pkg:gem/a*b', 'pkg:gem/a%2Fb@1', false],
    ['pkg:*/app', 'pkg:gem/app@1', true],
    ['pkg:npm/app@1.*', 'pkg:npm/app@1.2', true],
    ['pkg:npm/app@1.*', 'pkg:npm/app@10.2', false],
    ['pkg:npm/app@*', 'pkg:npm/app@10.2', true],
    ['pkg:generic/a%2Ab', 'pkg:generic/a%2Ab@1', true],
    ['pkg:generic/a%2Ab', 'pkg:generic/aXb@1', false],
  ])('%s and %s: %s', (glob, text, expected) => {
    // the package URL of a name with an encoded slash is no package URL at all
    const purl = parsePurl(text)
    expect(purl !== undefined && parsePurlGlob(glob).matches(purl)).toBe(expected)
  })

  it('takes a version that is not known for any version, so that no rule is passed over', () => {
    expect(matches('pkg:npm/app@1.*', 'pkg:npm/app')).toBe(true)
    expect(matches('pkg:npm/app@1.*', 'pkg:npm/other')).toBe(false)
  })
})

describe('two stars', () => {
  it.each([
    ['pkg:npm/**', 'pkg:npm/app@1', true],
    ['pkg:npm/**', 'pkg:npm/%40acme/app@1', true],
    ['pkg:npm/**', 'pkg:gem/app@1', false],
    ['pkg:npm/%40acme/**', 'pkg:npm/%40acme/app@1', true],
    ['pkg:npm/%40acme/**', 'pkg:npm/%40acme@1', false],
    ['pkg:npm/%40acme/**', 'pkg:npm/%40acme-evil/app@1', false],
    ['pkg:golang/example.org/**', 'pkg:golang/example.org/a/b/c@1', true],
    ['pkg:**', 'pkg:golang/example.org/a/b/c@1', true],
    ['**', 'pkg:npm/app@1', true],
  ])('%s and %s: %s', (glob, purl, expected) => {
    expect(matches(glob, purl)).toBe(expected)
  })

  it('alone stand for files without a package URL too, and nothing else does', () => {
    expect(parsePurlGlob('**').matches(undefined)).toBe(true)
    expect(parsePurlGlob('pkg:**').matches(undefined)).toBe(false)
    expect(parsePurlGlob('pkg:npm/*').matches(undefined)).toBe(false)
  })
})

describe('what is no pattern', () => {
  it.each([
    ['', 'no package URL'],
    ['*', 'no package URL'],
    ['npm/app', 'no package URL'],
    ['***', 'no package URL'],
    ['pkg:', 'names no package'],
    ['pkg:npm', 'names no package'],
    ['pkg:npm/', 'empty part'],
    ['pkg:npm//app', 'empty part'],
    ['pkg:npm/app@', 'empty part'],
    ['pkg:npm/@acme', 'empty part'],
    ['pkg:/app', 'no package type'],
    ['pkg:n pm/app', 'no package type'],
    ['pkg:np%6D/app', 'no package type'],
    ['pkg:npm/**/app', '** is not the whole last part'],
    ['pkg:npm/a**', '** is not the whole last part'],
    ['pkg:npm/**@1', '** is not the whole last part'],
    ['pkg:npm/app@1@2', 'an @ that is no version'],
    ['pkg:npm/a@b/app', 'an @ that is no version'],
    ['pkg:npm/a/@b/app', 'an @ that is no version'],
    ['pkg:npm/app?arch=x', 'qualifiers or a sub-path'],
    ['pkg:npm/app#src', 'qualifiers or a sub-path'],
    ['pkg:npm/a%2Fb', 'percent-encoding that no package URL has'],
    ['pkg:npm/a%', 'percent-encoding that no package URL has'],
    ['pkg:npm/a%ff', 'percent-encoding that no package URL has'],
    ['pkg:npm/%4*0', 'percent-encoding that no package URL has'],
    [`pkg:npm/${'a'.repeat(1024)}`, 'too long'],
  ])('refuses %j', (glob, message) => {
    const expected = { code: 'USAGE_PATTERN', message: expect.stringContaining(message) as string }
    expect(() => parsePurlGlob(glob)).toThrow(expect.objectContaining(expected) as Error)
  })
})

describe('hostile input', () => {
  it('ends soon, however often a pattern could try again', () => {
    const glob = parsePurlGlob(`pkg:gem/${'a*'.repeat(500)}b`)
    const purl = { ...purlOf('pkg:gem/x@1'), name: 'a'.repeat(200_000) }
    const long = { ...purl, namespace: Array.from({ length: 50_000 }, () => 'a').join('/') }
    expect(glob.matches(purl)).toBe(false)
    expect(glob.matches({ ...purl, name: `${purl.name}b` })).toBe(true)
    expect(parsePurlGlob(`pkg:gem/${'*/'.repeat(400)}**`).matches(long)).toBe(true)
    expect(parsePurlGlob(`pkg:gem/${'*/'.repeat(400)}b`).matches(long)).toBe(false)
  })

  const character = fc.constantFrom('a', 'b', '*', '@', '%', 'é', '-')
  const text = fc.string({ unit: character, minLength: 1, maxLength: 6 }).filter((one) => one !== '..')

  it('property: the pattern that spells a package URL matches it and no other', () => {
    fc.assert(
      fc.property(text, text, text, text, (namespace, name, version, other) => {
        const purl: Purl = { type: 'npm', namespace, name, version, qualifiers: new Map() }
        const glob = parsePurlGlob(encodePurl(purl))
        expect(glob.matches(purl)).toBe(true)
        expect(glob.matches({ ...purl, name: other })).toBe(other === name)
        expect(glob.matches({ ...purl, namespace: other })).toBe(other === namespace)
        expect(glob.matches({ ...purl, version: other })).toBe(other === version)
      }),
    )
  })

  it('property: stars match as the slow definition says', () => {
    const glob = fc.string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 8 })
    const name = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(glob, name, (part, value) => {
        fc.pre(!part.includes('**'))
        const purl: Purl = {
          type: 'gem',
          namespace: undefined,
          name: value,
          version: undefined,
          qualifiers: new Map(),
        }
        expect(parsePurlGlob(`pkg:gem/${part}`).matches(purl)).toBe(slowly(part, value))
      }),
      { numRuns: 500 },
    )
  })
})

function slowly(glob: string, text: string): boolean {
  if (glob === '') return text === ''
  if (glob[0] !== '*') return glob[0] === text[0] && slowly(glob.slice(1), text.slice(1))
  return slowly(glob.slice(1), text) || (text !== '' && slowly(glob, text.slice(1)))
}
