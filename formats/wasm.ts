import type { Artifact, EmbeddedBundle } from '../trust/artifact.ts'
import { MalformedError } from '../trust/errors.ts'
import type { Attachment, FormatAdapter, PackageFile } from './adapter.ts'
import { bundleSidecars, sidecarAttachment } from './sidecars.ts'
import { describeBinary, readMetadata } from './wasm-metadata.ts'
import {
  encodeCustomSection,
  readContent,
  readSections,
  WASM_LIMITS,
  WASM_MAGIC,
  type WasmBinary,
  type WasmSection,
} from './wasm-sections.ts'
import { isClosed, readWasmSignatures } from './wasm-signature.ts'

/** Our own custom section: a bundle, or JSON Lines of them, about the file without this section. */
const BUNDLE_SECTION = 'sigstore'

/**
 * WebAssembly modules and components. The signed bytes are the file as it is; a bundle inside covers the file
 * without the section that holds it. There is no agreed format for Sigstore bundles inside, so the section is
 * plain: a standard bundle that any tool can check once the section is cut out.
 */
export const wasm: FormatAdapter = {
  format: 'wasm',
  title: 'WebAssembly module or component',
  promisedBy: /\.wasm$/i,
  matches: (_filename, head) =>
    head.length >= WASM_MAGIC.length && WASM_MAGIC.every((byte, i) => head[i] === byte),

  async open(file: PackageFile): Promise<Artifact> {
    const binary = await readSections(file)
    const own = bundleSection(binary)
    const metadata = await readMetadata(file, binary)
    const { signatures, notes } = await readWasmSignatures(file, binary, own)
    return {
      format: 'wasm',
      subject: {
        // the module name alone is a debugging aid that toolchains make up; with a version it was set on purpose
        name: metadata.version === undefined ? undefined : metadata.name,
        version: metadata.name === undefined ? undefined : metadata.version,
        // package URLs have no type for WebAssembly, and the registry that a name belongs to is not inside
        purl: undefined,
        statementNames: [],
      },
      embedded: own === undefined ? [] : [await readBundle(file, own)],
      nativeSignatures: signatures,
      notes: [describeBinary(binary), ...metadata.notes, ...notes],
      signedBytes: () => file.stream(),
    }
  },

  sidecars: bundleSidecars,

  async attach(file: PackageFile, bundle: Uint8Array): Promise<Attachment> {
    const binary = await readSections(file)
    if (bundleSection(binary) !== undefined) {
      throw new MalformedError('PACKAGE_DUPLICATE', `the file already holds a section '${BUNDLE_SECTION}'`)
    }
    if (bundle.length > WASM_LIMITS.content) {
      throw new MalformedError('PACKAGE_LIMIT', 'the bundle is too large for a section', {
        got: `${bundle.length} bytes`,
        wanted: `at most ${WASM_LIMITS.content} bytes`,
      })
    }
    // such a signature covers up to the end of the file: a section behind it would make it look broken
    if (isClosed(binary)) return sidecarAttachment(file, bundle)
    return { kind: 'embedded', bytes: appended(file, encodeCustomSection(BUNDLE_SECTION, bundle)) }
  },
}

async function* appended(file: PackageFile, section: Uint8Array): AsyncGenerator<Uint8Array> {
  yield* file.stream()
  yield section
}

/** Two sections would let two tools verify two different files in one. */
function bundleSection({ sections }: WasmBinary): WasmSection | undefined {
  const [first, second] = sections.filter(({ name }) => name === BUNDLE_SECTION)
  if (second !== undefined) {
    throw new MalformedError('PACKAGE_DUPLICATE', `the file holds two sections '${BUNDLE_SECTION}'`, {
      where: `offset ${second.start}`,
    })
  }
  return first
}

async function readBundle(file: PackageFile, section: WasmSection): Promise<EmbeddedBundle> {
  return {
    where: `custom section '${BUNDLE_SECTION}'`,
    bytes: await readContent(file, section),
    signedBytes: () => without(file, section),
  }
}

async function* without(file: PackageFile, section: WasmSection): AsyncGenerator<Uint8Array> {
  yield* file.stream(0, section.start)
  yield* file.stream(section.end)
}
