import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, type CanonicalValue } from '../../trust/canonical-json.ts'
import { parseJson, parseJsonText } from '../../trust/json.ts'
import { readVector, vectorCases, vectorInput } from '../support/vectors.ts'

const MALFORMED: unknown = expect.objectContaining({ code: 'MALFORMED_JSON' })
const LIMITS = { size: 1 << 20, depth: 32, code: 'MALFORMED_JSON', what: 'text' } as const

describe('canonical JSON', () => {
  it('sorts members by UTF-16 code units at every level (RFC 8785 section 3.2.3)', () => {
    const value = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': { b: [], a: {} },
      '\u{1f600}': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    }
    expect(canonicalJson(value)).toBe(
      '{"\\r":"Carriage Return","1":{"a":{},"b":[]},"\u0080":"Control",' +
        '"\u00f6":"Latin Small Letter O With Diaeresis","\u20ac":"Euro Sign",' +
        '"\u{1f600}":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
    )
  })

  it('escapes only what must be, in the shortest way', () => {
    expect(canonicalJson('\u20ac$\u000f\nA\'\u0042"\\/\b\f\t\u007f<>&\u2028')).toBe(
      '"\u20ac$\\u000f\\nA\'B\\"\\\\/\\b\\f\\t\u007f<>&\u2028"',
    )
  })

  it('writes integers, booleans and null plainly', () => {
    const value = [0, -0, -1, 1e15, 9007199254740991, -9007199254740991n, 42n, true, false, null]
    expect(canonicalJson(value)).toBe(
      '[0,0,-1,1000000000000000,9007199254740991,-9007199254740991,42,true,false,null]',
    )
  })

  it.each([0.5, 2 ** 53, -(2 ** 53), 2n ** 53n, 2n ** 64n, Number.NaN, Number.POSITIVE_INFINITY, 1e21])(
    'refuses the number %s (MALFORMED_JSON)',
    (value) => {
      expect(() => canonicalJson({ value })).toThrow(MALFORMED)
    },
  )

  it('refuses lone surrogates in values and keys', () => {
    expect(() => canonicalJson(['\ud800'])).toThrow(MALFORMED)
    expect(() => canonicalJson({ '\udc00': 1 })).toThrow(MALFORMED)
  })

  it('takes what the strict reader gives, and keys like __proto__ as keys', () => {
    const text = ' { "b" : [ 1 , -0, {"z":null,"y":true} ], "__proto__": {"c": "\\u0041"}, "a": 12 } '
    expect(canonicalJson(parseJsonText(text, LIMITS))).toBe(
      '{"__proto__":{"c":"A"},"a":12,"b":[1,0,{"y":true,"z":null}]}',
    )
    for (const number of ['1.0', '1e3', '0.1', '9007199254740992', '123456789012345678901234567890']) {
      expect(() => canonicalJson(parseJsonText(number, LIMITS))).toThrow(MALFORMED)
    }
  })

  it('is stable: what it wrote reads back to the same text, whatever the order of members', () => {
    const leaf = fc.oneof(fc.string({ unit: 'binary' }), fc.maxSafeInteger(), fc.boolean(), fc.constant(null))
    const { value: values } = fc.letrec<{ value: CanonicalValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.string({ unit: 'binary' }), tie('value'), { maxKeys: 5 }),
      ),
    }))
    fc.assert(
      fc.property(values, (value) => {
        const text = canonicalJson(value)
        expect(canonicalJson(parseJsonText(text, LIMITS))).toBe(text)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
        if (typeof value !== 'object' || value === null || Array.isArray(value)) return
        const reversed = Object.fromEntries(Object.entries(value).toReversed())
        expect(canonicalJson(reversed)).toBe(text)
      }),
      { numRuns: 200 },
    )
  })
})

describe('published vectors', () => {
  const cases = vectorCases('rekor-entry').filter((c) => c.id === 'java/rekor-entry/entry')

  it.each(cases.map((c) => [c.id, c] as const))(
    '%s: the logged body is canonical as it stands',
    (_, vector) => {
      const entries = JSON.parse(readVector(vectorInput(vector, 'entry')).toString('utf8')) as Record<
        string,
        { body: string }
      >
      const bodies = Object.values(entries).map(({ body }) => Buffer.from(body, 'base64'))
      expect(bodies).toHaveLength(1)
      for (const body of bodies) expect(canonicalJson(parseJson(body, LIMITS))).toBe(body.toString('utf8'))
    },
  )

  it('are joined by every logged body of the bundles that must pass', () => {
    for (const vector of vectorCases('bundle-verify')) {
      if (vector.expected.result !== 'pass') continue
      const bundle = JSON.parse(readVector(vectorInput(vector, 'bundle')).toString('utf8')) as {
        verificationMaterial?: { tlogEntries?: readonly { canonicalizedBody: string }[] }
      }
      for (const { canonicalizedBody } of bundle.verificationMaterial?.tlogEntries ?? []) {
        const body = Buffer.from(canonicalizedBody, 'base64')
        expect(canonicalJson(parseJson(body, LIMITS))).toBe(body.toString('utf8'))
      }
    }
    expect(canonicalJson({})).toBe('{}')
  })
})
