import type { Engine } from './api.ts'

/** The engine that commands talk to. Loaded when it is first needed, so that `--help` stays quick. */
export async function connect(): Promise<Engine> {
  const { createEngine } = await import('./engine.ts')
  return createEngine()
}
