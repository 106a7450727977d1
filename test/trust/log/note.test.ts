import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import {
  encodeNote,
  noteKeyId,
  noteVerifier,
  NOTE_LIMITS,
  openNote,
  parseNote,
} from '../../../trust/log/note.ts'
import { parseVkey, vkeyVerifier } from '../../../trust/log/vkey.ts'
import { formatNote, newTestKey, signLikeLog, TestLog, type TestKeyType } from '../../support/test-log.ts'
import { readVector, vectorCases } from '../../support/vectors.ts'

const MALFORMED: unknown = expect.objectContaining({ code: 'MALFORMED_NOTE' })
const SIGNATURE: unknown = expect.objectContaining({ code: 'LOG_CHECKPOINT_SIGNATURE', check: 'log' })

/** Four bytes key ID and one byte signature. */
const SHORTEST = 'AAAAAAA='

describe('parsing a note', () => {
  it('keeps empty lines of the text and splits at the last one', () => {
    const note = parseNote(`first\n\nthird\n\n\u2014 a.test/key ${SHORTEST}\n`)
    expect(note.unverifiedText).toBe('first\n\nthird\n')
    expect(Buffer.from(note.unverifiedBytes).toString()).toBe('first\n\nthird\n')
    expect(note.signatures).toEqual([{ name: 'a.test/key', keyId: '00000000', signature: Buffer.of(0) }])
  })

  it('reads bytes and text alike, and writes them back unchanged', () => {
    const text = `d'ogni s\u00e8 \u{1f4dc}\n\n\u2014 \u00e8 ${SHORTEST}\n\u2014 b ${SHORTEST}\n`
    const note = parseNote(Buffer.from(text))
    expect(note).toEqual(parseNote(text))
    expect(encodeNote(note.unverifiedText, note.signatures)).toBe(text)
  })

  it('does not write what it would not read', () => {
    const good = { name: 'a', keyId: '00000000', signature: Buffer.of(0) }
    expect(encodeNote('text\n', [good])).toBe(`text\n\n\u2014 a ${SHORTEST}\n`)
    for (const wrong of [
      { name: 'a b' },
      { name: '' },
      { keyId: '0000' },
      { keyId: 'zz' },
      { signature: Buffer.of() },
    ]) {
      expect(() => encodeNote('text\n', [{ ...good, ...wrong }])).toThrow(RangeError)
    }
    expect(() => encodeNote('text', [good])).toThrow(RangeError)
    expect(() => encodeNote('text\n', [])).toThrow(RangeError)
  })

  it.each([
    ['nothing', ''],
    ['text alone', 'text\n'],
    ['text and an empty line', 'text\n\n'],
    ['no empty line', `text\n\u2014 a ${SHORTEST}\n`],
    ['no newline at the end', `text\n\n\u2014 a ${SHORTEST}`],
    ['a hyphen for the dash', `text\n\n- a ${SHORTEST}\n`],
    ['no name', `text\n\n\u2014 ${SHORTEST}\n`],
    ['an empty name', `text\n\n\u2014  ${SHORTEST}\n`],
    ['a plus in the name', `text\n\n\u2014 a+b ${SHORTEST}\n`],
    ['a no-break space in the name', `text\n\n\u2014 a\u00a0b ${SHORTEST}\n`],
    ['a next-line character in the name', `text\n\n\u2014 a\u0085b ${SHORTEST}\n`],
    ['two spaces', `text\n\n\u2014 a  ${SHORTEST}\n`],
    ['a space at the end', `text\n\n\u2014 a ${SHORTEST} \n`],
    ['more words', `text\n\n\u2014 a ${SHORTEST} more\n`],
    ['base64 without padding', 'text\n\n\u2014 a AAAAAAA\n'],
    ['base64 with unused bits', 'text\n\n\u2014 a AAAAAAB=\n'],
    ['base64 for addresses', 'text\n\n\u2014 a AAAAA-_=\n'],
    ['a key ID alone', 'text\n\n\u2014 a AAAAAA==\n'],
    ['an empty signature', 'text\n\n\u2014 a \n'],
    ['a carriage return', `text\r\n\n\u2014 a ${SHORTEST}\n`],
    ['a tab', `te\txt\n\n\u2014 a ${SHORTEST}\n`],
    ['a zero byte', `text\0\n\n\u2014 a ${SHORTEST}\n`],
    ['a lone surrogate', `te\ud800xt\n\n\u2014 a ${SHORTEST}\n`],
    ['one good and one broken signature line', `text\n\n\u2014 a ${SHORTEST}\nbroken\n`],
  ])('refuses %s (MALFORMED_NOTE)', (_, note) => {
    expect(() => parseNote(note)).toThrow(MALFORMED)
  })

  it('refuses bytes that are not UTF-8', () => {
    expect(() => parseNote(Buffer.from(`te\xffxt\n\n- a ${SHORTEST}\n`, 'latin1'))).toThrow(MALFORMED)
  })

  it('takes as many signatures as the limit and not one more, and says which line is broken', () => {
    const line = `\u2014 a ${SHORTEST}\n`
    expect(parseNote(`text\n\n${line.repeat(NOTE_LIMITS.signatures)}`).signatures).toHaveLength(64)
    expect(() => parseNote(`text\n\n${line.repeat(NOTE_LIMITS.signatures + 1)}`)).toThrow(MALFORMED)
    expect(() => parseNote(`text\n\n${line}${line}x\n`)).toThrow(
      expect.objectContaining({ where: 'signature line 3' }),
    )
  })

  it('counts bytes, not characters, against the size limit', () => {
    const note = `\u00e8\u00e8\n\n\u2014 a ${SHORTEST}\n`
    const size = Buffer.byteLength(note)
    expect(parseNote(note, { size, signatures: 1 }).signatures).toHaveLength(1)
    expect(() => parseNote(note, { size: size - 1, signatures: 1 })).toThrow(MALFORMED)
    expect(() => parseNote(Buffer.alloc(NOTE_LIMITS.size + 1, 'a'))).toThrow(MALFORMED)
  })
})

describe('opening a note', () => {
  const key = newTestKey('ed25519')
  const other = newTestKey('ed25519')
  const verifier = noteVerifier('a.test', key.publicKey)
  const text = 'a.test\nsecond line\n'
  const good = { name: 'a.test', keyId: verifier.keyId, signature: signLikeLog(key, Buffer.from(text)) }
  const forged = { ...good, signature: signLikeLog(other, Buffer.from(text)) }
  const stranger = { name: 'b.test', keyId: verifier.keyId, signature: forged.signature }
  const otherId = { name: 'a.test', keyId: '00000000', signature: forged.signature }

  it.each([
    ['alone', [good]],
    ['after unknown keys that share its name or its ID', [stranger, otherId, good]],
    ['before them', [good, otherId, stranger]],
    ['repeated', [good, good]],
  ])('finds the signature of a known key %s', (_, signatures) => {
    const opened = openNote(parseNote(formatNote(text, signatures)), [verifier])
    expect(opened.text).toBe(text)
    expect(Buffer.from(opened.bytes).toString()).toBe(text)
    expect(opened.verified).toEqual([verifier])
  })

  it.each([
    ['only unknown keys', [stranger, otherId]],
    ['a forged signature', [forged]],
    ['a forged signature after a good one', [good, forged]],
    ['a forged signature before a good one', [forged, good]],
    ['a signature that is too short', [{ ...good, signature: Buffer.of(1) }]],
    ['a signature that is too long', [{ ...good, signature: Buffer.concat([good.signature, Buffer.of(0)]) }]],
  ])('refuses %s (LOG_CHECKPOINT_SIGNATURE)', (_, signatures) => {
    expect(() => openNote(parseNote(formatNote(text, signatures)), [verifier])).toThrow(SIGNATURE)
  })

  it('refuses every note when no verifier is given', () => {
    expect(() => openNote(parseNote(formatNote(text, [good])), [])).toThrow(SIGNATURE)
  })

  it('names all known signers, each once, and needs only one', () => {
    const second = noteVerifier('b.test', other.publicKey)
    const both = [good, { name: 'b.test', keyId: second.keyId, signature: forged.signature }]
    expect(openNote(parseNote(formatNote(text, both)), [second, verifier]).verified).toEqual([
      verifier,
      second,
    ])
    expect(openNote(parseNote(formatNote(text, [good])), [second, verifier]).verified).toEqual([verifier])
  })

  it('lets either of two keys sign that share name and ID', () => {
    const twin = { ...noteVerifier('a.test', other.publicKey), keyId: verifier.keyId }
    expect(openNote(parseNote(formatNote(text, [good])), [twin, verifier]).verified).toEqual([verifier])
  })
})

describe('keys that sign notes', () => {
  it.each(['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'rsa'] as const)(
    'verifies %s under its own key ID',
    (keyType) => {
      const log = new TestLog({ keyType })
      log.append('entry')
      const verifier = noteVerifier(log.name, log.authority.key)
      expect(verifier.keyId).toBe(log.authority.checkpointKeyId)
      const note = parseNote(log.checkpoint())
      expect(openNote(note, [verifier]).text).toBe(log.checkpointText())
      expect(() => openNote({ ...note, unverifiedBytes: Buffer.from('other') }, [verifier])).toThrow(
        SIGNATURE,
      )
    },
  )

  it('takes the key ID that is listed elsewhere, as Rekor v1 has its own for Ed25519', () => {
    const log = new TestLog({ generation: 1, keyType: 'ed25519' })
    log.append('entry')
    const { key, checkpointKeyId } = log.authority
    expect(noteKeyId(log.name, key)).not.toBe(checkpointKeyId)
    const note = parseNote(log.checkpoint())
    expect(openNote(note, [noteVerifier(log.name, key, checkpointKeyId)]).text).toBe(log.checkpointText())
    expect(() => openNote(note, [noteVerifier(log.name, key)])).toThrow(SIGNATURE)
  })

  it('has no plain note signature for ML-DSA (SIGNATURE_ALGORITHM)', () => {
    const { publicKey } = newTestKey('ml-dsa-44')
    const wanted: unknown = expect.objectContaining({ code: 'SIGNATURE_ALGORITHM' })
    expect(() => noteVerifier('a.test', publicKey)).toThrow(wanted)
    expect(() => noteVerifier('a.test', publicKey, '00000000')).toThrow(wanted)
  })
})

describe('a changed note', () => {
  it.each(['ed25519', 'ecdsa-p256'] satisfies TestKeyType[])(
    'never opens, whichever byte changes (%s)',
    (keyType) => {
      const log = new TestLog({ keyType, name: 'a.test' })
      log.append('entry')
      const verifier = noteVerifier(log.name, log.authority.key)
      const note = Buffer.from(log.checkpoint())
      openNote(parseNote(note), [verifier])
      for (let i = 0; i < note.length; i++) {
        for (const bit of [0x01, 0x20, 0x80]) {
          const changed = Buffer.from(note)
          changed[i] = (changed[i] ?? 0) ^ bit
          expect(() => openNote(parseNote(changed), [verifier])).toThrow(
            expect.objectContaining({
              code: expect.stringMatching(/^(?:MALFORMED_NOTE|LOG_CHECKPOINT_SIGNATURE)$/) as unknown,
            }),
          )
        }
        expect(() => openNote(parseNote(note.subarray(0, i)), [verifier])).toThrow(
          expect.objectContaining({ code: 'MALFORMED_NOTE' }),
        )
      }
    },
  )
})

describe('published vectors', () => {
  const cases = vectorCases('checkpoint').filter((c) => typeof c.inputs['vkey'] === 'string')

  it.each(cases.map((c) => [c.id, c] as const))('%s opens with its key and with no other', (_, vector) => {
    const [file] = vector.files
    const note = parseNote(readVector(file ?? ''))
    const verifier = vkeyVerifier(parseVkey(String(vector.inputs['vkey'])))
    expect(openNote(note, [verifier]).verified).toEqual([verifier])
    const stranger = noteVerifier(verifier.name, newTestKey('ed25519').publicKey, verifier.keyId)
    expect(() => openNote(note, [stranger])).toThrow(SIGNATURE)
  })

  it('hold notes of one log and of the specification', () => {
    expect(cases.every((c) => c.expected.result === 'pass')).toBe(true)
  })
})
