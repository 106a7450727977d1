import { describe, expect, it } from 'vitest'
import { IN_TOTO_PAYLOAD_TYPE, preAuthenticationEncoding } from '../../trust/dsse.ts'
import { decodeUtf8, encodeUtf8 } from '../../trust/encoding.ts'

const encode = (type: string, payload: string): string | undefined =>
  decodeUtf8(preAuthenticationEncoding(type, encodeUtf8(payload)))

describe('pre-authentication encoding', () => {
  it('is the example of the DSSE protocol', () => {
    expect(encode('http://example.com/HelloWorld', 'hello world')).toBe(
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    )
  })

  it('writes the lengths of what is empty', () => {
    expect(encode('', '')).toBe('DSSEv1 0  0 ')
  })

  it('counts bytes, not characters', () => {
    expect(encode('tÿpe', 'ünï 🗝')).toBe('DSSEv1 5 tÿpe 10 ünï 🗝')
  })

  it('leaves the payload as it is, text or not', () => {
    const payload = Uint8Array.of(0, 0xff, 0x0a, 0x20, 0x80)
    const encoded = preAuthenticationEncoding(IN_TOTO_PAYLOAD_TYPE, payload)
    expect([...encoded.subarray(-5)]).toEqual([...payload])
    expect(decodeUtf8(encoded.subarray(0, -5))).toBe('DSSEv1 28 application/vnd.in-toto+json 5 ')
  })

  it('keeps type and payload apart', () => {
    // without the lengths these two would be one text
    expect(encode('a 1 b', 'c')).not.toBe(encode('a', '1 b 1 c'))
    expect(encode('a', 'b 1 c')).toBe('DSSEv1 1 a 5 b 1 c')
  })
})
