import type { Artifact } from './artifact.ts'
import {
  STRICT_THRESHOLDS,
  type DomainKey,
  type SpeaksFor,
  type Thresholds,
  type TrustDomain,
} from './domain.ts'
import { UsageError } from './errors.ts'
import type { WitnessPolicy } from './log/witness-policy.ts'
import type { TrustedRoot } from './trusted-root.ts'

/** Inputs of verification for a caller who has bytes and a trusted root in hand, and no files. */

/** What a caller knows about bytes that are no package file. */
export interface ArtifactOptions {
  /** For reports; `bytes` unless it is given. */
  readonly format?: string
  /** Name of the artifact, where it has one. */
  readonly name?: string
  /** Version of the artifact, where it has one. */
  readonly version?: string
  /** Package URL in canonical spelling. Whoever gives it vouches that these bytes are that package. */
  readonly purl?: string
  /** Names under which a statement may speak about the artifact; the package URL unless they are given. */
  readonly statementNames?: readonly string[]
}

/**
 * Makes an artifact of bytes. They are copied, so that what was verified stays what it was.
 *
 * @param bytes - exactly what was signed, or what a statement speaks of
 * @param options - what the artifact is called; without a name no name is compared
 * @returns an artifact for {@link verify}
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { artifactFromBytes } from 'sigward'
 *
 * const artifact = artifactFromBytes(await readFile('notes.txt'), { name: 'notes.txt' })
 * ```
 */
export function artifactFromBytes(bytes: Uint8Array, options: ArtifactOptions = {}): Artifact {
  const copy = new Uint8Array(bytes)
  const { format = 'bytes', name, version, purl, statementNames } = options
  return {
    format,
    subject: { name, version, purl, statementNames: statementNames ?? (purl === undefined ? [] : [purl]) },
    embedded: [],
    nativeSignatures: [],
    notes: [],
    signedBytes: async function* () {
      // whoever reads may write into what it gets
      yield new Uint8Array(copy)
    },
  }
}

/** What makes a trust domain of a trusted root. */
export interface TrustDomainOptions {
  /** Verdicts name the domain by it; each domain of one verification has its own. */
  readonly name: string
  /** The keys and certificates, as {@link parseTrustedRoot} gives them. */
  readonly root: TrustedRoot
  /** Whose identities and which packages it may vouch for. There is no default: a root of your own must be told. */
  readonly speaksFor: SpeaksFor
  /** How much evidence it asks for; {@link STRICT_THRESHOLDS} unless it is given. `times` is at least 1. */
  readonly thresholds?: Thresholds
  /** Managed keys that the domain vouches for; none unless they are given. */
  readonly keys?: readonly DomainKey[]
  /** Whose cosignatures checkpoints must carry; nobody's unless it is given. */
  readonly witnesses?: WitnessPolicy
  /** Where the root comes from, for reports. */
  readonly description?: string
  /** When the root was known to be current, where you know. */
  readonly asOf?: Date
}

/**
 * Makes a trust domain: a trusted root, what it may speak for and how much evidence it asks for.
 *
 * @param options - name, root and what it speaks for, and what differs from the defaults
 * @returns a domain for {@link verify}
 * @throws UsageError `TRUST_DOMAIN_NAMES` for an empty name, `USAGE_ARGUMENT` for thresholds that are not whole
 * numbers, that ask for no time, or that ask for witnesses and for no log
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { parseTrustedRoot, trustDomain } from 'sigward'
 *
 * const acme = trustDomain({
 *   name: 'acme',
 *   root: parseTrustedRoot(await readFile('acme.trusted_root.json')),
 *   speaksFor: { issuers: ['https://oidc.acme.example'], packages: ['pkg:npm/%40acme'] },
 * })
 * ```
 */
export function trustDomain(options: TrustDomainOptions): TrustDomain {
  const { name, root, speaksFor, thresholds = STRICT_THRESHOLDS, keys = [], witnesses, asOf } = options
  if (name === '') throw new UsageError('TRUST_DOMAIN_NAMES', 'a trust domain has no name')
  requireThresholds(thresholds, witnesses)
  const description = options.description ?? 'given by the caller'
  return { name, root, source: { kind: 'given', description, asOf }, speaksFor, thresholds, keys, witnesses }
}

/** The same limits that a policy file has. */
function requireThresholds(thresholds: Thresholds, witnesses: WitnessPolicy | undefined): void {
  for (const name of ['logs', 'certificateLogs', 'times'] as const) {
    const least = name === 'times' ? 1 : 0
    if (Number.isSafeInteger(thresholds[name]) && thresholds[name] >= least) continue
    throw new UsageError('USAGE_ARGUMENT', `the threshold for ${name} is out of range`, {
      got: `${thresholds[name]}`,
      wanted: `a whole number from ${least}`,
    })
  }
  if (witnesses === undefined || thresholds.logs > 0) return
  throw new UsageError('USAGE_ARGUMENT', 'witnesses cosign logs, and the thresholds ask for no log', {
    got: 'logs: 0',
    wanted: 'logs: 1 or more',
  })
}
