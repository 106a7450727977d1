import { Buffer } from 'node:buffer'
import { gzipSync } from 'node:zlib'
import {
  bottlePackage,
  bottleReceipt,
  chartManifest,
  chartPackage,
  gemMembers,
  gemPackage,
  gemSpecification,
  hostileEntries,
  npmManifest,
  npmPackage,
  pax,
  tar,
  TAR_END,
  tarEntry,
  tarHeader,
  tgz,
  type TarPart,
} from '../support/packages.ts'
import {
  buildModule,
  buildNamedModule,
  customSection,
  leb,
  MODULE_PREAMBLE,
} from '../support/wasm-packages.ts'
import { buildJar, buildZip } from '../support/zip-packages.ts'

/** One hostile file, and what is said of it: a code, or the outcome where it does no harm. */
export interface Hostile {
  readonly filename: string
  readonly bytes: Uint8Array
  readonly expected: string
  /** The file goes on with zeros, which take no place on the disk, up to this size. */
  readonly size?: number
}

const MB = 1024 * 1024
const GB = 1024 * MB
/** 16 MB of zeros in 16 KB. */
const zeros = gzipSync(Buffer.alloc(16 * MB))

interface TarballKind {
  readonly name: string
  readonly extension: string
  readonly top: string
  readonly manifest: TarPart
  readonly whole: Buffer
}

const TARBALLS: readonly TarballKind[] = [
  { name: 'npm', extension: 'tgz', top: 'package', manifest: npmManifest(), whole: npmPackage() },
  { name: 'helm', extension: 'tgz', top: 'example', manifest: chartManifest(), whole: chartPackage() },
  {
    name: 'bottle--1.2.3.x.bottle',
    extension: 'tar.gz',
    top: 'example/1.2.3',
    manifest: bottleReceipt(),
    whole: bottlePackage(),
  },
]

function hostileTarballs({ name, extension, top, manifest, whole }: TarballKind): readonly Hostile[] {
  const file = (what: string, bytes: Uint8Array, expected: string, size?: number): Hostile => ({
    filename: `${name.replace(/^[a-z]+/, (kind) => `${kind}-${what}`)}.${extension}`,
    bytes,
    expected,
    ...(size === undefined ? {} : { size }),
  })
  const entry = (part: Partial<TarPart>): TarPart => ({ name: `${top}/x`, body: 'x', ...part })
  // in base 256: 9 GB
  const beyondAnyLimit = entry({ body: '', patch: [[124, '\u0080\0\0\0\0\0\0\u0002\u0040\0\0\0']] })
  const folders = Buffer.alloc(
    (name.startsWith('bottle') ? 250_001 : 100_001) * 512,
    tarHeader({ name: `${top}/`, type: '5' }),
  )
  const claim = Buffer.concat([tarEntry(manifest), tarHeader({ name: `${top}/x`, size: 900 * MB })])
  return [
    file('cut', whole.subarray(0, -20), 'PACKAGE_TRUNCATED'),
    file(
      'of-2-GB',
      gzipSync(Buffer.concat([tarEntry(manifest), tarHeader(beyondAnyLimit)])),
      'PACKAGE_LIMIT',
      2 * GB,
    ),
    file(
      'bomb',
      Buffer.concat([gzipSync(claim), ...Array.from({ length: 60 }, () => zeros)]),
      'PACKAGE_LIMIT',
    ),
    file('bomb-of-claims', tgz(manifest, beyondAnyLimit), 'PACKAGE_LIMIT'),
    file('pax-size', tgz(manifest, pax({ size: '99999999999' }), entry({})), 'MALFORMED_PACKAGE'),
    file(
      'pax-bomb',
      gzipSync(
        Buffer.concat([
          tarEntry(manifest),
          tarHeader({ name: 'p', type: 'x', size: 60 * MB }),
          Buffer.alloc(60 * MB),
        ]),
        { level: 1 },
      ),
      'PACKAGE_LIMIT',
    ),
    file('deep', tgz(manifest, pax({ path: `${top}/${'a/'.repeat(3000)}x` }), entry({})), 'PACKAGE_LIMIT'),
    file(
      'many',
      gzipSync(Buffer.concat([tarEntry(manifest), folders, TAR_END]), { level: 1 }),
      'PACKAGE_LIMIT',
    ),
    file(
      'inside-itself',
      tgz(manifest, entry({ body: tgz(manifest, entry({ body: tgz(manifest, entry({ body: whole })) })) })),
      'unsigned',
    ),
    ...hostileEntries(top).map(([, parts, code], i) => file(`entry-${i}`, tgz(manifest, ...parts), code)),
  ]
}

function hostileGems(): readonly Hostile[] {
  const gem = (what: string, bytes: Uint8Array, expected: string, size?: number): Hostile => ({
    filename: `gem-${what}.gem`,
    bytes,
    expected,
    ...(size === undefined ? {} : { size }),
  })
  const withData = (...parts: readonly TarPart[]): Buffer =>
    tar(...gemMembers(gemSpecification(), tgz(...parts)))
  const withSpecification = (text: string): Buffer =>
    tar({ name: 'metadata.gz', body: gzipSync(text) }, ...gemMembers().slice(1))
  const whole = gemPackage()
  const [metadata = { name: '' }] = gemMembers()
  const dataBomb = Buffer.concat([
    gzipSync(tarHeader({ name: 'x', size: 900 * MB })),
    ...Array.from({ length: 60 }, () => zeros),
  ])
  const claim = Buffer.concat([tarEntry(metadata), tarHeader({ name: 'data.tar.gz', size: 2 * GB - 1 })])
  return [
    gem('cut', whole.subarray(0, -1024), 'PACKAGE_TRUNCATED'),
    gem('of-2-GB', claim, 'PACKAGE_LIMIT', 2 * GB),
    gem('bomb', tar(...gemMembers(gemSpecification(), dataBomb)), 'PACKAGE_LIMIT'),
    gem(
      'metadata-bomb',
      tar({ name: 'metadata.gz', body: zeros }, ...gemMembers().slice(1)),
      'PACKAGE_LIMIT',
    ),
    gem(
      'yaml-bomb',
      tar({ name: 'metadata.gz', body: gzipSync(aliases()) }, ...gemMembers().slice(1)),
      'PACKAGE_METADATA',
    ),
    ...[']', '"', '@'].map((mark, i) =>
      gem(`yaml-mistakes-${i}`, withSpecification(`a: ${mark.repeat(MB)}\n`), 'PACKAGE_LIMIT'),
    ),
    gem('twice', tar(...gemMembers(), metadata), 'PACKAGE_DUPLICATE'),
    gem('inside-itself', withData({ name: 'x.gem', body: whole }), 'unsigned'),
    ...hostileEntries('lib').map(([, parts, code], i) => gem(`entry-${i}`, withData(...parts), code)),
  ]
}

/** Each line holds the one before ten times. */
function aliases(): string {
  const lines = Array.from(
    { length: 12 },
    (_, i) =>
      `a${i}: &a${i} [${
        i === 0
          ? 'x'
          : Array(10)
              .fill(`*a${i - 1}`)
              .join(', ')
      }]`,
  )
  return `${lines.join('\n')}\nname: *a11\n`
}

function hostileJars(): readonly Hostile[] {
  const jar = (what: string, bytes: Uint8Array, expected: string, size?: number): Hostile => ({
    filename: `jar-${what}.jar`,
    bytes,
    expected,
    ...(size === undefined ? {} : { size }),
  })
  const whole = buildJar()
  const overlapping = Array.from({ length: 100 }, (_, i) => ({
    name: `b${i}`,
    content: Buffer.alloc(4 * MB),
  }))
  return [
    jar('cut', whole.subarray(0, -30), 'PACKAGE_TRUNCATED'),
    jar('of-2-GB', whole, 'PACKAGE_TRUNCATED', 2 * GB),
    jar('bomb', buildZip(overlapping), 'PACKAGE_LIMIT'),
    jar('path', buildJar([{ name: '../../evil', content: 'x' }]), 'PACKAGE_PATH'),
    jar('absolute', buildJar([{ name: '/etc/passwd', content: 'x' }]), 'PACKAGE_PATH'),
    jar(
      'twice',
      buildJar([
        { name: 'a', content: 'x' },
        { name: 'a', content: 'y' },
      ]),
      'PACKAGE_DUPLICATE',
    ),
    jar('deep', buildJar([{ name: `${'a/'.repeat(3000)}x`, content: 'x' }]), 'PACKAGE_LIMIT'),
    jar(
      'inside-itself',
      buildJar([{ name: 'x.jar', content: buildJar([{ name: 'x.jar', content: whole }]) }]),
      'unsigned',
    ),
  ]
}

function hostileModules(): readonly Hostile[] {
  const wasm = (what: string, bytes: Uint8Array, expected: string, size?: number): Hostile => ({
    filename: `wasm-${what}.wasm`,
    bytes,
    expected,
    ...(size === undefined ? {} : { size }),
  })
  const huge = Buffer.concat([MODULE_PREAMBLE, Buffer.of(0), leb(2 * GB, 5)])
  const module = buildNamedModule()
  return [
    wasm('cut', module.subarray(0, -3), 'PACKAGE_TRUNCATED'),
    wasm('of-2-GB', huge, 'PACKAGE_TRUNCATED', 2 * GB),
    wasm('many', buildModule(Buffer.alloc(200_002 * 3, customSection(''))), 'PACKAGE_LIMIT'),
    wasm('bundle-bomb', buildModule(customSection('sigstore', Buffer.alloc(2 * MB))), 'PACKAGE_LIMIT'),
    wasm(
      'twice',
      buildModule(customSection('sigstore', '{}'), customSection('sigstore', '{}')),
      'PACKAGE_DUPLICATE',
    ),
    wasm('inside-itself', buildModule(customSection('x', module)), 'unsigned'),
  ]
}

export const HOSTILE: readonly Hostile[] = [
  ...TARBALLS.flatMap(hostileTarballs),
  ...hostileGems(),
  ...hostileJars(),
  ...hostileModules(),
]
