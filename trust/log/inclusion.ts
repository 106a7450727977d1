import { windowContains, type TransparencyLog } from '../authority.ts'
import type { InclusionProof, LogEntry } from '../bundle.ts'
import { canonicalJson } from '../canonical-json.ts'
import { encodeBase64, encodeHex, encodeUtf8, equalBytes } from '../encoding.ts'
import { CheckFailed, MalformedError } from '../errors.ts'
import { equalKeys, verifySignature } from '../keys.ts'
import { checkpointTime, parseCheckpoint, type Checkpoint } from './checkpoint.ts'
import { cosignatureVerifier, verifyCosignature } from './cosignature.ts'
import { leafHash, verifyInclusion } from './merkle.ts'
import {
  logScheme,
  noteVerifier,
  openNote,
  parseNote,
  type NoteVerifier,
  type UnverifiedNote,
} from './note.ts'
import { checkQuorum, type WitnessPolicy } from './witness-policy.ts'

/** What a log's signature proves about one entry: these bytes stand at this place of a tree of this size. */
export interface InclusionEvidence {
  readonly log: TransparencyLog
  /** Place in the tree of the checkpoint: in the shard, for a log that has shards. */
  readonly index: bigint
  readonly treeSize: bigint
  readonly rootHash: Uint8Array
  readonly origin: string
  /** The log's word about its own clock, for reports; not a trusted time. */
  readonly checkpointTime: Date | undefined
  /** Witnesses that the policy names and that cosigned, in the order of the policy. */
  readonly witnesses: readonly WitnessEvidence[]
  /** Name of the witness or group in the policy that made the quorum; undefined where none was asked for. */
  readonly quorum: string | undefined
}

export interface WitnessEvidence {
  /** Name in the witness policy. */
  readonly name: string
  /** When the witness knew no larger tree; undefined where it does not say. */
  readonly at: Date | undefined
}

/** Dates end here. */
const MAX_SECONDS = 8_640_000_000_000n
const V1_ORIGIN = /^(.+) - [0-9]+$/

/**
 * The signed promise of a Rekor v1 log, its only trusted time: the log signed body, time, log ID and global index
 * as canonical JSON (client specification section 4.2). Returns the time at which the log took the entry.
 */
export function checkPromise(entry: LogEntry, log: TransparencyLog): Date {
  const { promise, integratedTime, logIndex } = entry
  if (entry.logId !== log.logId)
    refuse('LOG_UNKNOWN', 'the promise is of another log', entry.logId, log.logId)
  if (entry.generation !== 1) refuse('LOG_PROMISE', 'a tile log makes no promises')
  if (promise === undefined) refuse('LOG_PROMISE', 'the entry has no promise')
  if (integratedTime === undefined || integratedTime <= 0n || integratedTime > MAX_SECONDS) {
    refuse(
      'LOG_PROMISE',
      'the integrated time is missing or impossible',
      String(integratedTime),
      'seconds since 1970',
    )
  }
  if (logIndex < 0n || logIndex > BigInt(Number.MAX_SAFE_INTEGER)) {
    refuse('LOG_PROMISE', 'the index is impossible', String(logIndex))
  }
  const promised = canonicalJson({
    body: encodeBase64(entry.body),
    integratedTime,
    logID: entry.logId,
    logIndex,
  })
  if (!verifySignature(log.key, logScheme(log.key), encodeUtf8(promised), promise)) {
    refuse('LOG_PROMISE', 'the log did not sign this promise', undefined, `a signature by ${log.baseUrl}`)
  }
  const at = new Date(Number(integratedTime) * 1000)
  if (!windowContains(log.validFor, at)) {
    refuse(
      'LOG_KEY_WINDOW',
      'the log key was not valid at the integrated time',
      at.toISOString(),
      windowText(log),
    )
  }
  return at
}

/**
 * The entry is in the tree that its log signed (client specification section 4.4). `leafBody` is what the leaf
 * must hold: rebuilt from the bundle where that is possible, else the logged body. Size and root come only from the
 * opened checkpoint; what the proof says about them must agree and is not used.
 */
export function checkInclusion(
  entry: LogEntry,
  leafBody: Uint8Array,
  logs: readonly TransparencyLog[],
  witnesses: WitnessPolicy | undefined,
): InclusionEvidence {
  const { proof } = entry
  if (proof === undefined) refuse('LOG_PROOF', 'the entry has no inclusion proof')
  const { checkpoint: envelope } = proof
  if (envelope === undefined) refuse('LOG_PROOF', 'the inclusion proof has no checkpoint')
  const note = readEntryPart(() => parseNote(envelope))
  const { log, checkpoint } = openCheckpoint(entry, note, logs)
  const index = checkIndex(entry, proof, checkpoint)
  checkAgreement(proof, checkpoint)
  verifyInclusion(leafHash(leafBody), index, checkpoint, proof.hashes)
  return {
    log,
    index,
    treeSize: checkpoint.size,
    rootHash: checkpoint.rootHash,
    origin: checkpoint.origin,
    checkpointTime: checkpointTime(checkpoint),
    witnesses: checkWitnesses(note, checkpoint, log, witnesses),
    quorum: witnesses?.quorum,
  }
}

/**
 * A tile log gives no time of its own: some time that was verified elsewhere must lie in a window of its key, which
 * a trusted root may list several times.
 * Errors: `LOG_KEY_WINDOW`.
 */
export function checkLogKeyWindow(logs: readonly TransparencyLog[], times: readonly Date[]): void {
  if (logs.some(({ validFor }) => times.some((at) => windowContains(validFor, at)))) return
  const got = times.map((at) => at.toISOString()).join(', ')
  const wanted = logs.map(windowText).join(' or ')
  refuse('LOG_KEY_WINDOW', 'the log key was not valid at any proven time', got || 'no time', wanted)
}

/** A trusted root may list one key more than once, so every log of that ID may have signed. */
function openCheckpoint(
  entry: LogEntry,
  note: UnverifiedNote,
  logs: readonly TransparencyLog[],
): { log: TransparencyLog; checkpoint: Checkpoint } {
  let failure: CheckFailed | undefined
  for (const log of logs) {
    if (log.logId !== entry.logId) continue
    try {
      return { log, checkpoint: openCheckpointOf(log, entry.generation, note) }
    } catch (error) {
      if (!(error instanceof CheckFailed)) throw error
      failure ??= error
    }
  }
  if (failure !== undefined) throw failure
  refuse('LOG_UNKNOWN', 'the entry is in a log that the trusted root does not know', entry.logId)
}

/**
 * The origin, first line of the signed text, binds a checkpoint to its log. A tile log calls itself by its host in
 * key name and origin. A Rekor v1 key signs for several trees, and calls itself by whatever its server was started
 * with: there the key is what binds, and key name and origin `<host> - <tree>` need only agree with each other.
 */
function openCheckpointOf(log: TransparencyLog, generation: 1 | 2, note: UnverifiedNote): Checkpoint {
  // its form first, so that a missing line is called that; nothing of it leaves before the note is opened
  const checkpoint = readEntryPart(() => parseCheckpoint(note.unverifiedText))
  const { origin } = checkpoint
  const name = generation === 2 ? log.names.find((n) => n === origin) : V1_ORIGIN.exec(origin)?.[1]
  if (name === undefined) {
    const wanted = generation === 2 ? log.names.join(' or ') : '<host> - <tree>'
    refuse('LOG_CHECKPOINT_ORIGIN', 'the checkpoint is of another log', origin, wanted)
  }
  openNote(note, [verifierOf(log, name)])
  return checkpoint
}

function verifierOf(log: TransparencyLog, name: string): NoteVerifier {
  const keyId = log.checkpointKeyId
  if (log.key.type !== 'ml-dsa-44') return noteVerifier(name, log.key, keyId)
  return cosignatureVerifier({ name, keyId, algorithm: 'ml-dsa-44', key: log.key })
}

/** What cannot be read inside an entry is a failure of this entry, not an error of the caller. */
function readEntryPart<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof MalformedError)) throw cause
    throw new CheckFailed(
      'log',
      'LOG_CHECKPOINT_MALFORMED',
      `the checkpoint cannot be read: ${cause.message}`,
      {
        cause,
        ...(cause.got === undefined ? {} : { got: cause.got }),
        ...(cause.where === undefined ? {} : { where: cause.where }),
      },
    )
  }
}

/** In v1 only the proof knows the place in the tree of the shard; in v2 both indexes are that place. */
function checkIndex(entry: LogEntry, proof: InclusionProof, { size }: Checkpoint): bigint {
  if (entry.generation === 2 && entry.logIndex !== proof.logIndex) {
    refuse('LOG_INDEX', 'entry and proof name different places', `${entry.logIndex}`, `${proof.logIndex}`)
  }
  if (proof.logIndex < 0n || proof.logIndex >= size) {
    refuse(
      'LOG_INDEX',
      'the entry lies outside the signed tree',
      `${proof.logIndex}`,
      `an index below ${size}`,
    )
  }
  return proof.logIndex
}

function checkAgreement({ rootHash, treeSize }: InclusionProof, checkpoint: Checkpoint): void {
  if (treeSize !== undefined && treeSize !== checkpoint.size) {
    refuse('LOG_ROOT_MISMATCH', 'proof and checkpoint differ in size', `${treeSize}`, `${checkpoint.size}`)
  }
  if (rootHash !== undefined && !equalBytes(rootHash, checkpoint.rootHash)) {
    const wanted = encodeHex(checkpoint.rootHash)
    refuse('LOG_ROOT_MISMATCH', 'proof and checkpoint differ in the root hash', encodeHex(rootHash), wanted)
  }
}

/** Every cosignature of a witness that the policy names must be good, also beyond the quorum. */
function checkWitnesses(
  note: UnverifiedNote,
  checkpoint: Checkpoint,
  log: TransparencyLog,
  policy: WitnessPolicy | undefined,
): readonly WitnessEvidence[] {
  if (policy === undefined) return []
  // key names have no spaces, so that of a v1 log is the host in its origin
  const origin = V1_ORIGIN.exec(checkpoint.origin)?.[1] ?? checkpoint.origin
  const listed = policy.logs.some(({ vkey }) => vkey.name === origin && equalKeys(vkey.key, log.key))
  if (policy.logs.length > 0 && !listed) {
    refuse('LOG_UNKNOWN', 'the witness policy does not list this log', checkpoint.origin)
  }
  const evidence: WitnessEvidence[] = []
  for (const { name, cosigner } of policy.witnesses) {
    const lines = note.signatures.filter((s) => s.name === cosigner.name && s.keyId === cosigner.keyId)
    const times = lines.map((s) => verifyCosignature(cosigner, note.unverifiedBytes, checkpoint, s.signature))
    if (lines.length > 0) evidence.push({ name, at: times.find((at) => at !== undefined) })
  }
  const cosigned = evidence.map((e) => e.name)
  if (!checkQuorum(policy, cosigned)) {
    const got = cosigned.join(', ') || 'no cosignature'
    refuse('LOG_WITNESS_QUORUM', 'too few witnesses cosigned the checkpoint', got, `quorum ${policy.quorum}`)
  }
  return evidence
}

function windowText({ validFor }: TransparencyLog): string {
  return `${validFor.start.toISOString()} to ${validFor.end?.toISOString() ?? 'open'}`
}

type LogCode =
  | 'LOG_UNKNOWN'
  | 'LOG_CHECKPOINT_ORIGIN'
  | 'LOG_PROOF'
  | 'LOG_ROOT_MISMATCH'
  | 'LOG_INDEX'
  | 'LOG_KEY_WINDOW'
  | 'LOG_PROMISE'
  | 'LOG_WITNESS_QUORUM'

function refuse(code: LogCode, message: string, got?: string, wanted?: string): never {
  throw new CheckFailed('log', code, message, {
    ...(got === undefined ? {} : { got }),
    ...(wanted === undefined ? {} : { wanted }),
  })
}
