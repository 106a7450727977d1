import { Buffer } from 'node:buffer'
import { gzipSync } from 'node:zlib'
import { MalformedError } from '../../trust/errors.ts'
import type { PackageFile } from '../../formats/adapter.ts'

/** The smallest valid package of each format, built in code, and the parts to build hostile ones. */

const CHUNK = 64 * 1024

export interface WatchedFile extends PackageFile {
  /** Streams that were started and neither ended nor let go of. */
  openStreams(): number
  /** Bytes handed out so far by `read` and `stream`. */
  bytesRead(): number
}

/** A package file in memory that counts what is done with it. */
export function memoryFile(filename: string, bytes: Uint8Array): WatchedFile {
  return lazyFile(filename, bytes.length, (offset, length) => bytes.subarray(offset, offset + length))
}

/** A package file of any size whose bytes are made when asked for. */
export function lazyFile(
  filename: string,
  size: number,
  make: (offset: number, length: number) => Uint8Array,
): WatchedFile {
  let open = 0
  let handed = 0
  return {
    filename,
    size,
    read(offset, length) {
      if (offset + length > size) {
        return Promise.reject(new MalformedError('PACKAGE_TRUNCATED', 'the file ends before that'))
      }
      handed += length
      return Promise.resolve(make(offset, length))
    },
    async *stream(start = 0, end = size) {
      open++
      try {
        for (let at = start; at < end; at += CHUNK) {
          // as a file: never in the same tick
          await Promise.resolve()
          const chunk = make(at, Math.min(CHUNK, end - at))
          handed += chunk.length
          yield chunk
        }
      } finally {
        open--
      }
    },
    openStreams: () => open,
    bytesRead: () => handed,
  }
}

export interface TarPart {
  readonly name: string
  readonly body?: Uint8Array | string
  /** Type flag; '0' when left out. */
  readonly type?: string
  readonly link?: string
  readonly prefix?: string
  /** Instead of the length of the body. */
  readonly size?: number
  /** `ustar\0` and version when left out. */
  readonly magic?: string
  /** Bytes to write over the header before its checksum is made: offset and text. */
  readonly patch?: readonly (readonly [offset: number, text: string])[]
}

const BLOCK = 512

export function tarHeader(part: TarPart): Buffer {
  const header = Buffer.alloc(BLOCK)
  const size = part.size ?? Buffer.byteLength(part.body ?? '')
  header.write(part.name, 0, 100, 'utf8')
  header.write('0000644\0', 100, 'latin1')
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1')
  header.write('00000000000\0', 136, 'latin1')
  header.write(part.type ?? '0', 156, 'latin1')
  header.write(part.link ?? '', 157, 100, 'utf8')
  header.write(part.magic ?? 'ustar\u000000', 257, 'latin1')
  header.write(part.prefix ?? '', 345, 155, 'utf8')
  for (const [offset, text] of part.patch ?? []) header.write(text, offset, 'latin1')
  return withChecksum(header)
}

export function withChecksum(header: Buffer): Buffer {
  header.write('        ', 148, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}

/** Header, body and padding of one entry. */
export function tarEntry(part: TarPart): Buffer {
  const body = Buffer.from(part.body ?? '')
  return Buffer.concat([tarHeader(part), body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)])
}

export const TAR_END = Buffer.alloc(2 * BLOCK)

export function tar(...parts: readonly TarPart[]): Buffer {
  return Buffer.concat([...parts.map((part) => tarEntry(part)), TAR_END])
}

export function tgz(...parts: readonly TarPart[]): Buffer {
  return gzipSync(tar(...parts))
}

/** A pax record with its own length counted in. */
export function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`)
  let length = rest + String(rest).length
  if (String(length).length > String(rest).length) length++
  return `${length} ${key}=${value}\n`
}

export function pax(records: Readonly<Record<string, string>>, type = 'x'): TarPart {
  const body = Object.entries(records)
    .map(([key, value]) => paxRecord(key, value))
    .join('')
  return { name: 'PaxHeader', type, body }
}

export interface PackageIdentity {
  readonly name?: string
  readonly version?: string
}

/** An npm tarball; `extra` entries come after package.json. */
export function npmPackage(identity: PackageIdentity = {}, ...extra: readonly TarPart[]): Buffer {
  return tgz(npmManifest(identity), ...extra)
}

export function npmManifest({ name = '@scope/example', version = '1.2.3' }: PackageIdentity = {}): TarPart {
  return { name: 'package/package.json', body: JSON.stringify({ name, version }) }
}

export function chartManifest({ name = 'example', version = '1.2.3' }: PackageIdentity = {}): TarPart {
  return { name: `${name}/Chart.yaml`, body: `apiVersion: v2\nname: ${name}\nversion: ${version}\n` }
}

export function chartPackage(identity: PackageIdentity = {}, ...extra: readonly TarPart[]): Buffer {
  return tgz(chartManifest(identity), ...extra)
}

export function bottleReceipt({ name = 'example', version = '1.2.3' }: PackageIdentity = {}): TarPart {
  return { name: `${name}/${version}/INSTALL_RECEIPT.json`, body: '{}' }
}

export function bottlePackage(identity: PackageIdentity = {}, ...extra: readonly TarPart[]): Buffer {
  return tgz(bottleReceipt(identity), ...extra)
}

export function gemSpecification(identity: PackageIdentity & { readonly platform?: string } = {}): string {
  const { name = 'example', version = '1.2.3', platform = 'ruby' } = identity
  return [
    '--- !ruby/object:Gem::Specification',
    `name: ${name}`,
    'version: !ruby/object:Gem::Version',
    `  version: ${version}`,
    `platform: ${platform}`,
    'authors: []',
    'dependencies:',
    '- !ruby/object:Gem::Dependency',
    '  requirement: &id001 !ruby/object:Gem::Requirement',
    '    requirements:',
    "    - - '>='",
    '  version_requirements: *id001',
    '',
  ].join('\n')
}

/** The members of a gem, to be put together with `tar`. */
export function gemMembers(
  specification = gemSpecification(),
  data: Uint8Array = tgz({ name: 'lib/example.rb', body: 'puts 1' }),
): TarPart[] {
  const checksums = `---\nSHA256:\n  metadata.gz: ${'a'.repeat(64)}\n  data.tar.gz: ${'b'.repeat(64)}\n`
  return [
    { name: 'metadata.gz', body: gzipSync(specification) },
    { name: 'data.tar.gz', body: data },
    { name: 'checksums.yaml.gz', body: gzipSync(checksums) },
  ]
}

export function gemPackage(identity: PackageIdentity & { readonly platform?: string } = {}): Buffer {
  return tar(...gemMembers(gemSpecification(identity)))
}

/** Entries that no unpacker may meet, with the code that refuses them; paths stand below `top`. */
export function hostileEntries(
  top: string,
): readonly (readonly [what: string, parts: readonly TarPart[], code: string])[] {
  const file = (name: string): TarPart => ({ name, body: 'x' })
  return [
    ['an absolute path', [file('/etc/passwd')], 'PACKAGE_PATH'],
    ['a path that climbs', [file(`${top}/../../x`)], 'PACKAGE_PATH'],
    ['a control character', [file(`${top}/a\u0007`)], 'PACKAGE_PATH'],
    [
      'a hard link to a file outside',
      [{ name: `${top}/l`, type: '1', link: '../../etc/passwd' }],
      'PACKAGE_PATH',
    ],
    ['a hard link to nothing', [{ name: `${top}/l`, type: '1', link: `${top}/none` }], 'PACKAGE_PATH'],
    [
      'a file that is written through a link',
      [{ name: `${top}/l`, type: '2', link: 'd' }, file(`${top}/l/x`)],
      'PACKAGE_PATH',
    ],
    [
      'a link that takes the place of a folder',
      [file(`${top}/l/x`), { name: `${top}/l`, type: '2', link: 'd' }],
      'PACKAGE_PATH',
    ],
    ['the same file twice', [file(`${top}/x`), file(`${top}/./x`)], 'PACKAGE_DUPLICATE'],
    ['a character device', [{ name: `${top}/d`, type: '3' }], 'MALFORMED_PACKAGE'],
    ['a pipe', [{ name: `${top}/p`, type: '6' }], 'MALFORMED_PACKAGE'],
    ['a very long path', [pax({ path: `${top}/${'a/'.repeat(2100)}x` }), file('short')], 'PACKAGE_LIMIT'],
  ]
}

/** Entries that are hostile where packages are unpacked on Windows too. */
export function hostileOnWindows(
  top: string,
): readonly (readonly [what: string, parts: readonly TarPart[], code: string])[] {
  return [
    ['a backslash', [{ name: `${top}/..\\..\\x`, body: 'x' }], 'PACKAGE_PATH'],
    ['a drive letter', [{ name: `${top}/C:/x`, body: 'x' }], 'PACKAGE_PATH'],
    ['a link to outside', [{ name: `${top}/l`, type: '2', link: '../../x' }], 'PACKAGE_PATH'],
    ['a link to an absolute path', [{ name: `${top}/l`, type: '2', link: '/etc/passwd' }], 'PACKAGE_PATH'],
  ]
}
