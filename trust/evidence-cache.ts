import type { ArtifactDigests } from './digest.ts'
import type { TrustDomain } from './domain.ts'
import { encodeHex } from './encoding.ts'
import type { Evidence } from './evidence.ts'

/** Everything that evidence depends on. */
export interface EvidenceInputs {
  /** SHA-256 of the bundle's bytes. */
  readonly bundle: Uint8Array
  readonly artifact: ArtifactDigests
  /** By identity: a refreshed domain is another object, and what the old one proved is never asked for again. */
  readonly domain: TrustDomain
  /** The managed keys that the policy offers, with their windows: they decide which key is tried. */
  readonly offered: string
}

/**
 * Remembers evidence, and nothing else: what a bundle of these bytes proves about an artifact of these digests under
 * this trust domain is a fact about immutable bytes, so it holds as long as the key holds all of its inputs. Names,
 * policy, denials and freshness are decided anew at every call. Lives in memory only, so its own version is the
 * running code; failures are not kept.
 */
export class EvidenceCache {
  private readonly entries = new Map<string, Evidence>()
  private readonly domains = new WeakMap<TrustDomain, string>()
  private readonly capacity: number
  private nextDomain = 0

  constructor(capacity = 4096) {
    this.capacity = capacity
  }

  get(inputs: EvidenceInputs): Evidence | undefined {
    return this.entries.get(this.keyOf(inputs))
  }

  set(inputs: EvidenceInputs, evidence: Evidence): void {
    const oldest = this.entries.keys().next()
    if (this.entries.size >= this.capacity && oldest.done !== true) this.entries.delete(oldest.value)
    this.entries.set(this.keyOf(inputs), evidence)
  }

  private keyOf({ bundle, artifact, domain, offered }: EvidenceInputs): string {
    let id = this.domains.get(domain)
    if (id === undefined) {
      id = String(this.nextDomain++)
      this.domains.set(domain, id)
    }
    let digests = ''
    for (const [algorithm, bytes] of artifact) digests += `${algorithm}:${encodeHex(bytes)} `
    return `${encodeHex(bundle)} ${digests}${id} ${offered}`
  }
}
