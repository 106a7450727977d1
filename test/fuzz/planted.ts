import { Buffer } from 'node:buffer'
import { MalformedError } from '../../trust/errors.ts'
import { mutateBytes } from './mutate-bytes.ts'
import { insist, type Target } from './target.ts'

/** Targets with one mistake each, behind a byte that the corpus does not hold: the fuzzer must find them all. */

const held: number[][] = []

function planted(name: string, run: Target['run']): Target {
  return {
    name,
    corpus: () => [Buffer.from('abcabc')],
    mutators: [mutateBytes],
    run,
    refuses: ['MalformedError'],
    bytesPerByte: 64,
  }
}

/** Any of many bytes, so that few inputs are enough. */
const isTrap = (byte: number): boolean => byte >= 0x80

export const TARGETS: readonly Target[] = [
  planted('sound', (input) => {
    if (input.some(isTrap)) throw new MalformedError('MALFORMED_JSON', 'refused as it should be')
  }),
  planted('throws', (input) => {
    if (input.some(isTrap)) throw new TypeError('planted')
  }),
  planted('wrong-class', (input) => {
    if (input.some(isTrap)) throw Object.assign(new RangeError('planted'), { code: 'MALFORMED_JSON' })
  }),
  planted('breaks-promise', (input) => insist(!input.some(isTrap), 'planted')),
  planted('rejects-later', (input) => {
    if (input.some(isTrap)) void Promise.reject(new Error('planted'))
    return new Promise((resolve) => {
      setImmediate(resolve)
    })
  }),
  planted('loops', (input) => {
    while (input.some(isTrap)) continue
  }),
  planted('waits', (input) =>
    input.some(isTrap) ? new Promise((resolve) => setTimeout(resolve, 1_000_000)) : undefined,
  ),
  planted('allocates', (input) => {
    if (input.some(isTrap)) Buffer.alloc(100 * 1024 * 1024, 1)
  }),
  planted('fills-heap', (input) => {
    while (input.some(isTrap)) held.push(Array<number>(1_000_000).fill(held.length))
  }),
  planted('dies', (input) => {
    if (input.some(isTrap)) process.abort()
  }),
  planted('leaves', (input) => {
    if (input.some(isTrap)) process.exit(0)
  }),
]
