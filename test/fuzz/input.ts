import { Buffer } from 'node:buffer'
import { bulk, bulkLines, type Mutator } from './mutate-bytes.ts'
import { bulkJson } from './mutate-structure.ts'
import { Random } from './random.ts'
import type { Target } from './target.ts'

const BULKY: ReadonlySet<Mutator> = new Set([bulk, bulkLines, bulkJson])

/** The members of a target's corpus come first, as they are; all that follows is made from them. */
export function inputAt(
  target: Target,
  corpus: readonly Uint8Array[],
  seed: number,
  index: number,
): Uint8Array {
  const member = corpus[index]
  if (member !== undefined) return member
  const random = new Random(`${seed} ${target.name} ${index}`)
  const others = corpus.length > 0 ? corpus : [Buffer.from('x')]
  // large inputs cost time, so they are made less often
  const weighted = target.mutators.flatMap((mutator) =>
    BULKY.has(mutator) ? [mutator] : Array<Mutator>(8).fill(mutator),
  )
  return random.pick(weighted)(random, random.pick(others), others)
}
