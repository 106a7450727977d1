import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chartPackage, gemPackage, npmPackage } from './packages.ts'
import { vectorCases, vectorInput, vectorPath } from './vectors.ts'

/**
 * Transcripts: what a user types and sees, as a text file.
 *
 *     Prose, for readers.
 *
 *     %vector npm-registry/sigstore-2.0.0.tgz sigstore.tgz     a file of the vector archive, under a name of its own
 *     %case gem gem/sigstore-1.0.0 bundle sigstore.json        an input of a case of the archive
 *     %npm widget.tgz widget 1.2.3                             a package built in code; also %gem and %chart
 *     %file notes.txt                                          a file; its lines follow, each after `| `
 *     | hello
 *
 *     $ sigward verify widget.tgz
 *     what it prints, standard output and error together
 *     [exit 5]
 *
 * A line that begins with `# ` is for readers. In expected output `[..]` stands for any text within a line, and a line of three dots for any lines.
 */
export interface Transcript {
  readonly setup: readonly Setup[]
  readonly steps: readonly Step[]
}

interface Setup {
  readonly action: string
  readonly words: readonly string[]
  readonly lines: string[]
}

interface Step {
  readonly command: string
  readonly output: string[]
  exit: number
}

export function parseTranscript(text: string): Transcript {
  const setup: Setup[] = []
  const steps: Step[] = []
  for (const line of text.split('\n')) {
    const step = steps.at(-1)
    const exit = /^\[exit (\d+)\]$/.exec(line)?.[1]
    if (line.startsWith('# ')) continue
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), output: [], exit: 0 })
    else if (step !== undefined && exit !== undefined) step.exit = Number(exit)
    else if (step !== undefined) step.output.push(line)
    else if (line.startsWith('%')) {
      const [action = '', ...words] = line.slice(1).split(' ')
      setup.push({ action, words, lines: [] })
    } else if (line.startsWith('|')) setup.at(-1)?.lines.push(line.slice(2))
  }
  // empty lines between the steps are for readers
  for (const { output } of steps) while (output.at(-1) === '') output.pop()
  return { setup, steps }
}

/** Whether every vector that the transcript needs is there; what is not is reported as skipped. */
export function hasVectors({ setup }: Transcript): boolean {
  const needed = setup.filter(({ action }) => action === 'vector' || action === 'case')
  return needed.map(sourceOf).every((path) => path !== undefined)
}

function sourceOf({ action, words }: Setup): string | undefined {
  const [first = '', id = '', input = ''] = words
  if (action === 'vector') return vectorPath(first)
  const cases = vectorCases(first)
  const found = cases.find((vector) => vector.id === id)
  if (found === undefined && cases.length > 0) throw new Error(`there is no case '${id}' of kind '${first}'`)
  return found === undefined ? undefined : vectorPath(vectorInput(found, input))
}

export interface Played {
  readonly command: string
  readonly output: string
  readonly exit: number
}

/** Runs every step in a folder of its own, with the real command first in the path. */
export function playTranscript(transcript: Transcript): readonly Played[] {
  const folder = mkdtempSync(join(tmpdir(), 'sigward-transcript-'))
  try {
    const work = join(folder, 'work')
    mkdirSync(work)
    const bin = join(folder, 'bin')
    mkdirSync(bin)
    const shim = fileURLToPath(new URL('../../plugins/cli/sigward.js', import.meta.url))
    symlinkSync(shim, join(bin, 'sigward'))
    for (const step of transcript.setup) prepare(step, work)
    const PATH = [bin, dirname(process.execPath), process.env['PATH']].join(':')
    const env = { PATH, HOME: folder, XDG_CACHE_HOME: join(folder, 'cache'), LANG: 'C.UTF-8' }
    return transcript.steps.map(({ command }) => {
      const script = `{ ${command}\n} 2>&1`
      const { stdout, status } = spawnSync('bash', ['--norc', '-c', script], {
        cwd: work,
        env,
        encoding: 'utf8',
      })
      return { command, output: stdout, exit: status ?? -1 }
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function prepare(step: Setup, folder: string): void {
  const { action, words, lines } = step
  const [first = '', second = '', third = ''] = words
  const packed = { name: second, version: third }
  switch (action) {
    case 'vector':
    case 'case':
      return copyFileSync(sourceOf(step) ?? '', join(folder, words.at(-1) ?? ''))
    case 'npm':
      return writeFileSync(join(folder, first), npmPackage(packed))
    case 'gem':
      return writeFileSync(join(folder, first), gemPackage(packed))
    case 'chart':
      return writeFileSync(join(folder, first), chartPackage(packed))
    case 'file':
      return writeFileSync(join(folder, first), lines.map((line) => `${line}\n`).join(''))
    default:
      throw new Error(`a transcript asks for '${action}'`)
  }
}

/** What a step must print, as a pattern. */
export function patternOf(output: readonly string[]): RegExp {
  const lines = output.map((line) =>
    line === '...'
      ? '(?:.*\\n)*?'
      : `${line
          .split('[..]')
          .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
          .join('.*')}\\n`,
  )
  return new RegExp(`^${lines.join('')}$`)
}
