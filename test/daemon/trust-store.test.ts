import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  declaredDomains,
  domainsFromFile,
  domainsFromFiles,
  embeddedDomain,
  registryKeys,
} from '../../daemon/trust-store.ts'
import { STRICT_THRESHOLDS, TIMESTAMP_ONLY_THRESHOLDS, type SpeaksFor } from '../../trust/domain.ts'
import { keyId } from '../../trust/keys.ts'
import { newKey } from '../support/test-der.ts'
import { BreakableInstance } from '../support/breakable-instance.ts'

const folder = mkdtempSync(join(tmpdir(), 'sigward-trust-'))
afterAll(() => rmSync(folder, { recursive: true }))

const ANYBODY: SpeaksFor = { issuers: 'any', packages: 'any' }
const malformed = (where: string): unknown =>
  expect.objectContaining({
    code: 'MALFORMED_TRUSTED_ROOT',
    name: 'MalformedError',
    where: expect.stringContaining(where) as unknown,
  })

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

interface RootOptions {
  readonly organization?: string
  readonly operator?: string
  readonly withoutLogs?: boolean
}

function rootOf({ organization = 'Example', operator = 'own.test', withoutLogs }: RootOptions = {}): Record<
  string,
  unknown
> {
  const json = new BreakableInstance().trustedRootJson()
  const renamed = (list: readonly object[]): object[] =>
    list.map((one) => ({ ...one, subject: { organization }, operator }))
  return {
    ...json,
    certificateAuthorities: renamed(json.certificateAuthorities),
    timestampAuthorities: renamed(json.timestampAuthorities),
    ...(withoutLogs === true ? { tlogs: [], ctlogs: [] } : {}),
  }
}

const GITHUB: RootOptions = { withoutLogs: true, organization: 'GitHub, Inc.', operator: 'githubapp.com' }
const text = JSON.stringify

describe('a file with a trusted root', () => {
  it('is a domain that is called like the file, asks for everything, and speaks for whom it is told', async () => {
    const content = text(rootOf(), undefined, 2)
    const path = file('root.json', content)
    const speaksFor = { issuers: ['https://issuer.example'], packages: 'any' } as const
    const [domain, ...more] = await domainsFromFile(path, speaksFor)
    expect(more).toEqual([])
    expect(domain).toMatchObject({
      name: 'root.json',
      source: { kind: 'file', description: path, asOf: undefined },
      speaksFor,
      thresholds: STRICT_THRESHOLDS,
      keys: [],
      root: { digest: createHash('sha256').update(content).digest('hex') },
    })
    expect(domain?.root.logs).toHaveLength(1)
  })

  it('may be a client trust config', async () => {
    const mediaType = 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json'
    const path = file('config.json', text({ mediaType, trustedRoot: rootOf(), signingConfig: {} }))
    const [domain] = await domainsFromFile(path, ANYBODY)
    expect(domain).toMatchObject({ name: 'config.json', source: { kind: 'client-trust-config' } })
    const broken = file('broken-config.json', text({ mediaType, trustedRoot: { ...rootOf(), tlogs: 7 } }))
    await expect(domainsFromFile(broken, ANYBODY)).rejects.toThrow(malformed(broken))
  })

  it.each([
    ['no JSON', 'x'],
    ['nothing', ''],
    ['no object', '[]'],
    ['another document', '{}'],
    ['no text', Buffer.of(0xff)],
  ])('is refused by its name when it is %s', async (what, content) => {
    const path = file(`${what}.json`, content)
    await expect(domainsFromFile(path, ANYBODY)).rejects.toThrow(malformed(path))
  })

  it('names the place in the file', async () => {
    const path = file('damaged.json', text({ ...rootOf(), ctlogs: [{}] }))
    await expect(domainsFromFile(path, ANYBODY)).rejects.toThrow(malformed(`${path}: $.ctlogs[0]`))
  })

  it('is refused when it is too large, and when it is not there', async () => {
    const path = file('large.json', Buffer.alloc(16 * 1024 * 1024 + 1, ' '))
    await expect(domainsFromFile(path, ANYBODY)).rejects.toThrow(
      expect.objectContaining({ code: 'STORE_UNREADABLE' }),
    )
    await expect(domainsFromFile(join(folder, 'none'), ANYBODY)).rejects.toThrow(
      expect.objectContaining({ code: 'STORE_NOT_FOUND' }),
    )
  })
})

describe('JSON Lines of trusted roots', () => {
  it('are a domain each, by file and line', async () => {
    const path = file('roots.jsonl', `\n${text(rootOf())}\r\n\n  ${text(rootOf(GITHUB))}  \n`)
    const domains = await domainsFromFile(path, ANYBODY)
    expect(domains.map(({ name, source }) => [name, source.kind, source.description])).toEqual([
      ['roots.jsonl:2', 'json-lines', `${path} line 2`],
      ['roots.jsonl:4', 'json-lines', `${path} line 4`],
    ])
    expect(domains.map(({ thresholds }) => thresholds)).toEqual([
      STRICT_THRESHOLDS,
      TIMESTAMP_ONLY_THRESHOLDS,
    ])
  })

  it('are all refused when one is damaged', async () => {
    const path = file('half.jsonl', `${text(rootOf())}\n{"mediaType":"x"}\n`)
    await expect(domainsFromFile(path, ANYBODY)).rejects.toThrow(malformed(path))
  })

  it('are no more than 64, and line ends without end are no memory without end', async () => {
    const many = file('many.jsonl', '{}\n'.repeat(5_000_000))
    await expect(domainsFromFile(many, ANYBODY)).rejects.toThrow(malformed(many))
    const empty = file('empty.jsonl', Buffer.alloc(15 * 1024 * 1024, '\n'))
    await expect(domainsFromFile(empty, ANYBODY)).rejects.toThrow(malformed(empty))
  })

  it('are not what a root is that is spread over lines', async () => {
    const path = file('pretty.json', text(rootOf(), undefined, 1))
    expect(await domainsFromFile(path, ANYBODY)).toHaveLength(1)
  })
})

describe('an instance without logs', () => {
  it.each([
    ['is asked for timestamps alone when it is GitHub', GITHUB, TIMESTAMP_ONLY_THRESHOLDS],
    ['fails the thresholds when it is another', { withoutLogs: true }, STRICT_THRESHOLDS],
    [
      'fails them when only its operator is the same',
      { ...GITHUB, organization: 'Example' },
      STRICT_THRESHOLDS,
    ],
    ['fails them when only its name is the same', { ...GITHUB, operator: 'evil.example' }, STRICT_THRESHOLDS],
  ])('%s', async (what, options, thresholds) => {
    const path = file(`${what}.json`, text(rootOf(options)))
    expect((await domainsFromFile(path, ANYBODY))[0]?.thresholds).toEqual(thresholds)
  })

  it('is not one that has logs that cannot be used, nor one without timestamps', async () => {
    const [log] = rootOf()['tlogs'] as readonly Record<string, unknown>[]
    const unusable = { ...log, hashAlgorithm: 'SHA2_512' }
    for (const change of [{ tlogs: [unusable] }, { timestampAuthorities: [] }, { tlogs: [log] }]) {
      const path = file('changed.json', text({ ...rootOf(GITHUB), ...change }))
      expect((await domainsFromFile(path, ANYBODY))[0]?.thresholds).toEqual(STRICT_THRESHOLDS)
    }
  })
})

describe('several files', () => {
  it('keep apart what has the same name', async () => {
    const one = file('same.json', text(rootOf()))
    const other = join(mkdtempSync(join(folder, 'other-')), 'same.json')
    writeFileSync(other, text(rootOf()))
    const third = file('third.json', text(rootOf()))
    const names = (await domainsFromFiles([one, other, third], ANYBODY)).map(({ name }) => name)
    expect(names).toEqual([one, other, 'third.json'])
  })
})

describe('domains of a policy file', () => {
  const declaration = {
    speaksFor: ANYBODY,
    thresholds: { logs: 2, certificateLogs: 0, times: 3 },
    witnesses: undefined,
  }

  it('have the name, the right to speak and the thresholds of their declaration', async () => {
    const path = file('declared.json', text(rootOf(GITHUB)))
    const speaksFor = { issuers: [], packages: ['pkg:npm/%40acme'] }
    const own = { ...declaration, name: 'own', speaksFor, trustedRoot: { kind: 'file', path } } as const
    const seed = { ...declaration, name: 'seed', trustedRoot: { kind: 'embedded' } } as const
    const [first, second] = await declaredDomains([own, seed], embeddedDomain)
    expect(first).toMatchObject({
      name: 'own',
      speaksFor,
      thresholds: declaration.thresholds,
      source: { kind: 'file' },
    })
    expect(second).toMatchObject({
      name: 'seed',
      thresholds: declaration.thresholds,
      source: { kind: 'embedded-seed' },
    })
  })

  it('are made of one root each', async () => {
    const path = file('two.jsonl', `${text(rootOf())}\n${text(rootOf())}\n`)
    const own = { ...declaration, name: 'own', trustedRoot: { kind: 'file', path } } as const
    await expect(declaredDomains([own], embeddedDomain)).rejects.toThrow(
      expect.objectContaining({ code: 'MALFORMED_TRUSTED_ROOT' }),
    )
  })
})

describe('the embedded domain', () => {
  it('is the public-good instance, and says how old it is', async () => {
    const domain = await embeddedDomain()
    expect(domain).toMatchObject({ name: 'public-good', speaksFor: ANYBODY, thresholds: STRICT_THRESHOLDS })
    expect(domain.source).toMatchObject({ kind: 'embedded-seed', asOf: new Date('2026-11-05T00:00:00Z') })
    expect(domain.source.description).toMatch(/^embedded seed of 2026-11-05, TUF root version \d+$/)
    expect(new Set(domain.keys.map(({ usage }) => usage))).toEqual(new Set(['attestations', 'signatures']))
    for (const { hint, owner } of domain.keys) expect(`${hint} ${owner}`).toMatch(/^SHA256:\S+ [a-z.]+$/)
  })
})

describe('the keys of a registry', () => {
  const { spki } = newKey()
  const key = {
    keyid: 'SHA256:a',
    keytype: 'ecdsa',
    scheme: 'ecdsa-sha2-nistp256',
    key: Buffer.from(spki).toString('base64'),
  }
  const document = (...keys: readonly object[]): Buffer => Buffer.from(text({ keys }))

  it('are for both uses where the registry does not say which, until they expire', () => {
    const expires = '2026-01-29T00:00:00.000Z'
    const keys = registryKeys('registry.example', document({ ...key, expires }))
    const common = {
      hint: 'SHA256:a',
      owner: 'registry.example',
      validFor: { start: new Date(0), end: new Date(expires) },
    }
    expect(keys).toMatchObject([
      { ...common, usage: 'signatures' },
      { ...common, usage: 'attestations' },
    ])
    expect(keys[0]?.key && keyId(keys[0].key)).toBe(createHash('sha256').update(spki).digest('hex'))
  })

  it('are for one use where it says so, and inside of their time', () => {
    const publicKey = {
      rawBytes: key.key,
      keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      validFor: { start: '2022-01-01T00:00:00Z', end: '2023-01-01T00:00:00Z' },
    }
    const target = { keyId: 'SHA256:b', keyUsage: 'npm:attestations', publicKey }
    const validFor = { start: new Date('2022-01-01T00:00:00Z'), end: new Date('2023-01-01T00:00:00Z') }
    expect(registryKeys('r', document(target, { ...target, keyUsage: 'other:use' }))).toMatchObject([
      { hint: 'SHA256:b', usage: 'attestations', validFor },
    ])
  })

  it('leave out what nobody here can verify, and refuse what is damaged', () => {
    const unknown = Buffer.from('3014300a06082a8648ce3d0301000306000102030405', 'hex').toString('base64')
    expect(registryKeys('r', document({ ...key, key: unknown }, key))).toHaveLength(2)
    const damaged = document({ ...key, key: 'AAAA' })
    expect(() => registryKeys('r', damaged)).toThrow(expect.objectContaining({ code: 'MALFORMED_KEY' }))
    expect(() => registryKeys('r', document({ ...key, key: '' }))).toThrow(
      expect.objectContaining({ code: 'MALFORMED_ATTESTATIONS' }),
    )
  })
})
