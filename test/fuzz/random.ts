import { createHash } from 'node:crypto'

/** Random numbers that follow from a text alone, so that every input can be made again. */
export class Random {
  readonly #state: Uint32Array

  constructor(seed: string) {
    const digest = createHash('sha256').update(seed).digest()
    this.#state = Uint32Array.from([0, 4, 8, 12], (at) => digest.readUInt32LE(at))
  }

  /** xoshiro128: quick, and good enough to choose mutations with. */
  #next(): number {
    const s = this.#state
    const [a = 0, b = 0, c = 0, d = 0] = s
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
    s[2] = c ^ a
    s[3] = d ^ b
    s[1] = b ^ (c ^ a)
    s[0] = a ^ (d ^ b)
    s[2] = c ^ a ^ (b << 9)
    s[3] = rotate(d ^ b, 11)
    return result
  }

  /** A whole number from 0 up to, but not including, `end`. */
  below(end: number): number {
    return end <= 1 ? 0 : this.#next() % end
  }

  /** Small numbers often, large ones now and then, never beyond `most`. */
  small(most: number): number {
    return this.below(Math.min(most, 1 << (1 + this.below(12))) + 1)
  }

  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0
  }

  pick<T>(list: readonly T[]): T {
    const chosen = list[this.below(list.length)]
    if (chosen === undefined) throw new RangeError('nothing to pick from')
    return chosen
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256))
  }
}

function rotate(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by))
}
