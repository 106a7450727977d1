import { Buffer } from 'node:buffer'
import seeds from '@sigstore/tuf/seeds.json' with { type: 'json' }
import { describe, expect, it } from 'vitest'
import { loadSeed } from '../../daemon/seed.ts'

type Seeds = NonNullable<Parameters<typeof loadSeed>[0]>
const mismatch: unknown = expect.objectContaining({ code: 'TRUST_SEED_MISMATCH', name: 'TrustError' })
const [url = '', repository] = Object.entries(seeds as Seeds)[0] ?? []
const root = repository?.['root.json'] ?? ''
const targets = repository?.targets ?? {}

/** The text with one bit of one byte changed, still base64. */
function flipped(text: string, at: number): string {
  const bytes = Buffer.from(text, 'base64')
  bytes[at] = (bytes[at] ?? 0) ^ 1
  return bytes.toString('base64')
}

describe('the embedded seed', () => {
  it('says what it holds and how old it is', async () => {
    const seed = await loadSeed()
    expect(seed.asOf.toISOString()).toBe('2026-11-05T00:00:00.000Z')
    expect(JSON.parse(Buffer.from(seed.trustedRoot).toString())).toHaveProperty('tlogs')
    expect(seed.registryKeys).toHaveLength(1)
    expect(seed.registryKeys[0]?.host).toMatch(/^[a-z.]+$/)
  })

  it('has the version and the expiry that its root says', async () => {
    const seed = await loadSeed()
    const { signed } = JSON.parse(Buffer.from(root, 'base64').toString()) as {
      signed: { version: number; expires: string }
    }
    expect(seed.rootVersion).toBe(signed.version)
    expect(seed.rootExpires).toEqual(new Date(signed.expires))
  })

  const length = Buffer.from(root, 'base64').length
  it.each([0, Math.floor(length / 2), length - 1])(
    'is refused with another byte at %d of its root',
    async (at) => {
      const changed = { [url]: { 'root.json': flipped(root, at), targets } }
      await expect(loadSeed(changed)).rejects.toThrow(mismatch)
    },
  )

  it.each(Object.keys(targets).filter((name) => /trusted_root\.json$|keys\.json$/.test(name)))(
    'is refused with another byte in its target %s',
    async (name) => {
      const changed = {
        [url]: { 'root.json': root, targets: { ...targets, [name]: flipped(targets[name] ?? '', 100) } },
      }
      await expect(loadSeed(changed)).rejects.toThrow(mismatch)
    },
  )

  it.each([
    ['no repository', {}],
    ['no root', { [url]: { 'root.json': '', targets } }],
    ['no trusted root', { [url]: { 'root.json': root, targets: {} } }],
    [
      'no keys of a registry',
      { [url]: { 'root.json': root, targets: { 'trusted_root.json': targets['trusted_root.json'] ?? '' } } },
    ],
    [
      'the keys of two registries',
      { [url]: { 'root.json': root, targets: { ...targets, 'other.example%2Fkeys.json': '' } } },
    ],
    ['a root that is no base64', { [url]: { 'root.json': `${root} `, targets } }],
  ])('is refused with %s', async (_what, changed) => {
    await expect(loadSeed(changed)).rejects.toThrow(mismatch)
  })
})
