import { escapeForDisplay } from '../../trust/encoding.ts'
import { widthOf, type Environment, type Output } from './terminal.ts'

const CELLS = 20

/** A bar on the last line of a terminal; draws nothing anywhere else. */
export class Progress {
  readonly #output: Output
  readonly #total: number
  readonly #active: boolean
  #done = 0

  constructor(output: Output, environment: Environment, total: number, wanted: boolean) {
    this.#output = output
    this.#total = total
    this.#active = wanted && total > 1 && output.isTerminal && environment['TERM'] !== 'dumb'
  }

  /** Says what is being worked on. */
  show(name: string): void {
    if (!this.#active) return
    const filled = Math.floor((this.#done / this.#total) * CELLS)
    const bar = `[${'#'.repeat(filled)}${'.'.repeat(CELLS - filled)}] ${this.#done}/${this.#total} `
    const room = (this.#output.columns ?? 80) - bar.length - 1
    const shown = escapeForDisplay(name)
    // what does not fit would start a second line, which could not be taken away again
    this.#output.write(`\r\u001b[K${bar}${widthOf(shown) > room ? '' : shown}`)
  }

  advance(): void {
    this.#done += 1
  }

  /** Takes the bar away, so that other text can be written. */
  clear(): void {
    if (this.#active) this.#output.write('\r\u001b[K')
  }
}
