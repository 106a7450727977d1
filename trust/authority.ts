import type { PublicKey } from './keys.ts'
import type { Certificate } from './x509/certificate.ts'

/**
 * Who may be believed, for what and when: the contents of a trusted root, one type per purpose, so that a log key
 * cannot check a certificate timestamp. Built by `trusted-root.ts` only.
 */

/** Closed interval: both ends belong to it. No end means open. */
export interface Window {
  /** Belongs to it. */
  readonly start: Date
  /** Belongs to it; undefined: still open. */
  readonly end: Date | undefined
}

export function windowContains(window: Window, at: Date): boolean {
  return at >= window.start && (window.end === undefined || at <= window.end)
}

/** Who issues signing certificates. */
export interface CertificateAuthority {
  readonly purpose: 'ca'
  /** Subject of the authority as the trusted root names it, for reports. */
  readonly name: string
  /** Where it is asked; not used by verification. */
  readonly uri: string
  /** Thresholds count operators; the host of the URI where the root names none. */
  readonly operator: string
  /** Issuer of leaves first, the anchor last, which need not be self-signed. Signatures are verified with each path. */
  readonly chain: readonly [Certificate, ...Certificate[]]
  /** When it is trusted. */
  readonly validFor: Window
}

/** Who signs times (RFC 3161). */
export interface TimestampAuthority {
  readonly purpose: 'tsa'
  /** Subject of the authority as the trusted root names it, for reports. */
  readonly name: string
  /** Where it is asked; not used by verification. */
  readonly uri: string
  /** Thresholds count operators. */
  readonly operator: string
  /** The signing certificate where the root lists it; else it comes from the token and must lead to `chain`. */
  readonly leaf: Certificate | undefined
  /** Authorities above the signing certificate, the anchor last. Holds at least the anchor. */
  readonly chain: readonly [Certificate, ...Certificate[]]
  /** When it is trusted. */
  readonly validFor: Window
}

/** What logs of both kinds have. */
export interface LogKey {
  /** Where it is asked; its host names the log. */
  readonly baseUrl: string
  /** Thresholds count operators. */
  readonly operator: string
  /** `logId.keyId` in lower-case hex: 32 bytes for every known log. */
  readonly logId: string
  /** The key of the log. */
  readonly key: PublicKey
  /** When the key is trusted. */
  readonly validFor: Window
}

/** A Rekor log, v1 or v2. */
export interface TransparencyLog extends LogKey {
  readonly purpose: 'tlog'
  /** Key names of its signed notes: the host of `baseUrl`, without and with its port. */
  readonly names: readonly [string, ...string[]]
  /** Four-byte key ID of its signed notes, lower-case hex. */
  readonly checkpointKeyId: string
}

/** A certificate transparency log. */
export interface CertificateLog extends LogKey {
  readonly purpose: 'ctlog'
}
