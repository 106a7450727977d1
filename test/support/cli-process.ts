import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Readable } from 'node:stream'

/** The command line in a process of its own, as people start it, with what it needed. */
export interface Ended {
  /** undefined when it had to be killed. */
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
  /** Highest resident memory, bytes; 0 where it did not live to say so. */
  readonly memory: number
}

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** Kills what does not end within `limit` milliseconds. */
export async function runProcess(args: readonly string[], cwd: string, limit = 30_000): Promise<Ended> {
  const all = ['--import', path('report-peak.ts'), path('../../plugins/cli/main.ts'), ...args]
  const child = spawn(process.execPath, all, { cwd, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
  const timer = setTimeout(() => child.kill('SIGKILL'), limit)
  const texts = [1, 2, 3].map(async (descriptor) => {
    let text = ''
    for await (const chunk of child.stdio[descriptor] as Readable) text += String(chunk)
    return text
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  clearTimeout(timer)
  const [stdout = '', stderr = '', memory = ''] = await Promise.all(texts)
  return { code: code ?? undefined, stdout, stderr, memory: Number(memory) }
}
