import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { inspectDocument } from '../../daemon/inspect.ts'
import { parseBundle } from '../../trust/bundle.ts'
import { parseJson } from '../../trust/json.ts'
import { parseTrustedRoot } from '../../trust/trusted-root.ts'

const LIMITS = { size: 16 * 1024 * 1024, depth: 4, code: 'MALFORMED_JSON', what: 'input' } as const
const many = (values: number): Buffer => Buffer.from(`[${'{},'.repeat(values - 2)}{}]`)
const coded = (code: string): unknown => expect.objectContaining({ code, name: 'MalformedError' })

describe('JSON of very many values', () => {
  it('is read up to the limit', () => {
    expect(parseJson(many(1000), { ...LIMITS, values: 1000 })).toHaveLength(999)
    expect(() => parseJson(many(1001), { ...LIMITS, values: 1000 })).toThrow(coded('MALFORMED_JSON'))
    expect(() => parseJson(many(1_000_001), LIMITS)).toThrow(coded('MALFORMED_JSON'))
  })

  it('is no bundle and no trusted root', () => {
    expect(() => parseBundle(many(200_000))).toThrow(coded('BUNDLE_JSON'))
    expect(() => parseTrustedRoot(many(200_000))).toThrow(coded('MALFORMED_TRUSTED_ROOT'))
  })

  it('is inspected as far as anybody would read', () => {
    const bundle = '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}\n'
    expect(inspectDocument(Buffer.from(bundle.repeat(256)))?.title).toBe('a file of 256 parts')
    expect(inspectDocument(Buffer.from(bundle.repeat(50_000)))?.title).toBe('a file of more than 256 parts')
  })
})

describe('a text of megabytes', () => {
  it.each(['\\n', '\\u00e4', 'a\\"b', '\\\\', '\\ud83d\\ude00'])(
    'is read with %s in it, many times',
    (part) => {
      const text = `"${part.repeat(500_000)}"`
      expect(parseJson(Buffer.from(text), LIMITS) === JSON.parse(text)).toBe(true)
    },
  )

  it('is refused for its last escape', () => {
    for (const last of ['\\x', '\\u12', '\\ud800', '\u0001', '\\']) {
      expect(() => parseJson(Buffer.from(`"${'\\n'.repeat(100_000)}${last}"`), LIMITS)).toThrow(
        coded('MALFORMED_JSON'),
      )
    }
  })
})
