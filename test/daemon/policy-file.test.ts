import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadPolicyFile } from '../../daemon/policy-file.ts'
import { keyId, parsePublicKeyPem } from '../../trust/keys.ts'
import {
  matches,
  type IdentityRequirement,
  type KeyRequirement,
  type Requirement,
} from '../../trust/policy.ts'
import { ANYBODY, newPem, readPolicy, ruleFor, withDomain } from '../support/policies.ts'

const folder = mkdtempSync(join(tmpdir(), 'sigward-policy-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function requirementOf(require: string, files = {}): Promise<Requirement> {
  return (await readPolicy(ruleFor(require), files)).policyFor(undefined, undefined).requirement
}

describe('a requirement', () => {
  it('names an identity exactly', async () => {
    const read = (await requirementOf(
      '{ identity: { subject: a@b.example, issuer: "https://i", subjectKind: email, ' +
        'extensions: { sourceRepositoryURI: r }, extensionPatterns: { sourceRepositoryRef: refs/.* }, ' +
        'domains: [x], predicateTypes: ["https://slsa.dev/provenance/v1"] } }',
    )) as IdentityRequirement
    expect(read).toMatchObject({
      kind: 'identity',
      subject: { kind: 'exact', value: 'a@b.example' },
      issuer: { kind: 'exact', value: 'https://i' },
      subjectKind: 'email',
      domains: ['x'],
      predicateTypes: ['https://slsa.dev/provenance/v1'],
    })
    const [uri, ref] = read.extensions
    expect(ref?.[0]).toBe('sourceRepositoryRef')
    expect(ref !== undefined && matches(ref[1], 'refs/heads/main')).toBe(true)
    expect(uri).toEqual(['sourceRepositoryURI', { kind: 'exact', value: 'r' }])
  })

  it('reads no plain text as a pattern, and anchors patterns', async () => {
    const plain = (await requirementOf('{ identity: { subject: .*, issuer: .* } }')) as IdentityRequirement
    expect(matches(plain.subject, 'anybody')).toBe(false)
    const read = await requirementOf("{ identity: { subjectPattern: 'a@[a-z]+', issuerPattern: https://i } }")
    const { subject, issuer } = read as IdentityRequirement
    expect([matches(subject, 'a@acme'), matches(subject, 'aa@acme'), matches(subject, 'a@acme2')]).toEqual([
      true,
      false,
      false,
    ])
    expect(matches(issuer, 'https://i/evil')).toBe(false)
  })

  it('names a key, its hint and the time for which it is good', async () => {
    const pem = newPem()
    const times = 'validFrom: 2026-01-01T00:00:00Z, validUntil: 2026-02-01T00:00:00Z'
    const read = await requirementOf(`{ key: { file: ./k.pub, hint: h, ${times} } }`, { 'k.pub': pem })
    const { key, hint, validFor } = read as KeyRequirement
    expect([keyId(key), hint]).toEqual([keyId(parsePublicKeyPem(pem)), 'h'])
    const [start, end] = [new Date('2026-01-01T00:00:00Z'), new Date('2026-02-01T00:00:00Z')]
    expect(validFor).toEqual({ start, end })
    const open = await requirementOf('{ key: { file: k.pub, validFrom: 2026-01-01T00:00:00Z } }', {
      'k.pub': pem,
    })
    expect((open as KeyRequirement).validFor).toEqual({ start, end: undefined })
    const old = await requirementOf('{ key: { file: k.pub, validUntil: 2026-02-01T00:00:00Z } }', {
      'k.pub': pem,
    })
    expect((old as KeyRequirement).validFor).toEqual({ start: new Date(0), end })
  })

  it('reads a DER key too', async () => {
    const { spki } = parsePublicKeyPem(newPem())
    const read = await requirementOf('{ key: { file: k.der } }', { 'k.der': spki })
    expect(read).toMatchObject({ kind: 'key', validFor: undefined, hint: undefined })
  })

  it('joins alternatives and conditions', async () => {
    const read = await requirementOf(`{ anyOf: [${ANYBODY}, { allOf: [${ANYBODY}, ${ANYBODY}] }] }`)
    expect(read).toMatchObject({ kind: 'anyOf', of: [{ kind: 'identity' }, { kind: 'allOf', of: [{}, {}] }] })
  })

  it('lets one key stand several times with one meaning', async () => {
    const key = '{ key: { file: k.pub, hint: h, validFrom: 2026-01-01T00:00:00Z } }'
    const read = await requirementOf(`{ anyOf: [${key}, { allOf: [${key}, ${ANYBODY}] }] }`, {
      'k.pub': newPem(),
    })
    expect(read).toMatchObject({ kind: 'anyOf' })
  })
})

describe('rules', () => {
  const text = `version: 1
packages:
  - match: "pkg:npm/**"
    require: { identity: { subject: first, issuer: i } }
  - match: "pkg:npm/%40acme/*"
    require: { identity: { subject: second, issuer: i } }
  - match: "pkg:gem/x@1.*"
    require: { identity: { subject: third, issuer: i } }
    bundles: all
    perPredicateType: { messageSignature: any, "https://p": all }
`
  const subjects = (requirement: Requirement): readonly string[] =>
    requirement.kind === 'identity'
      ? [requirement.subject.kind === 'exact' ? requirement.subject.value : '']
      : 'of' in requirement
        ? requirement.of.flatMap(subjects)
        : [requirement.kind]

  it.each([
    ['pkg:npm/app@1', undefined, ['first']],
    ['pkg:npm/%40acme/app@1', undefined, ['first', 'second']],
    ['pkg:npm/@acme/app@1', undefined, ['first', 'second']],
    [undefined, 'pkg:npm/%40acme/app', ['first', 'second']],
    [undefined, 'pkg:gem/x', ['third']],
    ['pkg:gem/x@2.0', 'pkg:gem/x', ['nobody']],
    ['pkg:gem/y@1', undefined, ['nobody']],
    // what the package says of itself comes first; the verdict compares the two
    ['pkg:gem/x@1.0', 'pkg:npm/app@1', ['third']],
    [undefined, undefined, ['nobody']],
  ])('for %s, asked for %s: %s', async (purl, asked, expected) => {
    const { requirement } = (await readPolicy(text)).policyFor(purl, asked)
    expect(subjects(requirement)).toEqual(expected)
  })

  it('that match narrow each other', async () => {
    const policy = (await readPolicy(text)).policyFor('pkg:npm/%40acme/app@1', undefined)
    expect(policy.requirement.kind).toBe('intersectionOf')
    expect([policy.quantifier, policy.perPredicateType.size]).toEqual(['any', 0])
  })

  it('say whether all bundles must satisfy them, for each predicate type', async () => {
    const policy = (await readPolicy(text)).policyFor('pkg:gem/x@1.0', undefined)
    expect(policy.quantifier).toBe('all')
    expect([...policy.perPredicateType]).toEqual([
      ['', 'any'],
      ['https://p', 'all'],
    ])
  })

  it('hand on what the package must be, in canonical spelling', async () => {
    const policy = await readPolicy(text)
    expect(policy.policyFor('pkg:npm/%40acme/app@1', 'pkg:NPM/@acme/app').package).toBe('pkg:npm/%40acme/app')
    expect(policy.policyFor('pkg:npm/app@1', undefined).package).toBeUndefined()
    expect(policy.policyFor(undefined, 'pkg:gem/other').package).toBe('pkg:gem/other')
  })

  it('are not picked by a name that cannot be read', async () => {
    const policy = await readPolicy(text)
    const metadata = expect.objectContaining({ code: 'PACKAGE_METADATA' }) as Error
    const argument = expect.objectContaining({ code: 'USAGE_ARGUMENT' }) as Error
    expect(() => policy.policyFor('npm/app', undefined)).toThrow(metadata)
    expect(() => policy.policyFor(undefined, 'npm/app')).toThrow(argument)
  })

  it('that match are as strict as the strictest, for each predicate type', async () => {
    const rule = (more: string): string => `  - { match: "**", require: ${ANYBODY}, ${more} }\n`
    const read = async (...rules: readonly string[]): Promise<unknown[]> => {
      const joined = await readPolicy(`version: 1\npackages:\n${rules.map(rule).join('')}`)
      const { quantifier, perPredicateType } = joined.policyFor(undefined, undefined)
      return [quantifier, Object.fromEntries(perPredicateType)]
    }
    const [lax, strict] = ['bundles: any', 'bundles: all']
    expect(await read(lax, strict)).toEqual(['all', {}])
    expect(await read(lax, lax)).toEqual(['any', {}])
    const one = 'perPredicateType: { "https://p": any, messageSignature: all }'
    expect(await read(`${strict}, ${one}`, lax)).toEqual(['all', { 'https://p': 'any', '': 'all' }])
    expect(await read(`${lax}, ${one}`, strict)).toEqual(['all', { 'https://p': 'all', '': 'all' }])
    expect(await read(`${lax}, ${one}`, lax)).toEqual(['any', { 'https://p': 'any', '': 'all' }])
  })
})

describe('domains', () => {
  it('are the embedded one where the file declares none', async () => {
    expect((await readPolicy(ruleFor(ANYBODY))).domains).toBeUndefined()
  })

  it('may speak for all when embedded, and for nothing until told to when not', async () => {
    const [embedded] = (await readPolicy(withDomain('{ trustedRoot: embedded }'))).domains ?? []
    expect(embedded).toEqual({
      name: 'acme',
      trustedRoot: { kind: 'embedded' },
      speaksFor: { issuers: 'any', packages: 'any' },
      thresholds: { logs: 1, certificateLogs: 1, times: 1 },
      witnesses: undefined,
    })
    const [own] = (await readPolicy(withDomain('{ trustedRoot: ./root.json }'))).domains ?? []
    expect(own?.trustedRoot).toEqual({ kind: 'file', path: '/policies/root.json' })
    expect(own?.speaksFor).toEqual({ issuers: [], packages: [] })
  })

  it('speak for the issuers and packages that are listed', async () => {
    const lists =
      "issuers: [https://i], issuerPatterns: ['https://[a-z]+'], packages: ['pkg:npm/@acme', 'pkg:maven/org.acme', 'pkg:gem']"
    for (const root of ['embedded', 'root.json']) {
      const [domain] = (await readPolicy(withDomain(`{ trustedRoot: ${root}, ${lists} }`))).domains ?? []
      const { issuers, packages } = domain?.speaksFor ?? {}
      expect(packages).toEqual(['pkg:npm/%40acme', 'pkg:maven/org.acme', 'pkg:gem'])
      expect(issuers).toEqual([
        'https://i',
        expect.objectContaining({ kind: 'pattern', source: 'https://[a-z]+' }),
      ])
    }
    const [open] = (await readPolicy(withDomain('{ trustedRoot: r, packages: any }'))).domains ?? []
    expect(open?.speaksFor).toEqual({ issuers: [], packages: 'any' })
  })

  it('have thresholds; an instance without logs asks for none', async () => {
    const of = async (thresholds: string): Promise<unknown> =>
      (await readPolicy(withDomain(`{ trustedRoot: r, thresholds: ${thresholds} }`))).domains?.[0]?.thresholds
    expect(await of('{ logs: 2 }')).toEqual({ logs: 2, certificateLogs: 1, times: 1 })
    expect(await of('{ logs: 0, certificateLogs: 0, times: 1 }')).toEqual({
      logs: 0,
      certificateLogs: 0,
      times: 1,
    })
  })

  it('have witnesses from a file', async () => {
    const text = withDomain('{ trustedRoot: embedded, witnesses: w.policy }')
    const [domain] = (await readPolicy(text, { 'w.policy': 'quorum none\n' })).domains ?? []
    expect(domain?.witnesses).toEqual({ logs: [], witnesses: [], groups: [], quorum: undefined })
  })

  it('are named by requirements', async () => {
    const identity = '{ identity: { subject: s, issuer: i, domains: [acme] } }'
    const text = `version: 1\npackages: [{ match: "**", require: ${identity} }]\ndomains: { acme: { trustedRoot: r } }\n`
    expect((await readPolicy(text)).policyFor(undefined, undefined).requirement).toMatchObject({
      domains: ['acme'],
    })
  })
})

describe('a file on disk', () => {
  const at = (name: string, content: string | Uint8Array): string => {
    const path = join(folder, name)
    writeFileSync(path, content)
    return path
  }

  it('is read with what it names, from its own folder', async () => {
    mkdirSync(join(folder, 'keys'), { recursive: true })
    at('keys/k.pub', newPem())
    const path = at(
      'sigward.yaml',
      `\ufeff${ruleFor('{ key: { file: ./keys/k.pub } }')}`.replaceAll('\n', '\r\n'),
    )
    const loaded = await loadPolicyFile(path)
    expect(loaded.source).toBe(path)
    expect(loaded.policyFor(undefined, undefined).requirement.kind).toBe('key')
  })

  it('resolves trusted roots against its own folder', async () => {
    const loaded = await loadPolicyFile(at('domains.yaml', withDomain('{ trustedRoot: ../root.json }')))
    expect(loaded.domains?.[0]?.trustedRoot).toEqual({ kind: 'file', path: join(folder, '..', 'root.json') })
  })

  it('may be JSON', async () => {
    const require = { identity: { subject: 's', issuer: 'i' } }
    const path = at('sigward.json', JSON.stringify({ version: 1, packages: [{ match: '**', require }] }))
    expect((await loadPolicyFile(path)).policyFor(undefined, undefined).requirement.kind).toBe('identity')
  })

  it.each([
    ['that is not there', 'STORE_NOT_FOUND', () => join(folder, 'absent.yaml')],
    ['that is a folder', 'STORE_UNREADABLE', () => folder],
    ['that is too large', 'STORE_UNREADABLE', () => at('large.yaml', `# ${'a'.repeat(1024 * 1024)}`)],
    ['that is not UTF-8', 'MALFORMED_POLICY', () => at('latin1.yaml', Uint8Array.of(0x61, 0xff))],
    [
      'that names a missing key',
      'STORE_NOT_FOUND',
      () => at('key.yaml', ruleFor('{ key: { file: absent.pub } }')),
    ],
  ])('%s: %s', async (_, code, path) => {
    await expect(loadPolicyFile(path())).rejects.toMatchObject({ code })
  })

  it('tells where it names what is not there', async () => {
    const path = at('missing.yaml', ruleFor('{ key: { file: absent.pub } }'))
    await expect(loadPolicyFile(path)).rejects.toMatchObject({
      name: 'StoreError',
      where: `missing.yaml:4:29 packages[0].require.key.file (${join(folder, 'absent.pub')})`,
    })
  })
})
