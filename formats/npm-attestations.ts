import { decodeBase64, decodeUtf8, encodeBase64, encodeUtf8 } from '../trust/encoding.ts'
import { MalformedError } from '../trust/errors.ts'
import { parseJson, type Json, type JsonObject } from '../trust/json.ts'
import { elementsAt, spanOf } from './json-spans.ts'

/**
 * What an npm registry says about a package beside the package itself: the attestations document, the message
 * under a registry signature, the registry's keys. Plain data; nothing here is verified.
 */

/** Predicate type of the attestation by which the registry says that it published the package; signed by its key. */
export const PUBLISH_ATTESTATION = 'https://github.com/npm/attestation/tree/main/specs/publish/v0.1'

const LIMITS = { size: 16 * 1024 * 1024, depth: 64, values: 100_000, code: 'MALFORMED_ATTESTATIONS' } as const
const MAX_ITEMS = 64

export interface NpmAttestation {
  readonly predicateType: string
  /** The bundle as it stands in the document, byte for byte. */
  readonly bundle: Uint8Array
}

/** Reads `{"attestations":[{"predicateType":…,"bundle":…}]}`. Throws MALFORMED_ATTESTATIONS. */
export function parseAttestations(bytes: Uint8Array): readonly NpmAttestation[] {
  const items = listOf(parseJson(bytes, { ...LIMITS, what: 'attestations document' }), 'attestations')
  // parseJson has accepted the same bytes
  const text = decodeUtf8(bytes) ?? ''
  const spans = elementsAt(text, spanOf(text, 0, 'attestations')?.start ?? text.length) ?? []
  return items.map((item, i) => {
    const where = `attestations[${i}]`
    const predicateType = textOf(item, 'predicateType', where)
    const span = spanOf(text, spans[i]?.start ?? text.length, 'bundle')
    if (!(item.get('bundle') instanceof Map) || span === undefined) throw malformed(`${where} has no bundle`)
    return { predicateType, bundle: encodeUtf8(text.slice(span.start, span.end)) }
  })
}

/** True for bytes that are meant as an attestations document and not as a bundle: decides nothing but the parser. */
export function looksLikeAttestations(bytes: Uint8Array): boolean {
  try {
    const document = parseJson(bytes, { ...LIMITS, what: 'attestations document' })
    return document instanceof Map && document.has('attestations')
  } catch (error) {
    if (error instanceof MalformedError) return false
    throw error
  }
}

/** Integrity text of the Subresource Integrity form, from the SHA-512 digest of the compressed tarball. */
export function integrityOf(sha512: Uint8Array): string {
  return `sha512-${encodeBase64(sha512)}`
}

/** The bytes under a registry signature: `name@version:integrity`. */
export function registrySignatureMessage(name: string, version: string, integrity: string): Uint8Array {
  return encodeUtf8(`${name}@${version}:${integrity}`)
}

export interface RegistryKey {
  /** `SHA256:…`; the registry's own text. */
  readonly keyId: string
  /** undefined where the document does not tell: then the key is for both. */
  readonly usage: 'signatures' | 'attestations' | undefined
  /** `PKIX_ECDSA_P256_SHA_256`, or the scheme's name where the registry's endpoint gave the key. */
  readonly algorithm: string
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
  readonly start: Date | undefined
  readonly end: Date | undefined
}

/**
 * Reads the keys of a registry in both known forms: the TUF target (`keyId`, `publicKey.rawBytes`, `validFor`) and
 * the registry's own endpoint (`keyid`, `key`, `expires`). Keys for other uses are left out.
 */
export function parseRegistryKeys(bytes: Uint8Array): readonly RegistryKey[] {
  const items = listOf(parseJson(bytes, { ...LIMITS, what: 'list of registry keys' }), 'keys')
  return items.flatMap((item, i) => {
    const key = item.has('publicKey') ? targetKey(item, `keys[${i}]`) : endpointKey(item, `keys[${i}]`)
    return key === undefined ? [] : [key]
  })
}

const USAGES: Readonly<Record<string, RegistryKey['usage']>> = {
  'npm:signatures': 'signatures',
  'npm:attestations': 'attestations',
}

function targetKey(item: JsonObject, where: string): RegistryKey | undefined {
  const named = textOf(item, 'keyUsage', where)
  const usage = Object.hasOwn(USAGES, named) ? USAGES[named] : undefined
  if (usage === undefined) return undefined
  const publicKey = item.get('publicKey')
  if (!isObject(publicKey)) throw malformed(`${where} has no publicKey`)
  const validFor = publicKey.get('validFor')
  const window = isObject(validFor) ? validFor : new Map<string, Json>()
  return {
    keyId: textOf(item, item.has('keyId') ? 'keyId' : 'keyid', where),
    usage,
    algorithm: textOf(publicKey, 'keyDetails', where),
    spki: keyBytes(textOf(publicKey, 'rawBytes', where), where),
    start: dateOf(window.get('start'), where),
    end: dateOf(window.get('end'), where),
  }
}

function endpointKey(item: JsonObject, where: string): RegistryKey {
  return {
    keyId: textOf(item, 'keyid', where),
    usage: undefined,
    algorithm: textOf(item, 'scheme', where),
    spki: keyBytes(textOf(item, 'key', where), where),
    start: undefined,
    end: dateOf(item.get('expires'), where),
  }
}

function keyBytes(text: string, where: string): Uint8Array {
  const bytes = decodeBase64(text)
  if (bytes === undefined || bytes.length === 0) throw malformed(`${where} has a key that is not base64`)
  return bytes
}

/** RFC 3339 in UTC; absent and null mean open. */
function dateOf(value: Json | undefined, where: string): Date | undefined {
  if (value === undefined || value === null) return undefined
  const isDate = typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/.test(value)
  const date = new Date(isDate ? value : Number.NaN)
  if (Number.isNaN(date.getTime())) throw malformed(`${where} has a time that cannot be read`)
  return date
}

function listOf(document: Json, key: string): readonly JsonObject[] {
  const list = isObject(document) ? document.get(key) : undefined
  if (!Array.isArray(list)) throw malformed(`the document has no list '${key}'`)
  if (list.length > MAX_ITEMS) throw malformed(`the list '${key}' has more than ${MAX_ITEMS} elements`)
  return list.map((item: Json, i) => {
    if (!isObject(item)) throw malformed(`${key}[${i}] is not an object`)
    return item
  })
}

function isObject(value: Json | undefined): value is JsonObject {
  return value instanceof Map
}

function textOf(item: JsonObject, key: string, where: string): string {
  const value = item.get(key)
  if (typeof value !== 'string' || value === '') throw malformed(`${where} has no '${key}'`)
  return value
}

function malformed(message: string): MalformedError {
  return new MalformedError('MALFORMED_ATTESTATIONS', message)
}
