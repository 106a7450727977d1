import { decodeUtf8 } from '../trust/encoding.ts'
import { CodedError, MalformedError } from '../trust/errors.ts'
import { parsePublicKey, parsePublicKeyPem, type PublicKey } from '../trust/keys.ts'
import { looksLikeKeyring, type Keyring } from './openpgp.ts'
import { readSmallFile } from './package-file.ts'

const LIMIT = 1024 * 1024

export interface NamedKeys {
  readonly keys: readonly PublicKey[]
  /** OpenPGP keyrings, for the provenance of charts. */
  readonly keyrings: readonly Keyring[]
}

/** Each file is a public key or an OpenPGP keyring, told apart by content. */
export async function readKeys(paths: readonly string[]): Promise<NamedKeys> {
  const keys: PublicKey[] = []
  const keyrings: Keyring[] = []
  for (const path of paths) {
    const bytes = await readSmallFile(path, LIMIT)
    if (looksLikeKeyring(bytes)) keyrings.push({ path, bytes })
    else keys.push(parseKeyFile(bytes, path))
  }
  return { keys, keyrings }
}

/**
 * A public key in PEM or DER (SubjectPublicKeyInfo).
 * @throws MalformedError MALFORMED_KEY naming the file
 */
export function parseKeyFile(bytes: Uint8Array, path: string): PublicKey {
  const text = decodeUtf8(bytes)
  try {
    return text?.includes('-----BEGIN') === true ? parsePublicKeyPem(text) : parsePublicKey(bytes)
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    const got = error.got === undefined ? {} : { got: error.got }
    throw new MalformedError(error.code, `'${path}': ${error.message}`, { ...got, where: path, cause: error })
  }
}
