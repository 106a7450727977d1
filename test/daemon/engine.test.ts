import { Buffer } from 'node:buffer'
import { createPublicKey, hash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PolicySource, VerifyReply, VerifyRequest } from '../../daemon/api.ts'
import { createEngine } from '../../daemon/engine.ts'
import { plainFile } from '../../formats/plain-file.ts'
import { nobody, policy } from '../../trust/policy.ts'
import { verify } from '../../trust/verify.ts'
import { memoryFile, npmPackage } from '../support/packages.ts'
import { newKey, type TestKey } from '../support/test-der.ts'
import { bytesOf, BreakableInstance, type SignRequest } from '../support/breakable-instance.ts'

const SUBJECT = 'dev@example.com'
const ISSUER = 'https://issuer.example'
const OTHER_ISSUER = 'https://other.example'
const artifact = Buffer.from('an artifact')
const instance = new BreakableInstance()
const engine = createEngine()

let folder: string
let path: string
let root: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sigward-engine-'))
  path = file('a.bin', artifact)
  root = file('root.json', bytesOf(instance.trustedRootJson()))
})
afterEach(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string | Uint8Array): string {
  const at = join(folder, name)
  writeFileSync(at, content)
  return at
}

const who = (subject = SUBJECT, issuer = ISSUER): PolicySource => ({
  kind: 'identity',
  subject: { kind: 'exact', value: subject },
  issuer: { kind: 'exact', value: issuer },
})
const keys = (...paths: readonly string[]): PolicySource => ({ kind: 'keys', paths })
const pemOf = ({ privateKey }: TestKey): string =>
  createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()

/** Signs the artifact, puts the bundle beside it, and asks. */
async function ask(
  signed: SignRequest | undefined,
  change: Partial<VerifyRequest> = {},
): Promise<VerifyReply['verdict']> {
  if (signed !== undefined)
    writeFileSync(`${path}.sigstore.json`, bytesOf(instance.sign({ artifact, ...signed })))
  const request = {
    target: { kind: 'file', path },
    bundles: [],
    policy: who(),
    trustedRoots: [root],
    package: undefined,
  } as const
  return (await engine.verify({ ...request, ...change })).verdict
}

async function answer(signed: SignRequest | undefined, change: Partial<VerifyRequest> = {}): Promise<string> {
  const verdict = await ask(signed, change)
  return [verdict.outcome, ...('failures' in verdict ? verdict.failures.map(({ code }) => code) : [])].join(
    ' ',
  )
}

const coded = (code: string, name: string): unknown => expect.objectContaining({ code, name })

describe('a root that was named by its file', () => {
  it('vouches for the issuer that was named beside it', async () => {
    expect(await answer({})).toBe('verified')
    expect(await answer({ subject: 'other@example.com' })).toBe('rejected IDENTITY_SUBJECT')
  })

  it('vouches for no other, whatever it signed', async () => {
    expect(await answer({ issuer: OTHER_ISSUER })).toBe('rejected DOMAIN_ISSUER')
    expect(await answer({ issuer: `${ISSUER}.evil.example` })).toBe('rejected DOMAIN_ISSUER')
    expect(await answer({ issuer: '' })).toMatch(/^rejected (?:DOMAIN_ISSUER|CERT_)/)
  })

  it('vouches for those that fit the pattern that was named', async () => {
    const source = { kind: 'pattern', source: 'https://[a-z]+\\.example' } as const
    const pattern: PolicySource = {
      kind: 'identity',
      subject: { kind: 'exact', value: SUBJECT },
      issuer: source,
    }
    expect(await answer({ issuer: OTHER_ISSUER }, { policy: pattern })).toBe('verified')
    expect(await answer({ issuer: 'https://a.b.example' }, { policy: pattern })).toBe(
      'rejected DOMAIN_ISSUER',
    )
  })

  it('may tell about anybody where nobody was named', async () => {
    expect(await answer({ issuer: OTHER_ISSUER }, { policy: { kind: 'nobody' } })).toBe('signed-by-unknown')
  })

  it('knows nothing of what another instance signed', async () => {
    const other = file('other.json', bytesOf(new BreakableInstance({ name: 'other.test' }).trustedRootJson()))
    expect(await answer({}, { trustedRoots: [other] })).toBe('rejected CERT_UNKNOWN_AUTHORITY')
    expect(await answer({}, { trustedRoots: [] })).toBe('rejected CERT_UNKNOWN_AUTHORITY')
    expect(await answer({}, { trustedRoots: [other, root] })).toBe('verified')
  })

  it('is one domain, by a name of its own', async () => {
    await expect(ask({}, { trustedRoots: [root, root] })).rejects.toThrow(
      coded('TRUST_DOMAIN_NAMES', 'UsageError'),
    )
    const file0 = memoryFile('x', artifact)
    await expect(plainFile.open(file0).then((one) => verify(one, [], [], policy(nobody())))).rejects.toThrow(
      coded('TRUST_NO_DOMAIN', 'UsageError'),
    )
  })
})

describe('keys that were named', () => {
  it('must be among those that signed', async () => {
    const [one, other] = [newKey(), newKey()]
    const [first, second] = [file('one.pub', pemOf(one)), file('other.pub', other.spki)]
    expect(await answer({ managed: one }, { policy: keys(first) })).toBe('verified')
    expect(await answer({ managed: one }, { policy: keys(second, first) })).toBe('verified')
    expect(await answer({ managed: one }, { policy: keys(second) })).toMatch(
      /^rejected (?:IDENTITY_KEY|SIGNATURE_INVALID)/,
    )
    expect(await answer({}, { policy: keys(first) })).toBe('rejected IDENTITY_KIND')
    expect(await answer({ managed: one })).toBe('rejected IDENTITY_KIND')
  })

  it('must be keys', async () => {
    await expect(ask({}, { policy: keys(file('bad.pub', 'x')) })).rejects.toThrow(
      coded('MALFORMED_KEY', 'MalformedError'),
    )
  })

  it('make nobody known where they are keyrings only', async () => {
    expect(await answer({}, { policy: keys(file('ring.gpg', Buffer.of(0x99, 1, 2))) })).toBe(
      'signed-by-unknown',
    )
  })
})

describe('what is asked for', () => {
  const named = (...parts: readonly string[]): Partial<VerifyRequest> => ({
    target: { kind: 'digest', text: parts.join(':') },
  })
  const sha256 = hash('sha256', artifact)

  it('may be a digest with its bundle', async () => {
    const bundle = file('b.json', bytesOf(instance.sign({ artifact })))
    expect(await answer(undefined, { ...named('sha256', sha256), bundles: [bundle] })).toBe('verified')
    expect(await answer(undefined, { ...named('sha256', 'ab'.repeat(32)), bundles: [bundle] })).toMatch(
      /^rejected /,
    )
  })

  it.each([
    ['sha256', sha256.slice(1)],
    ['sha256', `${sha256}00`],
    ['sha512', sha256],
    ['sha1', sha256],
    ['sha256', 'x'.repeat(64)],
    ['sha256', ''],
    ['sha256', sha256, 'more'],
    [sha256],
  ])('is refused when it is no digest: %s %s', async (...parts) => {
    await expect(ask(undefined, { ...named(...parts), bundles: [root] })).rejects.toThrow(
      coded('USAGE_ARGUMENT', 'UsageError'),
    )
  })

  it('needs the bundle of a digest', async () => {
    await expect(ask(undefined, named('sha256', sha256))).rejects.toThrow(
      coded('USAGE_ARGUMENT', 'UsageError'),
    )
  })

  it('must be the package that was asked for', async () => {
    const tarball = npmPackage({ name: '@scope/example', version: '1.2.3' })
    path = file('x.tgz', tarball)
    const signed = { artifact: tarball }
    expect(await answer(signed, { package: 'pkg:npm/%40scope/example@1.2.3' })).toBe('verified')
    expect(await answer(signed, { package: 'pkg:npm/@scope/example' })).toBe('verified')
    expect(await answer(signed, { package: 'pkg:npm/%40scope/example@1.2.4' })).toBe('rejected PACKAGE_NAME')
    expect(await answer(signed, { package: 'pkg:npm/example' })).toBe('rejected PACKAGE_NAME')
    await expect(ask(signed, { package: 'left-pad' })).rejects.toThrow(coded('USAGE_ARGUMENT', 'UsageError'))
  })

  it('is unsigned without a bundle, and rejected with one that is broken', async () => {
    expect(await answer(undefined)).toBe('unsigned')
    file('a.bin.sigstore.json', '{}')
    expect(await answer(undefined)).toMatch(/^rejected BUNDLE_/)
  })

  it('must be there, with everything that was named', async () => {
    const none = join(folder, 'none')
    const absent = coded('STORE_NOT_FOUND', 'StoreError')
    const requests: readonly Partial<VerifyRequest>[] = [
      { target: { kind: 'file', path: none } },
      { bundles: [none] },
      { policy: keys(none) },
      { policy: { kind: 'file', path: none } },
      { trustedRoots: [root, none] },
    ]
    for (const request of requests) await expect(ask({}, request)).rejects.toThrow(absent)
  })

  it('leaves no file open, however it ends', async () => {
    const open = (): number => (existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0)
    const before = open()
    for (let i = 0; i < 20; i++) {
      await ask({})
      await expect(ask({}, { bundles: [folder] })).rejects.toThrow(coded('STORE_UNREADABLE', 'StoreError'))
      file('b.tgz', Buffer.of(0x1f, 0x8b, 8, 0))
      const broken = ask({}, { target: { kind: 'file', path: join(folder, 'b.tgz') } })
      await expect(broken).rejects.toThrow(expect.objectContaining({ name: 'MalformedError' }))
    }
    expect(open()).toBeLessThanOrEqual(before + 2)
  })
})

describe('a policy file', () => {
  const identity = `{ identity: { subject: ${SUBJECT}, issuer: "${ISSUER}" } }`
  const rules = `packages:\n  - { match: "**", require: ${identity} }\n`
  const written = (text: string): Partial<VerifyRequest> => {
    const policyFile = { kind: 'file', path: file('sigward.yaml', text) } as const
    return { policy: policyFile, trustedRoots: [] }
  }

  it('says for whom its domains speak', async () => {
    const own = (more: string): string =>
      `version: 1\ndomains:\n  own: { trustedRoot: ./root.json, ${more} }\n${rules}`
    expect(await answer({}, written(own(`issuers: ["${ISSUER}"], packages: any`)))).toBe('verified')
    expect(await answer({}, written(own(`issuers: ["${OTHER_ISSUER}"], packages: any`)))).toBe(
      'rejected DOMAIN_ISSUER',
    )
    expect(await answer({}, written(own('packages: any')))).toBe('rejected DOMAIN_ISSUER')
    expect(await answer({}, written(own(`issuers: ["${ISSUER}"], packages: [pkg:npm/x]`)))).toBe(
      'rejected DOMAIN_PACKAGE',
    )
    expect(await answer({}, written(own(`issuers: ["${ISSUER}"]`)))).toBe('rejected DOMAIN_PACKAGE')
  })

  it('says who must have signed', async () => {
    const request = written(
      `version: 1\ndomains:\n  own: { trustedRoot: ./root.json, issuers: ["${ISSUER}"], packages: any }\n${rules}`,
    )
    expect(await answer({}, request)).toBe('verified')
    expect(await answer({ subject: 'other@example.com' }, request)).toBe('rejected IDENTITY_SUBJECT')
    expect(await answer({}, written(`version: 1\n${rules}`))).toBe('rejected CERT_UNKNOWN_AUTHORITY')
  })

  it('takes no roots beside it, with domains of its own or without', async () => {
    for (const domains of ['', `domains:\n  own: { trustedRoot: ./root.json, issuers: ["${ISSUER}"] }\n`]) {
      const request = { ...written(`version: 1\n${domains}${rules}`), trustedRoots: [root] }
      await expect(ask({}, request)).rejects.toThrow(coded('USAGE_POLICY', 'UsageError'))
    }
  })
})

describe('the roots in use', () => {
  it('are the embedded one, with its age, or those that were named', async () => {
    const { domains } = await engine.trust({ trustedRoots: [] })
    expect(domains).toMatchObject([{ name: 'public-good', asOf: '2026-11-05T00:00:00.000Z' }])
    const named = await engine.trust({ trustedRoots: [root] })
    expect(named.domains).toMatchObject([
      { name: 'root.json', asOf: undefined, speaksFor: 'any issuer; any package' },
    ])
    expect(named.domains[0]?.rootDigest).toBe(hash('sha256', bytesOf(instance.trustedRootJson())))
  })
})
