import { describe, expect, it } from 'vitest'
import { parseCertificate, type Certificate } from '../../../trust/x509/certificate.ts'
import { linkAuthority, type PathPurpose } from '../../../trust/x509/path.ts'
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
import { algorithmIdentifier, bits, oid, seq } from '../../support/test-der.ts'

const withCode = (code: string): unknown => expect.objectContaining({ code })

const chainOf = ({ chain }: TestAuthority): readonly Certificate[] =>
  chain.map((der) => parseCertificate(der))

const leafOf = (authority: TestAuthority, options: LeafOptions = {}): Certificate =>
  parseCertificate(newLeaf(authority, options).certificate)

const root = newAuthority()
const intermediate = newAuthority({ parent: root, pathLength: 0, purposes: [EKU.codeSigning] })

describe('linkAuthority', () => {
  it('gives the issuer of leaves first, also when the root stands in front', () => {
    const chain = chainOf(intermediate)
    expect(linkAuthority(chain, 'codeSigning')).toEqual(chain)
    expect(linkAuthority(chain.toReversed(), 'codeSigning')).toEqual(chain)
    expect(linkAuthority(chainOf(root), 'codeSigning')).toHaveLength(1)
  })

  it('does not ask the anchor for a signature of its own', () => {
    const anchor = chainOf(newAuthority({ parent: root, name: 'an anchor' })).slice(0, 1)
    expect(linkAuthority(anchor, 'codeSigning')).toEqual(anchor)
  })

  const child = (options: AuthorityOptions, parent = root): TestAuthority =>
    newAuthority({ parent, ...options })
  const extensions = (...list: readonly Uint8Array[]): AuthorityOptions => ({ fields: { extensions: list } })
  const cases: readonly (readonly [string, () => readonly Certificate[], PathPurpose, string])[] = [
    ['an empty chain', () => [], 'codeSigning', 'empty'],
    [
      'nine certificates',
      () => Array.from({ length: 9 }, () => chainOf(root)[0] ?? leafOf(root)),
      'codeSigning',
      '9 certificates',
    ],
    ['a leaf', () => [leafOf(root)], 'codeSigning', 'not an authority'],
    [
      'CA:FALSE',
      () => chainOf(child(extensions(keyUsage('keyCertSign'), basicConstraints(false)))),
      'codeSigning',
      'not an authority',
    ],
    [
      'no basic constraints',
      () => chainOf(child(extensions(keyUsage('keyCertSign')))),
      'codeSigning',
      'not an authority',
    ],
    [
      'no key usage',
      () => chainOf(child(extensions(basicConstraints(true)))),
      'codeSigning',
      'may not sign certificates',
    ],
    [
      'key usage without keyCertSign',
      () => chainOf(child(extensions(basicConstraints(true), keyUsage('cRLSign', 'digitalSignature')))),
      'codeSigning',
      'may not sign certificates',
    ],
    [
      'another purpose',
      () => chainOf(child({ purposes: [EKU.timeStamping] })),
      'codeSigning',
      'is not for codeSigning',
    ],
    ['another purpose', () => chainOf(intermediate), 'timeStamping', 'is not for timeStamping'],
    [
      'an unknown critical extension',
      () =>
        chainOf(
          child(extensions(basicConstraints(true), keyUsage('keyCertSign'), extension('1.2.3', true, seq()))),
        ),
      'codeSigning',
      'not understood',
    ],
    [
      'certificates that do not belong together',
      () => [...chainOf(intermediate).slice(0, 1), ...chainOf(newAuthority({ name: 'x' }))],
      'codeSigning',
      'does not name',
    ],
    [
      'a gap',
      () => [...chainOf(child({}, intermediate)).slice(0, 1), ...chainOf(root)],
      'codeSigning',
      'does not name',
    ],
    [
      'another root of the same name',
      () => [...chainOf(intermediate).slice(0, 1), ...chainOf(newAuthority())],
      'codeSigning',
      'does not name',
    ],
    [
      'a path length that is exceeded',
      () => chainOf(child({ name: 'x' }, child({ name: 'y' }, newAuthority({ pathLength: 0 })))),
      'codeSigning',
      'longer',
    ],
    [
      'an unreadable extension',
      () => chainOf(child(extensions(extension('2.5.29.19', true, bits(seq())), keyUsage('keyCertSign')))),
      'codeSigning',
      'malformed extension',
    ],
    [
      'a key that cannot be used',
      () => chainOf(child({ fields: { spki: seq(seq(oid('1.3.101.112')), bits(new Uint8Array(32))) } })),
      'codeSigning',
      'small order',
    ],
  ]
  it.each(cases)('refuses %s: MALFORMED_TRUSTED_ROOT', (_, chain, purpose, why) => {
    expect(() => linkAuthority(chain(), purpose)).toThrow(withCode('MALFORMED_TRUSTED_ROOT'))
    expect(() => linkAuthority(chain(), purpose)).toThrow(why)
  })

  it('tells an algorithm that is not supported from damage: SIGNATURE_ALGORITHM', () => {
    const sha1 = child({
      fields: { algorithm: 'ecdsa-sha1', innerAlgorithm: algorithmIdentifier('ecdsa-sha1') },
    })
    expect(() => linkAuthority(chainOf(sha1), 'codeSigning')).toThrow(withCode('SIGNATURE_ALGORITHM'))
  })
})
