import { createHash } from 'node:crypto'
import { crc32, deflateRawSync } from 'node:zlib'

/** One entry as the writer is told to write it, lies included. */
export interface ZipPart {
  readonly name: string | Uint8Array
  readonly content?: string | Uint8Array
  /** 0 stored, 8 deflated (default). */
  readonly method?: number
  /** Added to the UTF-8 flag of a textual name. */
  readonly flags?: number
  /** How the data descriptor looks; none without one. */
  readonly descriptor?: 'signed' | 'plain' | 'signed64' | 'plain64'
  readonly extra?: Uint8Array
  /** Upper half of the external attributes: 0o120777 is a symbolic link. */
  readonly mode?: number
  /** What the central directory says instead of the truth. */
  readonly claims?: {
    readonly size?: number
    readonly compressedSize?: number
    readonly crc?: number
    readonly offset?: number
  }
  /** What the local header says instead of the central directory. */
  readonly local?: {
    readonly name?: string
    readonly flags?: number
    readonly method?: number
    readonly size?: number
    readonly crc?: number
  }
  /** Packed bytes as they are, for broken streams. */
  readonly packed?: Uint8Array
  /** Only in the central directory: `claims.offset` says where its header is. */
  readonly unwritten?: boolean
  /** Bytes after the entry that belong to nothing. */
  readonly gap?: Uint8Array
}

export interface ZipOptions {
  readonly prefix?: Uint8Array
  /** Writers that know of the prefix count it in; a plain concatenation does not. */
  readonly countPrefix?: boolean
  readonly comment?: Uint8Array
  /** Adds the zip64 end records; `sentinels` empties the plain one as large archives do. */
  readonly zip64?: 'agreeing' | 'sentinels'
  /** Entries that the end record counts. */
  readonly count?: number
}

const UTF8 = 0x0800
const DESCRIPTOR = 0x0008

export function buildZip(parts: readonly ZipPart[], options: ZipOptions = {}): Buffer {
  const prefix = Buffer.from(options.prefix ?? [])
  const chunks: Buffer[] = [prefix]
  const records: Buffer[] = []
  const base = options.countPrefix === true ? 0 : prefix.length
  let at = prefix.length
  for (const part of parts) {
    const { local, central } = buildEntry(part, at - base)
    records.push(central)
    chunks.push(local)
    at += local.length
  }
  const directory = Buffer.concat(records)
  const end = { count: options.count ?? parts.length, size: directory.length, offset: at - base }
  chunks.push(directory, buildEnd(end, at + directory.length - base, options))
  return Buffer.concat(chunks)
}

function buildEntry(part: ZipPart, offset: number): { local: Buffer; central: Buffer } {
  const name = Buffer.from(part.name)
  const content = Buffer.from(part.content ?? '')
  const method = part.method ?? 8
  const packed = Buffer.from(part.packed ?? (method === 8 ? deflateRawSync(content) : content))
  const described = part.descriptor !== undefined
  const flags = (typeof part.name === 'string' ? UTF8 : 0) | (part.flags ?? 0) | (described ? DESCRIPTOR : 0)
  const truth = { crc: crc32(content), packed: packed.length, size: content.length }
  const extra = Buffer.from(part.extra ?? [])
  const localName = part.local?.name === undefined ? name : Buffer.from(part.local.name)
  const header = Buffer.alloc(30)
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt16LE(20, 4)
  header.writeUInt16LE(part.local?.flags ?? flags, 6)
  header.writeUInt16LE(part.local?.method ?? method, 8)
  header.writeUInt32LE(part.local?.crc ?? (described ? 0 : truth.crc), 14)
  header.writeUInt32LE(described ? 0 : truth.packed, 18)
  header.writeUInt32LE(part.local?.size ?? (described ? 0 : truth.size), 22)
  header.writeUInt16LE(localName.length, 26)
  header.writeUInt16LE(extra.length, 28)
  const descriptor = described ? buildDescriptor(part.descriptor, truth) : Buffer.alloc(0)
  const written = [header, localName, extra, packed, descriptor, Buffer.from(part.gap ?? [])]
  const central = Buffer.alloc(46)
  central.writeUInt32LE(0x02014b50, 0)
  central.writeUInt16LE((part.mode === undefined ? 0 : 3 << 8) | 20, 4)
  central.writeUInt16LE(20, 6)
  central.writeUInt16LE(flags, 8)
  central.writeUInt16LE(method, 10)
  central.writeUInt32LE(part.claims?.crc ?? truth.crc, 16)
  central.writeUInt32LE(part.claims?.compressedSize ?? truth.packed, 20)
  central.writeUInt32LE(part.claims?.size ?? truth.size, 24)
  central.writeUInt16LE(name.length, 28)
  central.writeUInt16LE(extra.length, 30)
  central.writeUInt32LE(((part.mode ?? 0) << 16) >>> 0, 38)
  central.writeUInt32LE(part.claims?.offset ?? offset, 42)
  return {
    local: part.unwritten === true ? Buffer.alloc(0) : Buffer.concat(written),
    central: Buffer.concat([central, name, extra]),
  }
}

function buildDescriptor(
  kind: ZipPart['descriptor'],
  truth: { readonly crc: number; readonly packed: number; readonly size: number },
): Buffer {
  const is64 = kind === 'signed64' || kind === 'plain64'
  const body = Buffer.alloc(is64 ? 20 : 12)
  body.writeUInt32LE(truth.crc, 0)
  if (is64) {
    body.writeBigUInt64LE(BigInt(truth.packed), 4)
    body.writeBigUInt64LE(BigInt(truth.size), 12)
  } else {
    body.writeUInt32LE(truth.packed, 4)
    body.writeUInt32LE(truth.size, 8)
  }
  return kind === 'signed' || kind === 'signed64'
    ? Buffer.concat([Buffer.from('PK\u0007\u0008', 'latin1'), body])
    : body
}

function buildEnd(
  end: { readonly count: number; readonly size: number; readonly offset: number },
  position: number,
  options: ZipOptions,
): Buffer {
  const comment = Buffer.from(options.comment ?? [])
  const record = Buffer.alloc(22)
  const empty = options.zip64 === 'sentinels'
  record.writeUInt32LE(0x06054b50, 0)
  record.writeUInt16LE(empty ? 0xffff : end.count, 8)
  record.writeUInt16LE(empty ? 0xffff : end.count, 10)
  record.writeUInt32LE(empty ? 0xffffffff : end.size, 12)
  record.writeUInt32LE(empty ? 0xffffffff : end.offset, 16)
  record.writeUInt16LE(comment.length, 20)
  if (options.zip64 === undefined) return Buffer.concat([record, comment])
  const end64 = Buffer.alloc(56)
  end64.writeUInt32LE(0x06064b50, 0)
  end64.writeBigUInt64LE(44n, 4)
  end64.writeUInt16LE(45, 12)
  end64.writeUInt16LE(45, 14)
  end64.writeBigUInt64LE(BigInt(end.count), 24)
  end64.writeBigUInt64LE(BigInt(end.count), 32)
  end64.writeBigUInt64LE(BigInt(end.size), 40)
  end64.writeBigUInt64LE(BigInt(end.offset), 48)
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(0x07064b50, 0)
  locator.writeBigUInt64LE(BigInt(position), 8)
  locator.writeUInt32LE(1, 16)
  return Buffer.concat([end64, locator, record, comment])
}

/** An extra field: `tag(2) length(2) data`. */
export function extraField(tag: number, data: Uint8Array): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt16LE(tag, 0)
  head.writeUInt16LE(data.length, 2)
  return Buffer.concat([head, data])
}

export function pomProperties(group: string, artifact: string, version: string): ZipPart {
  return {
    name: `META-INF/maven/${group}/${artifact}/pom.properties`,
    content: `#Created by a build\n\ngroupId=${group}\nartifactId=${artifact}\nversion=${version}\n`,
  }
}

const MANIFEST = 'Manifest-Version: 1.0\r\nCreated-By: a test\r\n\r\n'

/** The smallest jar with coordinates: `org.example:demo:1.2.3`, called `demo-1.2.3.jar`. */
export function buildJar(parts: readonly ZipPart[] = [], options: ZipOptions = {}): Buffer {
  const own = [
    { name: 'META-INF/MANIFEST.MF', content: MANIFEST },
    pomProperties('org.example', 'demo', '1.2.3'),
  ]
  return buildZip([...own, ...parts], options)
}

export interface SignedJarOptions {
  /** As the attributes call it: `SHA-256`. */
  readonly algorithm?: string
  /** Changes a text before it goes into the jar, after the digests over it were made. */
  readonly alter?: (name: string, text: string) => string
  /** Without it only the sections of the manifest are covered, one by one. */
  readonly wholeManifest?: boolean
  readonly block?: string
}

/** A jar with digests as jarsigner writes them. The block is no real one: adapters only hand it out. */
export function buildSignedJar(
  files: Readonly<Record<string, string>>,
  options: SignedJarOptions = {},
): Buffer {
  const algorithm = options.algorithm ?? 'SHA-256'
  const digest = (text: string): string =>
    createHash(algorithm.replace('-', '').toLowerCase()).update(text).digest('base64')
  const main = 'Manifest-Version: 1.0\r\n\r\n'
  const sections = Object.entries(files).map(
    ([name, text]) =>
      [name, `${fold(`Name: ${name}`)}${fold(`${algorithm}-Digest: ${digest(text)}`)}\r\n`] as const,
  )
  const manifest = main + sections.map(([, section]) => section).join('')
  const whole =
    options.wholeManifest === false ? '' : fold(`${algorithm}-Digest-Manifest: ${digest(manifest)}`)
  const head = `Signature-Version: 1.0\r\n${whole}${fold(`${algorithm}-Digest-Manifest-Main-Attributes: ${digest(main)}`)}\r\n`
  const signed = sections
    .map(
      ([name, section]) => `${fold(`Name: ${name}`)}${fold(`${algorithm}-Digest: ${digest(section)}`)}\r\n`,
    )
    .join('')
  const alter = options.alter ?? ((_name: string, text: string) => text)
  const texts = Object.entries({
    'META-INF/MANIFEST.MF': manifest,
    'META-INF/SIGNER.SF': head + signed,
    [`META-INF/SIGNER.${options.block ?? 'RSA'}`]: 'a block',
    ...files,
  })
  return buildZip(texts.map(([name, text]) => ({ name, content: alter(name, text) })))
}

/** Lines of at most 72 bytes, continued with a space. */
function fold(line: string): string {
  let out = line.slice(0, 72)
  for (let at = 72; at < line.length; at += 71) out += `\r\n ${line.slice(at, at + 71)}`
  return `${out}\r\n`
}
