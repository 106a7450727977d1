import type { Mutator } from './mutate-bytes.ts'

/** One piece of code that meets bytes from outside, and what it must keep whatever they are. */
export interface Target {
  readonly name: string
  /** Made once per process; the same in every one. */
  readonly corpus: () => readonly Uint8Array[]
  readonly mutators: readonly [Mutator, ...Mutator[]]
  /**
   * Returns, or throws one of the errors that `refuses` names. Anything else that is thrown is a finding, and so is
   * a promise that is rejected behind its back.
   */
  readonly run: (input: Uint8Array) => unknown
  /** Names of the error classes with which it may refuse. */
  readonly refuses: readonly string[]
  /** Memory that one input may cost: this many bytes for each byte of it, on top of what every input may cost. */
  readonly bytesPerByte: number
}

/**
 * What any input may cost, however small: a collection of garbage that comes late, an inflated package of the
 * largest kept size, a module that is loaded for the first time.
 */
export const MEMORY_FLOOR = 48 * 1024 * 1024

/** Ends a target's run with a finding. */
export function insist(holds: boolean, what: string): void {
  if (!holds) throw new Error(`broken promise: ${what}`)
}
