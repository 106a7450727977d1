import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import type { TransparencyLog } from '../../../trust/authority.ts'
import { parseBundle, type LogEntry } from '../../../trust/bundle.ts'
import { checkInclusion, checkPromise } from '../../../trust/log/inclusion.ts'
import { parsePublicKeyPem } from '../../../trust/keys.ts'
import { parseTrustedRoot, type TrustedRoot } from '../../../trust/trusted-root.ts'
import { TestLog } from '../../support/test-log.ts'
import { readVector, vectorCases, vectorInput, type VectorCase } from '../../support/vectors.ts'

/** Cases that are wrong in the log and only there. Two more are already wrong as bundles: no checkpoint, bad base64. */
const WRONG_IN_LOG: Readonly<Record<string, string>> = {
  'conformance/invalid-checkpoint-signature_fail': 'LOG_CHECKPOINT_SIGNATURE',
  'conformance/set-invalid-signature_fail': 'LOG_PROMISE',
  'conformance/bundle-from-wrong-instance_fail': 'LOG_UNKNOWN',
  'python/bundle.txt-against-production-root': 'LOG_UNKNOWN',
}

function checkEntries(vector: VectorCase): number {
  const { logs } = rootOf(vector)
  const { entries } = parseBundle(readVector(vectorInput(vector, 'bundle')))
  for (const entry of entries) {
    if (entry.promise !== undefined) checkPromise(entry, logOf(logs, entry))
    if (entry.proof?.checkpoint !== undefined) {
      const evidence = checkInclusion(entry, entry.body, logs, undefined)
      expect(evidence.index).toBe(entry.proof.logIndex)
    }
  }
  return entries.length
}

function logOf(logs: readonly TransparencyLog[], { logId }: LogEntry): TransparencyLog {
  return logs.find((log) => log.logId === logId) ?? new TestLog().authority
}

function rootOf(vector: VectorCase): TrustedRoot {
  return parseTrustedRoot(readVector(vectorInput(vector, 'trustedRoot')))
}

describe('published vectors', () => {
  const bundles = vectorCases('bundle-verify')
  const good = bundles.filter(
    (c) => c.expected.result === 'pass' && !vectorInput(c, 'trustedRoot').endsWith('.jsonl'),
  )

  it.each(good.map((c) => [c.id, c] as const))('%s: promises and proofs hold', (_, vector) => {
    expect(checkEntries(vector)).toBeGreaterThan(0)
  })

  it.each(
    bundles.flatMap((c) => {
      const code = WRONG_IN_LOG[c.id]
      return code === undefined ? [] : [[c.id, code, c] as const]
    }),
  )('%s: answers %s', (_, code, vector) => {
    expect(() => checkEntries(vector)).toThrow(expect.objectContaining({ check: 'log', code }))
  })

  const entries = vectorCases('rekor-entry').filter((c) => c.id === 'java/rekor-entry/entry')

  it.each(entries.map((c) => [c.id, c] as const))(
    '%s: promise and proof of an answer of the API hold',
    (_, vector) => {
      const entry = apiEntry(readVector(vectorInput(vector, 'entry')))
      const key = parsePublicKeyPem(readVector(vectorInput(vector, 'logKey')).toString('utf8'))
      const { logs } = rootOf(vector)
      const log = logOf(logs, entry)
      expect(log.key.spki).toEqual(key.spki)
      expect(checkPromise(entry, log)).toEqual(new Date('2022-06-28T20:28:51Z'))
      expect(checkInclusion(entry, entry.body, logs, undefined)).toMatchObject({
        index: 1227n,
        treeSize: 14358n,
      })

      const wrong = { ...entry, logIndex: 1227n }
      expect(() => checkPromise(wrong, log)).toThrow(expect.objectContaining({ code: 'LOG_PROMISE' }))
    },
  )

  it('include one of every way to be wrong in the log', () => {
    const known = new Set(bundles.map((c) => c.id))
    if (known.size > 0) expect(Object.keys(WRONG_IN_LOG).filter((id) => !known.has(id))).toEqual([])
    expect(new Set(Object.values(WRONG_IN_LOG)).size).toBe(3)
  })
})

interface ApiEntry {
  readonly body: string
  readonly integratedTime: number
  readonly logID: string
  readonly logIndex: number
  readonly verification: {
    readonly signedEntryTimestamp: string
    readonly inclusionProof: {
      readonly checkpoint: string
      readonly hashes: readonly string[]
      readonly logIndex: number
      readonly rootHash: string
      readonly treeSize: number
    }
  }
}

/** The one entry of an answer of the Rekor v1 API. */
function apiEntry(bytes: Buffer): LogEntry {
  const [value] = Object.values(JSON.parse(bytes.toString('utf8')) as Record<string, ApiEntry>)
  if (value === undefined) throw new Error('the answer holds no entry')
  const { inclusionProof: proof, signedEntryTimestamp } = value.verification
  return {
    logIndex: BigInt(value.logIndex),
    logId: value.logID,
    kind: 'hashedrekord',
    version: '0.0.1',
    generation: 1,
    integratedTime: BigInt(value.integratedTime),
    promise: Buffer.from(signedEntryTimestamp, 'base64'),
    proof: {
      logIndex: BigInt(proof.logIndex),
      rootHash: Buffer.from(proof.rootHash, 'hex'),
      treeSize: BigInt(proof.treeSize),
      hashes: proof.hashes.map((hash) => Buffer.from(hash, 'hex')),
      checkpoint: proof.checkpoint,
    },
    body: Buffer.from(value.body, 'base64'),
    bodyBase64: value.body,
  }
}
