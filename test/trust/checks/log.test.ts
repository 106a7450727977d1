import { describe, expect, it } from 'vitest'
import { STRICT_THRESHOLDS, type TrustDomain } from '../../../trust/domain.ts'
import { parseWitnessPolicy } from '../../../trust/log/witness-policy.ts'
import { policy } from '../../../trust/policy.ts'
import { newKey } from '../../support/test-der.ts'
import { TestWitness } from '../../support/test-log.ts'
import { BreakableInstance, type TestBundle } from '../../support/breakable-instance.ts'
import { ask, changed, damaged, keyRequirement, outcomeOf } from '../../support/verdicts.ts'

type Member = Record<string, unknown>
const entryOf = (bundle: TestBundle, i = 0): Member => bundle.verificationMaterial.tlogEntries[i] ?? {}
const proofOf = (bundle: TestBundle, i = 0): Member => entryOf(bundle, i)['inclusionProof'] as Member
const judged = (bundle: TestBundle, domain: TrustDomain): Promise<string> =>
  outcomeOf({ bundles: [bundle], domains: [domain] })

const managed = newKey()
const byKey = policy(keyRequirement(managed))
const keyed = (bundle: TestBundle, domain: TrustDomain): Promise<string> =>
  outcomeOf({ bundles: [bundle], domains: [domain], policy: byKey })

describe('an entry', () => {
  for (const generation of [1, 2] as const) {
    const instance = new BreakableInstance({ generation })
    // the first leaf of a log has an empty proof
    instance.sign()
    const good = instance.sign()
    const [log] = instance.logs
    const lies: readonly (readonly [string, string, (copy: TestBundle) => unknown])[] = [
      [
        'a changed proof',
        'LOG_PROOF',
        (copy) => (proofOf(copy)['hashes'] = [damaged((proofOf(copy)['hashes'] as unknown[])[0])]),
      ],
      ['a proof that is too short', 'LOG_PROOF', (copy) => (proofOf(copy)['hashes'] = [])],
      [
        'a place outside of the tree',
        'LOG_INDEX',
        (copy) => {
          proofOf(copy)['logIndex'] = '7'
          if (generation === 2) entryOf(copy)['logIndex'] = '7'
        },
      ],
      ['another tree size', 'LOG_ROOT_MISMATCH', (copy) => (proofOf(copy)['treeSize'] = '3')],
      [
        'another root',
        'LOG_ROOT_MISMATCH',
        (copy) => (proofOf(copy)['rootHash'] = damaged(proofOf(copy)['rootHash'])),
      ],
      [
        'a checkpoint without a signature of the log',
        'LOG_CHECKPOINT_SIGNATURE',
        (copy) => {
          const text = log?.checkpointText() ?? ''
          proofOf(copy)['checkpoint'] = { envelope: `${text}\n\u2014 someone.example AAAAAAAA\n` }
        },
      ],
      [
        'a checkpoint of another log',
        'LOG_CHECKPOINT_ORIGIN',
        (copy) => {
          proofOf(copy)['checkpoint'] = { envelope: log?.checkpoint({ origin: 'another.example' }) }
        },
      ],
      [
        'no checkpoint that could be read',
        'LOG_CHECKPOINT_MALFORMED',
        (copy) => (proofOf(copy)['checkpoint'] = { envelope: 'x' }),
      ],
    ]
    it(`of generation ${generation} is in its log`, async () => {
      const verdict = await ask({ bundles: [good], domains: [instance.domain()] })
      expect(verdict).toMatchObject({
        outcome: 'verified',
        evidence: [
          {
            entries: [
              { log: log?.name, operator: log?.name, proof: { treeSize: 2n }, promised: generation === 1 },
            ],
          },
        ],
      })
    })
    for (const [name, code, change] of lies) {
      it(`of generation ${generation} is refused with ${name}`, async () => {
        expect(await judged(changed(good, change), instance.domain())).toBe(`rejected ${code}`)
      })
    }
  }

  it('of generation 2 names one place', async () => {
    const instance = new BreakableInstance()
    const other = changed(instance.sign(), (copy) => (entryOf(copy)['logIndex'] = '1'))
    expect(await judged(other, instance.domain())).toBe('rejected LOG_INDEX')
  })

  const first = new BreakableInstance({ generation: 1, timestamps: [] })
  const promises: readonly (readonly [string, (copy: TestBundle) => unknown])[] = [
    ['another time', (copy) => (entryOf(copy)['integratedTime'] = '1772366701')],
    ['no time', (copy) => delete entryOf(copy)['integratedTime']],
    ['time zero', (copy) => (entryOf(copy)['integratedTime'] = '0')],
    ['another index', (copy) => (entryOf(copy)['logIndex'] = '1')],
    [
      'another signature',
      (copy) =>
        (entryOf(copy)['inclusionPromise'] =
          first.sign().verificationMaterial.tlogEntries[0]?.['inclusionPromise']),
    ],
  ]
  for (const [name, change] of promises) {
    it(`with a promise for ${name} is refused, also where the proof is good`, async () => {
      expect(await judged(changed(first.sign(), change), first.domain())).toBe('rejected LOG_PROMISE')
      expect(await judged(changed(first.sign({ version: '0.1' }), change), first.domain())).toBe(
        'rejected LOG_PROMISE',
      )
    })
  }

  it('is reported at the place that is proven: no index that nobody signed', async () => {
    const mixed = new BreakableInstance({ generation: 1 })
    const bundle = mixed.sign({ timestamps: mixed.timestamps })
    const places = async (copy: TestBundle): Promise<unknown> =>
      (await ask({ bundles: [copy], domains: [mixed.domain()] })).bundles[0]?.evidence[0]?.entries[0]
        ?.logIndex
    expect(await places(bundle)).toBe(BigInt(String(entryOf(bundle)['logIndex'])))
    const lie = changed(bundle, (copy) => {
      delete entryOf(copy)['inclusionPromise']
      entryOf(copy)['logIndex'] = '12345'
    })
    expect(await places(lie)).toBe(0n)
  })

  it('of version 0.1 rests on its promise alone, but not on a proof that is false', async () => {
    const bare = changed(first.sign({ version: '0.1' }), (copy) => delete entryOf(copy)['inclusionProof'])
    expect(await judged(bare, first.domain())).toBe('verified')
    const lie = changed(first.sign({ version: '0.1' }), (copy) => (proofOf(copy)['treeSize'] = '999'))
    expect(await judged(lie, first.domain())).toBe('rejected LOG_ROOT_MISMATCH')
  })

  it('must hold also beside others that do', async () => {
    const two = new BreakableInstance({ logs: [{ generation: 2 }, { generation: 2 }] })
    for (const i of [0, 1]) {
      const bundle = changed(two.sign(), (copy) => (proofOf(copy, i)['treeSize'] = '999'))
      expect(await judged(bundle, two.domain())).toBe('rejected LOG_ROOT_MISMATCH')
    }
  })
})

describe('the threshold of logs', () => {
  const two = new BreakableInstance({ logs: [{ generation: 2 }, { generation: 1 }] })
  const both = { ...STRICT_THRESHOLDS, logs: 2 }

  it('counts operators', async () => {
    const bundle = two.sign()
    expect(await judged(bundle, two.domain({ thresholds: both }))).toBe('verified')
    const one = two.trustedRoot(({ tlogs }) => tlogs.forEach((log) => (log['operator'] = 'Acme')))
    expect(await judged(bundle, two.domain({ root: one, thresholds: both }))).toBe('rejected LOG_THRESHOLD')
  })

  it('counts one log once, however many entries it has', async () => {
    const key = newKey()
    const first = two.sign({ key, logs: two.logs.slice(0, 1) })
    const signed = changed(first, (copy) =>
      copy.verificationMaterial.tlogEntries.push(...copy.verificationMaterial.tlogEntries),
    )
    expect(await judged(signed, two.domain({ thresholds: both }))).toBe('rejected BUNDLE_DUPLICATE')
    expect(await judged(first, two.domain({ thresholds: both }))).toBe('rejected LOG_THRESHOLD')
  })

  it('is not met by logs that nobody knows', async () => {
    const root = two.trustedRoot(({ tlogs }) => tlogs.splice(0))
    expect(await judged(two.sign(), two.domain({ root }))).toBe('rejected LOG_UNKNOWN')
    expect(await judged(two.sign({ logs: [], timestamps: two.timestamps }), two.domain())).toBe(
      'rejected LOG_THRESHOLD',
    )
    const none = { ...STRICT_THRESHOLDS, logs: 0 }
    expect(await judged(two.sign(), two.domain({ root, thresholds: none }))).toBe('verified')
  })

  it('holds for managed keys', async () => {
    expect(await keyed(two.sign({ managed, logs: [] }), two.domain())).toBe('rejected LOG_THRESHOLD')
    expect(await keyed(two.sign({ managed }), two.domain())).toBe('verified')
  })
})

describe('the window of a log key', () => {
  const days = (start: number, end: number): Member => ({
    start: `2026-02-${String(start).padStart(2, '0')}T00:00:00Z`,
    end: `2026-03-${String(end).padStart(2, '0')}T00:00:00Z`,
  })
  const withWindows = (instance: BreakableInstance, ...windows: readonly Member[]): TrustDomain => {
    const root = instance.trustedRoot((json) => {
      const [log] = json.tlogs
      json.tlogs = windows.map((validFor) => ({
        ...log,
        publicKey: { ...(log?.['publicKey'] as Member), validFor },
      }))
    })
    return instance.domain({ root })
  }

  for (const generation of [1, 2] as const) {
    const instance = new BreakableInstance({ generation })
    const bundle = instance.sign()
    it(`of generation ${generation} holds the time of the signature`, async () => {
      const end = '2026-03-01T12:05:00Z'
      expect(await judged(bundle, withWindows(instance, { start: '2026-01-01T00:00:00Z', end }))).toBe(
        'verified',
      )
      expect(await judged(bundle, withWindows(instance, { start: end }))).toBe('verified')
      for (const window of [
        { start: '2026-03-01T12:05:01Z' },
        { start: '2025-01-01T00:00:00Z', end: '2026-03-01T12:04:59Z' },
      ]) {
        expect(await judged(bundle, withWindows(instance, window))).toBe('rejected LOG_KEY_WINDOW')
      }
    })

    it(`of generation ${generation} may be listed twice, one window after the other`, async () => {
      const [early, late, later] = [days(1, 1), days(28, 31), { start: '2026-06-01T00:00:00Z' }]
      expect(await judged(bundle, withWindows(instance, early, late))).toBe('verified')
      expect(await judged(bundle, withWindows(instance, late, early))).toBe('verified')
      expect(await judged(bundle, withWindows(instance, early, later))).toBe('rejected LOG_KEY_WINDOW')
    })

    it(`of generation ${generation} counts as one log, however often it is listed`, async () => {
      const thresholds = { ...STRICT_THRESHOLDS, logs: 2 }
      const domain = withWindows(instance, days(1, 31), days(2, 31))
      expect(await judged(bundle, { ...domain, thresholds })).toBe('rejected LOG_THRESHOLD')
    })
  }

  it('that has ended needs a time, where a managed key has none', async () => {
    const instance = new BreakableInstance()
    const bundle = instance.sign({ managed, timestamps: [] })
    expect(await keyed(bundle, withWindows(instance, { start: '2020-01-01T00:00:00Z' }))).toBe('verified')
    expect(await keyed(bundle, withWindows(instance, days(1, 31)))).toBe('rejected LOG_KEY_WINDOW')
    expect(await keyed(instance.sign({ managed }), withWindows(instance, days(1, 31)))).toBe('verified')
  })
})

describe('witnesses', () => {
  const instance = new BreakableInstance({ logs: [{ generation: 2 }] })
  const witnesses = [new TestWitness('w1.example'), new TestWitness('w2.example')]
  const policyText = [
    ...witnesses.map(({ vkey }, i) => `witness w${i} ${vkey}`),
    'group both all w0 w1',
    'quorum both',
    '',
  ].join('\n')
  const domain = instance.domain({ witnesses: parseWitnessPolicy(policyText) })

  it('must make the quorum that the domain asks for', async () => {
    expect(await judged(instance.sign({ witnesses }), domain)).toBe('verified')
    expect(await judged(instance.sign({ witnesses: witnesses.slice(1) }), domain)).toBe(
      'rejected LOG_WITNESS_QUORUM',
    )
    expect(await judged(instance.sign(), domain)).toBe('rejected LOG_WITNESS_QUORUM')
    expect(
      await judged(
        instance.sign({ witnesses: [new TestWitness('w1.example'), ...witnesses.slice(1)] }),
        domain,
      ),
    ).toBe('rejected LOG_WITNESS_QUORUM')
  })

  it('cannot have signed an entry that has only a promise', async () => {
    const first = new BreakableInstance({ generation: 1 })
    const bare = changed(first.sign({ version: '0.1' }), (copy) => delete entryOf(copy)['inclusionProof'])
    expect(await judged(bare, first.domain())).toBe('verified')
    const asked = first.domain({ witnesses: parseWitnessPolicy(policyText) })
    expect(await judged(bare, asked)).toBe('rejected LOG_WITNESS_QUORUM')
  })
})
