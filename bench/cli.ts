import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { loadSeed } from '../daemon/seed.ts'
import { readVector, vectorPath } from '../test/support/vectors.ts'
import { installedCommand } from './installed.ts'
import { IDENTITY } from './instance.ts'
import { needsOf, printNeeds, printTimes, timeProcesses, timesAsLong, type Command } from './processes.ts'
import type { Bench, Comparison } from './report.ts'
import { writeTufCache } from './tuf-cache.ts'
import { benchFolder, loadWorkload } from './workload.ts'

const EMPTY: Command = { name: 'node -e 0', args: ['-e', '0'] }
const PEER = '@sigstore/cli verify, offline'
const ROUNDS = 31
const QUICK_ROUNDS = 2
const MOST_MEMORY = 60

/** A fresh process of the installed package, no daemon, no network. */
export const cliVerify: Bench = {
  name: 'cli-verify',
  what: 'sigward verify in a fresh process, installed package',
  run: async ({ quick }) => {
    const task = await prepareTask()
    const ours: Command = {
      name: 'sigward verify',
      args: [installedCommand(), ...task.ours],
      environment: ownCache(),
    }
    const peer: Command = { name: PEER, args: [peerScript(), ...task.theirs] }
    const timed = timeProcesses([EMPTY, ours, peer], quick ? QUICK_ROUNDS : ROUNDS)
    printTimes(timed)
    const runs = quick ? 1 : 9
    const needs = needsOf(ours, runs)
    for (const command of [EMPTY, peer]) printNeeds(command, needsOf(command, runs))
    printNeeds(ours, needs)
    const empty = timesAsLong(timed, ours.name, EMPTY.name)
    const bench = 'cli-verify'
    return [
      { bench, against: `${PEER}, ${task.what}`, ratio: timesAsLong(timed, PEER, ours.name), target: 5 },
      { bench, against: '2.0 times node -e 0', ratio: 2 / empty, target: 1 },
      { bench, against: `${MOST_MEMORY} MiB`, ratio: MOST_MEMORY / needs.memory, target: 1 },
    ]
  },
}

/** What is asked most and does nothing. */
export const cliStart: Bench = {
  name: 'cli-start',
  what: 'sigward --version and --help, installed package',
  run: ({ quick }) => {
    const script = installedCommand()
    const environment = ownCache()
    const asked = ['--version', '--help'].map((flag) => {
      return { name: `sigward ${flag}`, args: [script, flag], environment }
    })
    const timed = timeProcesses([EMPTY, ...asked], quick ? QUICK_ROUNDS : ROUNDS)
    printTimes(timed)
    for (const command of [EMPTY, ...asked]) printNeeds(command, needsOf(command, quick ? 1 : 9))
    const compared = asked.map(({ name }): Comparison => {
      const against = `1.5 times node -e 0, ${name}`
      return { bench: 'cli-start', against, ratio: 1.5 / timesAsLong(timed, name, EMPTY.name), target: 1 }
    })
    return Promise.resolve(compared)
  },
}

/** Compiled code is kept between runs, as it is for users after the first. */
function ownCache(): Record<string, string> {
  return { XDG_CACHE_HOME: join(benchFolder(), 'cache') }
}

function peerScript(): string {
  return join(dirname(createRequire(import.meta.url).resolve('@sigstore/cli/package.json')), 'bin', 'run')
}

interface Task {
  readonly what: string
  readonly ours: readonly string[]
  readonly theirs: readonly string[]
}

interface Material {
  readonly what: string
  readonly bundle: Uint8Array
  readonly artifact: Uint8Array
  readonly subject: string
  readonly issuer: string
  readonly trustedRoot: Uint8Array
  /** True where the trusted root is the one inside the installed package. */
  readonly isSeed: boolean
}

/** The same bundle, artifact, identity and trusted root for both. */
async function prepareTask(): Promise<Task> {
  const { what, bundle, artifact, subject, issuer, trustedRoot, isSeed } = await findMaterial()
  const folder = join(benchFolder(), 'cli')
  mkdirSync(folder, { recursive: true })
  const file = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(folder, name), bytes)
    return join(folder, name)
  }
  const [target, beside, root] = [
    file('artifact', artifact),
    file('artifact.sigstore.json', bundle),
    file('trusted_root.json', trustedRoot),
  ]
  const mirror = new URL('https://tuf.bench.test')
  const cache = join(folder, 'tuf')
  writeTufCache(cache, mirror, trustedRoot)
  const ours = ['verify', target, '--bundle', beside, '--identity', subject, '--issuer', issuer]
  const theirs = [
    'verify',
    beside,
    '--blob-file',
    target,
    '--tuf-mirror-url',
    mirror.origin,
    '--tuf-cache-path',
    cache,
  ]
  const named = ['--tuf-force-cache', '--certificate-identity-uri', subject, '--certificate-issuer', issuer]
  return { what, ours: isSeed ? ours : [...ours, '--trusted-root', root], theirs: [...theirs, ...named] }
}

/** A bundle of the public instance where the published vectors are there, else one of our own making. */
async function findMaterial(): Promise<Material> {
  const folder = 'sigstore-conformance/bundle-verify'
  if (vectorPath(folder) !== undefined) {
    const { trustedRoot } = await loadSeed()
    return {
      what: 'public bundle',
      bundle: readVector(`${folder}/happy-path-v0.3/bundle.sigstore.json`),
      artifact: readVector(`${folder}/a.txt`),
      subject: CONFORMANCE_WORKFLOW,
      issuer: IDENTITY.issuer,
      trustedRoot,
      isSeed: true,
    }
  }
  const { trustedRoot, samples } = loadWorkload('rekor1', 20)
  const [sample] = samples
  if (sample === undefined) throw new Error('the workload is empty')
  return { what: 'bundle of the bench', ...sample, ...IDENTITY, trustedRoot, isSeed: false }
}

const CONFORMANCE_WORKFLOW =
  'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main'
