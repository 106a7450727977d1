import { Buffer } from 'node:buffer'
import { createHash, hash, randomBytes, sign } from 'node:crypto'
import { contextTag, encodeElement, TAG } from '../../trust/x509/der.ts'
import {
  algorithmIdentifier,
  bits,
  commonName,
  defaultAlgorithm,
  integer,
  newKey,
  octets,
  oid,
  seq,
  signBytes,
  time,
  utf8,
  type TestAlgorithm,
  type TestKey,
} from './test-der.ts'

/**
 * Builds certificates and certificate timestamps in which every field can be wrong. Independent of the code under
 * test except for `encodeElement`: a TBSCertificate is encoded from its fields, with or without timestamps, so the
 * slicing of the product is checked against an encoder.
 */

// Extensions, each as a whole Extension element

export function extension(id: string, critical: boolean, value: Uint8Array): Uint8Array {
  return seq(oid(id), ...(critical ? [Uint8Array.of(1, 1, 0xff)] : []), octets(value))
}

export function basicConstraints(ca: boolean, pathLength?: number, critical = true): Uint8Array {
  const parts = ca ? [Uint8Array.of(1, 1, 0xff)] : []
  return extension(
    '2.5.29.19',
    critical,
    seq(...parts, ...(pathLength === undefined ? [] : [integer(pathLength)])),
  )
}

export const KEY_USAGE_BIT = { digitalSignature: 0, keyEncipherment: 2, keyCertSign: 5, cRLSign: 6 } as const
export type KeyUsageName = keyof typeof KEY_USAGE_BIT

export function keyUsage(...names: readonly KeyUsageName[]): Uint8Array {
  const numbers: readonly number[] = names.map((name) => KEY_USAGE_BIT[name])
  const byte = numbers.reduce((sum, bit) => sum | (0x80 >> bit), 0)
  const unused = numbers.length === 0 ? 0 : 7 - Math.max(...numbers)
  const content = numbers.length === 0 ? Uint8Array.of(0) : Uint8Array.of(unused, byte)
  return extension('2.5.29.15', true, encodeElement(TAG.bitString, content))
}

export const EKU = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  any: '2.5.29.37.0',
  precertificateSigning: '1.3.6.1.4.1.11129.2.4.4',
} as const

export function extendedKeyUsage(purposes: readonly string[], critical = false): Uint8Array {
  return extension('2.5.29.37', critical, seq(...purposes.map((purpose) => oid(purpose))))
}

export function keyIdentifierOf(spki: Uint8Array): Uint8Array {
  return createHash('sha1').update(spki).digest()
}

export function subjectKeyIdentifier(id: Uint8Array): Uint8Array {
  return extension('2.5.29.14', false, octets(id))
}

export function authorityKeyIdentifier(id: Uint8Array): Uint8Array {
  return extension('2.5.29.35', false, seq(encodeElement(contextTag(0, false), id)))
}

export const emailName = (text: string): Uint8Array => encodeElement(contextTag(1, false), Buffer.from(text))
export const dnsName = (text: string): Uint8Array => encodeElement(contextTag(2, false), Buffer.from(text))
export const uriName = (text: string): Uint8Array => encodeElement(contextTag(6, false), Buffer.from(text))
export const otherName = (text: string, type = '1.3.6.1.4.1.57264.1.7'): Uint8Array =>
  encodeElement(contextTag(0), oid(type), encodeElement(contextTag(0), utf8(text)))

export function subjectAltName(names: readonly Uint8Array[], critical = true): Uint8Array {
  return extension('2.5.29.17', critical, seq(...names))
}

/** Fulcio's extension `number`: raw text up to 6, a UTF8String from 8 on. */
export function fulcioExtension(number: number, text: string): Uint8Array {
  return extension(`1.3.6.1.4.1.57264.1.${number}`, false, number <= 6 ? Buffer.from(text) : utf8(text))
}

// Certificates

export interface CertificateFields {
  /** Value of the version INTEGER; undefined leaves the field out, which means version 1. */
  readonly version: number | undefined
  readonly serial: Uint8Array
  readonly algorithm: TestAlgorithm
  /** AlgorithmIdentifiers, where they should differ from `algorithm` or each other. */
  readonly innerAlgorithm: Uint8Array
  readonly outerAlgorithm: Uint8Array
  readonly issuer: Uint8Array
  readonly notBefore: Date
  readonly notAfter: Date
  readonly subject: Uint8Array
  readonly spki: Uint8Array
  /** Elements between key and extensions, such as unique identifiers. */
  readonly beforeExtensions: readonly Uint8Array[]
  /** Undefined leaves the field out. */
  readonly extensions: readonly Uint8Array[] | undefined
}

export const NOT_BEFORE = new Date('2026-03-01T12:00:00Z')
export const NOT_AFTER = new Date('2026-03-01T12:10:00Z')

/** All fields, from those that matter to a test. */
export function certificateFields(signer: TestKey, fields: Partial<CertificateFields>): CertificateFields {
  const algorithm = fields.algorithm ?? defaultAlgorithm(signer.type)
  const serial = randomBytes(16)
  serial[0] = 0x40
  return {
    version: 2,
    serial,
    algorithm,
    innerAlgorithm: algorithmIdentifier(algorithm),
    outerAlgorithm: fields.innerAlgorithm ?? algorithmIdentifier(algorithm),
    issuer: commonName('test authority'),
    notBefore: NOT_BEFORE,
    notAfter: NOT_AFTER,
    subject: commonName(''),
    spki: signer.spki,
    beforeExtensions: [],
    extensions: undefined,
    ...fields,
  }
}

export function encodeTbs(fields: CertificateFields): Uint8Array {
  const { version, extensions } = fields
  return seq(
    ...(version === undefined ? [] : [encodeElement(contextTag(0), integer(version))]),
    integer(fields.serial),
    fields.innerAlgorithm,
    fields.issuer,
    seq(time(fields.notBefore), time(fields.notAfter)),
    fields.subject,
    fields.spki,
    ...fields.beforeExtensions,
    ...(extensions === undefined ? [] : [encodeElement(contextTag(3), seq(...extensions))]),
  )
}

/** Signs the fields as they are. */
export function signCertificate(signer: TestKey, fields: CertificateFields): Uint8Array {
  const tbs = encodeTbs(fields)
  return seq(tbs, fields.outerAlgorithm, bits(signBytes(signer, fields.algorithm, tbs)))
}

export interface TestAuthority {
  readonly key: TestKey
  readonly name: Uint8Array
  readonly certificate: Uint8Array
  /** This certificate, then those above it, the anchor last. */
  readonly chain: readonly [Uint8Array, ...Uint8Array[]]
}

export interface AuthorityOptions {
  readonly key?: TestKey
  readonly name?: string
  readonly parent?: TestAuthority
  readonly pathLength?: number
  readonly purposes?: readonly string[]
  readonly fields?: Partial<CertificateFields>
}

/** A certificate authority, self-signed unless it has a parent; valid from 2020 to 2049. */
export function newAuthority(options: AuthorityOptions = {}): TestAuthority {
  const key = options.key ?? newKey()
  const signer = options.parent?.key ?? key
  const name = commonName(options.name ?? (options.parent === undefined ? 'test root' : 'test authority'))
  const extensions = [
    keyUsage('keyCertSign', 'cRLSign'),
    basicConstraints(true, options.pathLength),
    ...(options.purposes === undefined ? [] : [extendedKeyUsage(options.purposes)]),
    subjectKeyIdentifier(keyIdentifierOf(key.spki)),
    ...(options.parent === undefined ? [] : [authorityKeyIdentifier(keyIdentifierOf(signer.spki))]),
  ]
  const fields = certificateFields(signer, {
    issuer: options.parent?.name ?? name,
    subject: name,
    spki: key.spki,
    notBefore: new Date('2020-01-01T00:00:00Z'),
    notAfter: new Date('2049-01-01T00:00:00Z'),
    extensions,
    ...options.fields,
  })
  const certificate = signCertificate(signer, fields)
  return { key, name: fields.subject, certificate, chain: [certificate, ...(options.parent?.chain ?? [])] }
}

export interface LeafOptions {
  readonly key?: TestKey
  readonly names?: readonly Uint8Array[]
  /** Replaces all extensions but the timestamps. */
  readonly extensions?: readonly Uint8Array[]
  readonly fields?: Partial<CertificateFields>
  /** Certificate logs that sign the certificate; their timestamps come last unless `timestampAt` says where. */
  readonly logs?: readonly TimestampOptions[]
  readonly timestampAt?: number
}

export interface TestLeaf {
  readonly key: TestKey
  readonly certificate: Uint8Array
}

/** What a Fulcio leaf for a build has: usage, purpose, key identifiers, one name, issuer in both spellings. */
export function leafExtensions(
  authority: TestAuthority,
  key: TestKey,
  names: readonly Uint8Array[],
): Uint8Array[] {
  return [
    keyUsage('digitalSignature'),
    extendedKeyUsage([EKU.codeSigning]),
    subjectKeyIdentifier(keyIdentifierOf(key.spki)),
    authorityKeyIdentifier(keyIdentifierOf(authority.key.spki)),
    subjectAltName(names),
    fulcioExtension(1, 'https://issuer.example'),
    fulcioExtension(8, 'https://issuer.example'),
  ]
}

export function newLeaf(authority: TestAuthority, options: LeafOptions = {}): TestLeaf {
  const key = options.key ?? newKey()
  const names = options.names ?? [emailName('dev@example.com')]
  const extensions = [...(options.extensions ?? leafExtensions(authority, key, names))]
  const fields = certificateFields(authority.key, {
    issuer: authority.name,
    spki: key.spki,
    extensions,
    ...options.fields,
  })
  if (options.logs === undefined) return { key, certificate: signCertificate(authority.key, fields) }
  const tbs = encodeTbs(fields)
  const list = options.logs.map((log) => signTimestamp(log, authority.key.spki, tbs))
  extensions.splice(options.timestampAt ?? extensions.length, 0, timestampList(list))
  return { key, certificate: signCertificate(authority.key, { ...fields, extensions }) }
}

/** A signing certificate for RFC 3161 timestamps. */
export function newTimestampLeaf(authority: TestAuthority, options: LeafOptions = {}): TestLeaf {
  const key = options.key ?? newKey()
  const extensions = options.extensions ?? [
    keyUsage('digitalSignature'),
    extendedKeyUsage([EKU.timeStamping], true),
    subjectKeyIdentifier(keyIdentifierOf(key.spki)),
    authorityKeyIdentifier(keyIdentifierOf(authority.key.spki)),
  ]
  const fields = {
    subject: commonName('test timestamps'),
    notBefore: new Date('2025-01-01T00:00:00Z'),
    notAfter: new Date('2035-01-01T00:00:00Z'),
    ...options.fields,
  }
  return newLeaf(authority, { key, extensions, fields })
}

// Certificate timestamps (RFC 6962 section 3.2)

export interface TimestampOptions {
  readonly log: TestKey
  readonly at?: Date
  readonly version?: number
  readonly logId?: Uint8Array
  readonly extensions?: Uint8Array
  /** Bytes for hash and signature algorithm, where they should not fit the key. */
  readonly algorithm?: readonly [number, number]
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff)
}

/** One SCT over the TBSCertificate without timestamps. */
export function signTimestamp(
  options: TimestampOptions,
  issuerSpki: Uint8Array,
  tbs: Uint8Array,
): Uint8Array {
  const { log, version = 0, at = NOT_BEFORE, extensions = new Uint8Array(0) } = options
  const millis = Buffer.alloc(8)
  millis.writeBigUInt64BE(BigInt(at.getTime()))
  const signed = Buffer.concat([
    Uint8Array.of(version, 0),
    millis,
    u16(1),
    hash('sha256', issuerSpki, 'buffer'),
    Uint8Array.of(tbs.length >> 16),
    u16(tbs.length & 0xffff),
    tbs,
    u16(extensions.length),
    extensions,
  ])
  const signature = sign('sha256', signed, log.privateKey)
  const logId = options.logId ?? hash('sha256', log.spki, 'buffer')
  const algorithm = Uint8Array.from(options.algorithm ?? [4, log.type.startsWith('rsa') ? 1 : 3])
  return Buffer.concat([
    Uint8Array.of(version),
    logId,
    millis,
    u16(extensions.length),
    extensions,
    algorithm,
    u16(signature.length),
    signature,
  ])
}

/** The extension that carries SCTs. */
export function timestampList(list: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(list.flatMap((sct) => [u16(sct.length), sct]))
  return rawTimestampList(Buffer.concat([u16(body.length), body]))
}

/** The same with the bytes inside the inner OCTET STRING given. */
export function rawTimestampList(bytes: Uint8Array): Uint8Array {
  return extension('1.3.6.1.4.1.11129.2.4.2', false, octets(bytes))
}
