import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { parsePurlGlob } from '../../daemon/purl-glob.ts'
import { REMEDIES } from '../../trust/codes.ts'
import { FULCIO_EXTENSIONS } from '../../trust/x509/extensions.ts'
import { satisfiesSchema } from '../support/json-schema.ts'
import { newPem, readPolicy, refusalOf, ruleFor, withDomain } from '../support/policies.ts'

const read = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')
const page = read('policy.md')
const examples = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = '']) => text)

interface ObjectSchema {
  readonly properties: Readonly<Record<string, object>>
}
const schema = JSON.parse(read('sigward.schema.json')) as ObjectSchema & {
  readonly $defs: Readonly<Record<string, ObjectSchema>>
}

const files = {
  'keys/release-2025.pub': newPem(),
  'keys/release-2026.pub': newPem(),
  'witnesses.policy': 'quorum none\n',
}

describe('docs/policy.md', () => {
  it('has examples', () => {
    expect(examples.length).toBe(4)
  })

  it.each(examples)('has an example that is a policy: %#', async (text) => {
    const policy = await readPolicy(text, files)
    expect(policy.source).toBe('/policies/sigward.yaml')
    expect(satisfiesSchema(parse(text), { ...schema })).toBe(true)
  })

  it('has an example in which one package is matched by two rules', async () => {
    const policy = await readPolicy(examples[1] ?? '')
    expect(policy.policyFor('pkg:npm/%40acme/payments@1.0.0', undefined).requirement).toMatchObject({
      kind: 'intersectionOf',
      of: [{ kind: 'identity' }, { kind: 'allOf' }],
    })
  })

  it('shows patterns that are patterns', () => {
    const table = page.slice(page.indexOf('## Which packages'), page.indexOf('## Who must have signed'))
    const patterns = [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, pattern = '']) => pattern)
    expect(patterns.length).toBe(7)
    expect(patterns.map((pattern) => parsePurlGlob(pattern).source)).toEqual(patterns)
  })

  it('names every key, extension and code', () => {
    const keys = [schema, ...Object.values(schema.$defs)].flatMap(({ properties }) =>
      Object.keys(properties ?? {}),
    )
    const words = [...page.matchAll(/`([A-Za-z0-9_]+)`/g)].map(([, word = '']) => word)
    expect(keys.filter((key) => !words.includes(key))).toEqual([])
    const codes = words.filter((word) => /^[A-Z]+_[A-Z_]+$/.test(word))
    expect(codes.length).toBeGreaterThan(4)
    expect(codes.filter((code) => !(code in REMEDIES))).toEqual([])
  })
})

describe('docs/sigward.schema.json', () => {
  const keysOf = (name: string): readonly string[] => Object.keys(schema.$defs[name]?.properties ?? {})

  it.each([
    ['a policy', 'x: 1', Object.keys(schema.properties)],
    ['a domain', withDomain('{ x: 1 }'), keysOf('domain')],
    ['a rule', ruleFor('{}', '    x: 1\n'), keysOf('rule')],
    ['a requirement', ruleFor('{ x: 1 }'), keysOf('requirement')],
    ['an identity', ruleFor('{ identity: { x: 1 } }'), keysOf('identity')],
    ['a key', ruleFor('{ key: { x: 1 } }'), keysOf('key')],
  ])('knows the keys of %s that the policy reader knows', async (_, text, keys) => {
    const { wanted } = await refusalOf(text)
    expect(keys.toSorted()).toEqual(String(wanted).split(', ').toSorted())
  })

  it('knows the extensions of certificates', () => {
    const known = new Set(Object.values(FULCIO_EXTENSIONS))
    known.delete('issuer')
    expect(keysOf('extensions').toSorted()).toEqual([...known].toSorted())
  })
})
