import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { parseCheckpoint } from '../../../trust/log/checkpoint.ts'
import {
  cosignatureVerifier,
  cosignedMessage,
  encodeCosignature,
  parseCosigner,
  verifyCosignature,
} from '../../../trust/log/cosignature.ts'
import { openNote, parseNote } from '../../../trust/log/note.ts'
import { TEST_SECONDS, TestLog, TestWitness } from '../../support/test-log.ts'

const WRONG: unknown = expect.objectContaining({ code: 'LOG_COSIGNATURE', check: 'log' })
const ALGORITHMS = ['ed25519', 'ml-dsa-44'] as const

const log = new TestLog({ name: 'log.test' })
log.append('entry')
const text = log.checkpointText({ extensions: ['extension'] })
const checkpoint = parseCheckpoint(text)
const bytes = Buffer.from(text)

describe('cosigners', () => {
  it.each(ALGORITHMS)('are read from a vkey (%s)', (algorithm) => {
    const witness = new TestWitness('w.test', algorithm)
    expect(parseCosigner(witness.vkey)).toMatchObject({ name: 'w.test', keyId: witness.keyId, algorithm })
  })

  it('are no keys that sign checkpoints only (MALFORMED_VKEY)', () => {
    const vkey = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'
    expect(() => parseCosigner(vkey)).toThrow(expect.objectContaining({ code: 'MALFORMED_VKEY' }))
  })
})

describe.each(ALGORITHMS)('cosignatures (%s)', (algorithm) => {
  const witness = new TestWitness('w.test', algorithm)
  const cosigner = parseCosigner(witness.vkey)
  const { signature } = witness.cosign(text)

  it('verify and tell their time', () => {
    expect(verifyCosignature(cosigner, bytes, checkpoint, signature)).toEqual(
      new Date(Number(TEST_SECONDS) * 1000),
    )
  })

  it('tell no time where that is zero', () => {
    expect(verifyCosignature(cosigner, bytes, checkpoint, witness.cosign(text, 0n).signature)).toBeUndefined()
  })

  it('fail when a byte of time or signature changes', () => {
    for (const i of [0, 6, 7, 8, 9, 40, signature.length - 1]) {
      const changed = Buffer.from(signature)
      changed[i] = (changed[i] ?? 0) ^ 1
      expect(() => verifyCosignature(cosigner, bytes, checkpoint, changed)).toThrow(WRONG)
    }
  })

  it('fail in any other length', () => {
    for (const other of [
      Buffer.alloc(0),
      signature.subarray(0, 8),
      signature.subarray(1),
      signature.subarray(0, -1),
      Buffer.concat([signature, Buffer.of(0)]),
    ]) {
      expect(() => verifyCosignature(cosigner, bytes, checkpoint, other)).toThrow(WRONG)
    }
  })

  it('fail with a time that no date has, however well signed', () => {
    for (const seconds of [8_640_000_000_001n, 2n ** 63n, 2n ** 64n - 1n]) {
      const { signature: signed } = witness.cosign(text, seconds)
      expect(() => verifyCosignature(cosigner, bytes, checkpoint, signed)).toThrow(WRONG)
    }
    const last = witness.cosign(text, 8_640_000_000_000n).signature
    expect(verifyCosignature(cosigner, bytes, checkpoint, last)?.getTime()).toBe(8.64e15)
  })

  it('fail for another size, root or origin', () => {
    log.append('next')
    for (const other of [
      log.checkpointText({ extensions: ['extension'] }),
      log.checkpointText({ size: 1n, origin: 'other.test', extensions: ['extension'] }),
      log.checkpointText({ size: 1n, rootHash: Buffer.alloc(32), extensions: ['extension'] }),
    ]) {
      expect(() =>
        verifyCosignature(cosigner, Buffer.from(other), parseCheckpoint(other), signature),
      ).toThrow(WRONG)
    }
  })

  it('fail with the key of another witness', () => {
    const other = parseCosigner(new TestWitness('w.test', algorithm).vkey)
    expect(() => verifyCosignature(other, bytes, checkpoint, signature)).toThrow(WRONG)
  })

  it('are written as time and signature', () => {
    expect(encodeCosignature(TEST_SECONDS, signature.subarray(8))).toEqual(Buffer.from(signature))
  })
})

describe('what is signed', () => {
  it('is the whole text for Ed25519: extension lines too, the name of the witness not', () => {
    const witness = new TestWitness('w.test')
    const cosigner = parseCosigner(witness.vkey)
    const { signature } = witness.cosign(text)
    const other = log.checkpointText({ size: 1n, extensions: ['other'] })
    expect(() => verifyCosignature(cosigner, Buffer.from(other), parseCheckpoint(other), signature)).toThrow(
      WRONG,
    )
    expect(verifyCosignature({ ...cosigner, name: 'other.test' }, bytes, checkpoint, signature)).toBeDefined()
    expect(Buffer.from(cosignedMessage(cosigner, 5n, bytes, checkpoint) ?? []).toString()).toBe(
      `cosignature/v1\ntime 5\n${text}`,
    )
  })

  it('is the tree for ML-DSA-44: the name of the witness too, extension lines not', () => {
    const witness = new TestWitness('w.test', 'ml-dsa-44')
    const cosigner = parseCosigner(witness.vkey)
    const { signature } = witness.cosign(text)
    const other = log.checkpointText({ size: 1n, extensions: ['other'] })
    expect(verifyCosignature(cosigner, Buffer.from(other), parseCheckpoint(other), signature)).toBeDefined()
    expect(() => verifyCosignature({ ...cosigner, name: 'x.test' }, bytes, checkpoint, signature)).toThrow(
      WRONG,
    )
    const head = { origin: 'ab', size: 258n, rootHash: Buffer.alloc(32, 0xee), extensions: [] }
    expect(
      Buffer.from(cosignedMessage({ name: 'w', algorithm: 'ml-dsa-44' }, 3n, bytes, head) ?? []),
    ).toEqual(
      Buffer.from(
        [
          '737562747265652f76310a00',
          '0177',
          '0000000000000003',
          '026162',
          '0000000000000000',
          '0000000000000102',
          'ee'.repeat(32),
        ].join(''),
        'hex',
      ),
    )
  })

  it('does not exist for ML-DSA-44 where name or origin are longer than a byte can say', () => {
    const witness = new TestWitness('w.test', 'ml-dsa-44')
    const cosigner = parseCosigner(witness.vkey)
    const { signature } = witness.cosign(text)
    const long = { ...checkpoint, origin: 'o'.repeat(256) }
    expect(cosignedMessage(cosigner, 1n, bytes, long)).toBeUndefined()
    expect(() => verifyCosignature(cosigner, bytes, long, signature)).toThrow(WRONG)
    expect(() =>
      verifyCosignature({ ...cosigner, name: 'n'.repeat(256) }, bytes, checkpoint, signature),
    ).toThrow(WRONG)
    expect(cosignedMessage(cosigner, 1n, bytes, { ...checkpoint, origin: 'o'.repeat(255) })).toHaveLength(331)
  })
})

describe('a log that signs as a cosigner', () => {
  it('opens its own notes, and nothing else does', () => {
    const quantum = new TestLog({ name: 'pq.test', keyType: 'ml-dsa-44' })
    quantum.append('entry')
    const { checkpointKeyId, key } = quantum.authority
    const cosigner = { name: 'pq.test', keyId: checkpointKeyId, algorithm: 'ml-dsa-44', key } as const
    const verifier = cosignatureVerifier(cosigner)
    const note = parseNote(quantum.checkpoint())
    expect(openNote(note, [verifier]).text).toBe(quantum.checkpointText())
    const refused: unknown = expect.objectContaining({ code: 'LOG_CHECKPOINT_SIGNATURE' })
    expect(() => openNote({ ...note, unverifiedBytes: bytes }, [verifier])).toThrow(refused)
    expect(() => openNote({ ...note, unverifiedBytes: Buffer.from('no checkpoint') }, [verifier])).toThrow(
      refused,
    )
  })
})
