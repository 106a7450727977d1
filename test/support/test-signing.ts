import { Buffer } from 'node:buffer'
import { constants, hash, sign } from 'node:crypto'
import { ed25519ph } from '@noble/curves/ed25519.js'
import type { TestKey } from './test-der.ts'

/**
 * Signatures of every scheme over messages and envelopes, and the bodies under which logs of both generations hold
 * them, written out by hand from the specifications.
 */
export type TestHash = 'sha256' | 'sha384' | 'sha512'
export type TestScheme =
  | { readonly kind: 'ecdsa' | 'rsa-pkcs1' | 'rsa-pss'; readonly hash: TestHash }
  | { readonly kind: 'ed25519' | 'ed25519ph' | 'ml-dsa' }

/** What is signed: a message, or an envelope in its encoding. */
export interface Signable {
  readonly bytes: Uint8Array
  readonly envelope: { readonly payload: Uint8Array; readonly payloadType: string } | undefined
  readonly kind: 'hashedrekord' | 'dsse' | 'intoto'
}

/** The scheme that clients use with such a key. */
export function schemeFor(key: TestKey): TestScheme {
  switch (key.type) {
    case 'p256':
      return { kind: 'ecdsa', hash: 'sha256' }
    case 'p384':
      return { kind: 'ecdsa', hash: 'sha384' }
    case 'p521':
      return { kind: 'ecdsa', hash: 'sha512' }
    case 'rsa2048':
    case 'rsa3072':
      return { kind: 'rsa-pkcs1', hash: 'sha256' }
    case 'ed25519':
      return { kind: 'ed25519ph' }
    case 'ml-dsa-44':
      return { kind: 'ml-dsa' }
  }
}

export function signWith({ privateKey }: TestKey, scheme: TestScheme, message: Uint8Array): Uint8Array {
  switch (scheme.kind) {
    case 'ecdsa':
      return sign(scheme.hash, message, privateKey)
    case 'rsa-pkcs1':
      return sign(scheme.hash, message, { key: privateKey, padding: constants.RSA_PKCS1_PADDING })
    case 'rsa-pss': {
      const padding = constants.RSA_PKCS1_PSS_PADDING
      return sign(scheme.hash, message, {
        key: privateKey,
        padding,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      })
    }
    case 'ed25519ph':
      return ed25519ph.sign(message, Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url'))
    case 'ed25519':
    case 'ml-dsa':
      return sign(null, message, privateKey)
  }
}

/** PAE of DSSE 1.0. */
export function encodeEnvelope(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = Buffer.from(payloadType)
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${payloadType} ${payload.length} `), payload])
}

export interface Logged extends Signable {
  readonly signature: Uint8Array
  readonly scheme: TestScheme
  readonly key: TestKey
  /** DER of the certificate, or of the key. */
  readonly verifier: Uint8Array
  readonly isKey: boolean
}

/** JSON of a body, members in canonical order. */
export function logBody(generation: 1 | 2, logged: Logged): Record<string, unknown> {
  if (generation === 2) return tileBody(logged)
  if (logged.envelope === undefined) return hashedRekordBody(logged)
  return logged.kind === 'intoto' ? intotoBody(logged, logged.envelope) : dsseBody(logged, logged.envelope)
}

function tileBody({ bytes, signature, scheme, key, verifier, isKey }: Logged): Record<string, unknown> {
  const algorithm = digestName(scheme)
  const data = { algorithm: `SHA2_${algorithm.slice(3)}`, digest: base64(hash(algorithm, bytes, 'buffer')) }
  const rawBytes = base64(verifier)
  const named = isKey ? { publicKey: { rawBytes } } : { x509Certificate: { rawBytes } }
  const hashedRekordV002 = {
    data,
    signature: { content: base64(signature), verifier: { keyDetails: keyDetails(key, scheme), ...named } },
  }
  return { apiVersion: '0.0.2', kind: 'hashedrekord', spec: { hashedRekordV002 } }
}

function hashedRekordBody({ bytes, signature, scheme, verifier, isKey }: Logged): Record<string, unknown> {
  const algorithm = digestName(scheme)
  const data = { hash: { algorithm, value: hash(algorithm, bytes, 'hex') } }
  const signed = { content: base64(signature), publicKey: { content: pem(verifier, isKey) } }
  return { apiVersion: '0.0.1', kind: 'hashedrekord', spec: { data, signature: signed } }
}

type Envelope = NonNullable<Signable['envelope']>

function dsseBody({ signature, verifier, isKey }: Logged, { payload }: Envelope): Record<string, unknown> {
  const spec = {
    envelopeHash: { algorithm: 'sha256', value: hash('sha256', 'whatever was uploaded', 'hex') },
    payloadHash: { algorithm: 'sha256', value: hash('sha256', payload, 'hex') },
    signatures: [{ signature: base64(signature), verifier: pem(verifier, isKey) }],
  }
  return { apiVersion: '0.0.1', kind: 'dsse', spec }
}

function intotoBody({ signature, verifier, isKey }: Logged, envelope: Envelope): Record<string, unknown> {
  const { payload, payloadType } = envelope
  const twice = (bytes: Uint8Array): string => base64(Buffer.from(base64(bytes)))
  const content = {
    envelope: {
      payload: twice(payload),
      payloadType,
      signatures: [{ publicKey: pem(verifier, isKey), sig: twice(signature) }],
    },
    hash: { algorithm: 'sha256', value: hash('sha256', 'whatever was uploaded', 'hex') },
    payloadHash: { algorithm: 'sha256', value: hash('sha256', payload, 'hex') },
  }
  return { apiVersion: '0.0.2', kind: 'intoto', spec: { content } }
}

function digestName(scheme: TestScheme): TestHash {
  if ('hash' in scheme) return scheme.hash
  return scheme.kind === 'ed25519ph' ? 'sha512' : 'sha256'
}

/** Names that tile logs have for key and scheme; for what they do not take, the one that comes closest. */
function keyDetails(key: TestKey, scheme: TestScheme): string {
  switch (key.type) {
    case 'p256':
      return 'PKIX_ECDSA_P256_SHA_256'
    case 'p384':
      return 'PKIX_ECDSA_P384_SHA_384'
    case 'p521':
      return 'PKIX_ECDSA_P521_SHA_512'
    case 'rsa2048':
    case 'rsa3072':
      return `PKIX_RSA_${scheme.kind === 'rsa-pss' ? 'PSS' : 'PKCS1V15'}_${key.type.slice(3)}_SHA256`
    case 'ed25519':
      return scheme.kind === 'ed25519ph' ? 'PKIX_ED25519_PH' : 'PKIX_ED25519'
    case 'ml-dsa-44':
      return 'ML_DSA_44'
  }
}

/** Base64 of PEM, as generation 1 holds it. */
export function pem(der: Uint8Array, isKey: boolean): string {
  const label = isKey ? 'PUBLIC KEY' : 'CERTIFICATE'
  const lines = base64(der).match(/.{1,64}/g) ?? []
  return base64(Buffer.from(`-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`))
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
