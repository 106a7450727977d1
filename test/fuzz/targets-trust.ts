import { Buffer } from 'node:buffer'
import { isDeepStrictEqual } from 'node:util'
import { parseBundle } from '../../trust/bundle.ts'
import { canonicalJson, type CanonicalValue } from '../../trust/canonical-json.ts'
import * as encoding from '../../trust/encoding.ts'
import { CodedError } from '../../trust/errors.ts'
import { JsonNumber, parseJson, type Json } from '../../trust/json.ts'
import { parsePublicKey, parsePublicKeyPem } from '../../trust/keys.ts'
import { encodeCheckpoint, parseCheckpoint } from '../../trust/log/checkpoint.ts'
import { encodeNote, noteVerifier, openNote, parseNote } from '../../trust/log/note.ts'
import { encodeTilePath, parseTilePath } from '../../trust/log/tile.ts'
import { encodeVkey, parseVkey, vkeyVerifier } from '../../trust/log/vkey.ts'
import { checkQuorum, parseWitnessPolicy } from '../../trust/log/witness-policy.ts'
import { readPem } from '../../trust/pem.ts'
import { findSubject, neededAlgorithms, parseStatement } from '../../trust/statement.ts'
import { isClientTrustConfig, parseClientTrustConfig, parseTrustedRoot } from '../../trust/trusted-root.ts'
import { withoutTimestamps } from '../../trust/checks/sct.ts'
import { parseCertificate, parseCertificates, type Certificate } from '../../trust/x509/certificate.ts'
import * as extensions from '../../trust/x509/extensions.ts'
import { formatName } from '../../trust/x509/name.ts'
import { parseTimestampResponse } from '../../trust/x509/timestamp.ts'
import { CORPUS, noteKey } from './corpus.ts'
import { bulk, bulkLines, mutateBytes, mutateLines } from './mutate-bytes.ts'
import { bulkJson, mutateDer, mutateJson } from './mutate-structure.ts'
import { insist, type Target } from './target.ts'

const JSON_MUTATORS = [mutateJson, mutateJson, mutateBytes, bulk, bulkJson] as const
const DER_MUTATORS = [mutateDer, mutateDer, mutateBytes, bulk] as const
const LINE_MUTATORS = [mutateLines, mutateBytes, bulk, bulkLines] as const

const textOf = (input: Uint8Array): string => Buffer.from(input).toString('utf8')
const same = (input: Uint8Array, text: string): boolean => Buffer.from(input).equals(Buffer.from(text))
const LIMITS = { size: 4 * 1024 * 1024, depth: 64, code: 'MALFORMED_JSON', what: 'input' } as const

/** What `JSON.parse` makes of the same text, as far as it can say it. */
function plain(value: Json): unknown {
  if (value instanceof JsonNumber) return Number(value.text)
  if (value instanceof Map) {
    const object: Record<string, unknown> = Object.create(null) as Record<string, unknown>
    for (const [key, item] of value as ReadonlyMap<string, Json>) object[key] = plain(item)
    return object
  }
  return Array.isArray(value) ? value.map((item: Json) => plain(item)) : value
}

function runJson(input: Uint8Array): void {
  const value = parseJson(input, LIMITS)
  const withoutPrototypes = (_: string, item: unknown): unknown =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.assign(Object.create(null) as object, item)
      : item
  const expected: unknown = JSON.parse(textOf(input), withoutPrototypes)
  const hasProto = input.length > 0 && Buffer.from(input).includes('proto')
  insist(hasProto || isDeepStrictEqual(plain(value), expected), 'JSON.parse reads the same')
}

function runCanonical(input: Uint8Array): void {
  let value: CanonicalValue
  try {
    value = JSON.parse(textOf(input)) as CanonicalValue
  } catch {
    return
  }
  const text = canonicalJson(value)
  insist(
    canonicalJson(parseJson(Buffer.from(text), { ...LIMITS, depth: 10_000 })) === text,
    'canonical form is canonical',
  )
  insist(
    isDeepStrictEqual(
      JSON.parse(text),
      JSON.parse(JSON.stringify(value, (_, v: unknown) => (Object.is(v, -0) ? 0 : v))),
    ),
    'nothing is lost',
  )
}

function readAllExtensions(certificate: Certificate): void {
  const readers: readonly ((certificate: Certificate) => unknown)[] = [
    (one) => extensions.requireUnderstood(one, 'leaf'),
    (one) => extensions.requireUnderstood(one, 'authority'),
    extensions.readBasicConstraints,
    extensions.isAuthority,
    extensions.readKeyUsage,
    extensions.readExtendedKeyUsage,
    extensions.readSubjectKeyIdentifier,
    extensions.readAuthorityKeyIdentifier,
    extensions.readTimestampList,
    extensions.readSubjectAltNames,
    extensions.readIdentity,
    (one) => extensions.readTimestampList(one) && withoutTimestamps(one),
    ({ issuer }) => formatName(issuer),
    ({ subject }) => formatName(subject),
  ]
  for (const read of readers) mayRefuse(() => read(certificate))
}

/** For one of several questions about the same input. */
function mayRefuse(ask: () => unknown): void {
  try {
    ask()
  } catch (error) {
    if (!(error instanceof CodedError) || !REFUSALS.includes(error.name)) throw error
  }
}

const REFUSALS = ['MalformedError', 'CheckFailed']

function runTrustedRoot(input: Uint8Array): void {
  const root = isClientTrustConfig(input) ? parseClientTrustConfig(input) : parseTrustedRoot(input)
  insist(/^[0-9a-f]{64}$/.test(root.digest), 'a root has a digest')
}

function runStatement(input: Uint8Array): void {
  const statement = parseStatement(input)
  insist(
    new Set(neededAlgorithms(statement)).size === neededAlgorithms(statement).length,
    'no digest is made twice',
  )
  mayRefuse(() => findSubject(statement, new Map([['sha256', Buffer.alloc(32, 0xab)]])))
}

function runEncoding(input: Uint8Array): void {
  const text = textOf(input)
  const decoders = [
    [encoding.decodeBase64(text), encoding.encodeBase64, text],
    [encoding.decodeHex(text), encoding.encodeHex, text.toLowerCase()],
  ] as const
  for (const [bytes, encode, wanted] of decoders)
    insist(bytes === undefined || encode(bytes) === wanted, 'one spelling')
  const utf8 = encoding.decodeUtf8(input)
  insist(utf8 === undefined || same(input, utf8), 'UTF-8 comes back')
  const decimal = encoding.decodeDecimal(text)
  insist(decimal === undefined || String(decimal) === text, 'one spelling of a number')
}

const INVISIBLE =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]/u

function runDisplay(input: Uint8Array): void {
  for (const text of [
    textOf(input),
    Buffer.from(input).toString('utf16le'),
    Buffer.from(input).toString('latin1'),
  ]) {
    const shown = encoding.escapeForDisplay(text)
    insist(!INVISIBLE.test(shown), 'nothing invisible is shown')
    insist(encoding.escapeForDisplay(shown) === shown, 'what is shown stays as it is')
  }
}

/** Parsers of `trust/`. JSON needs most: an empty object of two characters becomes a Map. */
export const TRUST_TARGETS: readonly Target[] = [
  {
    name: 'json',
    corpus: CORPUS.json,
    mutators: JSON_MUTATORS,
    run: runJson,
    refuses: ['MalformedError'],
    bytesPerByte: 320,
  },
  {
    name: 'canonical-json',
    corpus: CORPUS.json,
    mutators: JSON_MUTATORS,
    run: runCanonical,
    refuses: ['MalformedError'],
    bytesPerByte: 320,
  },
  {
    name: 'bundle',
    corpus: CORPUS.bundle,
    mutators: JSON_MUTATORS,
    run: parseBundle,
    refuses: ['MalformedError'],
    bytesPerByte: 160,
  },
  {
    name: 'trusted-root',
    corpus: CORPUS.trustedRoot,
    mutators: JSON_MUTATORS,
    run: runTrustedRoot,
    refuses: ['MalformedError'],
    bytesPerByte: 320,
  },
  {
    name: 'certificate',
    corpus: CORPUS.certificate,
    mutators: DER_MUTATORS,
    run(input) {
      const certificate = parseCertificate(input)
      insist(Buffer.from(input).equals(certificate.der), 'a certificate is all of its bytes')
      readAllExtensions(certificate)
    },
    refuses: REFUSALS,
    bytesPerByte: 96,
  },
  {
    name: 'timestamp',
    corpus: CORPUS.timestamp,
    mutators: DER_MUTATORS,
    run: parseTimestampResponse,
    refuses: REFUSALS,
    bytesPerByte: 96,
  },
  {
    name: 'note',
    corpus: CORPUS.note,
    mutators: LINE_MUTATORS,
    run(input) {
      const note = parseNote(input)
      insist(same(input, encodeNote(note.unverifiedText, note.signatures)), 'a note comes back byte for byte')
      mayRefuse(() => openNote(note, [noteVerifier(noteKey.name, noteKey.key)]))
    },
    refuses: REFUSALS,
    bytesPerByte: 96,
  },
  {
    name: 'checkpoint',
    corpus: CORPUS.note,
    mutators: LINE_MUTATORS,
    run(input) {
      const text = textOf(input).split('\n\n')[0] ?? ''
      insist(encodeCheckpoint(parseCheckpoint(`${text}\n`)) === `${text}\n`, 'a checkpoint comes back')
    },
    refuses: REFUSALS,
    bytesPerByte: 96,
  },
  {
    name: 'vkey',
    corpus: CORPUS.vkey,
    mutators: [mutateBytes],
    run(input) {
      const vkey = parseVkey(textOf(input))
      insist(encodeVkey(vkey) === textOf(input), 'a vkey comes back')
      mayRefuse(() => vkeyVerifier(vkey).verify(Buffer.from('text\n'), Buffer.alloc(64)))
    },
    refuses: REFUSALS,
    bytesPerByte: 96,
  },
  {
    name: 'witness-policy',
    corpus: CORPUS.witnessPolicy,
    mutators: LINE_MUTATORS,
    run(input) {
      const policy = parseWitnessPolicy(textOf(input))
      const all = policy.witnesses.map(({ name }) => name)
      insist(checkQuorum(policy, all) || !checkQuorum(policy, []), 'more witnesses are never worse')
    },
    refuses: REFUSALS,
    bytesPerByte: 320,
  },
  {
    name: 'statement',
    corpus: CORPUS.statement,
    mutators: JSON_MUTATORS,
    run: runStatement,
    refuses: REFUSALS,
    bytesPerByte: 160,
  },
  {
    name: 'pem',
    corpus: CORPUS.pem,
    mutators: LINE_MUTATORS,
    run(input) {
      const pem = readPem(textOf(input))
      insist(pem === undefined || pem.blocks.every(({ der }) => der.length > 0), 'a block holds something')
      if (pem?.blocks[0]?.label === 'CERTIFICATE') parseCertificates(input)
      else parsePublicKeyPem(textOf(input))
    },
    refuses: REFUSALS,
    bytesPerByte: 160,
  },
  {
    name: 'public-key',
    corpus: CORPUS.key,
    mutators: DER_MUTATORS,
    run: (input) =>
      insist(Buffer.from(input).equals(parsePublicKey(input).spki), 'a key is all of its bytes'),
    refuses: REFUSALS,
    bytesPerByte: 96,
  },
  {
    name: 'tile-path',
    corpus: CORPUS.tilePath,
    mutators: [mutateBytes],
    run(input) {
      const tile = parseTilePath(textOf(input))
      insist(tile === undefined || encodeTilePath(tile) === textOf(input), 'a tile path comes back')
    },
    refuses: [],
    bytesPerByte: 32,
  },
  {
    name: 'encoding',
    corpus: CORPUS.display,
    mutators: [mutateBytes, bulk],
    run: runEncoding,
    refuses: [],
    bytesPerByte: 32,
  },
  {
    name: 'display',
    corpus: CORPUS.display,
    mutators: [mutateBytes, bulk],
    run: runDisplay,
    refuses: [],
    bytesPerByte: 96,
  },
]
