import { createHash } from 'node:crypto'

export const MODULE_PREAMBLE = Buffer.from('\0asm\u0001\0\0\0', 'latin1')
export const COMPONENT_PREAMBLE = Buffer.from('\0asm\u000d\0\u0001\0', 'latin1')

/** Unsigned LEB128; `width` pads with continuation bytes, as some linkers do. */
export function leb(value: number, width = 1): Buffer {
  const bytes: number[] = []
  for (let rest = value; bytes.length < width || rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | 0x80)
  }
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) & 0x7f
  return Buffer.from(bytes)
}

export function wasmSection(id: number, body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(id), leb(body.length), body])
}

export function customSection(name: string, content: Uint8Array | string = ''): Buffer {
  const text = Buffer.from(name)
  return wasmSection(0, Buffer.concat([leb(text.length), text, Buffer.from(content)]))
}

/** One function type without parameters. */
export const TYPE_SECTION = wasmSection(1, Buffer.of(1, 0x60, 0, 0))
/** One function of that type. */
export const FUNCTION_SECTION = wasmSection(3, Buffer.of(1, 0))
/** Its empty body. */
export const CODE_SECTION = wasmSection(10, Buffer.of(1, 2, 0, 0x0b))

export function buildModule(...sections: readonly Uint8Array[]): Buffer {
  return Buffer.concat([MODULE_PREAMBLE, ...sections])
}

export function buildComponent(...sections: readonly Uint8Array[]): Buffer {
  return Buffer.concat([COMPONENT_PREAMBLE, ...sections])
}

/** Names itself `demo` in version 1.2.3. */
export function buildNamedModule(...more: readonly Uint8Array[]): Buffer {
  const sections = [
    TYPE_SECTION,
    FUNCTION_SECTION,
    CODE_SECTION,
    nameSection('demo'),
    customSection('version', '1.2.3'),
  ]
  return buildModule(...sections, ...more)
}

export function nameSection(name: string, section = 'name'): Buffer {
  const text = Buffer.concat([leb(Buffer.byteLength(name)), Buffer.from(name)])
  return customSection(section, Buffer.concat([Buffer.of(0), leb(text.length), text]))
}

export function delimiter(fill = 0x5a, length = 16): Buffer {
  return customSection('signature_delimiter', Buffer.alloc(length, fill))
}

export interface SignedSet {
  readonly hashes: readonly Uint8Array[]
  readonly signatures: readonly {
    readonly keyId?: Uint8Array
    readonly algorithm?: number
    readonly signature: Uint8Array
  }[]
}

/** Payload of a `signature` section, field by field as the tool-conventions document lists them. */
export function encodeSignatureData(
  sets: readonly SignedSet[],
  header: readonly number[] = [1, 1, 1],
): Buffer {
  const encoded = sets.map(({ hashes, signatures }) => [
    leb(hashes.length),
    ...hashes,
    leb(signatures.length),
    ...signatures.flatMap(({ keyId = Buffer.alloc(0), algorithm = 1, signature }) => [
      leb(keyId.length),
      keyId,
      Buffer.of(algorithm),
      leb(signature.length),
      signature,
    ]),
  ])
  return Buffer.concat([Buffer.from(header), leb(sets.length), ...encoded.flat()])
}

/** Hash over parts as they follow each other in a module. */
export function hashOf(...parts: readonly Uint8Array[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest()
}

export function messageOf(...hashes: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from('wasmsig'), Buffer.of(1, 1, 1), ...hashes])
}
