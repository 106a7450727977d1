import { Buffer } from 'node:buffer'
import { hash } from 'node:crypto'
import {
  asBuffer,
  concatBytes,
  decodeBase64,
  decodeHex,
  decodeUtf8,
  encodeBase64,
  encodeHex,
  encodeUtf8,
} from '../encoding.ts'
import { CheckFailed, MalformedError } from '../errors.ts'
import { verifySignature, type MessageScheme, type PublicKey } from '../keys.ts'

/**
 * Signed notes (C2SP signed-note): a text that ends in a newline, an empty line, then one line for each signature,
 * `— <key name> <base64 of four bytes key ID and the signature>`. Nobody may act on the text before `openNote`.
 */
export interface UnverifiedNote {
  /** With its final newline, without the empty line after it. */
  readonly unverifiedText: string
  /** UTF-8 of the text: what signatures cover. */
  readonly unverifiedBytes: Uint8Array
  /** In the order of the note; at least one. */
  readonly signatures: readonly NoteSignature[]
}

export interface NoteSignature {
  /** Key name. */
  readonly name: string
  /** Four bytes, lower-case hex: a name for lookups, too short to prove anything. */
  readonly keyId: string
  readonly signature: Uint8Array
}

/** One trusted key under one name. Signatures by any other (name, key ID) pair are not looked at. */
export interface NoteVerifier {
  readonly name: string
  readonly keyId: string
  verify(text: Uint8Array, signature: Uint8Array): boolean
}

export interface OpenedNote {
  readonly text: string
  readonly bytes: Uint8Array
  /** Verifiers whose signature stands under the text, each once; at least one. */
  readonly verified: readonly [NoteVerifier, ...NoteVerifier[]]
}

export const NOTE_LIMITS = { size: 1024 * 1024, signatures: 64 } as const

const KEY_ID_LENGTH = 4
const SIGNATURE_LINE = /^\u2014 ([^ ]+) ([^ ]+)$/u
// the specification counts as control characters those below U+0020
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/
const NOT_IN_NAME = /[\p{White_Space}+\u0000-\u001f]/u

/** Reads the form of a note and believes nothing in it. Sizes are bytes. Errors: `MALFORMED_NOTE`. */
export function parseNote(note: Uint8Array | string, limits: NoteLimits = NOTE_LIMITS): UnverifiedNote {
  const whole = noteText(note, limits.size)
  // the text may hold empty lines: only the last one divides it from the signatures
  const split = whole.lastIndexOf('\n\n')
  if (split < 0) malformed('the note has no empty line between text and signatures')
  const unverifiedText = whole.slice(0, split + 1)
  const block = whole.slice(split + 2)
  if (block === '') malformed('the note has no signature')
  if (!block.endsWith('\n')) malformed('the last signature line has no newline')
  const lines = block.slice(0, -1).split('\n')
  if (lines.length > limits.signatures) {
    malformed(`the note has more than ${limits.signatures} signatures`, `${lines.length} signatures`)
  }
  const signatures = lines.map((line, i) => parseSignatureLine(line, `signature line ${i + 1}`))
  return { unverifiedText, unverifiedBytes: encodeUtf8(unverifiedText), signatures }
}

export interface NoteLimits {
  /** Bytes. */
  readonly size: number
  /** Signature lines; the specification asks for at least 16. */
  readonly signatures: number
}

function noteText(note: Uint8Array | string, limit: number): string {
  const size = typeof note === 'string' ? Buffer.byteLength(note) : note.length
  if (size > limit) malformed(`the note is larger than ${limit} bytes`, `${size} bytes`)
  const text = typeof note === 'string' ? (note.isWellFormed() ? note : undefined) : decodeUtf8(note)
  if (text === undefined) malformed('the note is not well-formed Unicode')
  const control = CONTROL.exec(text)
  if (control !== null) malformed('the note holds a control character', JSON.stringify(control[0]))
  return text
}

function parseSignatureLine(line: string, where: string): NoteSignature {
  const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? []
  if (name === undefined || encoded === undefined) malformed('not a signature line', line, where)
  if (!isKeyName(name)) malformed('the key name holds a space or a plus sign', name, where)
  const bytes = decodeBase64(encoded)
  if (bytes === undefined) malformed('the signature is not base64', encoded, where)
  if (bytes.length <= KEY_ID_LENGTH) malformed('the signature is too short for a key ID', encoded, where)
  return {
    name,
    keyId: encodeHex(bytes.subarray(0, KEY_ID_LENGTH)),
    signature: bytes.subarray(KEY_ID_LENGTH),
  }
}

function malformed(message: string, got?: string, where?: string): never {
  throw new MalformedError('MALFORMED_NOTE', message, {
    ...(got === undefined ? {} : { got }),
    ...(where === undefined ? {} : { where }),
  })
}

/** Key names are not empty and have no Unicode space, plus sign or control character. */
export function isKeyName(name: string): boolean {
  return name !== '' && name.isWellFormed() && !NOT_IN_NAME.test(name)
}

/** The inverse of `parseNote`, for who signs. RangeError for anything that `parseNote` would refuse. */
export function encodeNote(text: string, signatures: readonly NoteSignature[]): string {
  if (!text.endsWith('\n') || signatures.length === 0)
    throw new RangeError('a note has lines and a signature')
  return `${text}\n${signatures.map(encodeSignatureLine).join('')}`
}

export function encodeSignatureLine({ name, keyId, signature }: NoteSignature): string {
  const id = decodeHex(keyId)
  if (!isKeyName(name) || id?.length !== KEY_ID_LENGTH || signature.length === 0) {
    throw new RangeError('a signature line has a key name, a key ID of four bytes and a signature')
  }
  return `\u2014 ${name} ${encodeBase64(concatBytes(id, signature))}\n`
}

/**
 * Verifies, then reveals. Lines of unknown (name, key ID) pairs are skipped wherever they stand; every line of a
 * known pair must verify, a repeated one too, and at least one must be there. Errors: `LOG_CHECKPOINT_SIGNATURE`.
 */
export function openNote(note: UnverifiedNote, verifiers: readonly NoteVerifier[]): OpenedNote {
  const found = new Set<NoteVerifier>()
  for (const { name, keyId, signature } of note.signatures) {
    const known = verifiers.filter((v) => v.name === name && v.keyId === keyId)
    if (known.length === 0) continue
    const signer = known.find((v) => v.verify(note.unverifiedBytes, signature))
    if (signer === undefined) {
      throw new CheckFailed(
        'log',
        'LOG_CHECKPOINT_SIGNATURE',
        'a signature of a known key does not fit the note',
        {
          got: `${name} ${keyId}`,
        },
      )
    }
    found.add(signer)
  }
  const [first, ...others] = found
  if (first === undefined) {
    throw new CheckFailed('log', 'LOG_CHECKPOINT_SIGNATURE', 'no known key signed the note', {
      got: note.signatures.map((s) => `${s.name} ${s.keyId}`).join(', '),
      wanted: verifiers.map((v) => `${v.name} ${v.keyId}`).join(', '),
    })
  }
  return { text: note.unverifiedText, bytes: note.unverifiedBytes, verified: [first, ...others] }
}

/** A verifier for plain note signatures; logs whose key ID is listed elsewhere give it. */
export function noteVerifier(
  name: string,
  key: PublicKey,
  keyId: string = noteKeyId(name, key),
): NoteVerifier {
  const scheme = logScheme(key)
  return { name, keyId, verify: (text, signature) => verifySignature(key, scheme, text, signature) }
}

/** How logs sign notes and promises with a key of this type: SHA-256 whatever the curve or modulus. */
export function logScheme(key: PublicKey): MessageScheme {
  switch (key.type) {
    case 'ed25519':
      return { kind: 'ed25519' }
    case 'rsa':
      return { kind: 'rsa-pkcs1', hash: 'sha256' }
    case 'ecdsa-p256':
    case 'ecdsa-p384':
    case 'ecdsa-p521':
      return { kind: 'ecdsa', hash: 'sha256' }
    default:
      throw new CheckFailed(
        'log',
        'SIGNATURE_ALGORITHM',
        'no log signature is defined for this type of key',
        {
          got: key.type,
          wanted: 'Ed25519, ECDSA or RSA',
        },
      )
  }
}

/** Signature type bytes of C2SP signed-note. */
export const NOTE_TYPE = {
  ed25519: 0x01,
  ecdsa: 0x02,
  cosignatureEd25519: 0x04,
  cosignatureMlDsa44: 0x06,
} as const

const ED25519_LENGTH = 32
/** The byte for types without a number, and the longer name that tells them apart. */
const RSA_TYPE = concatBytes(Uint8Array.of(0xff), encodeUtf8('PKIX-RSA-PKCS#1v1.5'))

/** Key ID of plain note signatures, as C2SP and the tile logs compute it: four bytes, lower-case hex. */
export function noteKeyId(name: string, key: PublicKey): string {
  const { kind } = logScheme(key)
  // older than the common rule: the name does not enter
  if (kind === 'ecdsa') return hash('sha256', key.spki, 'hex').slice(0, 8)
  if (kind === 'ed25519') return typedKeyId(name, Uint8Array.of(NOTE_TYPE.ed25519), ed25519Bytes(key))
  return typedKeyId(name, RSA_TYPE, key.spki)
}

/** SHA-256(name, newline, type, key)[:4]. */
export function typedKeyId(name: string, type: Uint8Array, keyBytes: Uint8Array): string {
  const preimage = concatBytes(encodeUtf8(`${name}\n`), type, keyBytes)
  return hash('sha256', preimage, 'hex').slice(0, 2 * KEY_ID_LENGTH)
}

/** The 32 bytes of RFC 8032: the end of the SubjectPublicKeyInfo, which has a fixed form. */
export function ed25519Bytes(key: PublicKey): Uint8Array {
  return asBuffer(key.spki).subarray(-ED25519_LENGTH)
}
