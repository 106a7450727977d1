import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  asBuffer,
  concatBytes,
  decodeBase64,
  decodeDecimal,
  decodeHex,
  decodeUtf8,
  encodeBase64,
  encodeHex,
  encodeUtf8,
  equalBytes,
  escapeForDisplay,
} from '../../trust/encoding.ts'

const bytes = fc.uint8Array({ maxLength: 80 })

describe('base64', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(decodeBase64(encodeBase64(value))).toEqual(Buffer.from(value))
      }),
    )
  })

  it('has one spelling for each value', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), (text) => {
        const value = decodeBase64(text)
        expect(value === undefined || encodeBase64(value) === text).toBe(true)
      }),
    )
    const wrong = [
      'YQ',
      'YQ=',
      'YR==',
      'YQ==\n',
      ' YQ==',
      'Y-_=',
      'YQ==YQ==',
      '====',
      'Y===',
      'YQ==AAAA',
      'YW*j',
      'ＹＱ==',
      'YQ\u0000=',
    ]
    for (const text of wrong) expect(decodeBase64(text)).toBeUndefined()
    expect(decodeBase64('')).toEqual(Buffer.alloc(0))
  })
})

describe('hexadecimal', () => {
  it('comes back as it was, and may be of upper case', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(decodeHex(encodeHex(value).toUpperCase())).toEqual(Buffer.from(value))
      }),
    )
  })

  it('is refused with anything else in it', () => {
    for (const text of ['a', 'ag', '0x00', ' 00', '00\n', 'ａａ', '0 0 '])
      expect(decodeHex(text)).toBeUndefined()
  })
})

describe('UTF-8', () => {
  it('comes back as it was, byte order mark included', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        fc.pre(text.isWellFormed())
        expect(decodeUtf8(encodeUtf8(text))).toBe(text)
      }),
    )
    expect(decodeUtf8(Buffer.from([0xef, 0xbb, 0xbf, 0x61]))).toBe('\ufeffa')
  })

  it('is refused where it is ill-formed', () => {
    for (const wrong of [[0x80], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x61, 0xff]]) {
      expect(decodeUtf8(Uint8Array.from(wrong))).toBeUndefined()
    }
  })
})

describe('decimal', () => {
  it('is a number without sign, zeros in front or anything else, of at most 19 digits', () => {
    expect(decodeDecimal('0')).toBe(0n)
    expect(decodeDecimal('9999999999999999999')).toBe(9999999999999999999n)
    for (const text of [
      '',
      '00',
      '007',
      '+1',
      '-1',
      '1.0',
      '1e3',
      '0x1',
      ' 1',
      '1\n',
      '１',
      '10000000000000000000',
    ]) {
      expect(decodeDecimal(text)).toBeUndefined()
    }
  })
})

describe('bytes', () => {
  it('are equal when all of them are', () => {
    expect(equalBytes(Uint8Array.of(1, 2), Buffer.of(1, 2))).toBe(true)
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false)
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0))).toBe(false)
    expect(concatBytes(Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3))).toEqual(Buffer.of(1, 2, 3))
  })

  it('are seen through a view of theirs and of nothing around them', () => {
    const around = Uint8Array.of(9, 1, 2, 9)
    expect(encodeHex(around.subarray(1, 3))).toBe('0102')
    expect(asBuffer(around.subarray(1, 3)).buffer).toBe(around.buffer)
  })
})

describe('text from outside', () => {
  it('is shown with everything escaped that moves the cursor, turns the line or is not seen', () => {
    const hidden = [
      '\u0000',
      '\u001b',
      '\u0007',
      '\r',
      '\n',
      '\t',
      '\u007f',
      '\u009b',
      '\u200b',
      '\u200e',
      '\u202e',
      '\u2066',
      '\u2028',
      '\ufeff',
      '\u00ad',
      '\u3164',
      '\ufe0f',
      '\u{e0041}',
      '\ud800',
      '\ue000',
    ]
    for (const c of hidden) {
      const escaped = `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`
      expect(escapeForDisplay(`a${c}b`)).toBe(`a${escaped}b`)
    }
  })

  it('is shown as it is where it is plain', () => {
    const text = 'https://example.com/ü 漢字 العربية 😀 ~ \\'
    expect(escapeForDisplay(text)).toBe(text)
  })
})
