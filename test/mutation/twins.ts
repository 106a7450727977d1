import type { Mutant, Place } from '../support/mutate.ts'

/**
 * Whoever sees an ECDSA signature (r, s) can write down another one for the same message: (r, n - s). Both hold
 * (SEC 1 section 4.1.4), so what must not depend on the bytes of a signature is tried with its twin. Other encodings
 * of the same numbers are not DER, and must not hold.
 */
const ORDERS: readonly (readonly [bytes: number, order: bigint])[] = [
  [32, 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n],
  [48, 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n],
]

/** Twins of every signature that stands as DER in the value, or in the last word of a line of a note. */
export function* twinsOf(place: Place): Generator<Mutant> {
  const { name, value } = place.node
  if (name === 'envelope') {
    const lines = value.split('\n')
    for (const [at, line] of lines.entries()) {
      const [dash = '', key = '', encoded = ''] = line.split(' ')
      if (dash !== '\u2014') continue
      const bytes = Buffer.from(encoded, 'base64')
      for (const [what, twin] of twinsIn(bytes)) {
        const changed = lines.with(at, `${dash} ${key} ${twin.toString('base64')}`)
        yield place.stringMutant('twinned', `line ${at}, ${what}`, changed.join('\n'))
      }
    }
    return
  }
  if (!['signedEntryTimestamp', 'signature', 'sig', 'rawBytes', 'signedTimestamp'].includes(name)) return
  for (const [what, twin] of twinsIn(Buffer.from(value, 'base64'))) {
    yield place.stringMutant('twinned', what, twin.toString('base64'))
  }
}

function* twinsIn(bytes: Buffer): Generator<readonly [string, Buffer]> {
  for (let at = 0; at + 8 < bytes.length; at++) {
    const found = signatureAt(bytes, at)
    if (found === undefined) continue
    const { end, r, s, order } = found
    const put = (what: string, body: Buffer): readonly [string, Buffer] => {
      const signature = Buffer.concat([Buffer.of(0x30, body.length), body])
      return [`${what} at ${at}`, Buffer.concat([bytes.subarray(0, at), signature, bytes.subarray(end)])]
    }
    yield put('the twin', Buffer.concat([integer(r), integer(order - s)]))
    // what stands inside of another structure keeps its length only in the first form
    if (at > 4) continue
    yield put('s + n', Buffer.concat([integer(r), integer(s + order)]))
    yield put('padded', Buffer.concat([padded(r), integer(s)]))
    yield put('negative', Buffer.concat([integer(r), Buffer.of(0x02, 0x01, 0xff)]))
    yield put('zero', Buffer.concat([integer(0n), integer(0n)]))
    yield put('more inside', Buffer.concat([integer(r), integer(s), Buffer.of(0x05, 0x00)]))
  }
}

/** A SEQUENCE of two INTEGERs, each about as long as the order of a curve. */
function signatureAt(
  bytes: Buffer,
  at: number,
): { readonly end: number; readonly r: bigint; readonly s: bigint; readonly order: bigint } | undefined {
  const [tag, length = 0] = bytes.subarray(at)
  const end = at + 2 + length
  if (tag !== 0x30 || length > 127 || end > bytes.length) return undefined
  const r = integerAt(bytes, at + 2)
  if (r === undefined) return undefined
  const s = integerAt(bytes, r.end)
  if (s === undefined || s.end !== end) return undefined
  const order = ORDERS.find(([size]) => Math.abs(r.size - size) <= 1 && Math.abs(s.size - size) <= 1)?.[1]
  return order === undefined ? undefined : { end, r: r.value, s: s.value, order }
}

function integerAt(
  bytes: Buffer,
  at: number,
): { readonly end: number; readonly value: bigint; readonly size: number } | undefined {
  const [tag, size = 0] = bytes.subarray(at)
  const end = at + 2 + size
  if (tag !== 0x02 || size === 0 || size > 80 || end > bytes.length) return undefined
  return { end, size, value: BigInt(`0x${bytes.toString('hex', at + 2, end)}`) }
}

function integer(value: bigint): Buffer {
  const hex = value.toString(16)
  const even = hex.length % 2 === 0 ? hex : `0${hex}`
  const body = Buffer.from(Number.parseInt(even.slice(0, 2), 16) >= 0x80 ? `00${even}` : even, 'hex')
  return Buffer.concat([Buffer.of(0x02, body.length), body])
}

function padded(value: bigint): Buffer {
  const body = Buffer.concat([Buffer.of(0), integer(value).subarray(2)])
  return Buffer.concat([Buffer.of(0x02, body.length), body])
}
