import { describe, expect, it } from 'vitest'
import { parseCertificate, type Certificate } from '../../../trust/x509/certificate.ts'
import { buildPath, linkAuthority, type AuthorityChain } from '../../../trust/x509/path.ts'
import {
  basicConstraints,
  EKU,
  extension,
  keyUsage,
  newAuthority,
  newLeaf,
  type AuthorityOptions,
  type LeafOptions,
  type TestAuthority,
} from '../../support/test-certificates.ts'
import { bits, newKey, oid, seq } from '../../support/test-der.ts'

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
const request = { at: AT, purpose: 'codeSigning' } as const

describe('untrusted intermediates', () => {
  const anchor = newAuthority({ name: 'anchor', pathLength: 2 })
  const upper = newAuthority({ parent: anchor, name: 'upper' })
  const lower = newAuthority({ parent: upper, name: 'lower', pathLength: 0 })
  const authorities = [trusted(anchor)]
  const [upperCertificate, lowerCertificate] = [upper, lower].map(({ certificate }) =>
    parseCertificate(certificate),
  )
  const both = [upperCertificate, lowerCertificate].filter((certificate) => certificate !== undefined)

  it('fill the gap below the anchor, in any order and among others', () => {
    const leaf = leafOf(lower)
    const stranger = parseCertificate(newAuthority({ parent: root, name: 'stranger' }).certificate)
    for (const untrusted of [both, both.toReversed(), [stranger, ...both], [...both, ...both]]) {
      const { certificates, issuer } = buildPath(leaf, untrusted, authorities, request)
      expect(certificates).toEqual([
        leaf,
        lowerCertificate,
        upperCertificate,
        ...(authorities[0]?.chain ?? []),
      ])
      expect(issuer).toEqual(lowerCertificate)
    }
    expect(() => buildPath(leaf, both.slice(0, 1), authorities, request)).toThrow(
      withCode('CERT_UNKNOWN_AUTHORITY'),
    )
    expect(() => buildPath(leaf, both.slice(1), authorities, request)).toThrow(
      withCode('CERT_UNKNOWN_AUTHORITY'),
    )
  })

  it('are never anchors', () => {
    const other = newAuthority({ name: 'other' })
    const leaf = leafOf(other)
    const untrusted = chainOf(other)
    expect(() => buildPath(leaf, untrusted, authorities, request)).toThrow(withCode('CERT_UNKNOWN_AUTHORITY'))
    expect(() => buildPath(leaf, untrusted, [], request)).toThrow(withCode('CERT_UNKNOWN_AUTHORITY'))
  })

  it('cannot bring back an intermediate that the trusted root has replaced', () => {
    const retired = newAuthority({ parent: root, name: 'retired' })
    const current = trusted(newAuthority({ parent: root, name: 'current' }))
    const untrusted = chainOf(retired)
    expect(() => buildPath(leafOf(retired), untrusted, [current], request)).toThrow(
      withCode('CERT_UNKNOWN_AUTHORITY'),
    )
  })

  it('are refused when there are more than four: CERT_CHAIN', () => {
    const five = Array.from({ length: 5 }, () => both[0] ?? leafOf(root))
    expect(() => buildPath(leafOf(root), five, [trusted(root)], request)).toThrow(withCode('CERT_CHAIN'))
  })

  const through = (options: AuthorityOptions, parent = anchor): (() => unknown) => {
    const authority = newAuthority({ parent, name: 'between', ...options })
    const untrusted = authority.chain.slice(0, -1).map((der) => parseCertificate(der))
    return () =>
      buildPath(leafOf(authority), untrusted, [trusted(parent.chain.length === 1 ? parent : anchor)], request)
  }
  const bare = (...list: readonly Uint8Array[]): AuthorityOptions => ({ fields: { extensions: list } })
  const tight = newAuthority({ name: 'tight', pathLength: 0 })
  const forged = newKey()
  it.each<[string, string, () => unknown]>([
    ['CERT_PATH_LENGTH', 'below an anchor that allows none', through({}, tight)],
    ['CERT_PATH_LENGTH', 'below an intermediate that allows none', through({ name: 'lowest' }, lower)],
    ['CERT_CHAIN', 'no authority', through(bare(keyUsage('keyCertSign')))],
    ['CERT_CHAIN', 'no key usage', through(bare(basicConstraints(true)))],
    ['CERT_CHAIN', 'another purpose', through({ purposes: [EKU.serverAuth] })],
    ['CERT_CHAIN', 'expired', through({ fields: { notAfter: new Date('2025-01-01T00:00:00Z') } })],
    [
      'CERT_CHAIN',
      'a key that cannot be used',
      through({ fields: { spki: seq(seq(oid('1.3.101.112')), bits(new Uint8Array(32))) } }),
    ],
    [
      'CERT_SIGNATURE',
      'signed by somebody else',
      through({
        parent: { ...anchor, key: forged },
        fields: { extensions: [basicConstraints(true), keyUsage('keyCertSign')] },
      }),
    ],
    [
      'CERT_EXTENSION',
      'an unknown critical extension',
      through(bare(basicConstraints(true), keyUsage('keyCertSign'), extension('1.2.3', true, seq()))),
    ],
  ])('%s: an intermediate with %s', (code, _, attempt) => {
    expect(attempt).toThrow(withCode(code))
  })

  it('accepts one that is restricted to the purpose, or to any', () => {
    expect(through({ purposes: [EKU.serverAuth, EKU.codeSigning] })).not.toThrow()
    expect(through({ purposes: [EKU.any] })).not.toThrow()
  })

  it('does not count self-issued authorities of the trusted root against a path length', () => {
    const old = newAuthority({ name: 'same', pathLength: 0 })
    const rollover = newAuthority({ parent: old, name: 'same' })
    const chain = linkAuthority(chainOf(rollover).slice(0, 1).concat(chainOf(old)), 'codeSigning')
    expect(chain).toHaveLength(2)
  })
})
