import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { repairGemBundles } from '../../formats/gem-bundles.ts'
import { readVector, vectorCases, vectorInput } from '../support/vectors.ts'

const DER = Buffer.from([0x30, 0x03, 0x02, 0x01, 0x01])
const PEM = `-----BEGIN CERTIFICATE-----\n${DER.toString('base64')}\n-----END CERTIFICATE-----\n`
const DOUBLE = Buffer.from(PEM).toString('base64')
const KIND = '"kindVersion":{"kind":"hashedrekord","version":"0.0.1"}'

const bundle = (entries: string, rawBytes = DER.toString('base64')): string =>
  `{"mediaType":"m", "verificationMaterial": {"certificate":{"rawBytes":"${rawBytes}"},"tlogEntries":${entries}},"x":1.0}`
const repair = (text: string): { texts: string[]; notes: readonly string[] } => {
  const { bundles, notes } = repairGemBundles(Buffer.from(text))
  return { texts: bundles.map((bytes) => Buffer.from(bytes).toString()), notes }
}

describe('bundles as the gem host stores them', () => {
  it('come one by one and byte for byte when nothing is broken', () => {
    const sound = bundle(`[{${KIND},"logIndex":"1"}]`)
    expect(repair(`[ ${sound} , ${sound}]`)).toEqual({ texts: [sound, sound], notes: [] })
    expect(repair(sound)).toEqual({ texts: [sound], notes: [] })
    expect(repair('[]')).toEqual({ texts: [], notes: [] })
  })

  it('get back the kind of their log entries', () => {
    const { texts, notes } = repair(
      `[${bundle(`[{"logIndex":"1"},{ "kindVersion" : null },{}, {${KIND}}]`)}]`,
    )
    const entry = `{${KIND}`
    expect(texts).toEqual([
      bundle(`[${entry},"logIndex":"1"},{ "kindVersion" : ${KIND.slice(14)} },${entry}}, ${entry}}]`),
    ])
    expect(notes).toEqual(
      [1, 2, 3].map((n) => `bundle 1: log entry ${n} had no kind, taken as hashedrekord 0.0.1`),
    )
  })

  it('get a certificate in DER for one in PEM', () => {
    const { texts, notes } = repair(`[${bundle('[]', DOUBLE)}]`)
    expect(texts).toEqual([bundle('[]')])
    expect(notes).toEqual(['bundle 1: the certificate was PEM inside base64, taken as DER'])
  })

  it('are left alone where they are broken in any other way', () => {
    for (const rawBytes of [
      '%',
      Buffer.from(PEM + PEM).toString('base64'),
      Buffer.from('x').toString('base64'),
    ]) {
      expect(repair(bundle('[]', rawBytes)).notes).toEqual([])
    }
    for (const text of [
      '{}',
      '[1]',
      '["a"]',
      '{"verificationMaterial":[]}',
      bundle('{}'),
      bundle('[1,[]]'),
      bundle('null'),
    ]) {
      expect(repair(text).notes).toEqual([])
    }
  })

  it('must be JSON', () => {
    for (const text of ['', '[{]', '{"a":1,"a":2}']) {
      expect(() => repair(text)).toThrow(expect.objectContaining({ code: 'MALFORMED_BUNDLE' }))
    }
  })
})

const published = vectorCases('gem').filter((c) => c.id === 'gem/sigstore-1.0.0')
it.each(published)(
  'published bundles of gems: $id is as before after breaking and repairing it',
  (vector) => {
    const text = readVector(vectorInput(vector, 'bundle')).toString()
    expect(repair(text)).toEqual({ texts: [text.trim()], notes: [] })
    const sound = JSON.parse(text) as Stored
    const broken = JSON.parse(text) as Stored
    const { verificationMaterial: material } = broken
    const der = material.certificate.rawBytes.replace(/.{64}/g, '$&\n')
    material.certificate.rawBytes = Buffer.from(
      `-----BEGIN CERTIFICATE-----\n${der}\n-----END CERTIFICATE-----\n`,
    ).toString('base64')
    for (const entry of material.tlogEntries) delete entry.kindVersion
    const { texts, notes } = repair(JSON.stringify([broken]))
    expect(JSON.parse(texts[0] ?? '')).toEqual(sound)
    expect(notes).toHaveLength(2)
  },
)

interface Stored {
  verificationMaterial: { certificate: { rawBytes: string }; tlogEntries: { kindVersion?: unknown }[] }
}
