import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { checkKeyWindow, checkTimes, requireTimes } from '../../../trust/checks/time.ts'
import type { VerifiedTime } from '../../../trust/evidence.ts'
import { policy } from '../../../trust/policy.ts'
import { STRICT_THRESHOLDS } from '../../../trust/domain.ts'
import { newKey } from '../../support/test-der.ts'
import { newTimestampAuthority, stamp } from '../../support/test-timestamp.ts'
import { BreakableInstance, stampOf, windowOf, type TestBundle } from '../../support/breakable-instance.ts'
import { changed, keyRequirement, outcomeOf } from '../../support/verdicts.ts'

const time = (at: string, operator = 'one.example'): VerifiedTime => ({
  at: new Date(at),
  source: 'timestamp',
  authority: operator,
  operator,
})
const noon = time('2026-03-01T12:00:00Z')
const one = time('2026-03-01T13:00:00Z')
const refusal = (code: string): unknown => expect.objectContaining({ code, check: 'time' })

describe('verified times', () => {
  const authority = newTimestampAuthority({ name: 'known' })
  const signature = Buffer.from('signature bytes')
  const known = [authority.authority]

  it('are the promises and the timestamps of known authorities', () => {
    const stamps = [
      stamp(authority.leaf, signature),
      stamp(newTimestampAuthority({ name: 'unknown' }).leaf, signature),
    ]
    expect(checkTimes(stamps, signature, [noon], known)).toMatchObject([
      noon,
      {
        at: new Date('2026-03-01T12:05:00Z'),
        source: 'timestamp',
        authority: 'known',
        operator: 'timestamp.example',
      },
    ])
    expect(checkTimes(stamps, signature, [], [])).toEqual([])
  })

  it('between two milliseconds are both', () => {
    const fine = stamp(authority.leaf, signature, { info: { genTime: '20260301120500.1235Z' } })
    const times = checkTimes([fine], signature, [], known)
    expect(times.map(({ at }) => at.toISOString())).toEqual([
      '2026-03-01T12:05:00.123Z',
      '2026-03-01T12:05:00.124Z',
    ])
  })

  it('are not to be had from a known authority that stamped another signature', () => {
    const other = stamp(authority.leaf, Buffer.from('other'))
    expect(() => checkTimes([other], signature, [noon], known)).toThrow(refusal('TIME_IMPRINT'))
  })
})

describe('enough times', () => {
  it('are one at least, whatever the threshold', () => {
    expect(requireTimes([noon], 1, 0)).toEqual([noon])
    expect(() => requireTimes([], 0, 0)).toThrow(refusal('TIME_THRESHOLD'))
    expect(() => requireTimes([], 0, 1)).toThrow(refusal('TIME_THRESHOLD'))
  })

  it('are counted by operator', () => {
    expect(() => requireTimes([noon, one], 2, 2)).toThrow(refusal('TIME_THRESHOLD'))
    expect(requireTimes([noon, time('2026-03-01T12:00:00Z', 'two.example')], 2, 2)).toHaveLength(2)
  })

  it('are none, by authorities that nobody knows', () => {
    expect(() => requireTimes([], 1, 1)).toThrow(refusal('TIME_UNKNOWN_AUTHORITY'))
  })
})

describe('the window of a managed key', () => {
  it('holds all times, both ends included', () => {
    const window = windowOf('2026-03-01T12:00:00Z', '2026-03-01T13:00:00Z')
    expect(() => checkKeyWindow(window, [noon, one])).not.toThrow()
    for (const wrong of ['2026-03-01T11:59:59.999Z', '2026-03-01T13:00:00.001Z']) {
      expect(() => checkKeyWindow(window, [noon, time(wrong)])).toThrow(refusal('TIME_KEY_WINDOW'))
    }
  })

  it('asks for a time, where there is a window', () => {
    expect(() => checkKeyWindow(windowOf('2020-01-01T00:00:00Z'), [])).toThrow(refusal('TIME_KEY_WINDOW'))
    expect(() => checkKeyWindow(undefined, [])).not.toThrow()
  })
})

describe('a bundle with a certificate', () => {
  const instance = new BreakableInstance({ logs: [{ generation: 2 }], timestamps: ['one', 'two'] })
  const judged = (bundle: TestBundle, of = instance, times = 1): Promise<string> =>
    outcomeOf({ bundles: [bundle], domains: [of.domain({ thresholds: { ...STRICT_THRESHOLDS, times } })] })

  it('needs a time', async () => {
    expect(await judged(instance.sign({ timestamps: [] }))).toBe('rejected TIME_THRESHOLD')
    expect(await judged(instance.sign())).toBe('verified')
  })

  it('gets none from an authority that nobody knows', async () => {
    const stranger = newTimestampAuthority({ name: 'stranger' })
    expect(await judged(instance.sign({ timestamps: [stranger] }))).toBe('rejected TIME_UNKNOWN_AUTHORITY')
    expect(await judged(instance.sign({ timestamps: [stranger, ...instance.timestamps] }))).toBe('verified')
  })

  it('must be good at every one of its times: before, at the ends, after', async () => {
    const good = new Date('2026-03-01T12:00:00Z')
    const times = {
      '12:00:00': 'verified',
      '12:10:00': 'verified',
      '11:59:59': 'rejected CERT_TIME',
      '12:10:01': 'rejected CERT_TIME',
    }
    for (const [clock, outcome] of Object.entries(times)) {
      const at = new Date(`2026-03-01T${clock}Z`)
      expect(await judged(instance.sign({ at: [good, at] }))).toBe(outcome)
      expect(await judged(instance.sign({ at: [at, good] }))).toBe(outcome)
    }
  })

  it('must be good at the time of a log and at that of a timestamp', async () => {
    const mixed = new BreakableInstance({ generation: 1 })
    const bundle = (log: string, stamped: string): TestBundle => {
      const signed = mixed.sign({ at: new Date(`2026-03-01T${log}Z`) })
      const signature = Buffer.from(String(signed.messageSignature?.['signature']), 'base64')
      const stamps = mixed.timestamps.map((tsa) =>
        stampOf(tsa, signature, new Date(`2026-03-01T${stamped}Z`)),
      )
      return changed(signed, (copy) => {
        copy.verificationMaterial['timestampVerificationData'] = { rfc3161Timestamps: stamps }
      })
    }
    expect(await judged(bundle('12:05:00', '12:05:00'), mixed, 2)).toBe('verified')
    expect(await judged(bundle('12:05:00', '12:11:00'), mixed)).toBe('rejected CERT_TIME')
    expect(await judged(bundle('12:11:00', '12:05:00'), mixed)).toBe('rejected CERT_TIME')
  })

  it('gets no time from an integrated time that no log promised', async () => {
    const first = new BreakableInstance({ generation: 1, timestamps: [] })
    const bundle = changed(
      first.sign(),
      (copy) => delete copy.verificationMaterial.tlogEntries[0]?.['inclusionPromise'],
    )
    expect(await judged(bundle, first)).toBe('rejected TIME_THRESHOLD')
  })
})

describe('thresholds', () => {
  const two = { ...STRICT_THRESHOLDS, times: 2 }

  it('count a log and a timestamp authority of one operator once', async () => {
    const instance = new BreakableInstance({ logs: [{ generation: 1 }] })
    const bundle = instance.sign({ timestamps: instance.timestamps })
    const together = instance.trustedRoot(({ tlogs, timestampAuthorities }) => {
      for (const part of [...tlogs, ...timestampAuthorities]) part['operator'] = 'Acme'
    })
    const judge = (root = instance.trustedRoot()): Promise<string> =>
      outcomeOf({ bundles: [bundle], domains: [instance.domain({ root, thresholds: two })] })
    expect(await judge()).toBe('verified')
    expect(await judge(together)).toBe('rejected TIME_THRESHOLD')
  })

  it('count two timestamps of one authority once', async () => {
    const instance = new BreakableInstance()
    const [tsa] = instance.timestamps
    if (tsa === undefined) throw new Error('the instance has an authority')
    const bundle = instance.sign({
      timestamps: [tsa, tsa],
      at: [new Date('2026-03-01T12:04:00Z'), new Date('2026-03-01T12:05:00Z')],
    })
    expect(await outcomeOf({ bundles: [bundle], domains: [instance.domain({ thresholds: two })] })).toBe(
      'rejected TIME_THRESHOLD',
    )
  })
})

describe('a managed key with a window', () => {
  const instance = new BreakableInstance()
  const managed = newKey()
  const judged = (bundle: TestBundle, start: string, end?: string): Promise<string> => {
    const asked = policy(keyRequirement(managed, { validFor: windowOf(start, end) }))
    return outcomeOf({ bundles: [bundle], domains: [instance.domain()], policy: asked })
  }

  it('signs inside it only, and needs a time that says so', async () => {
    const bundle = instance.sign({ managed })
    expect(await judged(bundle, '2026-01-01T00:00:00Z')).toBe('verified')
    expect(await judged(bundle, '2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z')).toBe(
      'rejected TIME_KEY_WINDOW',
    )
    expect(await judged(bundle, '2026-04-01T00:00:00Z')).toBe('rejected TIME_KEY_WINDOW')
    expect(await judged(instance.sign({ managed, timestamps: [] }), '2026-01-01T00:00:00Z')).toBe(
      'rejected TIME_KEY_WINDOW',
    )
  })
})
