import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { parseCertificate, type Certificate } from '../../../trust/x509/certificate.ts'
import { buildPath, linkAuthority, PathFinder, type AuthorityChain } from '../../../trust/x509/path.ts'
import {
  basicConstraints,
  EKU,
  extension,
  keyIdentifierOf,
  keyUsage,
  leafExtensions,
  newAuthority,
  newLeaf,
  newTimestampLeaf,
  NOT_AFTER,
  NOT_BEFORE,
  subjectKeyIdentifier,
  type LeafOptions,
  type TestAuthority,
} from '../../support/test-certificates.ts'
import { algorithmIdentifier, bits, commonName, newKey, seq } from '../../support/test-der.ts'

const withCode = (code: string): unknown => expect.objectContaining({ code })
const AT = new Date('2026-03-01T12:05:00Z')
const FOREVER = { start: new Date(0), end: undefined }

const chainOf = ({ chain }: TestAuthority): readonly Certificate[] =>
  chain.map((der) => parseCertificate(der))

function trusted(authority: TestAuthority, validFor: AuthorityChain['validFor'] = FOREVER): AuthorityChain {
  return { chain: linkAuthority(chainOf(authority), 'codeSigning'), validFor }
}
const leafOf = (authority: TestAuthority, options: LeafOptions = {}): Certificate =>
  parseCertificate(newLeaf(authority, options).certificate)

const root = newAuthority()
const intermediate = newAuthority({ parent: root, pathLength: 0, purposes: [EKU.codeSigning] })
const request = { at: AT, purpose: 'codeSigning' } as const

describe('buildPath', () => {
  it('leads from the leaf to the anchor', () => {
    const authority = trusted(intermediate)
    const leaf = leafOf(intermediate)
    const path = buildPath(leaf, [], [authority], request)
    expect(path.authority).toBe(authority)
    expect(path.certificates).toEqual([leaf, ...authority.chain])
    expect(path.issuer).toBe(authority.chain[0])
  })

  it('proves the signatures inside the chain of an authority before it vouches: CERT_SIGNATURE', () => {
    const fields = {
      extensions: [
        basicConstraints(true),
        keyUsage('keyCertSign'),
        subjectKeyIdentifier(keyIdentifierOf(root.key.spki)),
      ],
    }
    const impostor = chainOf(newAuthority({ fields }))
    const chain = linkAuthority([...chainOf(intermediate).slice(0, 1), ...impostor], 'codeSigning')
    const leaf = leafOf(intermediate)
    const search = (): unknown => buildPath(leaf, [], [{ chain, validFor: FOREVER }], request)
    expect(search).toThrow(withCode('CERT_SIGNATURE'))
    expect(search).toThrow('the issuer did not sign the certificate')
  })

  it('works for every kind of key, and where the root issues leaves itself', () => {
    for (const type of ['p256', 'p384', 'p521', 'rsa2048', 'ed25519'] as const) {
      const authority = newAuthority({ key: newKey(type) })
      expect(buildPath(leafOf(authority), [], [trusted(authority)], request).certificates).toHaveLength(2)
    }
  })

  it('works for timestamps', () => {
    const authority = newAuthority({ parent: root, purposes: [EKU.timeStamping] })
    const leaf = parseCertificate(newTimestampLeaf(authority).certificate)
    const chain = linkAuthority(chainOf(authority), 'timeStamping')
    const found = buildPath(leaf, [], [{ chain, validFor: FOREVER }], { at: AT, purpose: 'timeStamping' })
    expect(found.certificates).toHaveLength(3)
  })

  it('tries every authority of the same name', () => {
    const others = [newAuthority(), newAuthority(), newAuthority()]
    const right = newAuthority()
    const bare = { extensions: leafExtensions(right, newKey(), []).slice(0, 2) }
    const authorities = [...others, right].map((authority) => trusted(authority))
    const path = buildPath(leafOf(right, bare), [], authorities, request)
    expect(path.authority).toBe(authorities[3])
  })

  it('tries every window of the same authority', () => {
    const past = trusted(root, { start: new Date(0), end: new Date('2026-01-01T00:00:00Z') })
    const present = trusted(root, { start: new Date('2026-01-01T00:00:00Z'), end: undefined })
    expect(buildPath(leafOf(root), [], [past, present], request).authority).toBe(present)
  })

  it('includes both ends of every interval', () => {
    const leaf = leafOf(root)
    for (const at of [NOT_BEFORE, NOT_AFTER]) {
      const window = trusted(root, { start: at, end: at })
      expect(buildPath(leaf, [], [window], { at, purpose: 'codeSigning' }).authority).toBe(window)
    }
  })

  const shift = (date: Date, ms: number): Date => new Date(date.getTime() + ms)
  const past = { start: new Date(0), end: shift(AT, -1) }
  const future = { start: shift(AT, 1), end: undefined }
  const expired = newAuthority({ fields: { notAfter: shift(AT, -60_000) } })
  const belowExpired = newAuthority({ parent: expired })
  const notYet = newAuthority({ fields: { notBefore: shift(AT, 60_000) } })
  const sameName = (): TestAuthority => newAuthority()
  const withoutIds = (authority: TestAuthority): LeafOptions => ({
    extensions: leafExtensions(authority, newKey(), []).slice(0, 2),
  })
  const at = (time: Date): typeof request => ({ ...request, at: time })

  const cases: readonly (readonly [string, string, () => unknown])[] = [
    ['CERT_UNKNOWN_AUTHORITY', 'no authority at all', () => buildPath(leafOf(root), [], [], request)],
    [
      'CERT_UNKNOWN_AUTHORITY',
      'another name',
      () => buildPath(leafOf(root), [], [trusted(newAuthority({ name: 'x' }))], request),
    ],
    [
      'CERT_UNKNOWN_AUTHORITY',
      'the same name with another key identifier',
      () => buildPath(leafOf(root), [], [trusted(sameName())], request),
    ],
    [
      'CERT_UNKNOWN_AUTHORITY',
      'an issuer above the one that is listed first',
      () => buildPath(leafOf(root), [], [trusted(intermediate)], request),
    ],
    [
      'CERT_SIGNATURE',
      'another key of the same name',
      () => buildPath(leafOf(root, withoutIds(root)), [], [trusted(sameName())], request),
    ],
    [
      'CERT_SIGNATURE',
      'an algorithm for another kind of key',
      () => {
        const rsa = newAuthority({ key: newKey('rsa2048') })
        return buildPath(leafOf(root, withoutIds(root)), [], [trusted(rsa)], request)
      },
    ],
    [
      'SIGNATURE_ALGORITHM',
      'a signature with SHA-1',
      () =>
        buildPath(
          leafOf(root, {
            fields: { algorithm: 'ecdsa-sha1', innerAlgorithm: algorithmIdentifier('ecdsa-sha1') },
          }),
          [],
          [trusted(root)],
          request,
        ),
    ],
    [
      'CERT_AUTHORITY_WINDOW',
      'a window that is over',
      () => buildPath(leafOf(root), [], [trusted(root, past)], request),
    ],
    [
      'CERT_AUTHORITY_WINDOW',
      'a window that has not begun',
      () => buildPath(leafOf(root), [], [trusted(root, future)], request),
    ],
    [
      'CERT_AUTHORITY_WINDOW',
      'no time',
      () => buildPath(leafOf(root), [], [trusted(root)], at(new Date(Number.NaN))),
    ],
    [
      'CERT_TIME',
      'a time before the leaf',
      () => buildPath(leafOf(root), [], [trusted(root)], at(shift(NOT_BEFORE, -1))),
    ],
    [
      'CERT_TIME',
      'a time after the leaf',
      () => buildPath(leafOf(root), [], [trusted(root)], at(shift(NOT_AFTER, 1))),
    ],
    [
      'CERT_CHAIN',
      'an anchor that has expired',
      () => buildPath(leafOf(expired), [], [trusted(expired)], request),
    ],
    [
      'CERT_CHAIN',
      'an anchor of the future',
      () => buildPath(leafOf(notYet), [], [trusted(notYet)], request),
    ],
    [
      'CERT_CHAIN',
      'an anchor above that has expired',
      () => buildPath(leafOf(belowExpired), [], [trusted(belowExpired)], request),
    ],
    [
      'CERT_CHAIN',
      'an authority for another purpose',
      () => {
        const chain = linkAuthority(chainOf(intermediate), 'codeSigning')
        return buildPath(leafOf(intermediate), [], [{ chain, validFor: FOREVER }], {
          at: AT,
          purpose: 'timeStamping',
        })
      },
    ],
    [
      'CERT_EXTENSION',
      'a leaf with an unknown critical extension',
      () =>
        buildPath(
          leafOf(root, { extensions: [extension('1.2.3', true, seq())] }),
          [],
          [trusted(root)],
          request,
        ),
    ],
    [
      'CERT_EXTENSION',
      'a leaf with an unreadable authority key identifier',
      () =>
        buildPath(
          leafOf(root, { extensions: [extension('2.5.29.35', false, bits(seq()))] }),
          [],
          [trusted(root)],
          request,
        ),
    ],
  ]
  it.each(cases)('%s: %s', (code, _, attempt) => {
    expect(attempt).toThrow(withCode(code))
    expect(attempt).toThrow(expect.objectContaining({ check: 'certificate', name: 'CheckFailed' }))
  })

  it('reports the refusal that came furthest', () => {
    const authorities = [
      trusted(newAuthority({ name: 'x' })),
      trusted(root),
      trusted(sameName()),
      trusted(root, past),
    ]
    const attempt = (): unknown => buildPath(leafOf(root), [], authorities, at(shift(NOT_AFTER, 1)))
    expect(attempt).toThrow(withCode('CERT_TIME'))
  })
})

describe('PathFinder', () => {
  it('decides for each time anew', () => {
    const finder = new PathFinder(leafOf(root), [], [trusted(root)], 'codeSigning')
    expect(finder.at(AT).certificates).toHaveLength(2)
    expect(() => finder.at(new Date(0))).toThrow(withCode('CERT_TIME'))
    expect(finder.at(NOT_AFTER).certificates).toHaveLength(2)
  })

  it('matches names byte by byte', () => {
    const printable = newAuthority({ name: 'name' })
    const leaf = leafOf(printable, { fields: { issuer: commonName('Name') } })
    expect(() => buildPath(leaf, [], [trusted(printable)], request)).toThrow(
      withCode('CERT_UNKNOWN_AUTHORITY'),
    )
  })

  it('never passes a leaf in which a byte was changed', () => {
    const leaf = newLeaf(intermediate)
    const authorities = [trusted(intermediate)]
    expect(buildPath(parseCertificate(leaf.certificate), [], authorities, request).certificates).toHaveLength(
      3,
    )
    const passed: number[] = []
    for (let i = 0; i < leaf.certificate.length; i++) {
      const changed = Buffer.from(leaf.certificate)
      changed[i] = (changed[i] ?? 0) ^ (1 << (i % 8))
      try {
        buildPath(parseCertificate(changed), [], authorities, request)
        passed.push(i)
      } catch (error) {
        expect(error).toHaveProperty('code', expect.stringMatching(/^(?:CERT_|MALFORMED_|SIGNATURE_)/))
      }
    }
    expect(passed).toEqual([])
  })
})
