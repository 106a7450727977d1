import { decodeUtf8 } from '../trust/encoding.ts'
import { MalformedError } from '../trust/errors.ts'

/** OpenPGP for one purpose: does a key of this keyring stand behind these signed bytes? */
export interface Keyring {
  readonly path: string
  readonly bytes: Uint8Array
}

export type PgpOutcome =
  | { readonly state: 'holds'; readonly by: string }
  | { readonly state: 'broken'; readonly why: string }
  | { readonly state: 'key-unknown'; readonly by: string }

const ARMOR = '-----BEGIN PGP PUBLIC KEY BLOCK-----'

/** Armored public keys, or a binary keyring: the first packet is a public key of the old or the new form. */
export function looksLikeKeyring(bytes: Uint8Array): boolean {
  if (decodeUtf8(bytes.subarray(0, 200))?.trimStart().startsWith(ARMOR) === true) return true
  const tag = bytes[0] ?? 0
  return (tag & 0xfc) === 0x98 || tag === 0xc6
}

/**
 * Checks a signature over `message` with the keys of one keyring, as they were when the signature says it was made:
 * charts outlive their keys, and the result is a remark, never a verdict.
 */
export async function verifyPgp(
  message: Uint8Array,
  signature: Uint8Array,
  keyring: Keyring,
): Promise<PgpOutcome> {
  const pgp = await import('openpgp')
  const armored = decodeUtf8(keyring.bytes)?.trimStart().startsWith(ARMOR) === true
  const text = decodeUtf8(keyring.bytes) ?? ''
  const verificationKeys = await reading(keyring.path, async () =>
    armored ? pgp.readKeys({ armoredKeys: text }) : pgp.readKeys({ binaryKeys: keyring.bytes }),
  )
  let signatures: Awaited<ReturnType<typeof pgp.verify>>['signatures']
  try {
    const parsed = await pgp.readSignature({ binarySignature: signature })
    const [packet] = parsed.packets
    const verified = await pgp.verify({
      message: await pgp.createMessage({ binary: message }),
      signature: parsed,
      verificationKeys,
      ...(packet?.created instanceof Date ? { date: packet.created } : {}),
    })
    signatures = verified.signatures
  } catch {
    // the library says only that it does not know these bytes
    return { state: 'broken', why: 'the OpenPGP signature cannot be read' }
  }
  const outcomes: PgpOutcome[] = []
  for (const { keyID, verified } of signatures) {
    const id = keyID.toHex()
    if (!verificationKeys.some((key) => key.getKeys(keyID).length > 0)) {
      outcomes.push({ state: 'key-unknown', by: id })
      continue
    }
    try {
      await verified
      outcomes.push({ state: 'holds', by: id })
    } catch (error) {
      outcomes.push({ state: 'broken', why: error instanceof Error ? error.message : String(error) })
    }
  }
  // a broken signature of a known key is not made good by another one
  const found = (state: PgpOutcome['state']): PgpOutcome | undefined =>
    outcomes.find((outcome) => outcome.state === state)
  const outcome = found('broken') ?? found('holds') ?? found('key-unknown')
  return outcome ?? { state: 'broken', why: 'there is no signature in it' }
}

async function reading<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    throw new MalformedError('MALFORMED_KEY', `'${path}' is not a readable OpenPGP keyring`, {
      where: path,
      cause,
    })
  }
}
