import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { encodeElement, TAG } from '../../../trust/x509/der.ts'
import { formatName } from '../../../trust/x509/name.ts'
import { commonName, oid, seq, utf8 } from '../../support/test-der.ts'

const withCode = (code: string): unknown => expect.objectContaining({ code })

describe('formatName', () => {
  const attribute = (type: string, value: Uint8Array): Uint8Array => seq(oid(type), value)
  const set = (...parts: readonly Uint8Array[]): Uint8Array => encodeElement(TAG.set, ...parts)

  it('writes names as people do, the last part first', () => {
    const name = seq(
      set(attribute('2.5.4.10', encodeElement(TAG.printableString, Buffer.from('sigstore.dev')))),
      set(
        attribute('2.5.4.3', utf8('sigstore, "inc"')),
        attribute('1.2.3', encodeElement(TAG.integer, Uint8Array.of(5))),
      ),
    )
    expect(formatName(name)).toBe('CN=sigstore\\, \\"inc\\"+1.2.3=#020105,O=sigstore.dev')
    expect(formatName(seq())).toBe('')
    expect(formatName(commonName(' #a\0 '))).toBe('CN=\\ #a\\00\\ ')
    expect(
      formatName(seq(set(attribute('2.5.4.3', encodeElement(TAG.utf8String, Uint8Array.of(0xff)))))),
    ).toBe('CN=#0c01ff')
  })

  it.each<[string, Uint8Array]>([
    ['no sequence', utf8('x')],
    ['no set inside', seq(utf8('x'))],
    ['no sequence in the set', seq(set(utf8('x')))],
    ['an attribute without a value', seq(set(seq(oid('2.5.4.3'))))],
    ['bytes after it', Buffer.concat([seq(), Uint8Array.of(0)])],
  ])('refuses %s: MALFORMED_CERTIFICATE', (_, name) => {
    expect(() => formatName(name)).toThrow(withCode('MALFORMED_CERTIFICATE'))
  })
})
