import { canonicalJson } from '../canonical-json.ts'
import {
  decodeBase64,
  decodeHex,
  decodeUtf8,
  encodeBase64,
  encodeHex,
  encodeUtf8,
  equalBytes,
} from '../encoding.ts'
import { digestOf, equalDigests, type DigestAlgorithm } from '../digest.ts'
import { CheckFailed, MalformedError } from '../errors.ts'
import { Fields } from '../fields.ts'
import { parseJson } from '../json.ts'
import { readPem, type PemBlock } from '../pem.ts'
import { parseCertificate } from '../x509/certificate.ts'
import type { Code } from '../codes.ts'
import type { TransparencyLog } from '../authority.ts'
import type { LogEntry } from '../bundle.ts'
import type { PublicKey } from '../keys.ts'
import type { ClaimedSigner } from '../signers.ts'
import type { SignedContent } from './signature.ts'

/**
 * Does the logged body say what the bundle says? (client specification section 4.4, Rekor v2 section 6.1.4.) An entry
 * about another artifact, signature or key would hide this signature from whoever watches the log.
 */
/** Returns the bytes whose leaf hash must be in the log. */
export function checkEntry(entry: LogEntry, signed: SignedContent, signer: ClaimedSigner): Uint8Array {
  if (entry.generation === 2) return checkRebuilt(entry, signed, signer)
  const body = readBody(entry)
  const spec = body.object('spec')
  const isMessage = signed.content.kind === 'message'
  if (entry.kind === 'hashedrekord' ? !isMessage : isMessage) {
    throw new CheckFailed(
      'entry',
      'ENTRY_KIND',
      `a ${entry.kind} entry does not log this kind of signature`,
      {
        got: entry.kind,
        wanted: isMessage ? 'hashedrekord' : 'dsse or intoto',
      },
    )
  }
  if (entry.kind === 'hashedrekord') checkHashedRekord(spec, signed, signer)
  else if (entry.kind === 'dsse') checkDsse(spec, signed, signer)
  else checkIntoto(spec, signed, signer)
  return entry.body
}

function readBody(entry: LogEntry): Fields {
  try {
    const limits = { size: 16 * 1024 * 1024, depth: 16, code: 'ENTRY_MALFORMED', what: 'log entry' } as const
    const body = new Fields(parseJson(entry.body, limits), '$', 'ENTRY_MALFORMED')
    const got = `${body.string('kind')} ${body.string('apiVersion')}`
    const wanted = `${entry.kind} ${entry.version}`
    if (got !== wanted) {
      throw new CheckFailed(
        'entry',
        'ENTRY_KIND',
        'the logged body is of another kind than the bundle says',
        { got, wanted },
      )
    }
    return body
  } catch (error) {
    throw asEntryFailure(error)
  }
}

function asEntryFailure(error: unknown): unknown {
  if (!(error instanceof MalformedError)) return error
  const where = error.where === undefined ? {} : { where: error.where }
  return new CheckFailed('entry', error.code, error.message, { ...where, cause: error })
}

/** Reads from a body are wrapped once: whatever is missing or misspelt is a malformed entry. */
function reading<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw asEntryFailure(error)
  }
}

function checkHashedRekord(spec: Fields, signed: SignedContent, signer: ClaimedSigner): void {
  const { algorithm, value, signature, verifier } = reading(() => {
    const hash = spec.object('data').object('hash')
    const content = spec.object('signature')
    return {
      algorithm: hash.string('algorithm'),
      value: hash.string('value'),
      signature: content.bytes('content'),
      verifier: content.object('publicKey').bytes('content'),
    }
  })
  checkDigest(algorithm, value, signed.signedDigest.algorithm, signed.signedDigest.bytes)
  checkSameSignature(signature, signed)
  checkVerifier(verifier, signer)
}

function checkDsse(spec: Fields, signed: SignedContent, signer: ClaimedSigner): void {
  const { algorithm, value, signature, verifier } = reading(() => {
    const hash = spec.object('payloadHash')
    const only = onlyOne(spec.objects('signatures', 64, 'ENTRY_MALFORMED'))
    return {
      algorithm: hash.string('algorithm'),
      value: hash.string('value'),
      signature: only.bytes('signature'),
      verifier: only.bytes('verifier'),
    }
  })
  checkPayloadDigest(algorithm, value, signed)
  checkSameSignature(signature, signed)
  checkVerifier(verifier, signer)
}

/** In this kind signature and payload are base64 of base64. */
function checkIntoto(spec: Fields, signed: SignedContent, signer: ClaimedSigner): void {
  const { algorithm, value, signature, verifier, payload, payloadType } = reading(() => {
    const content = spec.object('content')
    const hash = content.object('payloadHash')
    const envelope = content.object('envelope')
    const only = onlyOne(envelope.objects('signatures', 64, 'ENTRY_MALFORMED'))
    return {
      algorithm: hash.string('algorithm'),
      value: hash.string('value'),
      signature: innerBase64(only.bytes('sig')),
      verifier: only.bytes('publicKey'),
      payload: envelope.optionalBytes('payload'),
      payloadType: envelope.string('payloadType'),
    }
  })
  checkPayloadDigest(algorithm, value, signed)
  if (signed.content.kind === 'envelope') {
    if (payload !== undefined && !equalBytes(innerBase64(payload) ?? payload, signed.content.payload)) {
      throw differs('ENTRY_DIGEST', 'the logged payload is another one')
    }
    if (payloadType !== signed.content.payloadType) {
      throw differs(
        'ENTRY_DIGEST',
        'the logged payload type is another one',
        payloadType,
        signed.content.payloadType,
      )
    }
  }
  if (signature === undefined)
    throw differs('ENTRY_SIGNATURE', 'the logged signature is not base64 of base64')
  checkSameSignature(signature, signed)
  checkVerifier(verifier, signer)
}

function onlyOne(signatures: readonly Fields[]): Fields {
  const [only] = signatures
  if (only === undefined || signatures.length !== 1) {
    throw differs(
      'ENTRY_SIGNATURE',
      'the entry does not log exactly one signature',
      `${signatures.length}`,
      '1',
    )
  }
  return only
}

function innerBase64(bytes: Uint8Array): Uint8Array | undefined {
  const text = decodeUtf8(bytes)
  return text === undefined ? undefined : decodeBase64(text)
}

function checkPayloadDigest(algorithm: string, value: string, signed: SignedContent): void {
  if (signed.content.kind !== 'envelope') throw new TypeError('a payload digest without an envelope')
  checkDigest(algorithm, value, 'sha256', digestOf('sha256', signed.content.payload))
}

function checkDigest(
  algorithm: string,
  hex: string,
  wantedAlgorithm: DigestAlgorithm,
  wanted: Uint8Array,
): void {
  const got = decodeHex(hex)
  if (algorithm !== wantedAlgorithm || got === undefined || !equalDigests(got, wanted)) {
    const expected = `${wantedAlgorithm}:${encodeHex(wanted)}`
    throw differs('ENTRY_DIGEST', 'the entry is about another artifact', `${algorithm}:${hex}`, expected)
  }
}

function checkSameSignature(logged: Uint8Array, signed: SignedContent): void {
  if (!equalBytes(logged, signed.signature)) {
    throw differs(
      'ENTRY_SIGNATURE',
      'the entry logs another signature',
      encodeBase64(logged),
      encodeBase64(signed.signature),
    )
  }
}

/** The PEM in the body must hold the very certificate of the bundle, or the very key: compared as DER. */
function checkVerifier(pem: Uint8Array, signer: ClaimedSigner): void {
  const blocks = readPem(decodeUtf8(pem) ?? '')?.blocks ?? []
  const [block] = blocks
  if (block === undefined || blocks.length !== 1 || !isVerifier(block, signer)) {
    throw differs('ENTRY_VERIFIER', `the entry logs another ${signer.kind} than the bundle's`)
  }
}

/** A signature with a managed key may have been logged under a certificate of that same key. */
function isVerifier({ label, der }: PemBlock, signer: ClaimedSigner): boolean {
  if (signer.kind === 'certificate') return label === 'CERTIFICATE' && equalBytes(der, signer.leaf.der)
  if (label === 'PUBLIC KEY') return equalBytes(der, signer.key.spki)
  return (
    label === 'CERTIFICATE' &&
    equalBytes(
      reading(() => parseCertificate(der).spki),
      signer.key.spki,
    )
  )
}

function verifierBytes(signer: ClaimedSigner): Uint8Array {
  return signer.kind === 'key' ? signer.key.spki : signer.leaf.der
}

function differs(code: Code, message: string, got?: string, wanted?: string): CheckFailed {
  return new CheckFailed('entry', code, message, {
    ...(got === undefined ? {} : { got }),
    ...(wanted === undefined ? {} : { wanted }),
  })
}

/**
 * Tile logs hold one kind, and its canonical form follows from the bundle alone. The body is built anew and that is
 * what must be in the log; the bundle's copy is compared for the sake of a good message.
 */
function checkRebuilt(entry: LogEntry, signed: SignedContent, signer: ClaimedSigner): Uint8Array {
  const details = keyDetails(signer.key, signed)
  const expected = {
    algorithm: DIGEST_NAMES[signed.signedDigest.algorithm],
    digest: encodeBase64(signed.signedDigest.bytes),
    content: encodeBase64(signed.signature),
    keyDetails: details,
    verifier: encodeBase64(verifierBytes(signer)),
  }
  const verifierField = signer.kind === 'key' ? 'publicKey' : 'x509Certificate'
  const rebuilt = encodeUtf8(
    canonicalJson({
      apiVersion: '0.0.2',
      kind: 'hashedrekord',
      spec: {
        hashedRekordV002: {
          data: { algorithm: expected.algorithm, digest: expected.digest },
          signature: {
            content: expected.content,
            verifier: { keyDetails: details, [verifierField]: { rawBytes: expected.verifier } },
          },
        },
      },
    }),
  )
  if (!equalBytes(rebuilt, entry.body)) throw explainDifference(readBody(entry), expected, verifierField)
  return rebuilt
}

interface Expected {
  readonly algorithm: string
  readonly digest: string
  readonly content: string
  readonly keyDetails: string
  readonly verifier: string
}

function explainDifference(body: Fields, expected: Expected, verifierField: string): CheckFailed {
  return reading(() => {
    const spec = body.object('spec').object('hashedRekordV002')
    const data = spec.object('data')
    const signature = spec.object('signature')
    const verifier = signature.object('verifier')
    const digest = `${data.string('algorithm')} ${data.string('digest')}`
    const wantedDigest = `${expected.algorithm} ${expected.digest}`
    if (digest !== wantedDigest)
      return differs('ENTRY_DIGEST', 'the entry is about another artifact', digest, wantedDigest)
    const content = signature.string('content')
    if (content !== expected.content) {
      return differs('ENTRY_SIGNATURE', 'the entry logs another signature', content, expected.content)
    }
    const raw = verifier.optionalObject(verifierField)?.optionalString('rawBytes')
    if (raw !== expected.verifier || verifier.string('keyDetails') !== expected.keyDetails) {
      return differs('ENTRY_VERIFIER', "the entry logs another certificate or key than the bundle's")
    }
    return differs('ENTRY_MALFORMED', 'the logged body is not in canonical form')
  })
}

const DIGEST_NAMES: Readonly<Record<DigestAlgorithm, string>> = {
  sha256: 'SHA2_256',
  sha384: 'SHA2_384',
  sha512: 'SHA2_512',
}

/** Algorithm names of tile logs: a key type goes with one hash only. */
function keyDetails(key: PublicKey, signed: SignedContent): string {
  const { scheme } = signed
  const hash = 'hash' in scheme ? scheme.hash : undefined
  if (key.type === 'ecdsa-p256' && hash === 'sha256') return 'PKIX_ECDSA_P256_SHA_256'
  if (key.type === 'ecdsa-p384' && hash === 'sha384') return 'PKIX_ECDSA_P384_SHA_384'
  if (key.type === 'ecdsa-p521' && hash === 'sha512') return 'PKIX_ECDSA_P521_SHA_512'
  if (scheme.kind === 'ed25519ph') return 'PKIX_ED25519_PH'
  if (scheme.kind === 'rsa-pkcs1' && hash === 'sha256' && [2048, 3072, 4096].includes(key.bits ?? 0)) {
    return `PKIX_RSA_PKCS1V15_${key.bits}_SHA256`
  }
  throw new CheckFailed('entry', 'ENTRY_KIND', 'tile logs take no entries of this key and scheme', {
    got: `${key.type} ${scheme.kind} ${hash ?? ''}`.trim(),
    wanted: 'ECDSA with the hash of its curve, RSA PKCS#1 v1.5 with SHA-256, or Ed25519ph',
  })
}

/** An entry of a log that the trusted root knows, and the bytes of its leaf. */
export interface MatchingEntry {
  readonly entry: LogEntry
  readonly leaf: Uint8Array
}

/** Entries of unknown logs prove nothing and are passed over; every entry of a known log must match. */
export function checkEntries(
  entries: readonly LogEntry[],
  logs: readonly TransparencyLog[],
  signed: SignedContent,
  signer: ClaimedSigner,
): readonly MatchingEntry[] {
  return entries
    .filter(({ logId }) => logs.some((log) => log.logId === logId))
    .map((entry) => ({ entry, leaf: checkEntry(entry, signed, signer) }))
}

export function describeMatching(matching: readonly MatchingEntry[]): string {
  return matching.map(({ entry }) => `${entry.kind} ${entry.version}`).join(', ') || 'no entry of a known log'
}
