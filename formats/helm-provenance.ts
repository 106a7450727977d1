import type { NativeSignature } from '../trust/artifact.ts'
import { decodeBase64, decodeUtf8, encodeUtf8 } from '../trust/encoding.ts'
import { MalformedError } from '../trust/errors.ts'
import { parseYamlFields } from './yaml-map.ts'

/**
 * Helm's provenance file (`<chart>.tgz.prov`): a clear-signed OpenPGP message (RFC 9580 section 7) over the chart's
 * metadata and the digests of its files. Read, not verified.
 */
export interface Provenance {
  readonly name: string | undefined
  readonly version: string | undefined
  /** The metadata of the chart, YAML as signed. */
  readonly metadata: string
  /** File name to `sha256:<hex>`. */
  readonly files: ReadonlyMap<string, string>
  /** Names in the `Hash` headers, as written. */
  readonly hashes: readonly string[]
  /** The signed text without dash-escaping, lines ended by LF. */
  readonly signedText: string
  /** The bytes under the signature: trailing blanks removed, lines ended by CR LF, none at the end. */
  readonly message: Uint8Array
  /** The signature block with its armor. */
  readonly armoredSignature: string
  /** The packets inside the armor. */
  readonly signature: Uint8Array
}

const MAX_SIZE = 1024 * 1024
const BEGIN = '-----BEGIN PGP SIGNED MESSAGE-----'
const BEGIN_SIGNATURE = '-----BEGIN PGP SIGNATURE-----'
const END_SIGNATURE = '-----END PGP SIGNATURE-----'
/** Parts of the signed text: metadata, then files. */
const SEPARATOR = '\n...\n'

/** Throws MALFORMED_PROVENANCE. Text outside the message is refused: nobody signed it. */
export async function parseProvenance(bytes: Uint8Array): Promise<Provenance> {
  if (bytes.length > MAX_SIZE) throw malformed(`the provenance file is larger than ${MAX_SIZE} bytes`)
  const text = decodeUtf8(bytes)
  if (text === undefined) throw malformed('the provenance file is not valid UTF-8')
  const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
  const signatureAt = lines.indexOf(BEGIN_SIGNATURE)
  if (lines[0] !== BEGIN || signatureAt === -1)
    throw malformed('the provenance file is not a clear-signed message')
  const { hashes, bodyAt } = readHeaders(lines)
  const signedText = unescapeDashes(lines.slice(bodyAt, signatureAt)).join('\n')
  const armor = lines.slice(signatureAt)
  const parts = `${signedText}\n`.split(SEPARATOR)
  const [metadata, files] = parts
  if (metadata === undefined || files === undefined || parts.length > 2) {
    throw malformed('the signed text is not metadata and files with one line of dots between')
  }
  const chart = await parseYamlFields(encodeUtf8(metadata), {
    ...CONTEXT,
    what: 'metadata of the provenance file',
  })
  return {
    name: chart.text('name'),
    version: chart.text('version'),
    metadata,
    files: await readFiles(files),
    hashes,
    signedText,
    message: encodeUtf8(
      signedText
        .split('\n')
        .map((line) => line.replace(/[ \t]+$/, ''))
        .join('\r\n'),
    ),
    armoredSignature: armor.join('\n').trimEnd(),
    signature: dearmor(armor),
  }
}

/** The signature beside a chart, in the form in which every signature of a format's own kind is reported. */
export async function provenanceSignature(
  provenance: Uint8Array,
): Promise<NativeSignature & { readonly files: ReadonlyMap<string, string> }> {
  const { message, signature, files } = await parseProvenance(provenance)
  return {
    scheme: 'helm-provenance',
    keyId: undefined,
    message,
    signature,
    algorithm: 'openpgp',
    covers: `metadata and SHA-256 of ${[...files.keys()].join(', ')}`,
    // no digest is computed here: the caller compares `files`
    contentMatches: false,
    files,
  }
}

const CONTEXT = { code: 'MALFORMED_PROVENANCE' } as const

/** Only `Hash` headers may stand there: others were used to hide text. */
function readHeaders(lines: readonly string[]): { hashes: string[]; bodyAt: number } {
  const hashes: string[] = []
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] ?? ''
    if (line === '') return { hashes, bodyAt: i + 1 }
    const match = /^Hash: ([A-Za-z0-9-]+(?:, ?[A-Za-z0-9-]+)*)$/.exec(line)
    if (match === null) break
    hashes.push(...(match[1] ?? '').split(/, ?/))
  }
  throw malformed('the clear-signed message has a header other than Hash')
}

function unescapeDashes(lines: readonly string[]): string[] {
  return lines.map((line) => {
    if (line.startsWith('- ')) return line.slice(2)
    if (line.startsWith('-'))
      throw malformed('a line of the signed text starts with a dash that is not escaped')
    return line
  })
}

async function readFiles(text: string): Promise<ReadonlyMap<string, string>> {
  const what = 'list of files of the provenance file'
  const fields = (await parseYamlFields(encodeUtf8(text), { ...CONTEXT, what })).map('files')
  const files = new Map<string, string>()
  for (const name of fields?.keys ?? []) {
    const digest = fields?.text(name) ?? ''
    if (!/^sha256:[0-9a-f]{64}$/.test(digest))
      throw malformed('the provenance file names a digest that is not SHA-256')
    files.set(name, digest)
  }
  if (files.size === 0) throw malformed('the provenance file names no file')
  return files
}

/** ASCII armor (RFC 9580 section 6): headers, an empty line, base64, perhaps a checksum. */
function dearmor(lines: readonly string[]): Uint8Array {
  const endAt = lines.indexOf(END_SIGNATURE)
  const bodyAt = lines.indexOf('')
  if (endAt === -1 || bodyAt === -1 || bodyAt > endAt)
    throw malformed('the signature block has no end or no body')
  if (lines.slice(endAt + 1).some((line) => line.trim() !== '')) throw malformed('text follows the signature')
  const body = lines.slice(bodyAt + 1, endAt)
  const checksum = body.at(-1)?.startsWith('=') === true ? body.pop() : undefined
  const bytes = decodeBase64(body.join(''))
  if (bytes === undefined || bytes.length === 0) throw malformed('the signature is not base64')
  if (checksum !== undefined && !matchesCrc24(bytes, checksum.slice(1))) {
    throw malformed('the checksum of the signature is wrong')
  }
  return bytes
}

/** RFC 9580 section 6.1.1. */
function matchesCrc24(bytes: Uint8Array, checksum: string): boolean {
  let crc = 0xb704ce
  for (const byte of bytes) {
    crc ^= byte << 16
    for (let i = 0; i < 8; i++) {
      crc <<= 1
      if ((crc & 0x1000000) !== 0) crc ^= 0x1864cfb
    }
  }
  const wanted = decodeBase64(checksum)
  return wanted?.length === 3 && ((wanted[0] ?? 0) << 16) + ((wanted[1] ?? 0) << 8) + (wanted[2] ?? 0) === crc
}

function malformed(message: string): MalformedError {
  return new MalformedError('MALFORMED_PROVENANCE', message)
}
