import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import {
  checkpointTime,
  encodeCheckpoint,
  parseCheckpoint,
  type Checkpoint,
} from '../../../trust/log/checkpoint.ts'
import { parseNote } from '../../../trust/log/note.ts'
import { TestLog } from '../../support/test-log.ts'
import { readVector, vectorCases } from '../../support/vectors.ts'

const MALFORMED: unknown = expect.objectContaining({ code: 'LOG_CHECKPOINT_MALFORMED' })
const ROOT = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I='

describe('checkpoints', () => {
  it('are origin, size, root hash and extension lines', () => {
    const checkpoint = parseCheckpoint(`example.com/behind the sofa\n20852163\n${ROOT}\nfirst\n second \n`)
    expect(checkpoint).toEqual({
      origin: 'example.com/behind the sofa',
      size: 20852163n,
      rootHash: Buffer.from(ROOT, 'base64'),
      extensions: ['first', ' second '],
    })
  })

  it('are written back unchanged', () => {
    for (const text of [`a\n0\n${ROOT}\n`, `a\n9007199254740993\n${ROOT}\nTimestamp: 1\n`]) {
      expect(encodeCheckpoint(parseCheckpoint(text))).toBe(text)
    }
  })

  it.each([
    ['nothing', ''],
    ['one newline', '\n'],
    ['two lines', 'a\n1\n'],
    ['no newline at the end', `a\n1\n${ROOT}`],
    ['an empty origin', `\n1\n${ROOT}\n`],
    ['an empty size', `a\n\n${ROOT}\n`],
    ['a size with a leading zero', `a\n01\n${ROOT}\n`],
    ['two zeros', `a\n00\n${ROOT}\n`],
    ['a negative size', `a\n-1\n${ROOT}\n`],
    ['a size with a plus', `a\n+1\n${ROOT}\n`],
    ['a size with a space', `a\n 1\n${ROOT}\n`],
    ['a size in hexadecimal', `a\n0x1\n${ROOT}\n`],
    ['a size with an exponent', `a\n1e3\n${ROOT}\n`],
    ['a size beyond 64 bits', `a\n${'9'.repeat(20)}\n${ROOT}\n`],
    ['digits of another script', `a\n\u0661\n${ROOT}\n`],
    ['an empty root', 'a\n1\n\n'],
    ['a root of 31 bytes', `a\n1\n${Buffer.alloc(31).toString('base64')}\n`],
    ['a root of 33 bytes', `a\n1\n${Buffer.alloc(33).toString('base64')}\n`],
    ['a root without padding', `a\n1\n${ROOT.slice(0, -1)}\n`],
    ['a root in hexadecimal', `a\n1\n${'ab'.repeat(32)}\n`],
    ['an empty extension line', `a\n1\n${ROOT}\n\n`],
    ['an empty line between extension lines', `a\n1\n${ROOT}\nb\n\nc\n`],
  ])('refuses %s (LOG_CHECKPOINT_MALFORMED)', (_, text) => {
    expect(() => parseCheckpoint(text)).toThrow(MALFORMED)
  })

  it('carry a time of Rekor v1 that nobody has to believe', () => {
    const at = (line: string): Date | undefined => checkpointTime(parseCheckpoint(`a\n1\n${ROOT}\n${line}\n`))
    expect(at('Timestamp: 1697034484441201852')).toEqual(new Date('2023-10-11T14:28:04.441Z'))
    expect(at('note\nTimestamp: 1697034484441201852')).toEqual(new Date('2023-10-11T14:28:04.441Z'))
    expect(at('Timestamp: yesterday')).toBeUndefined()
    expect(at('Timestamp: -1')).toBeUndefined()
    expect(at('timestamp: 1697034484441201852')).toBeUndefined()
    expect(checkpointTime(parseCheckpoint(`a\n1\n${ROOT}\n`))).toBeUndefined()
  })

  it('are what the log for tests writes', () => {
    const log = new TestLog({ generation: 1, name: 'log.test', treeId: '42' })
    log.append('entry')
    expect(parseCheckpoint(log.checkpointText({ extensions: ['x'] }))).toEqual({
      origin: 'log.test - 42',
      size: 1n,
      rootHash: log.tree.root(),
      extensions: ['x'],
    })
  })
})

describe('published vectors', () => {
  const cases = vectorCases('checkpoint').filter((c) => c.id !== 'checkpoint/c2sp-signed-note')

  it.each(cases.map((c) => [c.id, c] as const))('%s', (_, vector) => {
    const read = (): Checkpoint =>
      parseCheckpoint(parseNote(readVector(vector.files[0] ?? '')).unverifiedText)
    expect(['pass', 'fail']).toContain(vector.expected.result)
    if (vector.expected.result === 'pass') {
      expect(read().rootHash).toHaveLength(32)
    } else {
      const code = vector.id.endsWith('error_no_signatures') ? 'MALFORMED_NOTE' : 'LOG_CHECKPOINT_MALFORMED'
      expect(read).toThrow(expect.objectContaining({ code }))
    }
  })

  it('of which one is a note that is no checkpoint', () => {
    const note = vectorCases('checkpoint').find((c) => c.id === 'checkpoint/c2sp-signed-note')
    const text =
      note === undefined
        ? 'This is an example message.\n'
        : parseNote(readVector(note.files[0] ?? '')).unverifiedText
    expect(() => parseCheckpoint(text)).toThrow(MALFORMED)
  })
})
