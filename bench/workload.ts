import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { captureSignatures, type Sample, type SignatureCheck } from './capture.ts'
import { Instance, type Profile } from './instance.ts'

/** Bundles to verify, with what is needed to do so, and the signatures that verifying them takes. */
export interface Workload {
  readonly trustedRoot: Buffer
  readonly samples: readonly Sample[]
}

export const PROFILES = {
  /** The public instance with its first log: P-384 certificate authority. */
  rekor1: { authority: 'p384', generation: 1, timestamps: 'p384' },
  /** The public instance with its tile log: time comes from a P-384 timestamp authority. */
  rekor2: { authority: 'p384', generation: 2, timestamps: 'p384' },
  /** What an instance of our own signs with. */
  own: { authority: 'p256', generation: 2, timestamps: 'p256' },
} as const satisfies Readonly<Record<string, Profile>>
export type ProfileName = keyof typeof PROFILES

/** Signatures that cannot be saved, by key type. */
const NECESSARY: Readonly<Record<ProfileName, string>> = {
  rekor1: 'p256 p256 p256 p256 p384',
  rekor2: 'ed25519 p256 p256 p384 p384',
  own: 'ed25519 p256 p256 p256 p256',
}

/** Half of the bundles hold a message signature, half a provenance statement; in random order. */
export function loadWorkload(name: ProfileName, count: number): Workload {
  const path = workloadPath(name, count)
  return readWorkload(path) ?? writeWorkload(path, name, count)
}

/** Generating takes seconds, so the result is kept for the next run of the same sources. */
export function workloadPath(name: ProfileName, count: number): string {
  const sources = ['instance.ts', 'large-tree.ts', 'capture.ts', 'workload.ts']
  const key = createHash('sha256').update(`${name} ${count} ${process.version}`)
  for (const source of sources) key.update(readFileSync(new URL(source, import.meta.url)))
  return join(benchFolder(), `${name}-${count}-${key.digest('hex').slice(0, 16)}.json`)
}

/** Removes what older sources have left under this name. */
export function removeOlder(prefix: string): void {
  for (const name of readdirSync(benchFolder())) {
    if (name.startsWith(prefix)) rmSync(join(benchFolder(), name), { recursive: true })
  }
}

/** A folder of this user alone: what lies there is believed. */
export function benchFolder(): string {
  const folder = join(tmpdir(), `sigward-bench-${userInfo().username}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}

interface Stored {
  readonly trustedRoot: string
  readonly samples: readonly {
    readonly bundle: string
    readonly artifact: string
    readonly signatures: readonly {
      data: string
      signature: string
      spki: string
      digest: string | null
      isLeaf: boolean
    }[]
  }[]
}

function readWorkload(path: string): Workload | undefined {
  let stored: Stored
  try {
    stored = JSON.parse(readFileSync(path, 'utf8')) as Stored
  } catch {
    return undefined
  }
  const bytes = (text: string): Buffer => Buffer.from(text, 'base64')
  return {
    trustedRoot: Buffer.from(stored.trustedRoot),
    samples: stored.samples.map(({ bundle, artifact, signatures }) => ({
      bundle: Buffer.from(bundle),
      artifact: bytes(artifact),
      signatures: signatures.map(({ data, signature, spki, digest, isLeaf }) => {
        return { data: bytes(data), signature: bytes(signature), spki: bytes(spki), digest, isLeaf }
      }),
    })),
  }
}

function writeWorkload(path: string, name: ProfileName, count: number): Workload {
  const instance = new Instance(PROFILES[name])
  const trustedRoot = Buffer.from(instance.trustedRoot())
  const samples = Array.from({ length: count }, (_, i): Sample => {
    const { bundle, artifact } = instance.issue(i % 2 === 0 ? 'message' : 'envelope')
    return { bundle: Buffer.from(bundle), artifact: Buffer.from(artifact), signatures: [] }
  })
  const withSignatures = captureSignatures(trustedRoot, samples)
  for (const { signatures } of withSignatures) requireNecessary(name, signatures)
  const text = (buffer: Buffer): string => buffer.toString('base64')
  const stored: Stored = {
    trustedRoot: trustedRoot.toString(),
    samples: withSignatures.map(({ bundle, artifact, signatures }) => ({
      bundle: bundle.toString(),
      artifact: text(artifact),
      signatures: signatures.map(({ data, signature, spki, digest, isLeaf }) => {
        return { data: text(data), signature: text(signature), spki: text(spki), digest, isLeaf }
      }),
    })),
  }
  removeOlder(`${name}-${count}-`)
  writeFileSync(`${path}.new`, JSON.stringify(stored))
  renameSync(`${path}.new`, path)
  return { trustedRoot, samples: withSignatures }
}

/** The floor must do all the work, and no more. */
function requireNecessary(name: ProfileName, signatures: readonly SignatureCheck[]): void {
  const kinds = signatures.map(({ spki }) => KINDS.get(spki.length) ?? `${spki.length} bytes`)
  const got = kinds.toSorted((a, b) => (a < b ? -1 : 1)).join(' ')
  if (got !== NECESSARY[name])
    throw new Error(`a bundle of ${name} needs ${NECESSARY[name]}, and ${got} were captured`)
}

/** By the length of the SubjectPublicKeyInfo. */
const KINDS: ReadonlyMap<number, string> = new Map([
  [44, 'ed25519'],
  [91, 'p256'],
  [120, 'p384'],
])
