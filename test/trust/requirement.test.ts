import { describe, expect, it } from 'vitest'
import type { Evidence, Signer } from '../../trust/evidence.ts'
import { keyId, parsePublicKey } from '../../trust/keys.ts'
import { pattern } from '../../trust/pattern.ts'
import {
  allOf,
  anyOf,
  exactly,
  identity,
  intersectionOf,
  managedKey,
  nobody,
  type IdentityOptions,
  type Requirement,
} from '../../trust/policy.ts'
import { refusals } from '../../trust/requirement.ts'
import { newKey } from '../support/test-der.ts'
import { windowOf } from '../support/breakable-instance.ts'

const key = parsePublicKey(newKey().spki)
const otherKey = parsePublicKey(newKey().spki)
const REPOSITORY = 'https://github.com/acme/app'

const certificate: Extract<Signer, { kind: 'certificate' }> = {
  kind: 'certificate',
  identity: {
    subject: { kind: 'uri', value: `${REPOSITORY}/.github/workflows/release.yml@refs/tags/v1` },
    issuer: 'https://issuer.example',
    extensions: new Map([['sourceRepositoryURI', REPOSITORY]]),
  },
  certificate: new Uint8Array(1),
  authority: 'ca',
  notBefore: new Date(0),
  notAfter: new Date(0),
}
const keyed: Signer = { kind: 'key', keyId: keyId(key), namedBy: 'policy', owner: undefined, hint: '' }

function evidence(signer: Signer, options: { type?: string; times?: readonly string[] } = {}): Evidence {
  const { type, times = ['2026-03-01T12:00:00Z'] } = options
  return {
    domain: 'own',
    signer,
    algorithm: 'ecdsa-p256 sha256',
    digest: { algorithm: 'sha256', bytes: new Uint8Array(32) },
    statement:
      type === undefined
        ? undefined
        : {
            type: 'https://in-toto.io/Statement/v1',
            subjects: [{ name: 'a', digests: new Map() }],
            predicateType: type,
            predicate: null,
          },
    subjectIndex: undefined,
    times: times.map((at) => ({ at: new Date(at), source: 'timestamp', authority: 'tsa', operator: 'tsa' })),
    entries: [],
    certificateLogs: [],
    checks: [],
  }
}

const right: IdentityOptions = {
  subject: exactly(`${REPOSITORY}/.github/workflows/release.yml@refs/tags/v1`),
  issuer: exactly('https://issuer.example'),
}
const codes = (requirement: Requirement, of: Evidence = evidence(certificate)): string[] =>
  refusals(requirement, of).map(({ code }) => code)
const asked = (options: Partial<IdentityOptions>, of?: Evidence): string[] =>
  codes(identity({ ...right, ...options }), of)

describe('an identity', () => {
  it('is met by its subject from its issuer', () => {
    expect(asked({})).toEqual([])
    expect(
      asked({ subject: pattern(`${REPOSITORY}/.*`), issuer: pattern('https://issuer\\.example') }),
    ).toEqual([])
    expect(asked({ subjectKind: 'uri' })).toEqual([])
  })

  it('is not met by another issuer, not even with the same subject', () => {
    for (const issuer of [
      'https://issuer.example/',
      'https://ISSUER.example',
      'https://issuer.example.evil.example',
    ]) {
      expect(asked({ issuer: exactly(issuer) })).toEqual(['IDENTITY_ISSUER'])
    }
    const { identity: named, ...rest } = certificate
    const without = evidence({ ...rest, identity: { ...named, issuer: undefined } })
    expect(asked({ issuer: pattern('.*') }, without)).toEqual(['IDENTITY_ISSUER'])
  })

  it('is not met by another subject, or the same words as another kind of name', () => {
    expect(asked({ subject: exactly(REPOSITORY) })).toEqual(['IDENTITY_SUBJECT'])
    expect(asked({ subject: pattern(REPOSITORY) })).toEqual(['IDENTITY_SUBJECT'])
    expect(asked({ subjectKind: 'email' })).toEqual(['IDENTITY_SUBJECT'])
  })

  it('may ask for extensions, all of them', () => {
    expect(asked({ extensions: [['sourceRepositoryURI', exactly(REPOSITORY)]] })).toEqual([])
    expect(asked({ extensions: [['sourceRepositoryURI', exactly(`${REPOSITORY}-fork`)]] })).toEqual([
      'IDENTITY_EXTENSION',
    ])
    expect(asked({ extensions: [['sourceRepositoryRef', pattern('.*')]] })).toEqual(['IDENTITY_EXTENSION'])
    const both = [
      ['sourceRepositoryURI', exactly(REPOSITORY)],
      ['runnerEnvironment', exactly('x')],
    ] as const
    expect(asked({ extensions: both })).toEqual(['IDENTITY_EXTENSION'])
  })

  it('is not met by a key', () => {
    expect(asked({}, evidence(keyed))).toEqual(['IDENTITY_KIND'])
    expect(asked({ subject: pattern('.*'), issuer: pattern('.*') }, evidence(keyed))).toEqual([
      'IDENTITY_KIND',
    ])
  })
})

describe('a managed key', () => {
  it('is met by that key only, and by no certificate', () => {
    expect(codes(managedKey(key), evidence(keyed))).toEqual([])
    expect(codes(managedKey(otherKey), evidence(keyed))).toEqual(['IDENTITY_KEY'])
    expect(codes(managedKey(key))).toEqual(['IDENTITY_KIND'])
    expect(codes(managedKey(otherKey, { hint: 'same' }), evidence({ ...keyed, hint: 'same' }))).toEqual([
      'IDENTITY_KEY',
    ])
  })

  it('is met at all times of its window, and by none outside', () => {
    const inside = managedKey(key, { validFor: windowOf('2026-01-01T00:00:00Z', '2026-06-01T00:00:00Z') })
    expect(codes(inside, evidence(keyed))).toEqual([])
    const late = ['2026-03-01T12:00:00Z', '2026-06-01T00:00:01Z']
    expect(codes(inside, evidence(keyed, { times: late }))).toEqual(['TIME_KEY_WINDOW'])
    expect(codes(inside, evidence(keyed, { times: [] }))).toEqual(['TIME_KEY_WINDOW'])
  })
})

describe('a scope', () => {
  it('is one of the named domains', () => {
    for (const requirement of [
      (domains: string[]) => identity({ ...right, domains }),
      (domains: string[]) => managedKey(key, { domains }),
    ]) {
      const of = requirement(['x']).kind === 'key' ? evidence(keyed) : evidence(certificate)
      expect(codes(requirement(['other', 'own']), of)).toEqual([])
      expect(codes(requirement(['other']), of)).toEqual(['IDENTITY_DOMAIN'])
    }
  })

  it('is one of the named predicate types, which a message has not', () => {
    const types = { predicateTypes: ['https://slsa.dev/provenance/v1'] }
    expect(asked(types, evidence(certificate, { type: 'https://slsa.dev/provenance/v1' }))).toEqual([])
    expect(asked(types, evidence(certificate, { type: 'https://slsa.dev/provenance/v0.2' }))).toEqual([
      'PREDICATE_TYPE',
    ])
    expect(asked(types, evidence(certificate, { type: '' }))).toEqual(['PREDICATE_TYPE'])
    expect(asked(types)).toEqual(['PREDICATE_TYPE'])
    expect(codes(managedKey(key, types), evidence(keyed))).toEqual(['PREDICATE_TYPE'])
  })
})

describe('a compound', () => {
  const good = identity(right)
  const bad = identity({ ...right, issuer: exactly('x') })
  it('tells all refusals, unless it is met', () => {
    expect(codes(anyOf([bad, managedKey(key)]))).toEqual(['IDENTITY_ISSUER', 'IDENTITY_KIND'])
    expect(codes(anyOf([bad, good]))).toEqual([])
    for (const join of [allOf, intersectionOf]) {
      expect(codes(join([good, good]))).toEqual([])
      expect(codes(join([good, bad]))).toEqual(['IDENTITY_ISSUER'])
    }
    expect(codes(nobody())).toEqual(['IDENTITY_KIND'])
  })
})
