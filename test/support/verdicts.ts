import { Buffer } from 'node:buffer'
import type { Artifact } from '../../trust/artifact.ts'
import type { FoundBundle } from '../../trust/content.ts'
import type { TrustDomain } from '../../trust/domain.ts'
import { artifactFromBytes } from '../../trust/given.ts'
import { parsePublicKey } from '../../trust/keys.ts'
import {
  exactly,
  identity,
  managedKey,
  policy,
  type KeyOptions,
  type KeyRequirement,
  type Policy,
} from '../../trust/policy.ts'
import type { Verdict } from '../../trust/verdict.ts'
import { verify } from '../../trust/verify.ts'
import { ARTIFACT, found, SIGNER, type TestBundle } from './breakable-instance.ts'
import type { TestKey } from './test-der.ts'

/** Verification as a caller of the library does it, in one line of a test. */
export interface Question {
  readonly bundles: readonly unknown[]
  readonly domains: readonly TrustDomain[]
  /** The usual signer unless it is given. */
  readonly policy?: Policy
  readonly artifact?: Artifact
}

export const USUAL_SIGNER = identity({ subject: exactly(SIGNER.subject), issuer: exactly(SIGNER.issuer) })

export function ask({ bundles, domains, policy: asked, artifact }: Question): Promise<Verdict> {
  const files = bundles.map((bundle, i): FoundBundle => found(bundle, `bundle ${i}`))
  return verify(artifact ?? artifactFromBytes(ARTIFACT), files, domains, asked ?? policy(USUAL_SIGNER))
}

/** `verified`, or outcome and codes in one line: `rejected LOG_PROOF`. */
export function summary(verdict: Verdict): string {
  const codes = verdict.outcome === 'verified' ? [] : verdict.failures.map(({ code }) => code)
  return [verdict.outcome, ...new Set(codes)].join(' ')
}

export async function outcomeOf(question: Question): Promise<string> {
  return summary(await ask(question))
}

export function keyRequirement(key: TestKey, options: KeyOptions = {}): KeyRequirement {
  return managedKey(parsePublicKey(key.spki), options)
}

/** Every bit of a base64 member turned: as long as before, and something else. */
export function damaged(base64: unknown, at = -1): string {
  const bytes = Buffer.from(String(base64), 'base64')
  const i = at < 0 ? bytes.length + at : at
  bytes[i] = (bytes[i] ?? 0) ^ 0xff
  return bytes.toString('base64')
}

/** A copy that a test may change. */
export function changed(bundle: TestBundle, change: (copy: TestBundle) => void): TestBundle {
  const copy = structuredClone(bundle)
  change(copy)
  return copy
}
