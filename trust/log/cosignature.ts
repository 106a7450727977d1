import { Buffer } from 'node:buffer'
import { asBuffer, concatBytes, encodeUtf8 } from '../encoding.ts'
import { CheckFailed, MalformedError } from '../errors.ts'
import { verifySignature, type PublicKey } from '../keys.ts'
import { parseCheckpoint, type Checkpoint } from './checkpoint.ts'
import { NOTE_TYPE, type NoteVerifier } from './note.ts'
import { parseVkey, type Vkey } from './vkey.ts'

/**
 * Cosignatures (C2SP tlog-cosignature): a witness says that it saw this tree grow from every tree that it saw
 * before. In a note the signature is eight bytes of time, big-endian seconds, then the signature proper.
 */
export interface Cosigner {
  /** Key name, as on its signature lines. */
  readonly name: string
  /** Four bytes, lower-case hex. */
  readonly keyId: string
  /** How it signs. */
  readonly algorithm: 'ed25519' | 'ml-dsa-44'
  /** What it signs with. */
  readonly key: PublicKey
}

const TIME_LENGTH = 8
const SIGNATURE_LENGTH = { ed25519: 64, 'ml-dsa-44': 2420 } as const
/** Dates end here; the specification ends at 2^63 - 1 seconds. */
const MAX_SECONDS = 8_640_000_000_000n
const SUBTREE_LABEL = encodeUtf8('subtree/v1\n\0')

/** Errors: `MALFORMED_VKEY`, also for a key that signs checkpoints but no cosignatures. */
export function parseCosigner(vkey: string): Cosigner {
  return buildCosigner(parseVkey(vkey))
}

export function buildCosigner({ name, keyId, type, key }: Vkey): Cosigner {
  if (type === NOTE_TYPE.cosignatureEd25519) return { name, keyId, algorithm: 'ed25519', key }
  if (type === NOTE_TYPE.cosignatureMlDsa44) return { name, keyId, algorithm: 'ml-dsa-44', key }
  throw new MalformedError('MALFORMED_VKEY', 'the key is not for cosignatures', {
    got: `type 0x${type.toString(16).padStart(2, '0')}`,
    wanted: 'type 0x04 (Ed25519) or 0x06 (ML-DSA-44)',
  })
}

/**
 * `text` is that of the cosigned note and `checkpoint` what it says. Returns the time at which the witness knew no
 * larger tree; undefined where it makes no such statement (time zero). Errors: `LOG_COSIGNATURE`.
 */
export function verifyCosignature(
  cosigner: Cosigner,
  text: Uint8Array,
  checkpoint: Checkpoint,
  signature: Uint8Array,
): Date | undefined {
  const length = TIME_LENGTH + SIGNATURE_LENGTH[cosigner.algorithm]
  if (signature.length !== length) {
    refuse(cosigner, 'the cosignature has a wrong length', `${signature.length} bytes`, `${length} bytes`)
  }
  const seconds = asBuffer(signature).readBigUInt64BE(0)
  if (seconds > MAX_SECONDS) refuse(cosigner, 'the cosignature has an impossible time', `${seconds} seconds`)
  const signed = cosignedMessage(cosigner, seconds, text, checkpoint)
  const scheme =
    cosigner.algorithm === 'ed25519' ? ({ kind: 'ed25519' } as const) : ({ kind: 'ml-dsa' } as const)
  // a name or origin too long for the message was never signed
  if (
    signed === undefined ||
    !verifySignature(cosigner.key, scheme, signed, signature.subarray(TIME_LENGTH))
  ) {
    refuse(cosigner, 'the witness did not sign this checkpoint')
  }
  return seconds === 0n ? undefined : new Date(Number(seconds) * 1000)
}

function refuse(
  { name, keyId }: Cosigner,
  message: string,
  got = `${name} ${keyId}`,
  wanted?: string,
): never {
  throw new CheckFailed('log', 'LOG_COSIGNATURE', message, {
    got,
    where: `cosignature of ${name}`,
    ...(wanted === undefined ? {} : { wanted }),
  })
}

/** The bytes that a cosigner signs over a whole tree; undefined where they cannot be written. */
export function cosignedMessage(
  cosigner: Pick<Cosigner, 'name' | 'algorithm'>,
  seconds: bigint,
  text: Uint8Array,
  checkpoint: Checkpoint,
): Uint8Array | undefined {
  if (cosigner.algorithm === 'ed25519')
    return concatBytes(encodeUtf8(`cosignature/v1\ntime ${seconds}\n`), text)
  const { origin, size, rootHash } = checkpoint
  const cosignerName = shortVector(cosigner.name)
  const logOrigin = shortVector(origin)
  if (cosignerName === undefined || logOrigin === undefined) return undefined
  // label | name | time | origin | start, always zero for a checkpoint | end | hash; extension lines stay outside
  return concatBytes(
    SUBTREE_LABEL,
    cosignerName,
    uint64(seconds),
    logOrigin,
    uint64(0n),
    uint64(size),
    rootHash,
  )
}

/** What stands in the note after the key ID. */
export function encodeCosignature(seconds: bigint, signature: Uint8Array): Uint8Array {
  return concatBytes(uint64(seconds), signature)
}

/** One byte of length, then 1 to 255 bytes. */
function shortVector(text: string): Uint8Array | undefined {
  const bytes = encodeUtf8(text)
  return bytes.length === 0 || bytes.length > 255
    ? undefined
    : concatBytes(Uint8Array.of(bytes.length), bytes)
}

function uint64(n: bigint): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(n)
  return bytes
}

/** For a log that signs its own checkpoints as a cosigner, which tlog-checkpoint recommends. */
export function cosignatureVerifier(cosigner: Cosigner): NoteVerifier {
  return {
    name: cosigner.name,
    keyId: cosigner.keyId,
    verify: (text, signature) => {
      try {
        verifyCosignature(cosigner, text, parseCheckpoint(asBuffer(text).toString('utf8')), signature)
        return true
      } catch (error) {
        if (error instanceof CheckFailed || error instanceof MalformedError) return false
        throw error
      }
    },
  }
}
