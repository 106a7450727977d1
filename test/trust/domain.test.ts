import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import type { Artifact } from '../../trust/artifact.ts'
import { requireDistinct, requireSpeaksFor, STRICT_THRESHOLDS, type SpeaksFor } from '../../trust/domain.ts'
import { artifactFromBytes } from '../../trust/given.ts'
import { pattern } from '../../trust/pattern.ts'
import { policy } from '../../trust/policy.ts'
import { newKey } from '../support/test-der.ts'
import {
  ARTIFACT,
  BreakableInstance,
  SIGNER,
  statementAbout,
  type TestBundle,
} from '../support/breakable-instance.ts'
import { ask, keyRequirement, outcomeOf, USUAL_SIGNER } from '../support/verdicts.ts'

const instance = new BreakableInstance()
const domain = instance.domain()
const EVERYTHING: SpeaksFor = { issuers: 'any', packages: 'any' }
const speaking = (speaksFor: Partial<SpeaksFor>): typeof domain =>
  instance.domain({ speaksFor: { ...EVERYTHING, ...speaksFor } })
const packaged = (purl: string): Artifact => artifactFromBytes(ARTIFACT, { purl, statementNames: [] })
const refusal = (code: string): unknown => expect.objectContaining({ code, check: 'domain' })

describe('trust domains', () => {
  it('are at least one, each with a name of its own', async () => {
    expect(() => requireDistinct([])).toThrow(
      expect.objectContaining({ code: 'TRUST_NO_DOMAIN', name: 'UsageError' }),
    )
    expect(() => requireDistinct([domain, instance.domain()])).toThrow(
      expect.objectContaining({ code: 'TRUST_DOMAIN_NAMES' }),
    )
    expect(() => requireDistinct([domain, instance.domain({ name: 'other' })])).not.toThrow()
    await expect(ask({ bundles: [], domains: [] })).rejects.toThrow(
      expect.objectContaining({ code: 'TRUST_NO_DOMAIN' }),
    )
    await expect(ask({ bundles: [], domains: [domain, domain] })).rejects.toThrow(
      expect.objectContaining({ code: 'TRUST_DOMAIN_NAMES' }),
    )
  })
})

describe('the issuers that a domain speaks for', () => {
  const check =
    (issuers: SpeaksFor['issuers'], issuer: string | undefined): (() => void) =>
    () =>
      requireSpeaksFor(speaking({ issuers }), issuer, undefined)

  it('are those that it lists', () => {
    expect(check('any', 'https://anything.example')).not.toThrow()
    expect(check(['https://a.example'], 'https://a.example')).not.toThrow()
    expect(check([pattern('https://[a-z]+\\.acme\\.example')], 'https://ci.acme.example')).not.toThrow()
    expect(check([], 'https://a.example')).toThrow(refusal('DOMAIN_ISSUER'))
    for (const issuer of ['https://a.example/', 'https://a.example.evil.example', 'HTTPS://A.EXAMPLE', '']) {
      expect(check(['https://a.example'], issuer)).toThrow(refusal('DOMAIN_ISSUER'))
    }
    expect(
      check([pattern('https://[a-z]+\\.acme\\.example')], 'https://ci.acme.example.evil.example'),
    ).toThrow(refusal('DOMAIN_ISSUER'))
  })

  it('are no matter of keys', () => {
    expect(check([], undefined)).not.toThrow()
  })

  it('keep a private authority from minting the identities of others', async () => {
    const judged = (issuers: SpeaksFor['issuers']): Promise<string> =>
      outcomeOf({ bundles: [instance.sign()], domains: [speaking({ issuers })] })
    expect(await judged([SIGNER.issuer])).toBe('verified')
    expect(await judged(['https://oidc.own.test'])).toBe('rejected DOMAIN_ISSUER')
    expect(await judged([])).toBe('rejected DOMAIN_ISSUER')
  })

  it('decide for each domain alone', async () => {
    const silent = instance.domain({ name: 'silent', speaksFor: { issuers: [], packages: [] } })
    const verdict = await ask({ bundles: [instance.sign()], domains: [silent, domain] })
    expect(verdict).toMatchObject({ outcome: 'verified', evidence: [{ domain: 'own.test' }] })
  })
})

describe('the packages that a domain speaks for', () => {
  const check =
    (packages: SpeaksFor['packages'], purl: string | undefined): (() => void) =>
    () =>
      requireSpeaksFor(speaking({ packages }), undefined, purl)

  it('begin with what it lists, up to a border', () => {
    for (const purl of ['pkg:npm/%40acme/x@1', 'pkg:npm/%40acme', 'pkg:npm/%40acme@1']) {
      expect(check(['pkg:npm/%40acme'], purl)).not.toThrow()
    }
    for (const purl of [
      'pkg:npm/%40acme-evil/x@1',
      'pkg:npm/%40acm',
      'pkg:gem/%40acme/x@1',
      'pkg:npm/%40ACME/x@1',
      undefined,
    ]) {
      expect(check(['pkg:npm/%40acme'], purl)).toThrow(refusal('DOMAIN_PACKAGE'))
    }
    expect(check([], 'pkg:npm/x@1')).toThrow(refusal('DOMAIN_PACKAGE'))
    expect(check('any', undefined)).not.toThrow()
  })

  it('keep it from vouching for others, and for files without a name', async () => {
    const judged = (artifact: Artifact): Promise<string> =>
      outcomeOf({
        bundles: [instance.sign()],
        domains: [speaking({ packages: ['pkg:npm/%40acme'] })],
        artifact,
      })
    expect(await judged(packaged('pkg:npm/%40acme/x@1'))).toBe('verified')
    expect(await judged(packaged('pkg:npm/left-pad@1'))).toBe('rejected DOMAIN_PACKAGE')
    expect(await judged(artifactFromBytes(ARTIFACT))).toBe('rejected DOMAIN_PACKAGE')
  })

  it('hold for managed keys too', async () => {
    const managed = newKey()
    const asked = policy(keyRequirement(managed))
    const domains = [speaking({ packages: ['pkg:npm/%40acme'] })]
    const bundles = [instance.sign({ managed })]
    expect(
      await outcomeOf({ bundles, domains, policy: asked, artifact: packaged('pkg:npm/%40acme/x@1') }),
    ).toBe('verified')
    expect(await outcomeOf({ bundles, domains, policy: asked })).toBe('rejected DOMAIN_PACKAGE')
  })
})

describe('the name of a package', () => {
  const judged = (bundle: TestBundle, artifact: Artifact, asked?: string): Promise<string> =>
    outcomeOf({
      bundles: [bundle],
      domains: [domain],
      artifact,
      policy: policy(USUAL_SIGNER, asked === undefined ? {} : { package: asked }),
    })
  const named = (name: string): TestBundle => instance.sign({ statement: statementAbout(ARTIFACT, { name }) })
  const ours = artifactFromBytes(ARTIFACT, { purl: 'pkg:npm/%40acme/x@1.0.0' })

  it('is what the statement speaks of', async () => {
    expect(await judged(named('pkg:npm/%40acme/x@1.0.0'), ours)).toBe('verified')
    expect(await judged(named('pkg:npm/@acme/x@1.0.0'), ours)).toBe('verified')
    expect(await judged(named('pkg:npm/%40acme/x@1.0.1'), ours)).toBe('rejected SUBJECT_NAME')
    expect(await judged(named('pkg:npm/%40acme/y@1.0.0'), ours)).toBe('rejected SUBJECT_NAME')
  })

  it('is that of the subject with the digest of the artifact, not of another in the same statement', async () => {
    const subjects = (name: string, of: Uint8Array): readonly unknown[] =>
      statementAbout(of, { name })['subject'] as unknown[]
    const statement = {
      ...statementAbout(ARTIFACT),
      subject: [
        ...subjects('pkg:npm/%40acme/x@1.0.0', Buffer.from('x')),
        ...subjects('pkg:npm/evil@1.0.0', ARTIFACT),
      ],
    }
    expect(await judged(instance.sign({ statement }), ours)).toBe('rejected SUBJECT_NAME')
  })

  it('is what was asked for, with its version where one was asked for', async () => {
    const message = instance.sign()
    expect(await judged(message, ours, 'pkg:npm/%40acme/x@1.0.0')).toBe('verified')
    expect(await judged(message, ours, 'pkg:npm/%40acme/x')).toBe('verified')
    for (const asked of [
      'pkg:npm/%40acme/x@1.0.1',
      'pkg:npm/%40acme/x@1',
      'pkg:npm/%40acme',
      'pkg:npm/%40acme/y',
      'pkg:npm/x',
    ]) {
      expect(await judged(message, ours, asked)).toBe('rejected PACKAGE_NAME')
    }
  })

  it('of a file without one is what the statement says, or nothing', async () => {
    const file = artifactFromBytes(ARTIFACT)
    const asked = 'pkg:npm/%40acme/x@1.0.0'
    expect(await judged(named(asked), file, asked)).toBe('verified')
    expect(await judged(named('pkg:npm/%40acme/y@1.0.0'), file, asked)).toBe('rejected PACKAGE_NAME')
    expect(await judged(named('x-1.0.0.tgz'), file, asked)).toBe('rejected PACKAGE_NAME')
    expect(await judged(instance.sign(), file, asked)).toBe('rejected PACKAGE_NAME')
  })

  it('is said in words', async () => {
    const verdict = await ask({
      bundles: [instance.sign()],
      domains: [domain],
      artifact: ours,
      policy: policy(USUAL_SIGNER, { package: 'pkg:npm/y' }),
    })
    expect(verdict).toMatchObject({
      failures: [
        {
          check: 'package',
          code: 'PACKAGE_NAME',
          message: 'this is not the package asked for',
          got: 'pkg:npm/%40acme/x@1.0.0',
          wanted: 'pkg:npm/y',
        },
      ],
    })
  })
})

describe('what a domain asks for', () => {
  it('is strict unless it says otherwise', () => {
    expect(STRICT_THRESHOLDS).toEqual({ logs: 1, certificateLogs: 1, times: 1 })
  })

  it('is its own: certificates that are not logged are refused where it asks for logs', async () => {
    const root = instance.trustedRoot(({ ctlogs }) => ctlogs.splice(0))
    const bundles = [instance.sign()]
    expect(await outcomeOf({ bundles, domains: [instance.domain({ root })] })).toBe('rejected SCT_THRESHOLD')
    const thresholds = { ...STRICT_THRESHOLDS, certificateLogs: 0 }
    expect(await outcomeOf({ bundles, domains: [instance.domain({ root, thresholds })] })).toBe('verified')
  })
})
