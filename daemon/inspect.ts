import type { Inspection, InspectRequest } from './api.ts'
import { looksLikeAttestations, MOST_PARTS, parseAttestations, splitJson } from '../formats/index.ts'
import { decodeUtf8 } from '../trust/encoding.ts'
import { MalformedError } from '../trust/errors.ts'
import { parseJson, type Json } from '../trust/json.ts'
import { readPem } from '../trust/pem.ts'
import { readAll, readWhole, TAG } from '../trust/x509/der.ts'
import { describeBundle } from './inspect/bundle.ts'
import { describeCertificate, describeKeyFile, isVkey } from './inspect/certificate.ts'
import { attempt, at, field, hasAt, isObject, numbered, textAt } from './inspect/fields.ts'
import { describeCheckpoint } from './inspect/log.ts'
import { describePackage } from './inspect/package.ts'
import { describeEnvelope, describeStatement } from './inspect/statement.ts'
import { describeTimestamp } from './inspect/timestamp.ts'
import { describeTrustedRoot } from './inspect/trusted-root.ts'
import { LocalFile } from './package-file.ts'

/** Files that are no package are read in one piece; none of them is anywhere near this size. */
const LIMIT = 16 * 1024 * 1024
const JSON_LIMITS = { size: LIMIT, depth: 64, code: 'MALFORMED_JSON', what: 'file' } as const

/**
 * Says what a file says. Its content tells what it is, never its name; nothing in it is checked or believed.
 * @throws StoreError for a file that is not there or cannot be read
 */
export async function inspectFile({ path }: InspectRequest): Promise<Inspection> {
  const file = await LocalFile.open(path)
  try {
    if (file.size <= LIMIT) {
      const bytes = await file.read(0, file.size)
      const found = inspectDocument(bytes)
      if (found !== undefined) return found
    }
    return { kind: 'package', ...(await describePackage(file)) }
  } finally {
    await file.close()
  }
}

/** Everything that is no package; undefined for what may be one. */
export function inspectDocument(bytes: Uint8Array): Inspection | undefined {
  const text = decodeUtf8(bytes)
  // short DER may be text by chance
  const found = text === undefined ? undefined : (inspectJson(bytes, text) ?? inspectText(text, bytes))
  return found ?? inspectDer(bytes)
}

function inspectText(text: string, bytes: Uint8Array): Inspection | undefined {
  const trimmed = text.trim()
  if (/\n\n\u2014 /u.test(text))
    return { kind: 'checkpoint', title: 'a checkpoint of a log', fields: describeCheckpoint(bytes) }
  if (isVkey(trimmed)) return { kind: 'key', title: 'a verifier key', fields: describeKeyFile(bytes) }
  if (!trimmed.startsWith('-----BEGIN')) return undefined
  const blocks = readPem(text)?.blocks ?? []
  if (blocks.length > 0 && blocks.every(({ label }) => label === 'CERTIFICATE')) {
    return certificates(blocks.map(({ der }) => der))
  }
  return { kind: 'key', title: 'a key in PEM', fields: describeKeyFile(bytes) }
}

function certificates(list: readonly Uint8Array[]): Inspection {
  const [first, ...rest] = list
  if (first !== undefined && rest.length === 0) {
    return { kind: 'certificate', title: 'a certificate', fields: describeCertificate(first) }
  }
  return {
    kind: 'certificate',
    title: 'several certificates',
    fields: numbered('certificate', list, describeCertificate),
  }
}

/** Told apart by what stands at the top: two, three or a response with a status. */
function inspectDer(bytes: Uint8Array): Inspection | undefined {
  if (bytes[0] !== TAG.sequence) return undefined
  const tags = outline(bytes)
  if (tags === undefined) return undefined
  const [sequence, bitString] = [TAG.sequence, TAG.bitString]
  if (sameTags(tags, [sequence, sequence, bitString])) return certificates([bytes])
  if (sameTags(tags, [sequence, bitString])) {
    return { kind: 'key', title: 'a public key', fields: describeKeyFile(bytes) }
  }
  if (!sameTags(tags, [sequence, sequence]) && !sameTags(tags, [sequence])) return undefined
  return { kind: 'timestamp', title: 'a timestamp response', fields: describeTimestamp(bytes) }
}

function outline(bytes: Uint8Array): readonly number[] | undefined {
  try {
    return readAll(readWhole(bytes, TAG.sequence).content).map(({ tag }) => tag)
  } catch (error) {
    if (error instanceof MalformedError) return undefined
    throw error
  }
}

function sameTags(tags: readonly number[], wanted: readonly number[]): boolean {
  return tags.length === wanted.length && tags.every((tag, i) => tag === wanted[i])
}

function inspectJson(bytes: Uint8Array, text: string): Inspection | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined
  if (looksLikeAttestations(bytes)) return attestations(bytes)
  const parts = splitJson(bytes)
  const [first] = parts
  if (first === undefined || parts.length === 1) return inspectObject(bytes, text)
  const each = parts.map((part) => inspectObject(part, decodeUtf8(part) ?? ''))
  const kind = each.find((one) => one !== undefined)?.kind
  if (kind === undefined) return undefined
  const fields = numbered('part', each, (one) => one?.fields ?? [field('content', 'of an unknown kind')])
  const count = parts.length > MOST_PARTS ? `more than ${MOST_PARTS}` : parts.length
  return { kind, title: `a file of ${count} parts`, fields }
}

function attestations(bytes: Uint8Array): Inspection {
  const fields = attempt(() =>
    numbered('attestation', parseAttestations(bytes), ({ predicateType, bundle }) => [
      field('predicate type', predicateType),
      field('bundle', describeBundle(bundle)),
    ]),
  )
  return { kind: 'bundle', title: 'attestations of a registry', fields }
}

/** One JSON object. Where it is broken, the words in it still tell what it was meant to be. */
function inspectObject(bytes: Uint8Array, text: string): Inspection | undefined {
  const json = readJson(bytes)
  const mediaType = json === undefined ? text.slice(0, 4096) : (textAt(json, 'mediaType') ?? '')
  if (/dev\.sigstore\.(?:trustedroot|clienttrustconfig)/.test(mediaType)) {
    return { kind: 'trusted-root', title: 'a trusted root', fields: describeTrustedRoot(bytes) }
  }
  if (/dev\.sigstore\.bundle/.test(mediaType) || hasAt(json, 'verificationMaterial')) {
    return { kind: 'bundle', title: 'a Sigstore bundle', fields: describeBundle(bytes) }
  }
  if (json === undefined || !isObject(json)) return undefined
  if (hasAt(json, 'tlogs') && hasAt(json, 'certificateAuthorities')) {
    return { kind: 'trusted-root', title: 'a trusted root', fields: describeTrustedRoot(bytes) }
  }
  if (textAt(json, '_type')?.startsWith('https://in-toto.io/Statement/') === true) {
    return { kind: 'statement', title: 'an in-toto statement', fields: describeStatement(bytes) }
  }
  if (textAt(json, 'payloadType') !== undefined && at(json, 'signatures') !== undefined) {
    return { kind: 'statement', title: 'an envelope with a statement', fields: describeEnvelope(json) }
  }
  return undefined
}

function readJson(bytes: Uint8Array): Json | undefined {
  try {
    return parseJson(bytes, JSON_LIMITS)
  } catch (error) {
    if (error instanceof MalformedError) return undefined
    throw error
  }
}
