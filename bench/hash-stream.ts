import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, openSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { median, shuffled } from './interleave.ts'
import { line, type Bench, type Comparison } from './report.ts'
import { benchFolder } from './workload.ts'

const MIB = 1024 * 1024
const MOST_MEMORY = 120
const ALGORITHMS = ['sha256', 'sha512'] as const
const SCRIPT = fileURLToPath(new URL('hash-file.ts', import.meta.url))

/** Hashing as `verify` does it: the file is opened once and read in blocks. In a process of its own, for the memory. */
export const hashStream: Bench = {
  name: 'hash-stream',
  what: 'streaming SHA-256 and SHA-512 of 1 GB',
  run: ({ quick }) => {
    const path = largeFile(quick ? 8 : 1000)
    const contenders = ALGORITHMS.flatMap((algorithm) => [
      { name: `sigward ${algorithm}`, run: () => hashOurs(path, algorithm) },
      { name: `openssl ${algorithm}`, run: () => hashOpenssl(path, algorithm) },
    ])
    const measured = new Map<string, Hashed[]>(contenders.map(({ name }) => [name, []]))
    for (let round = 0; round < (quick ? 1 : 7); round++) {
      for (const { name, run } of shuffled(contenders)) measured.get(name)?.push(run())
    }
    for (const [name, runs] of measured) {
      line(`${name.padEnd(16)}  ${median(runs.map(({ milliseconds }) => milliseconds)).toFixed(0)} ms`)
    }
    return Promise.resolve([...ALGORITHMS.map((algorithm) => compare(measured, algorithm)), memory(measured)])
  },
}

interface Hashed {
  readonly hex: string
  /** Of the hashing alone for ours, of the whole process for openssl, which starts in a few. */
  readonly milliseconds: number
  /** MiB; undefined for openssl. */
  readonly peak: number | undefined
}

function compare(measured: ReadonlyMap<string, readonly Hashed[]>, algorithm: string): Comparison {
  const [ours = [], theirs = []] = ['sigward', 'openssl'].map((who) => measured.get(`${who} ${algorithm}`))
  const ratios = ours.map((our, round) => {
    const their = theirs[round]
    if (their?.hex !== our.hex) throw new Error(`${algorithm} of the file is ${their?.hex}, not ${our.hex}`)
    return our.milliseconds / their.milliseconds
  })
  return {
    bench: 'hash-stream',
    against: `1.2 times openssl dgst -${algorithm}`,
    ratio: 1.2 / median(ratios),
    target: 1,
  }
}

function memory(measured: ReadonlyMap<string, readonly Hashed[]>): Comparison {
  const peak = Math.max(...[...measured.values()].flat().map((run) => run.peak ?? 0))
  line(`peak memory ${peak.toFixed(1)} MiB`)
  return { bench: 'hash-stream', against: `${MOST_MEMORY} MiB`, ratio: MOST_MEMORY / peak, target: 1 }
}

function hashOurs(path: string, algorithm: string): Hashed {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, path, algorithm], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`hashing failed: ${stderr}`)
  return JSON.parse(stdout) as Hashed
}

function hashOpenssl(path: string, algorithm: string): Hashed {
  const start = performance.now()
  const output = execFileSync('openssl', ['dgst', `-${algorithm}`, '-r', path], { encoding: 'utf8' })
  return { hex: output.split(' ')[0] ?? '', milliseconds: performance.now() - start, peak: undefined }
}

/** Without holes, and in the page cache after the first run. */
function largeFile(megabytes: number): string {
  const path = join(benchFolder(), `large-${megabytes}.bin`)
  if (existsSync(path)) return path
  const block = randomBytes(1_000_000)
  const descriptor = openSync(`${path}.new`, 'w')
  for (let i = 0; i < megabytes; i++) writeSync(descriptor, block)
  closeSync(descriptor)
  renameSync(`${path}.new`, path)
  if (megabytes * 1_000_000 < 4 * MIB) throw new Error('a file of one block shows nothing')
  return path
}
