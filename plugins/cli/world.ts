import type { Engine } from '../../daemon/api.ts'
import type { Environment, Output } from './terminal.ts'

/** Everything outside that a command may touch; tests bring their own. */
export interface World {
  /** Loaded when it is first needed. */
  readonly engine: () => Promise<Engine>
  readonly stdout: Output
  readonly stderr: Output
  readonly environment: Environment
  readonly now: () => Date
}
