import type { Mutant, Operation } from '../support/mutate.ts'
import { UNSIGNED_CLASSES, unsignedClassAt, type UnsignedClass } from '../support/test-timestamp.ts'
import type { JsonNode } from '../support/json-nodes.ts'
import type { BundleFacts } from './facts.ts'

/**
 * What may change in a bundle that still verifies: everything that the specification leaves uncovered, and nothing
 * else. Each class says where it ends.
 */
export interface MutationClass {
  readonly name: string
  /** The specification that leaves it uncovered. */
  readonly section: string
  holds(mutant: Mutant, facts: BundleFacts): boolean
}

const ABSENT: ReadonlySet<Operation> = new Set(['removed', 'nulled', 'emptied', 'renamed', 'element removed'])
const KNOWN_MEDIA_TYPES =
  /^application\/vnd\.dev\.sigstore\.(?:bundle\+json;version=0\.[123]|bundle\.v0\.3\+json)$/

/** Gone, null, empty, under another name, or an empty message in its place. */
function isAbsent({ operation, detail }: Mutant): boolean {
  if (operation === 'retyped') return ['to {}', 'to {"x":1}', 'into an object'].includes(detail)
  return ABSENT.has(operation)
}

/** What the JSON mapping of protobuf does not tell apart from a field that is not there. */
function isDefault({ kind, value, children }: JsonNode): boolean {
  if (kind === 'object' || kind === 'list') return children.every(isDefault)
  return ['null', 'false', '0', ...(kind === 'string' ? [''] : [])].includes(value)
}

export const CLASSES: readonly MutationClass[] = [
  {
    name: 'unknown field',
    section: 'protobuf JSON format: parsers may skip fields they do not know; the format grows by fields',
    holds: ({ operation, path }) => operation === 'added' && !path.includes('>'),
  },
  {
    name: 'spelling of JSON',
    section: 'RFC 8259 sections 2, 4 and 7: white space, order of members, escapes',
    holds: ({ operation, detail, path }) =>
      !path.includes('>') &&
      (operation === 'members reordered' ||
        (operation === 'respelled' && ['white space around', 'key escaped', 'escaped'].includes(detail))),
  },
  {
    name: 'integer as a JSON number',
    section: 'protobuf JSON format: 64-bit integers are strings, and numbers are accepted',
    holds: ({ operation, path, detail }, { nodeAt }) =>
      operation === 'retyped' &&
      /\.(?:logIndex|integratedTime|treeSize)$/.test(path) &&
      ['to its text', `to ${nodeAt.get(path)?.value}`].includes(detail),
  },
  {
    name: 'default left out',
    section: 'protobuf JSON format: absent, null and the default value are the same',
    holds: (mutant, { nodeAt }) => {
      const node = nodeAt.get(mutant.path)
      return isAbsent(mutant) && node !== undefined && isDefault(node)
    },
  },
  {
    name: 'media type of the same shape',
    section: 'sigstore_bundle.proto, media_type: versions differ in shape only, and the shape is checked',
    holds: ({ path, value = '' }, { signer, nodeAt }) => {
      if (path !== '$.mediaType' || !KNOWN_MEDIA_TYPES.test(value)) return false
      const isSingle = nodeAt.has('$.verificationMaterial.certificate')
      const proofs = [...nodeAt.keys()].filter((key) => key.endsWith('.inclusionProof.checkpoint.envelope'))
      const entries = nodeAt.get('$.verificationMaterial.tlogEntries')?.children ?? []
      return (
        (signer === 'key' || isSingle === value.includes('0.3')) &&
        (value.endsWith('0.1') || proofs.length === entries.length)
      )
    },
  },
  {
    name: 'size and root beside a checkpoint',
    section: 'client specification section 4.4: both come from the signed checkpoint',
    holds: (mutant) => isAbsent(mutant) && /\.inclusionProof\.(?:rootHash|treeSize)$/.test(mutant.path),
  },
  {
    name: 'proof beside a promise in version 0.1',
    section: 'sigstore_bundle.proto, version 0.1: the promise is required, the proof is optional',
    holds: (mutant, { version, promises }) =>
      version === '0.1' &&
      promises > 0 &&
      isAbsent(mutant) &&
      /\.inclusionProof(?:\.checkpoint(?:\.envelope)?)?$/.test(mutant.path),
  },
  {
    name: 'promise beside a proof and another time',
    section: 'sigstore_bundle.proto, version 0.2: the proof is required, the promise is optional',
    holds: (mutant, { version, signer, stamps }) =>
      version !== '0.1' &&
      (signer === 'key' || stamps > 0) &&
      isAbsent(mutant) &&
      mutant.path.endsWith('.inclusionPromise'),
  },
  {
    name: 'timestamp beside another time',
    section: 'client specification section 4.2: one trusted time is enough, a managed key needs none',
    holds: (mutant, { signer, promises }) =>
      (signer === 'key' || promises > 0) &&
      isAbsent(mutant) &&
      /\.timestampVerificationData(?:\.rfc3161Timestamps(?:\[\d+\])?)?$/.test(mutant.path),
  },
  {
    name: 'further certificates of a chain',
    section:
      'client specification section 4.3: material for a path to a trusted authority, not needed when it is known',
    holds: ({ operation, path }) =>
      /\.x509CertificateChain\.certificates\[[1-9]/.test(path) ||
      (/\.x509CertificateChain\.certificates(?:\[0\])?$/.test(path) &&
        ['list doubled', 'element doubled'].includes(operation)),
  },
  {
    name: 'key hint where one key is named',
    section: 'sigstore_common.proto, PublicKeyIdentifier: a hint for finding the key',
    holds: ({ path, operation }, { namedKeys }) =>
      namedKeys === 1 &&
      (path.endsWith('.publicKey.hint') ||
        (path.endsWith('.publicKey') && ['emptied', 'retyped'].includes(operation))),
  },
  {
    name: 'keyid of an envelope',
    section: 'DSSE protocol, signature definition: keyid is optional and unauthenticated',
    holds: (mutant, { signer }) =>
      mutant.path.endsWith('.signatures[0].keyid') && (signer === 'certificate' || isAbsent(mutant)),
  },
  {
    name: 'signature lines of others in a checkpoint',
    section: 'C2SP signed-note: signatures of unknown keys are ignored, wherever they stand',
    holds: (mutant, facts) =>
      mutant.path.endsWith('.checkpoint.envelope') && onlyOthersChanged(mutant, facts),
  },
  {
    name: 'twin of an ECDSA signature',
    section: 'SEC 1 section 4.1.4: (r, s) and (r, n - s) both hold; nothing is identified by a signature',
    holds: ({ operation, detail, path }) =>
      operation === 'twinned' &&
      detail.includes('the twin') &&
      /\.(?:signedEntryTimestamp|envelope)$/.test(path),
  },
  {
    name: 'timestamp of an authority that nobody knows',
    section:
      'client specification section 4.2: passed over where another time is trusted; who signed is what names it',
    holds: ({ operation, path, offset = -1 }, { signer, promises, signerIdAt }) => {
      const { from, to } = signerIdAt.get(path) ?? { from: 0, to: 0 }
      return operation === 'flipped' && (signer === 'key' || promises > 0) && offset >= from && offset < to
    },
  },
  ...(['status', 'embedded certificates', 'signed data version'] as const).map(unsignedPart),
]

function unsignedPart(name: UnsignedClass): MutationClass {
  return {
    name: `timestamp: ${name}`,
    section: UNSIGNED_CLASSES[name],
    holds: ({ operation, path, offset }, { spansAt }) => {
      const spans = spansAt.get(path)
      return (
        operation === 'flipped' &&
        spans !== undefined &&
        offset !== undefined &&
        unsignedClassAt(spans, offset) === name
      )
    },
  }
}

/** The signed text is the same, every line of the log is still there, and what else there is is no line of the log. */
function onlyOthersChanged({ value = '', path }: Mutant, { nodeAt, logs }: BundleFacts): boolean {
  const before = splitNote(nodeAt.get(path)?.value ?? '')
  const after = splitNote(value)
  const isOfLog = (line: string): boolean => {
    const [, , encoded = ''] = line.split(' ')
    const keyId = Buffer.from(encoded, 'base64').toString('hex', 0, 4)
    return logs.some(({ checkpointKeyId }) => checkpointKeyId === keyId)
  }
  const own = before.lines.filter(isOfLog)
  return (
    before.text === after.text &&
    own.length > 0 &&
    own.every((line) => after.lines.includes(line)) &&
    after.lines.every((line) => own.includes(line) || !isOfLog(line))
  )
}

function splitNote(note: string): { readonly text: string; readonly lines: readonly string[] } {
  const split = note.lastIndexOf('\n\n')
  return {
    text: note.slice(0, split + 1),
    lines: note
      .slice(split + 2)
      .split('\n')
      .slice(0, -1),
  }
}
