import type { Mutant } from '../support/mutate.ts'

/** A published case on which the two answers differ, and what decides it. */
export interface CaseRow {
  readonly id: string
  /** Who accepts it. */
  readonly accepted: 'here' | 'there'
  readonly section: string
}

export const CASES: readonly CaseRow[] = [
  {
    id: 'java/dsse-artifact-not-in-subjects',
    accepted: 'there',
    section:
      'in-toto attestation, validation model: a statement is about the artifacts that its subjects name',
  },
  {
    id: 'jar/slsa-swapped-bundle',
    accepted: 'there',
    section:
      'in-toto attestation, validation model: a statement is about the artifacts that its subjects name',
  },
]

/** Changes of a bundle on which the two answers differ, and what decides them. The first row that fits counts. */
export interface MutantRow {
  readonly what: string
  readonly accepted: 'here' | 'there'
  readonly section: string
  /** `codes`: why it is refused here. */
  fits(mutant: Mutant, codes: readonly string[]): boolean
}

const INTEGER = /\.(?:logIndex|integratedTime|treeSize)$/
const BASE64 =
  /\.(?:rawBytes|keyId|signedEntryTimestamp|rootHash|hashes\[\d+\]|canonicalizedBody|signedTimestamp|digest|signature|payload|sig)$/

function only(code: string): (mutant: Mutant, codes: readonly string[]) => boolean {
  return (_, codes) => codes.length === 1 && codes[0] === code
}

export const MUTANTS: readonly MutantRow[] = [
  {
    what: 'a proof without a checkpoint in a bundle of version 0.1',
    accepted: 'here',
    section:
      'sigstore_bundle.proto, version 0.1: the promise is required; a proof is optional and proves nothing bare',
    fits: ({ path }) => /\.inclusionProof(?:\.checkpoint(?:\.envelope)?)?$/.test(path),
  },
  {
    what: 'a key that stands twice in one object',
    accepted: 'there',
    section: 'RFC 8259 section 4: names are unique; what a repeated one means is not defined',
    fits: ({ operation }, codes) => operation === 'doubled' && codes[0] === 'BUNDLE_JSON',
  },
  {
    what: 'text that is not well-formed Unicode, or nested without end',
    accepted: 'there',
    section: 'RFC 8259 sections 8.1, 8.2 and 9: UTF-8, no lone surrogates; readers limit the depth',
    fits: only('BUNDLE_JSON'),
  },
  {
    what: 'base64 that is not the standard one: foreign letters, loose bits, padding',
    accepted: 'there',
    section: 'protobuf JSON format, bytes: standard base64 with padding; RFC 4648 sections 3.2, 3.3 and 3.5',
    fits: ({ operation, path }, codes) =>
      ['respelled', 'emptied'].includes(operation) && BASE64.test(path) && codes[0] === 'BUNDLE_FIELD',
  },
  {
    what: 'integers that are not plain decimals',
    accepted: 'there',
    section: 'protobuf JSON format, int64: a decimal string or a number',
    fits: ({ path }, codes) => INTEGER.test(path) && codes[0] === 'BUNDLE_FIELD',
  },
  {
    what: 'values of another JSON type, or an unknown name of an algorithm',
    accepted: 'there',
    section: 'protobuf JSON format: each type has its own JSON form; enums are known names',
    fits: only('BUNDLE_FIELD'),
  },
  {
    what: 'size or root of a proof that contradict the checkpoint',
    accepted: 'there',
    section: 'client specification section 4.4: the proof leads to the root of the signed checkpoint',
    fits: only('LOG_ROOT_MISMATCH'),
  },
  {
    what: 'two different places of one entry in a tile log',
    accepted: 'there',
    section: 'Rekor v2 client specification, inclusion: the index of the entry is its index in the tree',
    fits: only('LOG_INDEX'),
  },
  {
    what: 'an envelope that names another key than the bundle',
    accepted: 'there',
    section:
      'client specification section 4.5 and sigstore_bundle.proto: keyid, where it is set, is the hint',
    fits: only('BUNDLE_KEYID'),
  },
  {
    what: 'further certificates that are none, or a root among them',
    accepted: 'there',
    section: 'sigstore_bundle.proto, x509_certificate_chain: DER certificates, without the root',
    fits: ({ path }, [code = '']) =>
      path.includes('.x509CertificateChain.') &&
      ['MALFORMED_CERTIFICATE', 'BUNDLE_ROOT_CERTIFICATE'].includes(code),
  },
  {
    what: 'a note with lines that are no signatures, or too many',
    accepted: 'there',
    section: 'C2SP signed-note: every line after the last empty one is a signature line',
    fits: only('LOG_CHECKPOINT_MALFORMED'),
  },
  {
    what: 'a media type that does not exist, or that asks for another shape',
    accepted: 'there',
    section: 'sigstore_bundle.proto, media_type: four spellings; the version decides the key material',
    fits: ({ path }, [code = '']) =>
      path === '$.mediaType' && ['BUNDLE_MEDIA_TYPE', 'BUNDLE_CHAIN'].includes(code),
  },
  {
    what: 'a timestamp that was not granted, or whose fields are not those of the standard',
    accepted: 'there',
    section:
      'RFC 3161 section 2.4.2: status granted; RFC 5652 sections 3 and 5: types and versions of the parts',
    fits: ({ path }, [code = '']) =>
      path.endsWith('.signedTimestamp') && ['TIME_STATUS', 'TIME_MALFORMED'].includes(code),
  },
  {
    what: 'a timestamp by nobody that is known, or with a certificate that is not needed',
    accepted: 'here',
    section:
      'client specification section 4.2: passed over beside a trusted time; RFC 5652 section 5.1: path material',
    fits: ({ path, operation }) => operation === 'flipped' && path.endsWith('.signedTimestamp'),
  },
]
