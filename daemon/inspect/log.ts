import { decodeBase64 } from '../../trust/encoding.ts'
import { checkpointTime, parseCheckpoint } from '../../trust/log/checkpoint.ts'
import { parseNote } from '../../trust/log/note.ts'
import type { Json } from '../../trust/json.ts'
import { attempt, count, field, hasAt, hex, listAt, optional, textAt, time, type Fields } from './fields.ts'

/** A checkpoint: which log, how large, and who put a name under it. */
export function describeCheckpoint(note: Uint8Array | string): Fields {
  return attempt(() => {
    const { unverifiedText, signatures } = parseNote(note)
    return [
      ...attempt(() => describeTree(unverifiedText)),
      ...signatures.map(({ name, keyId }) => field('signature', `${name}, key ID ${keyId}`)),
    ]
  })
}

function describeTree(text: string): Fields {
  const checkpoint = parseCheckpoint(text)
  const at = checkpointTime(checkpoint)
  return [
    field('origin', checkpoint.origin),
    field('tree size', `${checkpoint.size}`),
    field('root hash', hex(checkpoint.rootHash)),
    ...(at === undefined ? [] : [field('time, by its own word', time(at))]),
    ...checkpoint.extensions.map((line) => field('extension', line)),
  ]
}

/** One log entry of a bundle, as far as it can be read. */
export function describeEntry(entry: Json): Fields {
  const seconds = Number(textAt(entry, 'integratedTime') ?? '')
  const proof = hasAt(entry, 'inclusionProof')
  const checkpoint = textAt(entry, 'inclusionProof', 'checkpoint', 'envelope')
  return [
    field(
      'kind',
      `${textAt(entry, 'kindVersion', 'kind') ?? '?'} ${textAt(entry, 'kindVersion', 'version') ?? '?'}`,
    ),
    field('index', textAt(entry, 'logIndex') ?? '0'),
    ...optional('log key ID', idOf(textAt(entry, 'logId', 'keyId'))),
    ...(seconds > 0 && seconds < 2 ** 40 ? [field('integrated', time(new Date(seconds * 1000)))] : []),
    field('promise', hasAt(entry, 'inclusionPromise') ? 'yes' : 'no'),
    field('inclusion proof', proof ? describeProof(entry) : 'no'),
    ...(checkpoint === undefined ? [] : [field('checkpoint', describeCheckpoint(checkpoint))]),
  ]
}

function idOf(base64: string | undefined): string | undefined {
  const bytes = decodeBase64(base64 ?? '')
  return bytes === undefined ? base64 : hex(bytes)
}

function describeProof(entry: Json): string {
  const hashes = count(listAt(entry, 'inclusionProof', 'hashes').length, 'hash', 'hashes')
  const index = textAt(entry, 'inclusionProof', 'logIndex') ?? '0'
  return `${hashes}, index ${index} in a tree of ${textAt(entry, 'inclusionProof', 'treeSize') ?? '?'}`
}
