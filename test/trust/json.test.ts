import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonNumber, parseJson, parseJsonText, type Json } from '../../trust/json.ts'

const LIMITS = { size: 1000, depth: 4, code: 'BUNDLE_JSON', what: 'bundle' } as const
const parse = (text: string | Uint8Array): Json => parseJson(Buffer.from(text), LIMITS)
const refusal: unknown = expect.objectContaining({ code: 'BUNDLE_JSON', name: 'MalformedError' })

/** Back to what JSON.parse gives. */
function plain(value: Json): unknown {
  if (value instanceof JsonNumber) return Number(value.text)
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, item]: [string, Json]) => [key, plain(item)]))
  if (Array.isArray(value)) return value.map((item: Json) => plain(item))
  return value
}

describe('JSON that is read', () => {
  it('is the same that JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.integer({ min: 0, max: 2 }), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent)
        fc.pre(text.isWellFormed() && !text.includes('"__proto__"') && !/\\ud[89a-f]/.test(text))
        const read = parseJson(Buffer.from(text), { ...LIMITS, size: 1e6, depth: 20 })
        expect(plain(read)).toEqual(JSON.parse(text))
      }),
      { numRuns: 300 },
    )
  })

  it('keeps the text of numbers, which logs count beyond 2^53', () => {
    expect(parse('9007199254740993')).toEqual(new JsonNumber('9007199254740993'))
    expect(parse('[-0, 1e3, 1.50]')).toEqual(['-0', '1e3', '1.50'].map((text) => new JsonNumber(text)))
  })

  it('has keys that are only keys', () => {
    const object = parse('{"__proto__": {"x": true}, "constructor": null, "": []}')
    expect(object).toEqual(
      new Map<string, Json>([
        ['__proto__', new Map([['x', true]])],
        ['constructor', null],
        ['', []],
      ]),
    )
  })

  it('may have any escape and any letter', () => {
    expect(parse(String.raw`"\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00 é 😀"`)).toBe('"\\/\b\f\n\r\tAé😀 é 😀')
  })

  it('may be as deep and as large as the limits say, and no more', () => {
    expect(parse('[[[[1]]]]')).toBeInstanceOf(Array)
    expect(() => parse('[[[[[1]]]]]')).toThrow(refusal)
    expect(() => parse('{"a":{"a":{"a":{"a":{"a":1}}}}}')).toThrow(refusal)
    expect(parse(`"${'x'.repeat(998)}"`)).toHaveLength(998)
    expect(() => parse(`"${'x'.repeat(999)}"`)).toThrow(refusal)
    expect(() => parseJsonText(`"${'x'.repeat(999)}"`, LIMITS)).toThrow(refusal)
    expect(parseJsonText('[]', LIMITS)).toEqual([])
  })

  it('may be nested without end and costs no stack', () => {
    const deep = `${'['.repeat(500_000)}${']'.repeat(500_000)}`
    expect(() => parseJson(Buffer.from(deep), { ...LIMITS, size: 1e7, depth: 64 })).toThrow(refusal)
  })
})

describe('JSON that is refused', () => {
  const texts: Readonly<Record<string, string>> = {
    nothing: '',
    'white space': ' \n',
    'two values': '1 2',
    'text after the end': '{} x',
    'a byte order mark': '\ufeff{}',
    'a no-break space': '\u00a0{}',
    'a comma at the end of an object': '{"a":1,}',
    'a comma at the end of a list': '[1,]',
    'a missing comma': '[1 2]',
    'a missing colon': '{"a" 1}',
    'a missing value': '{"a":}',
    'a key without quotes': '{a:1}',
    'a number as key': '{1:1}',
    'single quotes': "{'a':1}",
    'a comment': '{/* */}',
    'an open object': '{"a":1',
    'an open list': '[1',
    'an open string': '"abc',
    'an open escape': '"\\',
    'an unknown escape': String.raw`"\x41"`,
    'a short escape': String.raw`"\u12"`,
    'an escape that is no number': String.raw`"\u00g0"`,
    'a control character': '"\u0001"',
    'a line break in a string': '"a\nb"',
    'a lone high surrogate': String.raw`"\ud800"`,
    'a lone low surrogate': String.raw`"\udc00"`,
    'surrogates the wrong way round': String.raw`"\udc00\ud800"`,
    'a leading zero': '01',
    'a leading plus': '+1',
    'a lone minus': '-',
    'a fraction without digits': '1.',
    'a fraction without a whole': '.5',
    'an exponent without digits': '1e',
    hexadecimal: '0x10',
    NaN: 'NaN',
    Infinity: '-Infinity',
    undefined: 'undefined',
    'half a word': 'tru',
    'a word and more': 'nullx',
    'an upper-case word': 'TRUE',
  }
  for (const [name, text] of Object.entries(texts)) {
    it(`has ${name}`, () => {
      expect(() => parse(text)).toThrow(refusal)
    })
  }

  it('has one key twice, however it is spelt', () => {
    const message = 'bundle is not valid JSON: key "a" stands twice in one object'
    expect(() => parse('{"a":1,"a":1}')).toThrow(message)
    expect(() => parse(String.raw`{"a":1,"\u0061":2}`)).toThrow(message)
    expect(() => parse('{"__proto__":1,"__proto__":2}')).toThrow(refusal)
    expect(parse('[{"a":1},{"a":2}]')).toHaveLength(2)
  })

  it('is not well-formed UTF-8', () => {
    const bytes = [[0xc0, 0x80], [0xff], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]]
    for (const wrong of bytes)
      expect(() => parse(Buffer.from([0x22, ...wrong, 0x22]))).toThrow('bundle is not valid UTF-8')
    expect(() => parse(Buffer.from('{}', 'utf16le'))).toThrow(refusal)
  })

  it('tells where', () => {
    expect(() => parse('[1, 2, x]')).toThrow(expect.objectContaining({ where: 'offset 7' }))
  })
})
