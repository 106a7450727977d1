import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { checkLogKeyWindow, checkPromise } from '../../../trust/log/inclusion.ts'
import type { CheckFailed } from '../../../trust/errors.ts'
import { TEST_SECONDS, TestLog, type TestKeyType } from '../../support/test-log.ts'

function failure(code: CheckFailed['code']): unknown {
  return expect.objectContaining({ name: 'CheckFailed', check: 'log', code })
}

/** A Rekor v1 log with seven entries. */
function promisingLog(keyType: TestKeyType = 'ecdsa-p256'): TestLog {
  const log = new TestLog({ generation: 1, keyType })
  for (let i = 0; i < 7; i++) log.append(`{"entry":${i}}`)
  return log
}

describe('checkPromise', () => {
  it.each(['ecdsa-p256', 'ecdsa-p384', 'ed25519', 'rsa'] as const)(
    'returns the time that a %s log signed',
    (keyType) => {
      const log = promisingLog(keyType)
      const at = checkPromise(log.entry(3n), log.authority)
      expect(at).toEqual(new Date(Number(TEST_SECONDS) * 1000))
    },
  )

  const log = promisingLog()
  const entry = log.entry(3n)

  it.each([
    ['another body', { body: Buffer.from('{"entry":4}') }],
    ['another time', { integratedTime: TEST_SECONDS + 1n }],
    ['another global index', { logIndex: entry.logIndex + 1n }],
    ['the index in the shard', { logIndex: 3n }],
    ['a negative index', { logIndex: -1n }],
    ['an index beyond what JSON can count', { logIndex: 2n ** 53n }],
    ['no time', { integratedTime: undefined }],
    ['time zero', { integratedTime: 0n }],
    ['a time before 1970', { integratedTime: -TEST_SECONDS }],
    ['a time that no date has', { integratedTime: 8_640_000_000_001n }],
    ['an entry of a tile log', { generation: 2 as const }],
    ['no promise', { promise: undefined }],
    ['an empty promise', { promise: Buffer.alloc(0) }],
    ['a cut promise', { promise: entry.promise?.subarray(0, -1) }],
    ['a longer promise', { promise: Buffer.concat([entry.promise ?? Buffer.alloc(0), Buffer.of(0)]) }],
  ])('refuses %s (LOG_PROMISE)', (_, change) => {
    expect(() => checkPromise({ ...entry, ...change }, log.authority)).toThrow(failure('LOG_PROMISE'))
  })

  it('refuses time zero even when the log signed it', () => {
    const promise = log.promise(entry.body, 0n, entry.logIndex)
    expect(() => checkPromise({ ...entry, integratedTime: 0n, promise }, log.authority)).toThrow(
      failure('LOG_PROMISE'),
    )
  })

  it('refuses every changed byte of the promise', () => {
    const promise = entry.promise ?? Buffer.alloc(0)
    for (let i = 0; i < promise.length; i++) {
      const changed = Buffer.from(promise)
      changed[i] = (changed[i] ?? 0) ^ 1
      expect(() => checkPromise({ ...entry, promise: changed }, log.authority)).toThrow(
        failure('LOG_PROMISE'),
      )
    }
  })

  it('signs over the body itself, not over the base64 beside it', () => {
    expect(checkPromise({ ...entry, bodyBase64: 'AAAA' }, log.authority)).toBeInstanceOf(Date)
  })

  it('refuses the promise of another log with the same ID (LOG_PROMISE) or another ID (LOG_UNKNOWN)', () => {
    const other = promisingLog()
    expect(() => checkPromise(entry, { ...other.authority, logId: entry.logId })).toThrow(
      failure('LOG_PROMISE'),
    )
    expect(() => checkPromise(entry, other.authority)).toThrow(failure('LOG_UNKNOWN'))
  })

  it('counts both ends of the key window in, and nothing outside (LOG_KEY_WINDOW)', () => {
    const at = Number(TEST_SECONDS) * 1000
    const inWindow = (start: number, end?: number): Date => {
      const validFor = { start: new Date(start), end: end === undefined ? undefined : new Date(end) }
      return checkPromise(entry, { ...log.authority, validFor })
    }
    expect(inWindow(at, at).getTime()).toBe(at)
    expect(inWindow(at).getTime()).toBe(at)
    expect(() => inWindow(at + 1)).toThrow(failure('LOG_KEY_WINDOW'))
    expect(() => inWindow(0, at - 1)).toThrow(failure('LOG_KEY_WINDOW'))
  })
})

describe('checkLogKeyWindow', () => {
  const { authority } = new TestLog({
    validFor: { start: new Date('2024-01-01T00:00:00Z'), end: new Date('2024-12-31T00:00:00Z') },
  })

  it('wants one verified time in the window, ends included', () => {
    const inside = new Date('2024-12-31T00:00:00Z')
    expect(checkLogKeyWindow([authority], [new Date(0), inside])).toBeUndefined()
    expect(checkLogKeyWindow([authority], [new Date('2024-01-01T00:00:00Z')])).toBeUndefined()
  })

  it('refuses times outside, and no time at all (LOG_KEY_WINDOW)', () => {
    const outside = [new Date('2023-12-31T23:59:59Z'), new Date('2024-12-31T00:00:01Z')]
    expect(() => checkLogKeyWindow([authority], outside)).toThrow(failure('LOG_KEY_WINDOW'))
    expect(() => checkLogKeyWindow([authority], [])).toThrow(failure('LOG_KEY_WINDOW'))
  })
})
