import type { Mutant } from '../support/mutate.ts'
import type { BundleFacts } from './facts.ts'
import type { MutationClass } from './classes.ts'

/** Counts what became of mutants, for the table at the end of a run. */
export class Tally {
  bundles = 0
  readonly #classes: readonly MutationClass[]
  readonly #accepted = new Map<string, number>()
  readonly #refused = new Map<string, number>()

  constructor(classes: readonly MutationClass[]) {
    this.#classes = classes
  }

  /** The class that a verified mutant belongs to; undefined when it should not have verified. */
  accept(mutant: Mutant, facts: BundleFacts): string | undefined {
    const name = this.#classes.find((one) => one.holds(mutant, facts))?.name
    if (name !== undefined) this.#accepted.set(name, this.countOf(name) + 1)
    return name
  }

  refuse(code: string): void {
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1)
  }

  countOf(name: string): number {
    return this.#accepted.get(name) ?? 0
  }

  table(): string {
    const sum = (counts: ReadonlyMap<string, number>): number => counts.values().reduce((a, b) => a + b, 0)
    const refused = sum(this.#refused)
    const rows = this.#classes.map(
      ({ name, section }) => `${String(this.countOf(name)).padStart(8)}  ${name} (${section})`,
    )
    return [
      `${refused + sum(this.#accepted)} mutants of ${this.bundles} bundles: ${refused} refused with ${this.#refused.size} codes; the rest:`,
      ...rows,
    ].join('\n')
  }
}
