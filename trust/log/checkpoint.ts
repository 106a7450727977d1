import { decodeBase64, decodeDecimal, encodeBase64 } from '../encoding.ts'
import { MalformedError } from '../errors.ts'

/** A checkpoint (C2SP tlog-checkpoint): the text of a note in which a log commits to its tree. */
export interface Checkpoint {
  /** Which log speaks, first line. */
  readonly origin: string
  /** Leaves in the tree. */
  readonly size: bigint
  /** 32 bytes. */
  readonly rootHash: Uint8Array
  /** Further lines, without newlines; signed by the log but not audited by anybody. */
  readonly extensions: readonly string[]
}

const HASH_LENGTH = 32

/** `text` is that of an opened note. Errors: `LOG_CHECKPOINT_MALFORMED`. */
export function parseCheckpoint(text: string): Checkpoint {
  if (!text.endsWith('\n')) malformed('the text does not end in a newline')
  const lines = text.slice(0, -1).split('\n')
  const [origin, decimal, encoded, ...extensions] = lines
  if (origin === undefined || decimal === undefined || encoded === undefined) {
    malformed('fewer than three lines', `${lines.length} lines`)
  }
  if (origin === '') malformed('the origin is empty', undefined, 'line 1')
  const size = decodeDecimal(decimal)
  if (size === undefined) malformed('the size is not a decimal number', decimal, 'line 2')
  const rootHash = decodeBase64(encoded)
  if (rootHash?.length !== HASH_LENGTH)
    malformed('the root hash is not 32 bytes in base64', encoded, 'line 3')
  const empty = extensions.indexOf('')
  if (empty >= 0) malformed('an extension line is empty', undefined, `line ${empty + 4}`)
  return { origin, size, rootHash, extensions }
}

function malformed(message: string, got?: string, where?: string): never {
  throw new MalformedError('LOG_CHECKPOINT_MALFORMED', message, {
    ...(got === undefined ? {} : { got }),
    ...(where === undefined ? {} : { where }),
  })
}

/** The inverse of `parseCheckpoint`. */
export function encodeCheckpoint({ origin, size, rootHash, extensions }: Checkpoint): string {
  return [origin, size.toString(), encodeBase64(rootHash), ...extensions, ''].join('\n')
}

/**
 * The time that Rekor v1 writes as `Timestamp: <nanoseconds>`. For reports only: a log's word about its own clock
 * is not a trusted time, so a line of another form is no error.
 */
export function checkpointTime({ extensions }: Checkpoint): Date | undefined {
  for (const line of extensions) {
    const digits = line.startsWith('Timestamp: ') ? line.slice('Timestamp: '.length) : ''
    const nanoseconds = decodeDecimal(digits)
    if (nanoseconds !== undefined) return new Date(Number(nanoseconds / 1_000_000n))
  }
  return undefined
}
