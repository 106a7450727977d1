import type {
  CertificateAuthority,
  CertificateLog,
  TimestampAuthority,
  TransparencyLog,
  Window,
} from './authority.ts'
import type { PublicKey } from './keys.ts'
import { parsePublicKey, parseRsaPkcs1 } from './keys.ts'
import { digestOf } from './digest.ts'
import { concatBytes, encodeHex, encodeUtf8 } from './encoding.ts'
import { CodedError, MalformedError } from './errors.ts'
import { Fields } from './fields.ts'
import { parseJson, type Json } from './json.ts'
import { parseCertificate, type Certificate } from './x509/certificate.ts'
import { isAuthority } from './x509/extensions.ts'
import { linkAuthority } from './x509/path.ts'

/**
 * A trusted root (protobuf-specs sigstore_trustroot.proto): the keys and certificates of one instance, each with
 * the time for which it is trusted. Unknown fields are left alone, as the format grows; an entry whose key nobody
 * here can use is set aside with a note, and whoever needs it later fails as if it were unknown.
 */
export interface TrustedRoot {
  /** Lower-case hex SHA-256 of the file's bytes. */
  readonly digest: string
  /** Who issues signing certificates. */
  readonly authorities: readonly CertificateAuthority[]
  /** Where signatures are logged. */
  readonly logs: readonly TransparencyLog[]
  /** Where signing certificates are logged. */
  readonly certificateLogs: readonly CertificateLog[]
  /** Who signs times. */
  readonly timestampAuthorities: readonly TimestampAuthority[]
  /** Entries that were set aside, and why. */
  readonly notes: readonly string[]
}

const MEDIA_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  'application/vnd.dev.sigstore.trustedroot.v0.1+json',
  'application/vnd.dev.sigstore.trustedroot.v0.2+json',
])
const CLIENT_CONFIG = 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json'

const CODE = 'MALFORMED_TRUSTED_ROOT'
const LIMITS = {
  size: 4 * 1024 * 1024,
  depth: 16,
  values: 100_000,
  code: CODE,
  what: 'trusted root',
} as const
const MOST_ENTRIES = 64
const MOST_CERTIFICATES = 10

const KEY_DETAILS: ReadonlySet<string> = new Set([
  'PKIX_ECDSA_P256_SHA_256',
  'PKIX_ECDSA_P384_SHA_384',
  'PKIX_ECDSA_P521_SHA_512',
  'PKIX_ED25519',
  'PKIX_RSA_PKCS1V15_2048_SHA256',
  'PKIX_RSA_PKCS1V15_3072_SHA256',
  'PKIX_RSA_PKCS1V15_4096_SHA256',
])
/** Deprecated: the key is a bare RSAPublicKey. A certificate log of the staging instance still has one. */
const BARE_RSA = 'PKCS1_RSA_PKCS1V5'

/**
 * Reads a trusted root, strictly: what it says is believed, so damage is an error and nothing is guessed.
 *
 * @param bytes - UTF-8 of the JSON, at most 4 MiB, of media type 0.1 or 0.2
 * @returns its keys and certificates; entries of an algorithm that is not supported are set aside in `notes`
 * @throws MalformedError `MALFORMED_TRUSTED_ROOT`, with the JSON path in `where`
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { parseTrustedRoot } from 'sigward'
 *
 * const root = parseTrustedRoot(await readFile('acme.trusted_root.json'))
 * console.log(root.logs.map(({ baseUrl }) => baseUrl), root.notes)
 * ```
 */
export function parseTrustedRoot(bytes: Uint8Array): TrustedRoot {
  return readRoot(parseJson(bytes, LIMITS), '$', encodeHex(digestOf('sha256', bytes)))
}

/**
 * The trusted root inside a ClientTrustConfig; its signing configuration is of no use to verification.
 *
 * @throws MalformedError as {@link parseTrustedRoot}
 */
export function parseClientTrustConfig(bytes: Uint8Array): TrustedRoot {
  const config = new Fields(parseJson(bytes, LIMITS), '$', CODE)
  const mediaType = config.string('mediaType')
  if (mediaType !== CLIENT_CONFIG) throw unknownMediaType('client trust config', mediaType, CLIENT_CONFIG)
  return readRoot(config.raw('trustedRoot'), '$.trustedRoot', encodeHex(digestOf('sha256', bytes)))
}

/** Tells the two apart without judging either. */
export function isClientTrustConfig(bytes: Uint8Array): boolean {
  const json = parseJson(bytes, LIMITS)
  return json instanceof Map && json.get('mediaType') === CLIENT_CONFIG
}

function unknownMediaType(what: string, got: string, wanted: string): MalformedError {
  return new MalformedError(CODE, `${what} has an unknown media type`, { got, wanted, where: '$.mediaType' })
}

function readRoot(json: Json | undefined, path: string, digest: string): TrustedRoot {
  const root = new Fields(json, path, CODE)
  const mediaType = root.string('mediaType')
  if (!MEDIA_TYPES.has(mediaType))
    throw unknownMediaType('trusted root', mediaType, [...MEDIA_TYPES].join(' or '))
  const notes: string[] = []
  const each = <T>(name: string, read: (entry: Fields) => T): readonly T[] =>
    root.objects(name, MOST_ENTRIES, CODE).flatMap((entry) => setAsideUnsupported(entry, read, notes))
  return {
    digest,
    logs: each('tlogs', readTransparencyLog),
    certificateLogs: each('ctlogs', readCertificateLog),
    authorities: each('certificateAuthorities', readCertificateAuthority),
    timestampAuthorities: each('timestampAuthorities', readTimestampAuthority),
    notes,
  }
}

/** Damage is an error; an algorithm that is only unknown here makes the one entry unusable. */
function setAsideUnsupported<T>(entry: Fields, read: (entry: Fields) => T, notes: string[]): readonly T[] {
  try {
    return [read(entry)]
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    if (error.code === 'SIGNATURE_ALGORITHM') {
      notes.push(`${entry.path} is not used: ${error.message}`)
      return []
    }
    if (error.code === CODE) throw error
    throw new MalformedError(CODE, `${entry.path}: ${error.message}`, { where: entry.path, cause: error })
  }
}

function readTransparencyLog(entry: Fields): TransparencyLog {
  const { key, validFor } = readLogKey(entry)
  const baseUrl = entry.string('baseUrl')
  const names = namesOf(baseUrl)
  const logId = readLogId(entry, key, names)
  const checkpointKey = entry.optionalObject('checkpointKeyId')?.optionalBytes('keyId')
  return {
    purpose: 'tlog',
    baseUrl,
    names,
    operator: operatorOf(entry, baseUrl),
    logId,
    checkpointKeyId:
      checkpointKey === undefined ? logId.slice(0, 8) : encodeHex(checkpointKey.subarray(0, 4)),
    key,
    validFor,
  }
}

function readCertificateLog(entry: Fields): CertificateLog {
  const { key, validFor } = readLogKey(entry)
  const baseUrl = entry.string('baseUrl')
  const logId = readLogId(entry, key, namesOf(baseUrl))
  return { purpose: 'ctlog', baseUrl, operator: operatorOf(entry, baseUrl), logId, key, validFor }
}

function readLogKey(entry: Fields): { key: PublicKey; validFor: Window } {
  const algorithm = entry.string('hashAlgorithm')
  if (algorithm !== 'SHA2_256') {
    const where = entry.at('hashAlgorithm')
    throw new MalformedError('SIGNATURE_ALGORITHM', `${where} is ${algorithm}, only SHA2_256 is known`, {
      where,
    })
  }
  const publicKey = entry.object('publicKey')
  const details = publicKey.string('keyDetails')
  const bytes = publicKey.bytes('rawBytes')
  if (details !== BARE_RSA && !KEY_DETAILS.has(details)) {
    throw new MalformedError('SIGNATURE_ALGORITHM', `key algorithm ${details} is not supported`, {
      got: details,
    })
  }
  const key = details === BARE_RSA ? parseRsaPkcs1(bytes) : parsePublicKey(bytes)
  return { key, validFor: readWindow(publicKey) }
}

/**
 * Log IDs are looked up, not trusted, but one that belongs to another key would let a forged entry ask for the
 * wrong log: it must be the key's digest (RFC 6962 section 3.2) or its full note key hash (C2SP signed-note).
 */
function readLogId(entry: Fields, key: PublicKey, names: readonly string[]): string {
  const got = encodeHex(entry.object('logId').bytes('keyId'))
  const derived = [
    encodeHex(digestOf('sha256', key.spki)),
    ...names.flatMap((name) => noteKeyHash(name, key)),
  ]
  if (derived.includes(got)) return got
  const where = entry.at('logId.keyId')
  throw new MalformedError(CODE, `${where} does not belong to the key`, {
    got,
    wanted: derived.join(' or '),
    where,
  })
}

/** Full hash of a note key; where it is not the key's digest, which is the form of ECDSA keys anyway. */
function noteKeyHash(name: string, key: PublicKey): readonly string[] {
  const typed = (type: number, ...parts: readonly Uint8Array[]): readonly string[] => [
    encodeHex(digestOf('sha256', concatBytes(encodeUtf8(name), Uint8Array.of(0x0a, type), ...parts))),
  ]
  if (key.type === 'ed25519') return typed(0x01, key.spki.subarray(-32))
  return key.type === 'rsa' ? typed(0xff, encodeUtf8('PKIX-RSA-PKCS#1v1.5'), key.spki) : []
}

/** Authorities must say when they are trusted: every published root does, and a lost window would be a boundless one. */
function requireWindow(entry: Fields): Window {
  entry.object('validFor')
  return readWindow(entry)
}

/**
 * A log key's `validFor` may be absent, as older roots have it, which is an open window; one that is present must say when it starts, because a
 * start that got lost would silently admit everything earlier.
 */
function readWindow(holder: Fields): Window {
  const window = holder.optionalObject('validFor')
  if (window === undefined) return { start: new Date(0), end: undefined }
  const start = window.optionalTime('start')
  if (start === undefined) {
    const where = window.at('start')
    throw new MalformedError(CODE, `${where} is missing`, {
      where,
      got: 'nothing',
      wanted: 'the start of validity',
    })
  }
  const end = window.optionalTime('end')
  if (end !== undefined && end < start) {
    throw new MalformedError(CODE, `${window.path} ends before it starts`, { where: window.path })
  }
  return { start, end }
}

function readCertificates(entry: Fields): [Certificate, ...Certificate[]] {
  const chain = entry.object('certChain')
  const [first, ...rest] = chain
    .objects('certificates', MOST_CERTIFICATES, CODE)
    .map((certificate) => parseCertificate(certificate.bytes('rawBytes')))
  if (first === undefined) throw new MalformedError(CODE, `${chain.path} is empty`, { where: chain.path })
  return [first, ...rest]
}

function readCertificateAuthority(entry: Fields): CertificateAuthority {
  const uri = entry.optionalString('uri') ?? ''
  return {
    purpose: 'ca',
    name: nameOf(entry),
    uri,
    operator: operatorOf(entry, uri),
    chain: linkAuthority(readCertificates(entry), 'codeSigning'),
    validFor: requireWindow(entry),
  }
}

function readTimestampAuthority(entry: Fields): TimestampAuthority {
  const uri = entry.optionalString('uri') ?? ''
  const [first, ...above] = readCertificates(entry)
  const listsLeaf = !isAuthority(first)
  const listed = listsLeaf ? above : [first, ...above]
  if (listed.length === 0) {
    throw new MalformedError(CODE, `${entry.path} has no anchor above its signing certificate`, {
      where: entry.path,
    })
  }
  return {
    purpose: 'tsa',
    name: nameOf(entry),
    uri,
    operator: operatorOf(entry, uri),
    leaf: listsLeaf ? first : undefined,
    chain: linkAuthority(listed, 'timeStamping'),
    validFor: requireWindow(entry),
  }
}

function nameOf(entry: Fields): string {
  const subject = entry.optionalObject('subject')
  const parts = [subject?.optionalString('commonName'), subject?.optionalString('organization')]
  const name = parts.filter((part) => part !== undefined && part !== '').join(', ')
  return name === '' ? (entry.optionalString('uri') ?? entry.path) : name
}

function hostOf(url: string): string {
  return url
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, '')
    .replace(/[/?#].*$/s, '')
    .toLowerCase()
}

/** Names that the log may use in its notes: host without port, as tile logs do, or with it. */
function namesOf(baseUrl: string): readonly [string, ...string[]] {
  const host = hostOf(baseUrl)
  const bare = host.replace(/:\d+$/, '')
  return bare === host ? [host] : [bare, host]
}

/**
 * Who runs it. Where the root does not say, the last two labels of the host stand in: that can only merge
 * operators, never split one, so a threshold is never met by one operator with two hosts.
 */
function operatorOf(entry: Fields, url: string): string {
  const named = entry.optionalString('operator') ?? ''
  if (named !== '') return named
  const host = hostOf(url).replace(/:\d+$/, '')
  return /^[\d.]+$/.test(host) ? host : host.split('.').slice(-2).join('.')
}
