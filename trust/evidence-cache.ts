import { encodeHex } from './encoding.ts'
import type { TrustDomain } from './domain.ts'
import type { Evidence } from './evidence.ts'

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

  /**
   * The domain goes in by identity: a refreshed domain is another object, and its old evidence is never asked for
   * again. `signer` names the managed keys that were offered; they decide which key is tried.
   */
  key(bundleDigest: Uint8Array, artifact: string, domain: TrustDomain, signer: string): string {
    let id = this.domains.get(domain)
    if (id === undefined) {
      id = String(this.nextDomain++)
      this.domains.set(domain, id)
    }
    return `${encodeHex(bundleDigest)} ${artifact} ${id} ${signer}`
  }

  get(key: string): Evidence | undefined {
    return this.entries.get(key)
  }

  set(key: string, evidence: Evidence): void {
    const oldest = this.entries.keys().next()
    if (this.entries.size >= this.capacity && oldest.done !== true) this.entries.delete(oldest.value)
    this.entries.set(key, evidence)
  }
}
