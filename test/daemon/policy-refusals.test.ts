import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { BAD_DOMAINS } from '../support/bad-policies/domains.ts'
import { BAD_MEANING } from '../support/bad-policies/meaning.ts'
import type { BadPolicy } from '../support/bad-policies/row.ts'
import { BAD_RULES } from '../support/bad-policies/rules.ts'
import { BAD_TEXT } from '../support/bad-policies/text.ts'
import { satisfiesSchema } from '../support/json-schema.ts'
import { newPem, readPolicy, refusalOf, ruleFor, withDomain } from '../support/policies.ts'

const pem = newPem()
const files = { 'k.pub': pem, 'same.pub': pem, 'other.pub': newPem(), 'w.policy': 'quorum none\n' }

const schemaFile = new URL('../../docs/sigward.schema.json', import.meta.url)
const schema = JSON.parse(readFileSync(schemaFile, 'utf8')) as Record<string, unknown>

async function expectRefusal(bad: BadPolicy): Promise<void> {
  const refusal = await refusalOf(bad.text, files)
  expect(refusal['code']).toBe('MALFORMED_POLICY')
  expect(refusal['message']).toContain(bad.message)
  // a place that ends in a colon leaves the column open
  const place = `sigward.yaml${bad.where === '' ? '' : `:${bad.where}`}`
  expect(String(refusal['where']).slice(0, bad.where.endsWith(':') ? place.length : undefined)).toBe(place)
  if (bad.got !== undefined) expect(refusal['got']).toBe(bad.got)
  if (bad.wanted !== undefined) expect(refusal['wanted']).toBe(bad.wanted)
}

describe('a policy that does not read as it looks is refused', () => {
  it.each(BAD_TEXT)('$name', expectRefusal)
})

describe('a policy of the wrong shape is refused', () => {
  it.each([...BAD_RULES, ...BAD_DOMAINS])('$name', expectRefusal)
})

describe('a policy that cannot be meant is refused', () => {
  it.each(BAD_MEANING)('$name', expectRefusal)
})

describe('the JSON Schema', () => {
  it.each([...BAD_RULES, ...BAD_DOMAINS])('refuses it too: $name', ({ text }) => {
    expect(satisfiesSchema(parse(text), schema)).toBe(false)
  })

  it.each(BAD_MEANING)('cannot see it: $name', ({ text }) => {
    expect(satisfiesSchema(parse(text), schema)).toBe(true)
  })
})

describe('files that a policy names', () => {
  it.each([
    ['are not there', {}, 'STORE_NOT_FOUND'],
    ['hold no key', { 'k.pub': 'no key' }, 'MALFORMED_KEY'],
    ['hold a key for something else', { 'k.pub': encryptionKey() }, 'SIGNATURE_ALGORITHM'],
  ])('are refused at the place that names them when they %s', async (_, beside, code) => {
    const refusal = await refusalOf(ruleFor('{ key: { file: k.pub } }'), beside)
    expect(refusal['code']).toBe(code)
    expect(refusal['where']).toBe(`sigward.yaml:4:29 packages[0].require.key.file (/policies/k.pub)`)
  })

  it.each([
    ['is not there', {}, 'STORE_NOT_FOUND', '(/policies/w.policy)'],
    ['has a broken line', { 'w.policy': 'quorum none\nwitness\n' }, 'MALFORMED_WITNESS_POLICY', '(line 2)'],
    ['is not UTF-8', { 'w.policy': Uint8Array.of(0xff) }, 'MALFORMED_WITNESS_POLICY', ''],
  ])('a witness policy that %s', async (_, beside, code, detail) => {
    const refusal = await refusalOf(withDomain('{ trustedRoot: embedded, witnesses: w.policy }'), beside)
    expect(refusal['code']).toBe(code)
    expect(refusal['where']).toBe(`sigward.yaml:3:45 domains.acme.witnesses ${detail}`.trim())
  })
})

/** X25519: a key, but none that signs. */
function encryptionKey(): Uint8Array {
  return Uint8Array.from([...Buffer.from('302a300506032b656e032100', 'hex'), ...Buffer.alloc(32, 9)])
}

describe('what looks odd and is right', () => {
  it.each([
    [
      'quotes around everything',
      '"version": 1\n"packages": [{"match": "**", "require": {"identity": {"subject": "s", "issuer": "i"}}}]',
    ],
    [
      'an explicit key',
      '? version\n: 1\npackages: [{ match: "**", require: { identity: { subject: s, issuer: i } } }]',
    ],
    [
      'one document with a marker',
      '---\nversion: 1\npackages: [{ match: "**", require: { identity: { subject: s, issuer: i } } }]\n...\n',
    ],
    ['signs of YAML inside text', ruleFor('{ identity: { subject: "&a *b !c <<", issuer: "%YAML" } }')],
    ['text that YAML 1.1 takes for a truth value', ruleFor('{ identity: { subject: yes, issuer: on } }')],
    [
      'a comment with an emoji',
      `# \u26a0\ufe0f careful\n${ruleFor('{ identity: { subject: s, issuer: i } }')}`,
    ],
  ])('%s', async (_, text) => {
    expect((await readPolicy(text)).policyFor(undefined, undefined).requirement.kind).toBe('identity')
  })
})
