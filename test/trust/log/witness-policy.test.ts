import { describe, expect, it } from 'vitest'
import { encodeVkey, buildVkey } from '../../../trust/log/vkey.ts'
import { NOTE_TYPE } from '../../../trust/log/note.ts'
import { checkQuorum, parseWitnessPolicy } from '../../../trust/log/witness-policy.ts'
import { newTestKey, TestWitness } from '../../support/test-log.ts'

const LOG_KEY = newTestKey('ed25519').publicKey
const LOG = encodeVkey(buildVkey('log.test', NOTE_TYPE.ed25519, LOG_KEY))
const [W1, W2, W3, W4, W5] = ['w1.test', 'w2.test', 'w3.test', 'w4.test', 'w5.test'].map(
  (name) => new TestWitness(name).vkey,
)
const QUANTUM = new TestWitness('pq.test', 'ml-dsa-44').vkey

const WITNESSES = `witness X1 ${W1}\nwitness X2 ${W2}\nwitness X3 ${W3}\nwitness Y1 ${W4}\nwitness Y2 ${W5}\n`
const NESTED = `${WITNESSES}group X 2 X1 X2 X3\ngroup Y any Y1 Y2\ngroup both all X Y\n`

function malformed(line?: number): unknown {
  return expect.objectContaining({
    code: 'MALFORMED_WITNESS_POLICY',
    ...(line === undefined ? {} : { where: `line ${line}` }),
  })
}

describe('reading a witness policy', () => {
  it('knows logs, witnesses, groups and the quorum', () => {
    const policy = parseWitnessPolicy(
      [
        '# who may vouch',
        '',
        ` \tlog\t${LOG}  https://log.test/ `,
        `witness one ${W1}`,
        `witness pq ${QUANTUM} https://pq.test/`,
        'group all-of-them all one pq',
        'quorum all-of-them',
        '   # the end',
        '',
      ].join('\n'),
    )
    expect(policy.logs).toMatchObject([{ vkey: { name: 'log.test' }, url: 'https://log.test/' }])
    expect(policy.witnesses).toMatchObject([
      { name: 'one', cosigner: { name: 'w1.test', algorithm: 'ed25519' }, url: undefined },
      { name: 'pq', cosigner: { name: 'pq.test', algorithm: 'ml-dsa-44' }, url: 'https://pq.test/' },
    ])
    expect(policy.groups).toEqual([{ name: 'all-of-them', threshold: 2, members: ['one', 'pq'] }])
    expect(policy.quorum).toBe('all-of-them')
  })

  it('takes names that are opaque, so that look-alikes differ', () => {
    const policy = parseWitnessPolicy(`witness K ${W1}\nwitness \u212a ${W2}\nquorum \u212a\n`)
    expect(checkQuorum(policy, ['K'])).toBe(false)
    expect(checkQuorum(policy, ['\u212a'])).toBe(true)
  })

  it('takes 32 witnesses in 32 groups', () => {
    const names = Array.from({ length: 32 }, (_, i) => `w${i}`)
    const lines = names.map((name) => `witness ${name} ${new TestWitness(`${name}.test`).vkey}`)
    const groups = names.map((name, i) => `group g${i} all ${name}${i === 0 ? '' : ` g${i - 1}`}`)
    const policy = parseWitnessPolicy([...lines, ...groups, 'quorum g31', ''].join('\n'))
    expect(checkQuorum(policy, names)).toBe(true)
    expect(checkQuorum(policy, names.slice(1))).toBe(false)
  })

  it.each([
    ['no quorum', WITNESSES, undefined],
    ['nothing', '', undefined],
    ['two quorum lines', 'quorum none\nquorum none\n', 2],
    ['an unknown quorum', 'quorum nobody\n', 1],
    ['a quorum that comes later', `quorum X1\nwitness X1 ${W1}\n`, 1],
    ['a quorum without a name', 'quorum\n', 1],
    ['a quorum of two names', `${WITNESSES}quorum X1 X2\n`, 6],
    ['an unknown keyword', 'quorum none\nwitnesses X\n', 2],
    ['a keyword in capitals', 'QUORUM none\n', 1],
    ['a comment behind a line', 'quorum none # really\n', 1],
    ['a carriage return', 'quorum none\r\n', 1],
    ['a delete character', 'quorum none\n# \u007f\n', 2],
    ['a lone surrogate', 'quorum none\n# \ud800\n', 2],
    ['a no-break space between words', 'quorum\u00a0none\n', 1],
    ['a log without a key', 'log\nquorum none\n', 1],
    ['a log with too many words', `log ${LOG} a b\n`, 1],
    ['a log with a broken key', `log ${LOG.slice(0, -4)}\n`, 1],
    ['a log with the key of a witness', `log ${W1}\n`, 1],
    ['a witness with the key of a log', `witness X ${LOG}\n`, 1],
    ['a witness without a key', 'witness X\n', 1],
    ['a witness with too many words', `witness X ${W1} a b\n`, 1],
    ['a witness without a name', `witness ${W1}\n`, 1],
    ['two logs with one key', `log ${LOG}\nlog ${LOG} https://other.test\n`, 2],
    ['two logs with one key under two names', `log ${LOG}\nlog ${renamed('other.test')}\n`, 2],
    ['two witnesses with one key', `witness a ${W1}\nwitness b ${W1}\n`, 2],
    ['two witnesses with one name', `witness a ${W1}\nwitness a ${W2}\n`, 2],
    ['a witness called none', `witness none ${W1}\n`, 1],
    ['a group called none', `${WITNESSES}group none any X1\n`, 6],
    ['a group with the name of a witness', `${WITNESSES}group X1 any X2\n`, 6],
    ['two groups with one name', `${WITNESSES}group X any X1\ngroup X any X2\n`, 7],
    ['a group without members', `${WITNESSES}group X any\n`, 6],
    ['a group without a threshold', `${WITNESSES}group X X1\n`, 6],
    ['a threshold of zero', `${WITNESSES}group X 0 X1\n`, 6],
    ['a threshold with a leading zero', `${WITNESSES}group X 01 X1\n`, 6],
    ['a negative threshold', `${WITNESSES}group X -1 X1\n`, 6],
    ['a threshold beyond the members', `${WITNESSES}group X 3 X1 X2\n`, 6],
    ['a threshold of many digits', `${WITNESSES}group X 99999999999999999999 X1\n`, 6],
    ['an unknown member', `${WITNESSES}group X any X1 Z\n`, 6],
    ['none as a member', `${WITNESSES}group X any none\n`, 6],
    ['a member twice in one group', `${WITNESSES}group X 2 X1 X1\n`, 6],
    ['a member in two groups', `${WITNESSES}group X any X1\ngroup Y any X1\n`, 7],
    ['a group in itself', `${WITNESSES}group X any X\n`, 6],
    ['a group that comes later', `${WITNESSES}group X any Y\ngroup Y any X1\n`, 6],
    ['a text beyond the size limit', `#${'x'.repeat(1024 * 1024)}\n`, undefined],
  ])('refuses %s (MALFORMED_WITNESS_POLICY)', (_, text, line) => {
    expect(() => parseWitnessPolicy(text)).toThrow(malformed(line))
  })
})

function renamed(name: string): string {
  return encodeVkey(buildVkey(name, NOTE_TYPE.ed25519, LOG_KEY))
}

describe('a quorum', () => {
  it('of none is always met', () => {
    const policy = parseWitnessPolicy('quorum none')
    expect(policy.quorum).toBeUndefined()
    expect(checkQuorum(policy, [])).toBe(true)
  })

  it('of one witness needs that witness', () => {
    const policy = parseWitnessPolicy(`${WITNESSES}quorum X1\n`)
    expect(checkQuorum(policy, ['X1'])).toBe(true)
    expect(checkQuorum(policy, ['X2', 'X3', 'Y1'])).toBe(false)
    expect(checkQuorum(policy, [])).toBe(false)
  })

  it.each([
    ['X1 X2 Y1', true],
    ['X1 X2 X3 Y1 Y2', true],
    ['X3 X2 Y2', true],
    ['X1 X2', false],
    ['X1 Y1 Y2', false],
    ['Y1 Y2', false],
    ['X1 X1 Y1', false],
    ['X Y', false],
    ['both', false],
    ['unknown X1 X2', false],
  ])('of nested groups with %s is %s', (names, met) => {
    expect(checkQuorum(parseWitnessPolicy(`${NESTED}quorum both\n`), names.split(' '))).toBe(met)
  })

  it('may be a part of a larger group', () => {
    const policy = parseWitnessPolicy(`${NESTED}quorum Y\n`)
    expect(checkQuorum(policy, ['Y2'])).toBe(true)
    expect(checkQuorum(policy, ['X1', 'X2', 'X3'])).toBe(false)
  })
})
