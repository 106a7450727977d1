/** What the parent and its worker tell each other, one line of JSON each. */

export interface Job {
  /** Module that exports `TARGETS`. */
  readonly module: string
  readonly seed: number
  readonly tasks: readonly Task[]
}

export interface Task {
  readonly target: string
  /** Index of the first input. */
  readonly from: number
  /** Ends after so many inputs, or so many milliseconds, whichever comes first. */
  readonly count: number
  readonly milliseconds: number
  /** File to use as the only input. */
  readonly file?: string
}

export interface Totals {
  readonly inputs: number
  /** Inputs that were refused as they should be. */
  readonly refused: number
  /** Most memory that one input took, in bytes. */
  readonly memory: number
  /** Longest time that one input took, in milliseconds. */
  readonly slowest: number
}

export type Message =
  | { readonly kind: 'start'; readonly target: string }
  /** Sent before the input is run, so that the parent knows at which one the worker hangs or dies. */
  | { readonly kind: 'input'; readonly index: number }
  | {
      readonly kind: 'finding'
      readonly target: string
      readonly index: number
      readonly why: string
      readonly how: How
    }
  | { readonly kind: 'end'; readonly target: string; readonly totals: Totals }

/** Thrown or promised wrongly; took too long; took too much memory; ended the process. */
export type How = 'error' | 'time' | 'memory' | 'death'
