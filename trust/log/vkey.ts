import { concatBytes, decodeBase64, encodeBase64 } from '../encoding.ts'
import { MalformedError } from '../errors.ts'
import { parsePublicKey, type PublicKey } from '../keys.ts'
import { encodeElement, TAG } from '../x509/der.ts'
import { isKeyName, NOTE_TYPE, noteKeyId, noteVerifier, typedKeyId, type NoteVerifier } from './note.ts'

/**
 * Verifier keys (C2SP signed-note): `<key name>+<key ID in hex>+<base64 of type byte and key>`. Base64 has plus
 * signs of its own and names have none, so the first two divide.
 */
export interface Vkey {
  /** Key name: for a log, its origin. */
  readonly name: string
  /** Four bytes, lower-case hex; recomputed, never taken from the text. */
  readonly keyId: string
  /** What the key signs, and how. */
  readonly type: VkeyType
  /** What it signs with. */
  readonly key: PublicKey
}

/** Signature type bytes of C2SP signed-note. */
export type VkeyType = (typeof NOTE_TYPE)[keyof typeof NOTE_TYPE]

/** AlgorithmIdentifiers (RFC 8410, RFC 9881): an object identifier without parameters. */
const ED25519_ALGORITHM = Uint8Array.of(0x30, 5, 6, 3, 0x2b, 0x65, 0x70)
const ML_DSA_44_ALGORITHM = Uint8Array.of(0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 0x11)
const ED25519_LENGTH = 32
const ML_DSA_44_LENGTH = 1312

/** Errors: `MALFORMED_VKEY`. */
export function parseVkey(text: string): Vkey {
  const [, name, keyId, encoded] = /^([^+]*)\+([^+]*)\+(.*)$/s.exec(text) ?? []
  if (name === undefined || keyId === undefined || encoded === undefined) malformed('not name+hash+key')
  if (!isKeyName(name)) malformed('the key name is empty or holds a space', name)
  if (!/^[0-9a-f]{8}$/.test(keyId)) malformed('the key ID is not eight lower-case hex digits', keyId)
  const bytes = decodeBase64(encoded)
  const type = bytes?.[0]
  if (bytes === undefined || type === undefined) malformed('the key is not base64', encoded)
  const vkey = readKey(name, type, bytes.subarray(1))
  if (vkey.keyId !== keyId) malformed('the key ID is not that of name and key', keyId, vkey.keyId)
  return vkey
}

function readKey(name: string, type: number, material: Uint8Array): Vkey {
  switch (type) {
    case NOTE_TYPE.ed25519:
    case NOTE_TYPE.cosignatureEd25519: {
      const key = rawKey(ED25519_ALGORITHM, ED25519_LENGTH, material)
      return { name, keyId: typedKeyId(name, Uint8Array.of(type), material), type, key }
    }
    case NOTE_TYPE.cosignatureMlDsa44: {
      const key = rawKey(ML_DSA_44_ALGORITHM, ML_DSA_44_LENGTH, material)
      return { name, keyId: typedKeyId(name, Uint8Array.of(type), material), type, key }
    }
    case NOTE_TYPE.ecdsa: {
      const key = publicKey(material)
      if (!key.type.startsWith('ecdsa')) malformed('the key is not an ECDSA key', key.type)
      return { name, keyId: noteKeyId(name, key), type, key }
    }
    default:
      malformed('the key is of an unknown signature type', `0x${type.toString(16).padStart(2, '0')}`)
  }
}

function rawKey(algorithm: Uint8Array, length: number, material: Uint8Array): PublicKey {
  if (material.length !== length) malformed(`the key is not ${length} bytes long`, `${material.length} bytes`)
  const bits = encodeElement(TAG.bitString, Uint8Array.of(0), material)
  return publicKey(encodeElement(TAG.sequence, algorithm, bits))
}

function publicKey(spki: Uint8Array): PublicKey {
  try {
    return parsePublicKey(spki)
  } catch (cause) {
    if (!(cause instanceof MalformedError)) throw cause
    // a runtime that cannot verify the key says what would help
    const hint = cause.code === 'SIGNATURE_ALGORITHM' ? { hint: cause.hint } : {}
    throw new MalformedError('MALFORMED_VKEY', cause.message, { cause, ...hint })
  }
}

function malformed(message: string, got?: string, wanted?: string): never {
  throw new MalformedError('MALFORMED_VKEY', message, {
    ...(got === undefined ? {} : { got }),
    ...(wanted === undefined ? {} : { wanted }),
  })
}

/** The inverse of `parseVkey`. */
export function encodeVkey({ name, keyId, type, key }: Vkey): string {
  return `${name}+${keyId}+${encodeBase64(concatBytes(Uint8Array.of(type), keyMaterial(type, key)))}`
}

function keyMaterial(type: VkeyType, key: PublicKey): Uint8Array {
  if (type === NOTE_TYPE.ecdsa) return key.spki
  // both have a fixed form that ends in the key
  return key.spki.subarray(-(type === NOTE_TYPE.cosignatureMlDsa44 ? ML_DSA_44_LENGTH : ED25519_LENGTH))
}

/** A key under a name for one purpose. Errors: `MALFORMED_VKEY` when the key cannot sign that way. */
export function buildVkey(name: string, type: VkeyType, key: PublicKey): Vkey {
  if (!isKeyName(name)) malformed('the key name is empty or holds a space', name)
  const vkey = readKey(name, type, keyMaterial(type, key))
  if (vkey.key.type !== key.type) malformed('the key is not of the type that signs this way', key.type)
  return vkey
}

/** A verifier for the plain signatures of a log. Witness keys sign more than the text: see `cosignature.ts`. */
export function vkeyVerifier(vkey: Vkey): NoteVerifier {
  if (vkey.type !== NOTE_TYPE.ed25519 && vkey.type !== NOTE_TYPE.ecdsa) {
    malformed('the key is for cosignatures', vkey.name, 'a key for signatures over the text')
  }
  return noteVerifier(vkey.name, vkey.key, vkey.keyId)
}
