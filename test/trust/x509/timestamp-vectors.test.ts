import { Buffer } from 'node:buffer'
import { hash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { TimestampAuthority } from '../../../trust/authority.ts'
import {
  checkTimestamp,
  type TimestampEvidence,
  type UnknownAuthority,
} from '../../../trust/x509/timestamp-verification.ts'
import { encodeUtf8 } from '../../../trust/encoding.ts'
import { CheckFailed, MalformedError } from '../../../trust/errors.ts'
import { verifySignature } from '../../../trust/keys.ts'
import { parseTrustedRoot } from '../../../trust/trusted-root.ts'
import { parseCertificate } from '../../../trust/x509/certificate.ts'
import { parseTimestampResponse } from '../../../trust/x509/timestamp.ts'
import { newKey, octets, oid, seq } from '../../support/test-der.ts'
import {
  attribute,
  digestIdentifier,
  newTimestampAuthority,
  stamp,
  UNSIGNED_CLASSES,
  unsignedClassAt,
  unsignedSpans,
  type UnsignedClass,
} from '../../support/test-timestamp.ts'
import { readVector, vectorCases, vectorInput } from '../../support/vectors.ts'

interface StampedBundle {
  readonly signature: Uint8Array
  readonly tokens: readonly Uint8Array[]
}

interface BundleJson {
  readonly verificationMaterial?: {
    timestampVerificationData?: { rfc3161Timestamps?: { signedTimestamp: string }[] } | null
  }
  readonly messageSignature?: { signature: string }
  readonly dsseEnvelope?: { signatures: { sig: string }[] }
}

const decode = (text: string): Uint8Array => Buffer.from(text, 'base64')

/** The timestamps of a bundle and the signature that they are of; undefined for a bundle without. */
function stamped(name: string): StampedBundle | undefined {
  const json = JSON.parse(readVector(name).toString('utf8')) as BundleJson
  const tokens = json.verificationMaterial?.timestampVerificationData?.rfc3161Timestamps ?? []
  const signature = json.messageSignature?.signature ?? json.dsseEnvelope?.signatures[0]?.sig
  if (tokens.length === 0 || signature === undefined) return undefined
  return {
    signature: decode(signature),
    tokens: tokens.map(({ signedTimestamp }) => decode(signedTimestamp)),
  }
}

/** Of a trusted root, or of JSON lines of them. */
function authoritiesOf(root: string): readonly TimestampAuthority[] {
  const bytes = readVector(root)
  const roots = root.endsWith('.jsonl') ? bytes.toString('utf8').trim().split('\n').map(encodeUtf8) : [bytes]
  return roots.flatMap((json) => parseTrustedRoot(json).timestampAuthorities)
}

const failing = (code: string): unknown =>
  expect.objectContaining({ name: 'CheckFailed', check: 'time', code })
const STAGING = 'sigstore-java/trustroot/staging_trusted_root.json'
const PRODUCTION = 'root-signing/targets/trusted_root.json'
const HAPPY = 'conformance/rekor2-timestamp-with-embedded-cert'

const passing = vectorCases('bundle-verify').filter(
  ({ expected, inputs }) =>
    expected.result === 'pass' &&
    typeof inputs['bundle'] === 'string' &&
    typeof inputs['trustedRoot'] === 'string',
)

describe('timestamps of published bundles', () => {
  const cases = passing.filter((vector) => stamped(vectorInput(vector, 'bundle')) !== undefined)

  it.runIf(passing.length > 0)('are there', () => {
    expect(cases.map(({ id }) => id)).toContain(HAPPY)
    expect(cases.length).toBeGreaterThan(5)
  })

  it.each(cases.map((vector) => [vector.id, vector] as const))('%s: all are evidence', (_, vector) => {
    const bundle = stamped(vectorInput(vector, 'bundle'))
    const authorities = authoritiesOf(vectorInput(vector, 'trustedRoot'))
    expect(bundle?.tokens.length).toBeGreaterThan(0)
    for (const token of bundle?.tokens ?? []) {
      expect(checkTimestamp(token, bundle?.signature ?? token, authorities)).toMatchObject({ known: true })
      expect(() => checkTimestamp(token, encodeUtf8('another'), authorities)).toThrow(failing('TIME_IMPRINT'))
    }
  })
})

describe('published timestamps', () => {
  const ids = new Set(vectorCases('timestamp').map(({ id }) => id))
  const withCertificates = 'sigstage_tsa_response_with_embedded_certs'
  const without = 'sigstage_tsa_response_without_embedded_certs'
  const staging = (name: string): Uint8Array =>
    readVector(`sigstore-java/samples/timestamp-response/valid/${name}.tsr`)

  it.runIf(ids.has(`java/timestamp/${without}`)).each([withCertificates, without])('%s', (name) => {
    const message = encodeUtf8('test\n')
    expect(checkTimestamp(staging(name), message, authoritiesOf(STAGING))).toMatchObject({
      known: true,
      policy: '1.2.3.4',
    })
    // the public instance has an authority of the same name
    expect(checkTimestamp(staging(name), message, authoritiesOf(PRODUCTION))).toMatchObject({ known: false })
  })

  it.runIf(ids.has('sigstore-js/rfc3161-tokens'))('sigstore-js token-0, of GitHub', () => {
    const authorities = authoritiesOf('sigstore-rust/crates/sigstore-trust-root/src/trusted_root_github.json')
    const token = readVector('sigstore-js/rfc3161/token-0.tsr')
    expect(checkTimestamp(token, encodeUtf8('hello, world\n'), authorities)).toMatchObject({
      known: true,
      at: new Date('2023-12-20T21:49:18Z'),
    })
    // each authority is trusted for its own time, though all share an issuer
    const [first, ...others] = authorities
    expect(first?.leaf).toBeDefined()
    expect(checkTimestamp(token, encodeUtf8('hello, world\n'), others)).toMatchObject({ known: false })
  })

  /** The authority that the certificates of a token would make: the self-issued one is its anchor. */
  function selfMade(token: Uint8Array): TimestampAuthority {
    const certificates = parseTimestampResponse(token).certificates.map((der) => parseCertificate(der))
    const anchor = certificates.find(({ subject, issuer }) => Buffer.compare(subject, issuer) === 0)
    const leaf = certificates.find((certificate) => certificate !== anchor)
    if (anchor === undefined || leaf === undefined) throw new Error('the token has no chain')
    const validFor = { start: new Date(0), end: undefined }
    const name = 'made from the token'
    return { purpose: 'tsa', name, uri: '', operator: name, leaf, chain: [anchor], validFor }
  }

  /** What was stamped is not published with these tokens, so everything but the imprint is proven piece by piece. */
  function expectWhole(token: Uint8Array, authority: TimestampAuthority): void {
    const { leaf } = authority
    if (leaf === undefined) throw new Error('the authority lists no certificate')
    const { signer, content } = parseTimestampResponse(token)
    expect(verifySignature(leaf.publicKey, signer.scheme, signer.signedAttributes, signer.signature)).toBe(
      true,
    )
    expect(Buffer.from(signer.messageDigest).toString('hex')).toBe(hash(signer.digestAlgorithm, content))
    const [certificateHash] = signer.certificateHashes
    const wanted = hash(certificateHash?.algorithm ?? 'none', leaf.der)
    expect(Buffer.from(certificateHash?.hash ?? []).toString('hex')).toBe(wanted)
    for (const each of [authority, { ...authority, leaf: undefined }]) {
      expect(() => checkTimestamp(token, encodeUtf8('anything'), [each])).toThrow(failing('TIME_IMPRINT'))
    }
  }

  it.runIf(ids.has('java/timestamp/freetsa_response'))(
    'FreeTSA: RSA, SHA-512, certificate hash by SHA-1',
    () => {
      const token = readVector('sigstore-java/samples/timestamp-response/valid/freetsa_response.tsr')
      for (const root of [STAGING, PRODUCTION]) {
        expect(checkTimestamp(token, encodeUtf8('anything'), authoritiesOf(root))).toMatchObject({
          known: false,
        })
      }
      expectWhole(token, selfMade(token))
    },
  )

  it.runIf(ids.has('rekor/type/rfc3161'))('Rekor: certificate hash wrapped, key named as algorithm', () => {
    const token = readVector('rekor/rfc3161/test.tsr')
    expect(checkTimestamp(token, encodeUtf8('anything'), authoritiesOf(PRODUCTION))).toMatchObject({
      known: false,
    })
    expectWhole(token, selfMade(token))
  })
})

type Judge = (token: Uint8Array) => TimestampEvidence | UnknownAuthority

/** What becomes of a token with one byte changed: evidence, and of what, or nothing. */
function judge(check: Judge, token: Uint8Array): string {
  try {
    const outcome = check(token)
    return outcome.known ? JSON.stringify(outcome) : 'unknown'
  } catch (error) {
    if (error instanceof CheckFailed || error instanceof MalformedError) return error.code
    throw error
  }
}

/** Changes each byte; gives the classes in which another value changes nothing, and asserts that nowhere else. */
function flipAll(check: Judge, token: Uint8Array, masks: readonly number[]): Map<UnsignedClass, number> {
  const spans = unsignedSpans(token)
  const before = judge(check, token)
  const held = new Map<UnsignedClass, number>()
  const wrong: string[] = []
  const copy = Uint8Array.from(token)
  for (const [offset, byte] of token.entries()) {
    for (const mask of masks) {
      copy[offset] = byte ^ mask
      const after = judge(check, copy)
      if (!after.startsWith('{')) continue
      const name = unsignedClassAt(spans, offset)
      if (name === undefined || after !== before) wrong.push(`offset ${offset} ^ ${mask}: ${after}`)
      else held.set(name, (held.get(name) ?? 0) + 1)
    }
    copy[offset] = byte
  }
  expect(before).toContain('"known":true')
  expect(wrong).toEqual([])
  return held
}

describe('every byte of a timestamp', () => {
  const vector = passing.find(({ id }) => id === HAPPY)

  it.runIf(vector !== undefined)('that is published matters, but for what nobody signs', () => {
    const bundle = vector === undefined ? undefined : stamped(vectorInput(vector, 'bundle'))
    const [token] = bundle?.tokens ?? []
    if (bundle === undefined || token === undefined || vector === undefined)
      throw new Error('the vector is not what it was')
    const authorities = authoritiesOf(vectorInput(vector, 'trustedRoot'))
    const held = flipAll(
      (der) => checkTimestamp(der, bundle.signature, authorities),
      token,
      [0x01, 0x02, 0x80],
    )
    expect([...held.keys()].toSorted()).toEqual(['embedded certificates', 'signed data version', 'status'])
  })

  const signature = encodeUtf8('a signature')
  const tsa = newTimestampAuthority({ leaf: { key: newKey('rsa2048') } })
  const full = stamp(tsa.leaf, signature, {
    texts: ['well done'],
    certificates: [tsa.leaf.certificate, tsa.ca.certificate],
    revocationLists: [seq(octets(Uint8Array.of(1, 2)))],
    announced: [digestIdentifier('sha384', true), digestIdentifier('sha256')],
    algorithmIdentifier: seq(oid('1.2.840.113549.1.1.1'), Uint8Array.of(5, 0)),
    unsignedAttributes: [attribute('1.2.3', octets(Uint8Array.of(1)))],
    info: { nonce: Uint8Array.of(7), genTime: '20260301120500.123Z', ordering: true },
  })
  // 0x0a makes sha256WithRSAEncryption of rsaEncryption
  const masks = [0x01, 0x02, 0x0a, 0x80]

  it('that has every optional part matters, but for the named classes', () => {
    const held = flipAll((der) => checkTimestamp(der, signature, [tsa.authority]), full, masks)
    expect([...held.keys()].toSorted()).toEqual(Object.keys(UNSIGNED_CLASSES).toSorted())
    expect(held.get('signature algorithm')).toBe(1)
  })

  it('matters in the certificate too, where the timestamp must bring it', () => {
    const open = newTimestampAuthority({ listed: false })
    const token = stamp(open.leaf, signature, { certificates: [open.leaf.certificate] })
    const held = flipAll((der) => checkTimestamp(der, signature, [open.authority]), token, masks)
    expect([...held.keys()].toSorted()).toEqual(['signed data version', 'status'])
  })
})
