import { describe, expect, it } from 'vitest'
import { parseCertificate } from '../../trust/x509/certificate.ts'
import { CodedError } from '../../trust/errors.ts'
import { bundleVectors, domainOf, judgeTrial, trialOf, type BundleVector } from '../support/bundle-vectors.ts'
import type { JsonNode } from '../support/json-nodes.ts'
import {
  documentMutants,
  fieldMutants,
  flipMutants,
  placesOf,
  stringMutants,
  type Encoding,
  type Mutant,
} from '../support/mutate.ts'

/**
 * Changes the trusted root under a bundle that does not change. Whoever writes the root decides, so more may change
 * than in a bundle; but what the bundle rests on must be there, unharmed, and found wherever it stands.
 */
const FULL = process.env['SIGWARD_MUTATION'] === 'full'
const LISTS = ['tlogs', 'certificateAuthorities', 'ctlogs', 'timestampAuthorities'] as const
type List = (typeof LISTS)[number]
type Root = Record<List, unknown[]>

interface RootCase {
  readonly id: string
  /** Index of the one entry of each list without which the bundle is refused, and the code of the refusal. */
  readonly needs: Partial<Record<List, readonly [index: number, code: string]>>
  /** How far the root is taken apart in a usual run. */
  readonly depth: 'lists' | 'fields' | 'bytes'
}

const CASES: readonly RootCase[] = [
  {
    id: 'conformance/rekor2-happy-path',
    needs: {
      tlogs: [1, 'LOG_UNKNOWN'],
      certificateAuthorities: [0, 'CERT_UNKNOWN_AUTHORITY'],
      ctlogs: [2, 'SCT_THRESHOLD'],
      timestampAuthorities: [0, 'TIME_UNKNOWN_AUTHORITY'],
    },
    depth: 'fields',
  },
  {
    id: 'conformance/intoto-with-custom-trust-root',
    needs: {
      tlogs: [0, 'LOG_UNKNOWN'],
      certificateAuthorities: [0, 'CERT_UNKNOWN_AUTHORITY'],
      ctlogs: [0, 'SCT_THRESHOLD'],
    },
    depth: 'bytes',
  },
  {
    id: 'java/github-private-no-tlog',
    needs: {
      certificateAuthorities: [5, 'CERT_UNKNOWN_AUTHORITY'],
      timestampAuthorities: [5, 'TIME_UNKNOWN_AUTHORITY'],
    },
    depth: 'lists',
  },
  {
    id: 'conformance/happy-path-v0.3',
    needs: {
      tlogs: [0, 'LOG_UNKNOWN'],
      certificateAuthorities: [1, 'CERT_UNKNOWN_AUTHORITY'],
      ctlogs: [1, 'SCT_THRESHOLD'],
    },
    depth: 'lists',
  },
  { id: 'conformance/managed-key-happy-path', needs: { tlogs: [0, 'LOG_UNKNOWN'] }, depth: 'lists' },
]

const vectors = await bundleVectors()
const subjects = CASES.flatMap((one) => {
  const vector = vectors.find(({ id }) => id === one.id)
  return vector === undefined ? [] : [[one.id, { ...one, vector }] as const]
})

/** `verified`, the codes of the failures, or the code of a root that cannot be read. */
function outcomeUnder(vector: BundleVector, root: Uint8Array): string {
  const trial = trialOf(vector)
  try {
    const verdict = judgeTrial({ ...trial, domain: domainOf(vector, root) })
    return verdict.outcome === 'verified' ? 'verified' : verdict.failures.map(({ code }) => code).join(' ')
  } catch (error) {
    // any other exception fails the test
    if (!(error instanceof CodedError)) throw error
    return error.code
  }
}

function withChange(vector: BundleVector, change: (root: Root) => void): Buffer {
  const root = JSON.parse(vector.root.toString('utf8')) as Root
  change(root)
  return Buffer.from(JSON.stringify(root))
}

describe('a trusted root', () => {
  it('is at hand for every case', () => {
    expect(subjects).toHaveLength(vectors.length === 0 ? 0 : CASES.length)
  })

  it.each(subjects)('%s: each entry that is needed is missed, and no other', (_, { vector, needs }) => {
    const entries = JSON.parse(vector.root.toString('utf8')) as Partial<Root>
    for (const list of LISTS) {
      const [needed, code] = needs[list] ?? []
      for (const index of (entries[list] ?? []).keys()) {
        const outcome = outcomeUnder(
          vector,
          withChange(vector, (root) => root[list].splice(index, 1)),
        )
        expect([list, index, outcome]).toEqual([list, index, index === needed ? code : 'verified'])
      }
      const emptied = outcomeUnder(
        vector,
        withChange(vector, (root) => (root[list] = [])),
      )
      const wanted = list === 'timestampAuthorities' && code !== undefined ? 'TIME_UNKNOWN_AUTHORITY' : code
      expect([list, emptied]).toEqual([list, wanted ?? 'verified'])
    }
  })

  it.each(subjects)('%s: entries may stand in any order, and twice', (_, { vector }) => {
    const changes: readonly ((list: unknown[]) => unknown[])[] = [
      (list) => list.toReversed(),
      (list) => [...list.slice(1), ...list.slice(0, 1)],
      (list) => [...list, ...list],
    ]
    for (const list of LISTS) {
      for (const change of changes) {
        const root = withChange(vector, (all) => (all[list] = change(all[list] ?? [])))
        expect([list, outcomeUnder(vector, root)]).toEqual([list, 'verified'])
      }
    }
  })

  it.each(subjects)(
    '%s: nothing else that is changed in a needed entry goes unnoticed',
    (_, { vector, needs, depth }) => {
      const wrong: string[] = []
      for (const mutant of rootMutants(vector.root.toString('utf8'), FULL ? 'bytes' : depth)) {
        if (outcomeUnder(vector, mutant.bytes) === 'verified' && !mayVerify(mutant, needs, vector.root)) {
          wrong.push([mutant.operation, mutant.path, mutant.detail].join(' '))
        }
      }
      expect(wrong.slice(0, 20)).toEqual([])
    },
    FULL ? 10 * 60_000 : 60_000,
  )
})

function* rootMutants(text: string, depth: RootCase['depth']): Generator<Mutant> {
  yield* documentMutants(text)
  if (depth === 'lists') return
  const original = Buffer.from(text)
  for (const mutant of fieldMutants(text, 'few names')) if (!original.equals(mutant.bytes)) yield mutant
  for (const place of placesOf(text)) {
    if (place.node.kind !== 'string') continue
    const encoding: Encoding = ['rawBytes', 'keyId'].includes(place.node.name) ? 'base64' : 'text'
    yield* stringMutants(place, encoding)
    if (depth === 'bytes') yield* flipMutants(place, encoding, (offset) => [1 << (offset % 8)])
  }
}

/** What may change: see trustroot.proto and, for JSON, RFC 8259. */
function mayVerify(mutant: Mutant, needs: RootCase['needs'], root: Buffer): boolean {
  const { operation, path, detail, value = '' } = mutant
  if (operation === 'added' || operation === 'members reordered') return true
  if (operation === 'respelled' && detail === 'white space around') return true
  if (path === '$.mediaType') return /\.trustedroot(?:\+json;version=0\.1|\.v0\.[12]\+json)$/.test(value)
  const [, list = '', index, rest = ''] = /^\$\.(\w+)(?:\[(\d+)\])?(.*)$/.exec(path) ?? []
  const needed = needs[list as List]?.[0]
  if (!LISTS.includes(list as List)) return false
  if (needed === undefined) return true
  // a list as a whole: another order, or everything twice
  if (index === undefined)
    return operation === 'list reordered' || (operation === 'list doubled' && detail === '')
  if (Number(index) !== needed || operation === 'element doubled') return true
  if (/^\.certChain\.certificates\[\d+\]\.rawBytes$/.test(rest)) return isOutsideAnchor(mutant, root)
  return UNCOVERED.some(({ field, holds }) => field.test(rest) && holds(mutant))
}

/** RFC 5280 section 6.1.1 (d): of an anchor only name and key count; the first of several issued the leaf. */
function isOutsideAnchor({ operation, path, offset = -1 }: Mutant, root: Buffer): boolean {
  const at = (wanted: string): JsonNode | undefined =>
    placesOf(root.toString('utf8')).find(({ node }) => node.path === wanted)?.node
  const isIssuer =
    path.includes('.certificates[0].') &&
    at(path.replace('.certificates[0].', '.certificates[1].')) !== undefined
  if (operation !== 'flipped' || isIssuer) return false
  const { der, subject, spki } = parseCertificate(Buffer.from(at(path)?.value ?? '', 'base64'))
  return [subject, spki].every((part) => {
    const from = part.byteOffset - der.byteOffset
    return offset < from || offset >= from + part.length
  })
}

const GONE: readonly string[] = ['removed', 'nulled', 'renamed']
const MOVED: readonly string[] = ['list reordered', 'list doubled', 'element removed', 'element doubled']

/** Fields of a needed entry that do not decide about this bundle. */
const UNCOVERED: readonly { readonly field: RegExp; readonly holds: (mutant: Mutant) => boolean }[] = [
  // names and addresses are for people; that of a tile log is its origin, and only its case is free
  { field: /^\.(?:subject(?:\.\w+)?|uri|operator)$/, holds: () => true },
  { field: /^\.baseUrl$/, holds: () => true },
  // a window may grow
  { field: /^(?:\.publicKey)?\.validFor(?:\.end)?$/, holds: ({ operation }) => GONE.includes(operation) },
  {
    field: /^(?:\.publicKey)?\.validFor\.(?:start|end)$/,
    holds: ({ value = '' }) => !Number.isNaN(Date.parse(value)),
  },
  // those above the one that issued the leaf lead on to the anchor, which any of them may be
  {
    field: /^\.certChain\.certificates(?:\[\d+\])?$/,
    holds: ({ operation }) => MOVED.includes(operation),
  },
]
