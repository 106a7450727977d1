import { Buffer } from 'node:buffer'
import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { statSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { buildVkey, encodeVkey } from '../../trust/log/vkey.ts'
import { NOTE_TYPE, noteKeyId } from '../../trust/log/note.ts'
import { parsePublicKey } from '../../trust/keys.ts'
import * as packages from '../support/packages.ts'
import {
  emailName,
  leafExtensions,
  newAuthority,
  newLeaf,
  newTimestampLeaf,
  otherName,
  rawTimestampList,
  uriName,
} from '../support/test-certificates.ts'
import type { TestKey } from '../support/test-der.ts'
import { formatNote } from '../support/test-log.ts'
import { stamp } from '../support/test-timestamp.ts'
import { readVector, vectorCases, vectorPath } from '../support/vectors.ts'
import * as wasm from '../support/wasm-packages.ts'
import { buildJar, buildSignedJar, buildZip } from '../support/zip-packages.ts'

/**
 * What mutations start from: small valid inputs of every kind, the same in every process, and the published vectors
 * where they are there. Keys are fixed and of a kind whose signatures are, too.
 */

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
export const text = (...lines: readonly string[]): Buffer => Buffer.from(lines.join('\n'))

/** Vectors larger than this make a run slow and find nothing that smaller ones do not. */
const MOST = 64 * 1024
const MOST_VECTORS = 24

/** Files of the vectors of one kind whose name fits, the smaller ones; none where the vectors are absent. */
export function vectors(kind: string, name: RegExp): readonly Uint8Array[] {
  const names = new Set(vectorCases(kind).flatMap(({ files }) => files.filter((file) => name.test(file))))
  const sized = [...names].flatMap((file) => {
    const stats = statSync(vectorPath(file) ?? '')
    return stats.isFile() && stats.size <= MOST ? [{ file, size: stats.size }] : []
  })
  const chosen = sized.toSorted((a, b) => a.size - b.size || (a.file < b.file ? -1 : 1))
  const step = Math.max(1, Math.floor(chosen.length / MOST_VECTORS))
  return chosen.filter((_, i) => i % step === 0).map(({ file }) => readVector(file))
}

/** Every base64 text in a JSON document, decoded, that looks as asked. */
function buried(documents: readonly Uint8Array[], looks: (bytes: Buffer) => boolean): readonly Uint8Array[] {
  const found = new Map<string, Uint8Array>()
  for (const document of documents) {
    for (const [, value = ''] of Buffer.from(document)
      .toString('latin1')
      .matchAll(/"([A-Za-z0-9+/]{60,}={0,2})"/g)) {
      const bytes = Buffer.from(value, 'base64')
      if (looks(bytes)) found.set(value, bytes)
    }
  }
  return [...found.values()].slice(0, MOST_VECTORS)
}

function fixedKey(seed: number): TestKey {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, seed)])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  return {
    type: 'ed25519',
    privateKey,
    spki: createPublicKey(privateKey).export({ format: 'der', type: 'spki' }),
  }
}

const serial = Uint8Array.of(0x40, 1, 2, 3)
const logKey = fixedKey(3)
const authority = newAuthority({ key: fixedKey(1), fields: { serial } })
const leafKey = fixedKey(2)
const extensionsOf = (...names: readonly Uint8Array[]) => [
  ...leafExtensions(authority, leafKey, names),
  rawTimestampList(Buffer.concat([Buffer.of(0, 0x31, 0, 0x2f, 0), Buffer.alloc(46, 7)])),
]
const leaves = [
  extensionsOf(emailName('dev@example.com')),
  extensionsOf(uriName('https://git.example/acme/widget/.ci/release.yml@refs/tags/v1')),
  extensionsOf(otherName('someone')),
].map((extensions) => newLeaf(authority, { key: leafKey, extensions, fields: { serial } }))
const [leaf] = leaves.map(({ certificate }) => certificate)
const timestampLeaf = newTimestampLeaf(authority, { key: fixedKey(4), fields: { serial } })

const vectorBundles = (): readonly Uint8Array[] => vectors('bundle-verify', /bundle[^/]*\.json$/)
/** Sequence, sequence, version: how a certificate of usual length starts. */
const isCertificate = (bytes: Buffer): boolean =>
  bytes.length < 2000 && bytes[0] === 0x30 && bytes[1] === 0x82 && bytes[4] === 0x30 && bytes[8] === 0xa0

const publicKey = parsePublicKey(logKey.spki)
const checkpointText = `log.example\n42\n${base64(Buffer.alloc(32, 9))}\n`
const note = formatNote(checkpointText, [
  {
    name: 'log.example',
    keyId: noteKeyId('log.example', publicKey),
    signature: sign(null, Buffer.from(checkpointText), logKey.privateKey),
  },
])
export const noteKey = { name: 'log.example', key: publicKey }
const vkey = encodeVkey(buildVkey('log.example', NOTE_TYPE.ed25519, publicKey))
const witness = (name: string, seed: number): string =>
  encodeVkey(buildVkey(name, NOTE_TYPE.cosignatureEd25519, parsePublicKey(fixedKey(seed).spki)))

const hex = 'ab'.repeat(32)
const statement = {
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'pkg:npm/demo@1.0.0', digest: { sha256: hex, sha512: hex + hex } }],
  predicateType: 'https://slsa.dev/provenance/v1',
  predicate: { buildDefinition: {} },
}
const logId = { keyId: base64(Buffer.alloc(32, 5)) }
const proof = {
  logIndex: '1',
  rootHash: base64(Buffer.alloc(32, 9)),
  treeSize: '42',
  hashes: [],
  checkpoint: { envelope: note },
}
const entry = {
  logIndex: '1',
  logId,
  kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
  inclusionProof: proof,
  canonicalizedBody: base64(json({ apiVersion: '0.0.2', kind: 'hashedrekord', spec: {} })),
}
const material = { certificate: { rawBytes: base64(leaf ?? serial) }, tlogEntries: [entry] }
const mediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json'
const envelope = {
  payload: base64(json(statement)),
  payloadType: 'application/vnd.in-toto+json',
  signatures: [{ sig: base64(Buffer.alloc(64, 6)), keyid: '' }],
}
const bundle = { mediaType, verificationMaterial: material, dsseEnvelope: envelope }
const messageBundle = {
  mediaType,
  verificationMaterial: { publicKey: { hint: 'key' }, tlogEntries: [entry] },
  messageSignature: {
    messageDigest: { algorithm: 'SHA2_256', digest: base64(Buffer.alloc(32, 1)) },
    signature: base64(Buffer.alloc(64, 6)),
  },
}
const window = { start: '2026-01-01T00:00:00Z', end: '2027-01-01T00:00:00Z' }
const certChain = { certificates: [{ rawBytes: base64(authority.certificate) }] }
const root = {
  mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  tlogs: [],
  certificateAuthorities: [
    {
      subject: { commonName: 'a', organization: 'b' },
      uri: 'https://ca.example',
      certChain,
      validFor: window,
    },
  ],
  ctlogs: [],
  timestampAuthorities: [{ uri: 'https://tsa.example', certChain, validFor: window }],
}
const config = { mediaType: 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json', trustedRoot: root }
export const pem = `-----BEGIN PUBLIC KEY-----\n${base64(logKey.spki)}\n-----END PUBLIC KEY-----\n`
const certificatePem = `-----BEGIN CERTIFICATE-----\n${base64(leaf ?? serial)}\n-----END CERTIFICATE-----\n`

const specification = packages.gemSpecification()
const provenanceBody = `name: a\nversion: 1.0.0\n\n...\nfiles:\n  a-1.0.0.tgz: sha256:${hex}\n`
const signatureArmor = '-----BEGIN PGP SIGNATURE-----\n\nAQID\n-----END PGP SIGNATURE-----\n'

/** Each is asked for once per process. */
export const CORPUS = {
  json: () => [
    json(statement),
    json(bundle),
    json([1, -2.5e3, 'a\u{1f600}\\', null, true, { a: [] }]),
    text('"x"'),
  ],
  bundle: () => [json(bundle), json(messageBundle), ...vectorBundles()],
  trustedRoot: () => [json(root), json(config), ...vectors('tuf', /trusted_?root[^/]*\.json$/i)],
  certificate: () => [
    authority.certificate,
    ...leaves.map(({ certificate }) => certificate),
    ...buried(vectorBundles(), isCertificate),
  ],
  timestamp: () => [
    stamp(timestampLeaf, Buffer.from('x')),
    stamp(timestampLeaf, Buffer.from('x'), { certificates: [timestampLeaf.certificate] }),
    ...vectors('timestamp', /\.tsr$/),
  ],
  note: () => [Buffer.from(note), ...vectors('checkpoint', /\.txt$/)],
  vkey: () => [Buffer.from(vkey), Buffer.from(witness('w.example', 10))],
  witnessPolicy: () => [
    text(
      `log ${vkey} https://log.example/`,
      `witness a ${witness('a', 10)}`,
      `witness b ${witness('b', 11)}`,
      'group g any a b',
      'quorum g',
      '',
    ),
    text('quorum none', ''),
  ],
  statement: () => [
    json(statement),
    ...buried(vectorBundles(), (bytes) => bytes[0] === 0x7b && bytes.includes('in-toto')),
  ],
  pem: () => [
    Buffer.from(pem),
    Buffer.from(certificatePem + certificatePem),
    ...vectors('cosign-key', /\.(?:pub|pem)$/),
  ],
  key: () => [
    logKey.spki,
    ...vectors('cosign-key', /\.pub$/).map((one) =>
      Buffer.from(
        Buffer.from(one)
          .toString()
          .replace(/-----[^-]*-----/g, ''),
        'base64',
      ),
    ),
  ],
  npm: () => [
    packages.npmPackage(
      {},
      { name: 'package/index.js', body: 'x' },
      { name: 'package/l', type: '2', link: 'index.js' },
    ),
  ],
  helm: () => [
    packages.chartPackage({}, { name: 'example/values.yaml', body: 'a: 1' }),
    ...vectors('helm', /\.tgz$/),
  ],
  bottle: () => [
    packages.bottlePackage({}, packages.pax({ path: 'example/1.2.3/long' }), { name: 'x', body: 'y' }),
    ...vectors('homebrew', /\.tar\.gz$/),
  ],
  gem: () => [packages.gemPackage(), ...vectors('gem', /\.gem$/)],
  jar: () => [
    buildJar([{ name: 'A.class', content: 'x'.repeat(300) }]),
    buildSignedJar({ 'a.txt': 'a', 'b.txt': 'b' }),
    buildZip([{ name: 'x', content: 'y', method: 0 }]),
    ...vectors('jar', /\.jar$/),
  ],
  wasm: () => [
    wasm.buildNamedModule(),
    wasm.buildComponent(wasm.nameSection('demo', 'component-name')),
    wasm.buildModule(
      wasm.customSection(
        'signature',
        wasm.encodeSignatureData([
          { hashes: [wasm.hashOf(wasm.TYPE_SECTION)], signatures: [{ signature: Buffer.alloc(64, 1) }] },
        ]),
      ),
      wasm.TYPE_SECTION,
      wasm.delimiter(),
    ),
    ...vectors('wasm', /\.wasm$/),
  ],
  attestations: () => [
    json({ attestations: [{ predicateType: 'https://slsa.dev/provenance/v1', bundle }] }),
    json({
      keys: [
        {
          keyid: 'SHA256:x',
          keytype: 'ecdsa',
          scheme: 'ecdsa-sha2-nistp256',
          key: base64(logKey.spki),
          expires: null,
        },
      ],
    }),
    ...vectors('npm', /attestations[^/]*\.json$/),
  ],
  gemBundles: () => [
    json([
      {
        ...bundle,
        verificationMaterial: {
          ...material,
          certificate: { rawBytes: base64(Buffer.from(certificatePem)) },
          tlogEntries: [{ ...entry, kindVersion: null }],
        },
      },
    ]),
    ...vectors('gem', /\.sigstore\.json$/),
  ],
  parts: () => [
    Buffer.concat([json(bundle), text('', ''), json(bundle)]),
    json([bundle, bundle]),
    json(bundle),
  ],
  provenance: () => [
    Buffer.from(`-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n${provenanceBody}${signatureArmor}`),
    ...vectors('helm', /\.prov$/),
  ],
  keyring: () => vectors('pgp', /\.(?:pub|key|asc)$/).concat(vectors('helm', /\.pub$/)),
  yaml: () => [Buffer.from(specification), text('name: a', 'version: "1.0"', 'x: &a b', 'y: *a', '')],
  manifest: () => [
    Buffer.from('Manifest-Version: 1.0\r\nX: y\r\n z\r\n\r\nName: a\r\nSHA-256-Digest: AA==\r\n\r\n'),
  ],
  policy: () => [
    text(
      'version: 1',
      'domains:',
      '  own: { trustedRoot: ./root.json, issuers: [https://issuer.example], packages: [pkg:npm/%40acme] }',
      'packages:',
      '  - match: "pkg:npm/%40acme/*"',
      '    require: { identity: { subject: dev@example.com, issuerPattern: https://.* } }',
      '  - match: "**"',
      '    require: { anyOf: [{ key: { file: ./k.pub } }, { identity: { subject: a, issuer: b } }] }',
      '    bundles: all',
      '',
    ),
    text('version: 1', 'packages:', '  - {match: "**", require: {key: {file: k.pub}}}', ''),
    json({ version: 1, packages: [{ match: '**', require: { allOf: [{ key: { file: 'k.pub' } }] } }] }),
  ],
  purl: () =>
    ['pkg:npm/%40scope/name@1.2.3', 'pkg:gem/a@1?platform=x-y', 'pkg:maven/g/a@1', 'pkg:helm/a@1#sub'].map(
      (one) => Buffer.from(one),
    ),
  display: () =>
    [
      'plain',
      'a\u202eb\u200bc\u001b[31m\u{e0001}\u2028\ufeff',
      '\u00e4\u{1f600}',
      "it's -x --y=$(z) `q`",
    ].map((one) => Buffer.from(one)),
  arguments: () => [
    text('verify', 'a.tgz', '--identity', 'x', '--issuer=y', '--json'),
    text('inspect', '--', '-x'),
    text('verify', '--key', 'k', '-h'),
  ],
  gzip: () => [
    gzipSync('hello '.repeat(1000)),
    Buffer.concat([gzipSync('a'), gzipSync('b'), Buffer.alloc(20)]),
  ],
  tilePath: () =>
    ['tile/0/x001/x234/067.p/8', 'tile/entries/x001/067', 'tile/5/000'].map((one) => Buffer.from(one)),
} as const satisfies Readonly<Record<string, () => readonly Uint8Array[]>>
