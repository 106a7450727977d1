import {
  documentMutants,
  fieldMutants,
  flipMutants,
  placesOf,
  stringMutants,
  type Encoding,
  type Mutant,
  type Place,
} from '../support/mutate.ts'
import type { JsonNode } from '../support/json-nodes.ts'
import { unsignedClassAt, unsignedSpans } from '../support/test-timestamp.ts'
import { twinsOf } from './twins.ts'

/**
 * How far a bundle is taken apart: `fields` changes whole values, `documents` also those of the JSON inside of
 * strings and tries every odd name, `bytes` also flips every byte.
 */
export type Depth = 'fields' | 'documents' | 'bytes'

/** The bits to flip in the byte at an offset. */
export type BitsAt = (offset: number) => readonly number[]

/** Fields of a bundle that hold base64; every other string is text. */
const BINARY: ReadonlySet<string> = new Set([
  'rawBytes',
  'keyId',
  'signedEntryTimestamp',
  'rootHash',
  'canonicalizedBody',
  'signedTimestamp',
  'digest',
  'signature',
  'payload',
  'sig',
])
/** Of those, the ones that hold JSON again. */
const DOCUMENTS: ReadonlySet<string> = new Set(['canonicalizedBody', 'payload'])

export function encodingOf({ name, path }: JsonNode): Encoding {
  return BINARY.has(name) || /\.hashes\[\d+\]$/.test(path) ? 'base64' : 'text'
}

export function* bundleMutants(text: string, depth: Depth, bitsAt: BitsAt): Generator<Mutant> {
  const original = Buffer.from(text)
  for (const mutant of everyMutant(text, depth, bitsAt)) {
    if (!original.equals(mutant.bytes)) yield mutant
  }
}

function* everyMutant(text: string, depth: Depth, bitsAt: BitsAt): Generator<Mutant> {
  yield* documentMutants(text)
  yield* fieldMutants(text, depth === 'fields' ? 'few names' : 'all names')
  for (const place of placesOf(text)) {
    if (place.node.kind !== 'string') continue
    const encoding = encodingOf(place.node)
    yield* stringMutants(place, encoding)
    if (place.node.name === 'mediaType') yield* mediaTypes(place)
    if (place.node.name === 'envelope') yield* lineMutants(place)
    yield* twinsOf(place)
    if (depth !== 'fields' && DOCUMENTS.has(place.node.name)) yield* innerMutants(place)
    if (depth === 'bytes') yield* flipMutants(place, encoding, bitsFor(place, bitsAt))
  }
}

/** In the parts of a timestamp that nothing signs, small numbers decide: there every bit is tried. */
function bitsFor({ node }: Place, bitsAt: BitsAt): BitsAt {
  if (node.name !== 'signedTimestamp') return bitsAt
  const spans = unsignedSpans(Buffer.from(node.value, 'base64'))
  const isSmall = (offset: number): boolean =>
    ![undefined, 'embedded certificates'].includes(unsignedClassAt(spans, offset))
  return (offset) => (isSmall(offset) ? EVERY_BIT : bitsAt(offset))
}

export const EVERY_BIT: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128]

/** All spellings that exist: none may make a bundle pass as another version than it is. */
function* mediaTypes(place: Place): Generator<Mutant> {
  for (const version of ['0.1', '0.2', '0.3', '0.4', '1.0']) {
    for (const name of [`bundle+json;version=${version}`, `bundle.v${version}+json`]) {
      const mediaType = `application/vnd.dev.sigstore.${name}`
      if (mediaType !== place.node.value) yield place.stringMutant('respelled', name, mediaType)
    }
  }
}

/** Fields of the JSON that a string holds in base64, which is signed as it is; where it holds anything else, nothing. */
function* innerMutants(place: Place): Generator<Mutant> {
  const inner = Buffer.from(place.node.value, 'base64').toString('utf8')
  if (!inner.startsWith('{')) return
  for (const mutant of fieldMutants(inner, 'few names')) {
    if (mutant.operation === 'retyped' && mutant.detail !== 'into a list') continue
    const changed = Buffer.from(mutant.bytes).toString('base64')
    yield {
      ...mutant,
      path: `${place.node.path}>${mutant.path}`,
      bytes: place.stringMutant('cut', '', changed).bytes,
    }
  }
}

/** A checkpoint is text in lines: each removed, repeated, moved, and lines added everywhere. */
function* lineMutants(place: Place): Generator<Mutant> {
  const lines = place.node.value.split('\n')
  const made = (detail: string, changed: readonly string[]): Mutant =>
    place.stringMutant('lines changed', detail, changed.join('\n'))
  const stranger = '\u2014 witness.example AAAAAGFiY2Q='
  for (let at = 0; at < lines.length; at++) {
    const [before, line = '', after] = [lines.slice(0, at), lines[at], lines.slice(at + 1)]
    yield made(`line ${at} removed`, [...before, ...after])
    yield made(`line ${at} repeated`, [...before, line, line, ...after])
    if (after.length > 0)
      yield made(`line ${at} moved down`, [...before, ...after.slice(0, 1), line, ...after.slice(1)])
    for (const added of ['', stranger, 'Timestamp: 1', '\u2014 witness.example'])
      yield made(`${JSON.stringify(added)} before line ${at}`, [...before, added, line, ...after])
  }
  yield place.stringMutant('lines changed', 'CR LF', lines.join('\r\n'))
  yield made('forty strangers', [...lines.slice(0, -1), ...Array.from({ length: 40 }, () => stranger), ''])
  yield made('a hundred strangers', [
    ...lines.slice(0, -1),
    ...Array.from({ length: 100 }, () => stranger),
    '',
  ])
}
