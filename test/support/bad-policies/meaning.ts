import { ANYBODY, ruleFor, withDomain } from '../policies.ts'
import { domain, identity, key, rows, type BadPolicy } from './row.ts'

const both = (one: string, other: string): string =>
  ruleFor(`{ anyOf: [{ key: ${one} }, { key: ${other} }] }`)
const nested = (depth: number): string => (depth === 0 ? ANYBODY : `{ anyOf: [${nested(depth - 1)}] }`)

/** Well formed, but it cannot be meant. A schema cannot know. */
export const BAD_MEANING: readonly BadPolicy[] = rows(false, [
  [
    'a pattern that is none',
    identity("subjectPattern: '(', issuer: i"),
    'pattern is not valid',
    '4:44 packages[0].require.identity.subjectPattern',
    '(',
  ],
  [
    'a pattern that looks around',
    identity("subject: s, issuerPattern: '(?=x)'"),
    'pattern is not valid',
    '4:55 packages[0].require.identity.issuerPattern',
  ],
  [
    'a pattern for an extension',
    identity("subject: s, issuer: i, extensionPatterns: { buildTrigger: '[' }"),
    'pattern is not valid',
    '4:86 packages[0].require.identity.extensionPatterns.buildTrigger',
  ],
  [
    'a pattern for a domain',
    domain("issuerPatterns: ['(a']"),
    'pattern is not valid',
    '3:44 domains.acme.issuerPatterns[0]',
  ],
  [
    'an extension with two values',
    identity(
      'subject: s, issuer: i, extensions: { buildTrigger: a }, extensionPatterns: { buildTrigger: b }',
    ),
    'has an exact value already',
    '4:119 packages[0].require.identity.extensionPatterns.buildTrigger',
  ],
  [
    'a domain that is not declared',
    withDomain('{ trustedRoot: r }').replace('issuer:', 'domains: [other], issuer:'),
    'declares no such trust domain',
    '5:78 packages[0].require.identity.domains[0]',
    'other',
    'acme',
  ],
  [
    'a match with stars between parts',
    ruleFor(ANYBODY).replace('"**"', 'pkg:npm/**/app'),
    '** is not the whole last part',
    '3:12 packages[0].match',
  ],
  ['alternatives nested too deeply', ruleFor(nested(8)), 'nested too deeply', '4:'],
  [
    'a prefix with a version',
    domain('packages: [pkg:npm/app@1]'),
    'this is no start of package URLs',
    '3:38 domains.acme.packages[0]',
    'pkg:npm/app@1',
  ],
  [
    'a day that does not exist',
    key('validFrom: 2026-02-30T00:00:00Z'),
    'this is no time',
    '4:47 packages[0].require.key.validFrom',
  ],
  [
    'a validity that ends first',
    key('validFrom: 2026-02-01T00:00:00Z, validUntil: 2026-01-01T00:00:00Z'),
    'the key would never be valid',
    '4:81 packages[0].require.key.validUntil',
  ],
  [
    'two keys of one hint',
    both('{ file: k.pub, hint: h }', '{ file: other.pub, hint: h }'),
    'two keys have the same hint',
    '4:66 packages[0].require.anyOf[1].key',
    'h',
  ],
  [
    'a key with two hints',
    both('{ file: k.pub, hint: g }', '{ file: k.pub, hint: h }'),
    'with another hint or validity',
    '4:66 packages[0].require.anyOf[1].key',
    'hint h, valid always',
    'hint g, valid always',
  ],
  [
    'a key with two validities',
    both('{ file: k.pub, validFrom: 2026-01-01T00:00:00Z }', '{ file: same.pub }'),
    'with another hint or validity',
    '4:90 packages[0].require.anyOf[1].key',
    'hint none, valid always',
    'hint none, valid from 2026-01-01T00:00:00.000Z until further notice',
  ],
  [
    'fewer logs than the public-good instance has',
    withDomain('{ trustedRoot: embedded, thresholds: { logs: 0 } }'),
    'out of range',
    '3:54 domains.acme.thresholds.logs',
    '0',
    'a whole number from 1 to 99',
  ],
  [
    'fewer certificate logs than it has',
    withDomain('{ trustedRoot: embedded, thresholds: { certificateLogs: 0 } }'),
    'out of range',
    '3:65 domains.acme.thresholds.certificateLogs',
    '0',
  ],
  [
    'witnesses of no log',
    domain('thresholds: { logs: 0 }, witnesses: w.policy'),
    'witnesses cosign logs',
    '3:63 domains.acme.witnesses',
    'logs: 0',
    'logs: 1',
  ],
])
