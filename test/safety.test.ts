import {
  appendFileSync,
  globSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import seeds from '@sigstore/tuf/seeds.json' with { type: 'json' }
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  allOf,
  artifactFromBytes,
  createEngine,
  embeddedDomain,
  exactly,
  exitCodeOf,
  identity,
  nobody,
  parseTrustedRoot,
  policy,
  trustDomain,
  verify,
  type FoundBundle,
  type IdentityOptions,
  type Policy,
  type SpeaksFor,
  type TrustDomain,
  type Verdict,
} from '../daemon/library.ts'
import { LocalFile } from '../daemon/package-file.ts'
import { loadSeed } from '../daemon/seed.ts'
import { prepare } from '../trust/content.ts'
import { EvidenceCache } from '../trust/evidence-cache.ts'
import { judge } from '../trust/verify.ts'
import { readVector, vectorCases, vectorInput } from './support/vectors.ts'

/** What a verdict may rest on: the rules that `docs/threat-model.md` lists, each shown on a published bundle. */
const published = vectorCases('gem').find(({ id }) => id === 'gem/sigstore-1.0.0')
/** Of GitHub's own instance. */
const foreign = vectorCases('bundle-verify').find(
  ({ id }) => id === 'gh/github-instance-whl-with-public-good-root',
)

describe.skipIf(published === undefined || foreign === undefined)('a verdict', () => {
  const input = (name: string): Buffer => readVector(vectorInput(published!, name))
  const subject = exactly(published === undefined ? '-' : vectorInput(published, 'identity'))
  const issuer = exactly(published === undefined ? '-' : vectorInput(published, 'issuer'))
  const anything: SpeaksFor = { issuers: 'any', packages: 'any' }
  const named = (change: Partial<IdentityOptions> = {}): Policy =>
    policy(identity({ subject, issuer, ...change }))

  const bundle = (): FoundBundle => ({ where: 'a.sigstore.json', bytes: input('bundle'), notes: [] })
  const falseBundle = (): FoundBundle => {
    const text = input('bundle').toString('utf8')
    const [, signature = ''] = /"signature" ?: ?"([^"]+)"/.exec(text) ?? []
    // one character, still base64 and still a signature by its form
    const at = 20
    const other = signature[at] === 'A' ? 'B' : 'A'
    const bytes = Buffer.from(
      text.replace(signature, signature.slice(0, at) + other + signature.slice(at + 1)),
    )
    return { where: 'false.sigstore.json', bytes, notes: [] }
  }
  const foreignBundle = (): FoundBundle => ({
    where: 'foreign.sigstore.json',
    bytes: readVector(vectorInput(foreign!, 'bundle')),
    notes: [],
  })
  const domain = (change: Partial<Parameters<typeof trustDomain>[0]> = {}): TrustDomain => {
    const root = parseTrustedRoot(input('trustedRoot'))
    return trustDomain({ name: 'public-good', root, speaksFor: anything, ...change })
  }
  const gem = () => artifactFromBytes(input('artifact'), { purl: 'pkg:gem/sigstore@1.0.0' })
  const ask = async (rules: Policy, domains = [domain()], bundles = [bundle()]): Promise<Verdict> =>
    verify(gem(), bundles, domains, rules)
  const codes = (verdict: Verdict): readonly string[] =>
    verdict.outcome === 'verified' ? [] : verdict.failures.map(({ code }) => code)

  it('is never "verified" where nobody is named', async () => {
    const verdict = await ask(policy(nobody()))
    expect(verdict.outcome).toBe('signed-by-unknown')
    expect(verdict).not.toHaveProperty('artifact')
    expect(exitCodeOf(verdict)).toBe(6)
    expect((await ask(named())).outcome).toBe('verified')
  })

  it.each([
    ['IDENTITY_SUBJECT', { subject: exactly('https://github.com/acme/app') }],
    ['IDENTITY_ISSUER', { issuer: exactly('https://oidc.acme.example') }],
    ['IDENTITY_SUBJECT', { subjectKind: 'email' }],
    ['IDENTITY_EXTENSION', { extensions: [['sourceRepositoryURI', exactly('https://github.com/acme/app')]] }],
    ['IDENTITY_DOMAIN', { domains: ['acme'] }],
    ['PREDICATE_TYPE', { predicateTypes: ['https://slsa.dev/provenance/v1'] }],
  ] as const)('is no word for another signer: %s', async (code, change) => {
    const verdict = await ask(named(change))
    expect(verdict.outcome).toBe('rejected')
    expect(codes(verdict)).toEqual([code])
  })

  it('is for the package that was asked for', async () => {
    const asked = (purl: string) => policy(identity({ subject, issuer }), { package: purl })
    expect((await ask(asked('pkg:gem/sigstore'))).outcome).toBe('verified')
    expect(codes(await ask(asked('pkg:gem/sigstore@1.0.1')))).toEqual(['PACKAGE_NAME'])
    expect(codes(await ask(asked('pkg:gem/sigstor')))).toEqual(['PACKAGE_NAME'])
  })

  it('is for issuers and packages that the domain may speak for', async () => {
    const spoken = async (speaksFor: SpeaksFor) => ask(named(), [domain({ speaksFor })])
    const nothing = await spoken({ issuers: [], packages: [] })
    expect(nothing.outcome).toBe('rejected')
    expect(codes(nothing)).toEqual(['DOMAIN_ISSUER'])
    expect(codes(await spoken({ issuers: ['https://oidc.acme.example'], packages: 'any' }))).toEqual([
      'DOMAIN_ISSUER',
    ])
    expect(codes(await spoken({ issuers: 'any', packages: ['pkg:gem/sig'] }))).toEqual(['DOMAIN_PACKAGE'])
    expect((await spoken({ issuers: [issuer.value], packages: ['pkg:gem'] })).outcome).toBe('verified')
  })

  it('asks for as much as the domain does, and one operator counts once', async () => {
    const asked = async (thresholds: TrustDomain['thresholds']) =>
      codes(await ask(named(), [domain({ thresholds })]))
    expect(await asked({ logs: 2, certificateLogs: 1, times: 1 })).toEqual(['LOG_THRESHOLD'])
    expect(await asked({ logs: 1, certificateLogs: 2, times: 1 })).toEqual(['SCT_THRESHOLD'])
    expect(await asked({ logs: 1, certificateLogs: 1, times: 2 })).toEqual(['TIME_THRESHOLD'])
  })

  it('rests on one domain by itself, and domains have names of their own', async () => {
    const empty = {
      digest: '',
      authorities: [],
      logs: [],
      certificateLogs: [],
      timestampAuthorities: [],
      notes: [],
    }
    const root = parseTrustedRoot(input('trustedRoot'))
    // between them the two know everything, and neither knows enough
    const halves = [
      domain({ name: 'authorities', root: { ...empty, authorities: root.authorities } }),
      domain({ name: 'logs', root: { ...root, authorities: [] } }),
    ]
    expect((await ask(named(), halves)).outcome).toBe('rejected')
    await expect(ask(named(), [])).rejects.toThrow(expect.objectContaining({ code: 'TRUST_NO_DOMAIN' }))
    const twins = ask(named(), [domain(), domain()])
    await expect(twins).rejects.toThrow(expect.objectContaining({ code: 'TRUST_DOMAIN_NAMES' }))
  })

  it('judges all bundles: a false one rejects, a foreign one says nothing', async () => {
    for (const bundles of [
      [bundle(), falseBundle()],
      [falseBundle(), bundle()],
    ]) {
      const verdict = await ask(named(), [domain()], bundles)
      expect(verdict.outcome).toBe('rejected')
      expect(codes(verdict)).toEqual(['SIGNATURE_INVALID'])
    }
    const beside = await ask(named(), [domain()], [foreignBundle(), bundle()])
    expect(beside.bundles.map(({ outcome }) => outcome)).toEqual(['foreign', 'accepted'])
    expect(beside.outcome).toBe('verified')
    const alone = await ask(named(), [domain()], [foreignBundle()])
    expect(codes(alone)).toEqual(['CERT_UNKNOWN_AUTHORITY'])
    expect((await ask(named(), [domain()], [])).outcome).toBe('unsigned')
  })

  it('needs every part of what is asked for', async () => {
    const stranger = identity({ subject: exactly('release@acme.example'), issuer })
    const both = await ask(policy(allOf([identity({ subject, issuer }), stranger])))
    expect(codes(both)).toEqual(['IDENTITY_SUBJECT'])
  })

  it('remembers evidence and nothing else', async () => {
    const cache = new EvidenceCache()
    const domains = [domain()]
    const decide = async (rules: Policy, on = domains, found = bundle()): Promise<Verdict> => {
      const { content, bundles } = await prepare(gem(), [found], on, rules)
      return judge(gem(), content, bundles, on, rules, cache)
    }
    const first = await decide(named())
    const again = await decide(named())
    expect(again.bundles[0]?.evidence[0]).toBe(first.bundles[0]?.evidence[0])
    // decided anew: the policy, the package, and what the domain may say
    expect(codes(await decide(named({ subject: exactly('release@acme.example') })))).toEqual([
      'IDENTITY_SUBJECT',
    ])
    expect(codes(await decide(policy(identity({ subject, issuer }), { package: 'pkg:gem/x' })))).toEqual([
      'PACKAGE_NAME',
    ])
    const silent = [domain({ speaksFor: { issuers: [], packages: 'any' } })]
    expect(codes(await decide(named(), silent))).toEqual(['DOMAIN_ISSUER'])
    // another domain, another bundle: nothing is taken over
    expect((await decide(named(), [domain()])).bundles[0]?.evidence[0]).not.toBe(
      first.bundles[0]?.evidence[0],
    )
    expect(codes(await decide(named(), domains, falseBundle()))).toEqual(['SIGNATURE_INVALID'])
    expect(codes(await decide(named(), domains, falseBundle()))).toEqual(['SIGNATURE_INVALID'])
  })
})

describe('the embedded seed', () => {
  it('says of which day it is', async () => {
    const { name, source } = await embeddedDomain()
    expect(name).toBe('public-good')
    expect(source.kind).toBe('embedded-seed')
    expect(source.asOf?.toISOString()).toMatch(/^2026-11-05T/)
    expect(source.description).toContain('2026-11-05')
  })

  const embedded: NonNullable<Parameters<typeof loadSeed>[0]> = seeds
  const [host = ''] = Object.keys(embedded)
  const { targets, ...root } = embedded[host] ?? { targets: {}, 'root.json': '' }
  const other = Buffer.from('{}').toString('base64')

  it('is what this release was built with', async () => {
    expect((await loadSeed(embedded)).rootVersion).toBe(16)
  })

  it.each([
    ['another trusted root', { [host]: { ...root, targets: { ...targets, 'trusted_root.json': other } } }],
    ['other registry keys', { [host]: { ...root, targets: { ...targets, 'host%2Fkeys.json': other } } }],
    ['another root', { [host]: { targets, 'root.json': other } }],
    ['no repository', {}],
  ])('is refused with %s', async (_what, seed) => {
    await expect(loadSeed(seed)).rejects.toThrow(expect.objectContaining({ code: 'TRUST_SEED_MISMATCH' }))
  })
})

describe('one copy of a file', () => {
  let folder: string
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'sigward-safety-'))))
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const drain = async (file: LocalFile): Promise<void> => {
    for await (const chunk of file.stream()) expect(chunk.length).toBeGreaterThan(0)
  }

  it.each([
    ['edited in place', (path: string) => writeFileSync(path, 'other')],
    ['appended to', (path: string) => appendFileSync(path, '+')],
    [
      'swapped for another',
      (path: string) => [writeFileSync(`${path}2`, 'whole'), renameSync(`${path}2`, path)],
    ],
  ])('is refused when it was %s between hashing and the verdict', async (_how, change) => {
    const path = join(folder, 'a.bin')
    writeFileSync(path, 'whole')
    const file = await LocalFile.open(path)
    await drain(file)
    change(path)
    await expect(file.finish()).rejects.toThrow(expect.objectContaining({ code: 'PACKAGE_CHANGED' }))
    await file.close()
  })

  it('is refused when a part that was parsed reads differently when it is hashed', async () => {
    const path = join(folder, 'a.bin')
    // two blocks, so that the first is read from disk again
    const content = Buffer.alloc(1024 * 1024 + 1, 0x61)
    writeFileSync(path, content)
    const file = await LocalFile.open(path)
    await file.read(0, 16)
    await file.read(1024 * 1024, 1)
    content[5] = 0x62
    writeFileSync(path, content)
    await expect(drain(file)).rejects.toThrow(expect.objectContaining({ code: 'PACKAGE_CHANGED' }))
    await file.close()
  })

  it('is let go when nobody touches it', async () => {
    const path = join(folder, 'a.bin')
    writeFileSync(path, 'whole')
    const reply = await createEngine().verify({
      target: { kind: 'file', path },
      bundles: [],
      policy: { kind: 'nobody' },
      trustedRoots: [],
      package: undefined,
    })
    expect(reply.verdict.outcome).toBe('unsigned')
  })
})

describe('the environment', () => {
  const root = fileURLToPath(new URL('..', import.meta.url))

  it('has no say in what is trusted', () => {
    const sources = globSync('{trust,formats,daemon,plugins}/**/*.{ts,js}', { cwd: root })
    const named = sources.flatMap((path) => {
      const text = readFileSync(join(root, path), 'utf8')
      const direct = [...text.matchAll(/environment\['(\w+)'\]/g)].map(([, name]) => name)
      const taken = [...text.matchAll(/\{([^{}]*)\} = process\.env/g)].map(([, names]) =>
        names?.split(':')[0]?.trim(),
      )
      const others =
        text.includes('process.env') && taken.length === 0 && path !== 'plugins/cli/main.ts' ? [path] : []
      return [...direct, ...taken, ...others]
    })
    expect(new Set(named)).toEqual(new Set(['NO_COLOR', 'SIGWARD_DEBUG', 'TERM', 'XDG_CACHE_HOME']))
  })
})
