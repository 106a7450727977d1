import { concatBytes, encodeUtf8 } from './encoding.ts'

/** DSSE, the Dead Simple Signing Envelope, version 1.0.0: a payload, its type, and signatures over both. */
export interface Envelope {
  readonly payloadType: string
  readonly payload: Uint8Array
  readonly signatures: readonly EnvelopeSignature[]
}

export interface EnvelopeSignature {
  /** A hint, unauthenticated; empty where the signer gave none. */
  readonly keyId: string
  readonly signature: Uint8Array
}

/** The payload type of every attestation that Sigward accepts. */
export const IN_TOTO_PAYLOAD_TYPE = 'application/vnd.in-toto+json'

/**
 * PAE, what the signature of an envelope covers: `DSSEv1 SP LEN(type) SP type SP LEN(payload) SP payload`, lengths
 * in bytes, decimal, without leading zeros. `payloadType` is well-formed Unicode, as strict JSON guarantees.
 */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = encodeUtf8(payloadType)
  return concatBytes(encodeUtf8(`DSSEv1 ${type.length} `), type, encodeUtf8(` ${payload.length} `), payload)
}
