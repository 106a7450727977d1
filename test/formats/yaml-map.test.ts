import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { parseYamlFields, type YamlFields } from '../../formats/yaml-map.ts'

const read = (text: string | Uint8Array): Promise<YamlFields> =>
  parseYamlFields(Buffer.from(text), { code: 'PACKAGE_METADATA', what: 'test' })
const refuses = (code: string): unknown => expect.objectContaining({ code, name: 'MalformedError' })

describe('reading a YAML mapping', () => {
  it('gives texts as they are written, whatever they look like', async () => {
    const fields = await read(
      '\uFEFF--- !ruby/object:X\na: 1.2.3\nb: "1.10"\nc: \'no\'\nd: 2\ne: 0.1\nf:\ng: !str x\nh: |\n  y\n',
    )
    expect(fields.keys).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'])
    const texts = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'z'].map((key) => fields.text(key))
    expect(texts).toEqual(['1.2.3', '1.10', 'no', '2', '0.1', undefined, 'x', 'y\n', undefined])
  })

  it('gives mappings below, also through an alias', async () => {
    const fields = await read('a: &a !x\n  b: c\nd: *a\ne: f\n')
    expect(fields.map('a')?.text('b')).toBe('c')
    expect(fields.map('d')?.text('b')).toBe('c')
    expect(fields.map('e')).toBeUndefined()
    expect(fields.map('z')).toBeUndefined()
  })

  it('reads base64 that is marked as such', async () => {
    const fields = await read('a: !binary |-\n  MS4w\n  LjA=\nb: !binary "%%"\nc: !!binary "/w=="\n')
    expect(fields.text('a')).toBe('1.0.0')
    for (const key of ['b', 'c']) expect(() => fields.text(key)).toThrow(refuses('PACKAGE_METADATA'))
  })

  it.each(['1.10', '010', '0x1F', '1e3', '1_000', 'no', 'True', '~', 'null', '.5', '2020-01-02', '.inf'])(
    'refuses the unquoted %s, which readers understand differently',
    async (value) => {
      const fields = await read(`a: ${value}\nb: "${value}"\n`)
      expect(() => fields.text('a')).toThrow(refuses('PACKAGE_METADATA'))
      expect(fields.text('b')).toBe(value)
    },
  )

  it.each([
    ['two documents', 'a: b\n---\nc: d\n'],
    ['a list', '- a'],
    ['a text', 'a'],
    ['nothing', ''],
    ['an open bracket', 'a: [b'],
    ['a key that is a list', '? [a]\n: b'],
    ['a merge key', 'a: &a {b: c}\n<<: *a'],
    ['a tab as indentation', 'a:\n\tb: c'],
    ['deep nesting', `a: ${'['.repeat(50_000)}`],
  ])('refuses %s', async (_what, text) => {
    await expect(read(text)).rejects.toThrow(refuses('PACKAGE_METADATA'))
  })

  it('refuses bytes that are not UTF-8', async () => {
    await expect(read(Buffer.from([0x61, 0x3a, 0x20, 0xff]))).rejects.toThrow(refuses('PACKAGE_METADATA'))
  })

  it('refuses keys that stand twice, also below', async () => {
    await expect(read('a: b\n"a": c')).rejects.toThrow(refuses('PACKAGE_DUPLICATE'))
    const fields = await read('a: {b: c, b: d}')
    expect(() => fields.map('a')).toThrow(refuses('PACKAGE_DUPLICATE'))
  })

  it('refuses lists, mappings, objects and aliases of nothing where a text must be', async () => {
    const fields = await read('a: [b]\nc: {d: e}\nf: !x g\nh: *i\n')
    for (const key of ['a', 'c', 'f', 'h'])
      expect(() => fields.text(key)).toThrow(refuses('PACKAGE_METADATA'))
  })

  it('is bounded: size, number of values, aliases', async () => {
    await expect(read(`a: ${'x'.repeat(4 * 1024 * 1024)}`)).rejects.toThrow(refuses('PACKAGE_LIMIT'))
    await expect(read(`a:\n${'- b\n'.repeat(60_000)}`)).rejects.toThrow(refuses('PACKAGE_LIMIT'))
    await expect(read(`a: ${'['.repeat(200_000)}`)).rejects.toThrow(refuses('PACKAGE_LIMIT'))
    const bomb = Array.from({ length: 30 }, (_, i) => `k${i + 1}: &k${i + 1} [${`*k${i},`.repeat(10)}]`)
    expect((await read(`k0: &k0 x\n${bomb.join('\n')}\n`)).text('k0')).toBe('x')
  })
})
