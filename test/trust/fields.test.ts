import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { Fields, parseTime } from '../../trust/fields.ts'
import { parseJson } from '../../trust/json.ts'

const fields = (value: unknown): Fields => {
  const limits = { size: 1e6, depth: 16, code: 'BUNDLE_JSON', what: 'bundle' } as const
  return new Fields(parseJson(Buffer.from(JSON.stringify(value)), limits), '$', 'BUNDLE_FIELD')
}
const refusal = (where: string): unknown => expect.objectContaining({ code: 'BUNDLE_FIELD', where })

describe('an object', () => {
  it('is nothing else', () => {
    for (const value of [null, [], 'x', 1, true]) expect(() => fields(value)).toThrow(refusal('$'))
    expect(() => new Fields(undefined, '$.a', 'BUNDLE_FIELD')).toThrow('$.a is missing')
  })

  it('has members of that spelling, and null is none', () => {
    const object = fields({ a: 1, b: null, log_index: 2 })
    expect(object.has('a')).toBe(true)
    expect(object.has('b')).toBe(false)
    expect(object.has('logIndex')).toBe(false)
    expect(object.names()).toEqual(['a', 'log_index'])
    expect(() => object.string('b')).toThrow('$.b is missing')
  })

  it('may hold objects, named by their paths', () => {
    const object = fields({ a: { b: [{ c: 1 }, { c: 'x' }] }, d: 'x' })
    expect(object.object('a').objects('b', 2, 'BUNDLE_LIMIT')[1]?.string('c')).toBe('x')
    expect(() => object.object('a').objects('b', 2, 'BUNDLE_LIMIT')[0]?.string('c')).toThrow(
      refusal('$.a.b[0].c'),
    )
    expect(() => object.object('d')).toThrow(refusal('$.d'))
    expect(object.optionalObject('e')).toBeUndefined()
    expect(() => object.optionalObject('d')).toThrow(refusal('$.d'))
  })
})

describe('a list', () => {
  it('may be absent, and is bounded', () => {
    const object = fields({ a: [1, 2, 3], b: {}, c: null })
    expect(object.list('a', 3, 'BUNDLE_LIMIT')).toHaveLength(3)
    expect(() => object.list('a', 2, 'BUNDLE_LIMIT')).toThrow(
      expect.objectContaining({ code: 'BUNDLE_LIMIT', got: '3', wanted: 'at most 2' }),
    )
    expect(object.list('c', 1, 'BUNDLE_LIMIT')).toEqual([])
    expect(object.list('d', 1, 'BUNDLE_LIMIT')).toEqual([])
    expect(() => object.list('b', 1, 'BUNDLE_LIMIT')).toThrow(refusal('$.b'))
    expect(() => object.objects('a', 3, 'BUNDLE_LIMIT')).toThrow(refusal('$.a[0]'))
  })
})

describe('bytes', () => {
  it('are at least one, in strict base64', () => {
    const object = fields({ a: 'YQ==', b: '', c: 'YQ', d: 'Y Q=', e: 1 })
    expect(object.bytes('a')).toEqual(Buffer.from('a'))
    for (const name of ['b', 'c', 'd', 'e']) {
      expect(() => object.bytes(name)).toThrow(refusal(`$.${name}`))
      expect(() => object.optionalBytes(name)).toThrow(refusal(`$.${name}`))
    }
    expect(object.optionalBytes('f')).toBeUndefined()
  })
})

describe('a number', () => {
  it('is whole, not negative and below 2^63, as text or number', () => {
    const object = fields({ a: '9223372036854775807', b: 7, c: '0' })
    expect(object.decimal('a')).toBe(9223372036854775807n)
    expect(object.decimal('b')).toBe(7n)
    expect(object.decimal('c')).toBe(0n)
    expect(object.optionalDecimal('d')).toBeUndefined()
  })

  it('is nothing else', () => {
    const wrong = [
      '9223372036854775808',
      '-1',
      '',
      '01',
      '1.0',
      '1e3',
      ' 1',
      'x',
      -1,
      1.5,
      1e300,
      true,
      [],
      {},
    ]
    for (const value of wrong) {
      expect(() => fields({ a: value }).decimal('a')).toThrow(refusal('$.a'))
      expect(() => fields({ a: value }).optionalDecimal('a')).toThrow(refusal('$.a'))
    }
  })
})

describe('text', () => {
  it('is nothing else', () => {
    for (const value of [1, true, [], {}]) {
      expect(() => fields({ a: value }).string('a')).toThrow(refusal('$.a'))
      expect(() => fields({ a: value }).optionalString('a')).toThrow(refusal('$.a'))
    }
    expect(fields({ a: '' }).optionalString('a')).toBe('')
  })

  it('is shown in part where it is long', () => {
    const long = 'x'.repeat(100)
    expect(() => fields({ a: long }).decimal('a')).toThrow(
      expect.objectContaining({ got: `"${'x'.repeat(60)}…"` }),
    )
  })
})

describe('a time', () => {
  it('is RFC 3339 in UTC', () => {
    expect(parseTime('2026-01-31T12:00:00Z')).toEqual(new Date('2026-01-31T12:00:00Z'))
    expect(parseTime('2026-01-31T12:00:00+00:00')).toEqual(new Date('2026-01-31T12:00:00Z'))
    expect(parseTime('2024-02-29T23:59:59.5Z')).toEqual(new Date('2024-02-29T23:59:59.500Z'))
    expect(parseTime('2026-01-31T12:00:00.123456789Z')).toEqual(new Date('2026-01-31T12:00:00.123Z'))
    expect(fields({ a: '2026-01-31T12:00:00Z' }).optionalTime('a')).toEqual(new Date('2026-01-31T12:00:00Z'))
    expect(fields({}).optionalTime('a')).toBeUndefined()
  })

  it('is no other time and no day that does not exist', () => {
    const wrong = [
      '',
      '2026-01-31',
      '2026-01-31T12:00Z',
      '2026-01-31 12:00:00Z',
      '2026-01-31T12:00:00',
      '2026-01-31T12:00:00z',
      '2026-02-30T12:00:00Z',
      '2025-02-29T00:00:00Z',
      '2026-13-01T00:00:00Z',
      '2026-01-31T24:00:00Z',
      '2026-01-31T12:00:60Z',
      '2026-01-31T12:00:00+01:00',
      '2026-01-31T12:00:00.Z',
      '2026-01-31T12:00:00.1234567890Z',
      '+002026-01-31T12:00:00Z',
      '1769860800',
      '2026-01-31T12:00:00Z\n',
    ]
    for (const text of wrong) {
      expect(parseTime(text)).toBeUndefined()
      expect(() => fields({ a: text }).optionalTime('a')).toThrow(refusal('$.a'))
    }
  })
})
