import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { elementsAt, membersAt, spanOf } from '../../formats/json-spans.ts'

describe('where values stand in a JSON text', () => {
  const text = ' { "a" : [ 1 , "x]" , {"b":"}\\"{"} ] ,"n\\u0061me":-1.5e3,"name":null , "o":{ } } '

  it('gives members in order, with repetitions and escaped keys', () => {
    const members = membersAt(text, 0)?.map(({ key, value }) => [key, text.slice(value.start, value.end)])
    expect(members).toEqual([
      ['a', '[ 1 , "x]" , {"b":"}\\"{"} ]'],
      ['name', '-1.5e3'],
      ['name', 'null'],
      ['o', '{ }'],
    ])
  })

  it('gives elements and values by keys', () => {
    const list = spanOf(text, 0, 'a')
    const elements = elementsAt(text, list?.start ?? 0)?.map(({ start, end }) => text.slice(start, end))
    expect(elements).toEqual(['1', '"x]"', '{"b":"}\\"{"}'])
    expect(spanOf('{"a":{"b":7}}', 0, 'a', 'b')).toEqual({ start: 10, end: 11 })
    expect(spanOf('{"a":{"b":7}}', 0, 'a', 'c', 'd')).toBeUndefined()
    expect(elementsAt('[ ]', 0)).toEqual([])
    expect(elementsAt('{}', 0)).toBeUndefined()
    expect(membersAt('[]', 0)).toBeUndefined()
    expect(membersAt('{}', 0)).toEqual([])
  })

  it('agrees with JSON.parse on every document', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 2), (value, indent) => {
        const document = JSON.stringify(value, undefined, indent)
        const parsed = JSON.parse(document) as Record<string, unknown>
        const members = membersAt(document, 0) ?? []
        expect(members.map((member) => member.key).toSorted()).toEqual(Object.keys(parsed).toSorted())
        for (const { key, value: span } of members) {
          expect(JSON.parse(document.slice(span.start, span.end))).toEqual(parsed[key])
        }
      }),
      { numRuns: 200 },
    )
  })
})
