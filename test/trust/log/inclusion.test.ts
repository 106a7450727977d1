import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import type { InclusionProof, LogEntry } from '../../../trust/bundle.ts'
import { checkInclusion } from '../../../trust/log/inclusion.ts'
import type { CheckFailed } from '../../../trust/errors.ts'
import { parseWitnessPolicy } from '../../../trust/log/witness-policy.ts'
import { buildVkey, encodeVkey } from '../../../trust/log/vkey.ts'
import { formatNote, newTestKey, TestLog, TestWitness, type TestKeyType } from '../../support/test-log.ts'

type LogCode = CheckFailed['code']

function failure(code: LogCode): unknown {
  return expect.objectContaining({ name: 'CheckFailed', check: 'log', code })
}

function logOf(generation: 1 | 2, keyType?: TestKeyType, entries = 7): TestLog {
  const log = new TestLog({ generation, ...(keyType === undefined ? {} : { keyType }) })
  for (let i = 0; i < entries; i++) log.append(`{"entry":${i}}`)
  return log
}

function withProof(entry: LogEntry, change: Partial<InclusionProof>): LogEntry {
  if (entry.proof === undefined) throw new Error('the entry has no proof')
  return { ...entry, proof: { ...entry.proof, ...change } }
}

/** Inclusion of an entry with its own body in its own log. */
function include(log: TestLog, entry: LogEntry): ReturnType<typeof checkInclusion> {
  return checkInclusion(entry, entry.body, [log.authority], undefined)
}

describe.each([1, 2] as const)('checkInclusion in a log of generation %i', (generation) => {
  const log = logOf(generation)

  it('proves every entry', () => {
    for (let index = 0n; index < log.size; index++) {
      expect(include(log, log.entry(index))).toEqual({
        log: log.authority,
        index,
        treeSize: 7n,
        rootHash: log.tree.root(),
        origin: log.origin,
        checkpointTime: undefined,
        witnesses: [],
        quorum: undefined,
      })
    }
  })

  it.each(['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'rsa', 'ml-dsa-44'] as const)(
    'verifies a checkpoint signed with %s',
    (key) => {
      // the v1 server has no ML-DSA, so there is no origin of that kind to sign
      const other = logOf(key === 'ml-dsa-44' ? 2 : generation, key)
      expect(include(other, other.entry(2n)).treeSize).toBe(7n)
      const forged = { ...other.authority, key: newTestKey(key).publicKey }
      const entry = other.entry(2n)
      expect(() => checkInclusion(entry, entry.body, [forged], undefined)).toThrow(
        failure('LOG_CHECKPOINT_SIGNATURE'),
      )
    },
  )

  it('needs neither root hash nor size in the proof', () => {
    const entry = withProof(log.entry(5n), { rootHash: undefined, treeSize: undefined })
    expect(include(log, entry).index).toBe(5n)
  })

  it('reports the time that the log writes into its checkpoint', () => {
    const checkpoint = log.checkpoint({ extensions: ['Timestamp: 1697034484441201852'] })
    const { checkpointTime } = include(log, log.entry(1n, { checkpoint }))
    expect(checkpointTime).toEqual(new Date('2023-10-11T14:28:04.441Z'))
  })

  it('wants the leaf that the caller rebuilt (LOG_PROOF)', () => {
    const entry = log.entry(1n)
    expect(() => checkInclusion(entry, Buffer.from('{"entry":9}'), [log.authority], undefined)).toThrow(
      failure('LOG_PROOF'),
    )
  })

  it.each<[LogCode, string, (entry: LogEntry) => LogEntry]>([
    ['LOG_UNKNOWN', 'an unknown log', (e) => ({ ...e, logId: '00'.repeat(32) })],
    ['LOG_PROOF', 'no proof', (e) => ({ ...e, proof: undefined })],
    ['LOG_PROOF', 'no checkpoint', (e) => withProof(e, { checkpoint: undefined })],
    ['LOG_PROOF', 'no hashes', (e) => withProof(e, { hashes: [] })],
    [
      'LOG_PROOF',
      'one hash more',
      (e) => withProof(e, { hashes: [...(e.proof?.hashes ?? []), Buffer.alloc(32)] }),
    ],
    [
      'LOG_PROOF',
      'hashes in another order',
      (e) => withProof(e, { hashes: e.proof?.hashes.toReversed() ?? [] }),
    ],
    ['LOG_ROOT_MISMATCH', 'another root hash', (e) => withProof(e, { rootHash: Buffer.alloc(32) })],
    ['LOG_ROOT_MISMATCH', 'an empty root hash', (e) => withProof(e, { rootHash: Buffer.alloc(0) })],
    ['LOG_ROOT_MISMATCH', 'another size', (e) => withProof(e, { treeSize: 8n })],
    ['LOG_ROOT_MISMATCH', 'size zero', (e) => withProof(e, { treeSize: 0n })],
    ['LOG_INDEX', 'an index at the end', (e) => withProof({ ...e, logIndex: 7n }, { logIndex: 7n })],
    ['LOG_INDEX', 'a negative index', (e) => withProof({ ...e, logIndex: -1n }, { logIndex: -1n })],
    ['LOG_PROOF', 'the index of its neighbour', (e) => withProof({ ...e, logIndex: 2n }, { logIndex: 2n })],
    ['LOG_CHECKPOINT_MALFORMED', 'an empty checkpoint', (e) => withProof(e, { checkpoint: '' })],
    ['LOG_CHECKPOINT_MALFORMED', 'text that is no note', (e) => withProof(e, { checkpoint: 'log\n7\n' })],
  ])('answers %s for %s', (code, _, change) => {
    expect(() => include(log, change(log.entry(3n)))).toThrow(failure(code))
  })

  it.each<[LogCode, string, string]>([
    ['LOG_CHECKPOINT_MALFORMED', 'a signed text without a root', `${log.origin}\n7\n`],
    [
      'LOG_CHECKPOINT_MALFORMED',
      'a signed size with a leading zero',
      log.checkpointText().replace('\n7\n', '\n07\n'),
    ],
    ['LOG_CHECKPOINT_MALFORMED', 'a signed empty line', `${log.checkpointText()}\n`],
    ['LOG_CHECKPOINT_ORIGIN', 'another origin', log.checkpointText({ origin: 'other.test' })],
    ['LOG_CHECKPOINT_MALFORMED', 'an empty origin', log.checkpointText({ origin: '' })],
    [
      'LOG_CHECKPOINT_ORIGIN',
      'an origin with more text',
      log.checkpointText({ origin: `${log.origin}/shard` }),
    ],
    ['LOG_INDEX', 'an empty tree', log.checkpointText({ size: 0n })],
  ])('answers %s for %s, however well signed', (code, _, text) => {
    const checkpoint = formatNote(text, [log.sign(text)])
    const entry = withProof(log.entry(3n), { checkpoint, rootHash: undefined, treeSize: undefined })
    expect(() => include(log, entry)).toThrow(failure(code))
  })

  it('takes size and root from the checkpoint, not from a proof that agrees with itself (LOG_ROOT_MISMATCH)', () => {
    const liar = logOf(generation)
    liar.append('one more')
    const entry = { ...liar.entry(7n, { checkpoint: log.checkpoint() }), logId: log.authority.logId }
    expect(() => include(log, entry)).toThrow(failure('LOG_INDEX'))
    const inside = { ...liar.entry(3n, { checkpoint: log.checkpoint() }), logId: log.authority.logId }
    expect(() => include(log, inside)).toThrow(failure('LOG_ROOT_MISMATCH'))
  })

  it('accepts an older checkpoint with the proof that fits it', () => {
    const entry = withProof(log.entry(1n), {
      checkpoint: log.checkpoint({ size: 4n }),
      hashes: log.tree.inclusionProof(1n, 4n),
      rootHash: log.tree.root(4n),
      treeSize: 4n,
    })
    expect(include(log, entry).treeSize).toBe(4n)
  })

  it.each<[string, (note: string) => string]>([
    [
      'no signature of the log',
      () => formatNote(log.checkpointText(), [new TestWitness('w.test').cosign('x')]),
    ],
    ['the right key under another name', (note) => note.replace(`\u2014 ${log.name} `, '\u2014 other.test ')],
    ['the signature of another text', () => formatNote(log.checkpointText(), [log.sign('other')])],
    [
      'a good signature and a bad one',
      () => formatNote(log.checkpointText(), [log.sign(log.checkpointText()), log.sign('x')]),
    ],
  ])('answers LOG_CHECKPOINT_SIGNATURE for %s', (_, change) => {
    const entry = log.entry(3n, { checkpoint: change(log.checkpoint()) })
    expect(() => include(log, entry)).toThrow(failure('LOG_CHECKPOINT_SIGNATURE'))
  })

  it('finds the signature of the log behind those of strangers', () => {
    const text = log.checkpointText()
    const strangers = Array.from({ length: 15 }, (_, i) => new TestWitness(`w${i}.test`).cosign(text))
    expect(
      include(log, log.entry(3n, { checkpoint: formatNote(text, [...strangers, log.sign(text)]) })).index,
    ).toBe(3n)
  })

  it('tries every log that has this ID, and only those', () => {
    const entry = log.entry(3n)
    const renamed = { ...log.authority, checkpointKeyId: '00000000' }
    const { authority: stranger } = logOf(generation)
    expect(checkInclusion(entry, entry.body, [stranger, renamed, log.authority], undefined).log).toBe(
      log.authority,
    )
    const both = [renamed, { ...renamed, logId: stranger.logId }]
    expect(() => checkInclusion(entry, entry.body, both, undefined)).toThrow(
      failure('LOG_CHECKPOINT_SIGNATURE'),
    )
    expect(() => checkInclusion(entry, entry.body, [], undefined)).toThrow(failure('LOG_UNKNOWN'))
    expect(() => checkInclusion(entry, entry.body, [stranger], undefined)).toThrow(failure('LOG_UNKNOWN'))
  })

  it('refuses every changed byte of the checkpoint', () => {
    const note = log.checkpoint()
    for (let i = 0; i < note.length; i++) {
      const code = note.charCodeAt(i) ^ 1
      const checkpoint = note.slice(0, i) + String.fromCharCode(code) + note.slice(i + 1)
      expect(() => include(log, log.entry(3n, { checkpoint }))).toThrow(
        expect.objectContaining({ check: 'log', code: expect.stringMatching(/^LOG_CHECKPOINT_/) as unknown }),
      )
    }
  })
})

describe('what the generations differ in', () => {
  it('is that v2 has one index, which entry and proof must both name (LOG_INDEX)', () => {
    const log = logOf(2)
    expect(() => include(log, { ...log.entry(3n), logIndex: 4n })).toThrow(failure('LOG_INDEX'))
    expect(() => include(log, withProof(log.entry(3n), { logIndex: 4n }))).toThrow(failure('LOG_INDEX'))
    const shard = logOf(1)
    expect(include(shard, { ...shard.entry(3n), logIndex: 99_999_999_999n }).index).toBe(3n)
  })

  it('is that a v2 log is called by one of the names of its host', () => {
    const log = logOf(2)
    const named = { ...log.authority, names: ['other.test', log.name] as const }
    const entry = log.entry(3n)
    expect(checkInclusion(entry, entry.body, [named], undefined).origin).toBe(log.name)
    const other = { ...log.authority, names: ['other.test'] as const }
    expect(() => checkInclusion(entry, entry.body, [other], undefined)).toThrow(
      failure('LOG_CHECKPOINT_ORIGIN'),
    )
  })

  it('is that the server of a v1 log may call itself as it likes, as long as name and origin agree', () => {
    const log = new TestLog({ generation: 1, name: 'rekor-7f9c' })
    log.append('entry')
    const entry = log.entry(0n)
    const authority = {
      ...log.authority,
      baseUrl: 'https://log.example.test',
      names: ['log.example.test'] as const,
    }
    expect(checkInclusion(entry, entry.body, [authority], undefined).origin).toBe(log.origin)
    const text = log.checkpointText({ origin: 'another-host - 1' })
    const signed = log.entry(0n, { checkpoint: formatNote(text, [log.sign(text)]) })
    expect(() => include(log, signed)).toThrow(failure('LOG_CHECKPOINT_SIGNATURE'))
  })

  it('is that neither reads the origin of the other (LOG_CHECKPOINT_ORIGIN)', () => {
    for (const [generation, other] of [
      [1, 2],
      [2, 1],
    ] as const) {
      const log = logOf(generation)
      const entry: LogEntry = { ...log.entry(0n), logIndex: 0n, generation: other }
      expect(() => include(log, entry)).toThrow(failure('LOG_CHECKPOINT_ORIGIN'))
    }
  })
})

describe('witnesses', () => {
  const log = logOf(2)
  const [one, two, three] = [
    new TestWitness('w1.test'),
    new TestWitness('w2.test', 'ml-dsa-44'),
    new TestWitness('w3.test'),
  ]
  const lines = `witness one ${one.vkey}\nwitness two ${two.vkey}\nwitness three ${three.vkey}\n`
  const twoOfThree = parseWitnessPolicy(`${lines}group any-two 2 one two three\nquorum any-two\n`)

  function cosigned(
    witnesses: readonly TestWitness[],
    policy = twoOfThree,
  ): ReturnType<typeof checkInclusion> {
    const entry = log.entry(3n, { checkpoint: log.checkpoint({ witnesses, witnessedAt: 1_700_000_000n }) })
    return checkInclusion(entry, entry.body, [log.authority], policy)
  }

  it('that make the quorum are reported with their times, in the order of the policy', () => {
    const at = new Date('2023-11-14T22:13:20Z')
    const { witnesses, quorum } = cosigned([three, one])
    expect(quorum).toBe('any-two')
    expect(witnesses).toEqual([
      { name: 'one', at },
      { name: 'three', at },
    ])
    expect(cosigned([one, two, three]).witnesses).toHaveLength(3)
  })

  it('that are too few make LOG_WITNESS_QUORUM', () => {
    expect(() => cosigned([])).toThrow(failure('LOG_WITNESS_QUORUM'))
    expect(() => cosigned([two])).toThrow(failure('LOG_WITNESS_QUORUM'))
    expect(() => cosigned([two, two])).toThrow(failure('LOG_WITNESS_QUORUM'))
    expect(() => cosigned([two, new TestWitness('w1.test'), new TestWitness('w4.test')])).toThrow(
      failure('LOG_WITNESS_QUORUM'),
    )
  })

  it('are told by key name and key ID together: whoever shares one of them is a stranger', () => {
    const text = log.checkpointText()
    const { keyId, signature } = three.cosign(text)
    const strangers = [
      { name: 'stranger.test', keyId: one.keyId, signature },
      { name: one.name, keyId, signature },
    ]
    const entry = log.entry(3n, {
      checkpoint: formatNote(text, [...strangers, log.sign(text), one.cosign(text)]),
    })
    const policy = parseWitnessPolicy(`${lines}quorum one\n`)
    expect(checkInclusion(entry, entry.body, [log.authority], policy).witnesses).toMatchObject([
      { name: 'one' },
    ])
  })

  it('that the policy does not ask for are still verified and reported', () => {
    const policy = parseWitnessPolicy(`${lines}quorum none\n`)
    expect(cosigned([], policy)).toMatchObject({ witnesses: [], quorum: undefined })
    expect(cosigned([two], policy).witnesses).toMatchObject([{ name: 'two' }])
  })

  it.each([
    ['in a quorum', `${lines}group any-two 2 one two three\nquorum any-two\n`],
    ['where none is asked for', `${lines}quorum none\n`],
  ])('with a bad cosignature make LOG_COSIGNATURE %s', (_, policy) => {
    const text = log.checkpointText()
    const bad = one.cosign(log.checkpointText({ size: 3n }))
    for (const signatures of [
      [bad, two.cosign(text), three.cosign(text)],
      [one.cosign(text), two.cosign(text), bad],
    ]) {
      const entry = log.entry(3n, { checkpoint: formatNote(text, [log.sign(text), ...signatures]) })
      const check = (): unknown =>
        checkInclusion(entry, entry.body, [log.authority], parseWitnessPolicy(policy))
      expect(check).toThrow(failure('LOG_COSIGNATURE'))
    }
  })

  it('of a policy that lists logs speak only for these (LOG_UNKNOWN)', () => {
    const listed = encodeVkey(buildVkey(log.name, 0x01, log.authority.key))
    const other = encodeVkey(buildVkey('other.test', 0x01, newTestKey('ed25519').publicKey))
    const policy = (logs: string): ReturnType<typeof parseWitnessPolicy> =>
      parseWitnessPolicy(`${logs}${lines}quorum one\n`)
    expect(cosigned([one], policy(`log ${other}\nlog ${listed}\n`)).quorum).toBe('one')
    expect(() => cosigned([one], policy(`log ${other}\n`))).toThrow(failure('LOG_UNKNOWN'))
    const renamed = encodeVkey(buildVkey('other.test', 0x01, log.authority.key))
    expect(() => cosigned([one], policy(`log ${renamed}\n`))).toThrow(failure('LOG_UNKNOWN'))
  })

  it('may cosign a shard of a v1 log, which the policy calls by its host', () => {
    const shard = logOf(1)
    const listed = encodeVkey(buildVkey(shard.name, 0x02, shard.authority.key))
    const policy = parseWitnessPolicy(`log ${listed}\n${lines}quorum one\n`)
    const entry = shard.entry(3n, { checkpoint: shard.checkpoint({ witnesses: [one] }) })
    expect(checkInclusion(entry, entry.body, [shard.authority], policy).quorum).toBe('one')
  })
})
