import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { inspectDocument, inspectFile } from '../../daemon/inspect.ts'
import { readVector, vectorCases, vectorInput, vectorPath } from '../support/vectors.ts'

describe('published files', () => {
  it.each(vectorCases('timestamp').filter(({ inputs }) => typeof inputs['timestamp'] === 'string'))(
    'timestamp $id',
    (vector) => {
      const found = inspectDocument(readVector(vectorInput(vector, 'timestamp')))
      expect(found?.kind).toBe('timestamp')
    },
  )

  it.each(vectorCases('bundle-verify').filter(({ inputs }) => typeof inputs['bundle'] === 'string'))(
    'bundle $id',
    (vector) => {
      const found = inspectDocument(readVector(vectorInput(vector, 'bundle')))
      expect(found?.kind).toBe('bundle')
      expect(found?.fields.length).toBeGreaterThan(0)
    },
  )

  const manifest = vectorPath('MANIFEST.json')

  it.skipIf(manifest === undefined)(
    'none of them, whole or changed, ends in anything but a report',
    async () => {
      const top = dirname(manifest ?? '')
      const paths = readdirSync(top, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .filter((path) => statSync(path).size < 100_000)
      expect(paths.length).toBeGreaterThan(500)
      for (const [i, path] of paths.entries()) {
        const bytes = readFileSync(path)
        const place = (i * 7919) % Math.max(1, bytes.length)
        if (bytes.length > 0) bytes[place] = (bytes[place] ?? 0) ^ (1 << (i % 8))
        expect(() => inspectDocument(bytes)).not.toThrow()
        if (i % 5 === 0) expect((await inspectFile({ path })).fields.length).toBeGreaterThan(0)
      }
    },
  )
})
