import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { bundleFromJson } from '../../trust/bundle.ts'
import { parseJsonText } from '../../trust/json.ts'
import { parseTrustedRoot } from '../../trust/trusted-root.ts'
import { entryJson, TestLog } from './test-log.ts'

const LIMITS = { size: 1 << 20, depth: 16, code: 'MALFORMED_JSON', what: 'text' } as const

describe('the log for tests', () => {
  it.each([
    [1, 'ecdsa-p256'],
    [1, 'ed25519'],
    [1, 'rsa'],
    [2, 'ed25519'],
    [2, 'ecdsa-p256'],
  ] as const)('of generation %i with %s is listed in a trusted root as it is', (generation, keyType) => {
    const { authority, ...log } = new TestLog({ generation, keyType, name: 'log.example.test' })
    const listed = new TestLog({ generation, keyType, name: log.name })
    const json = {
      mediaType: 'application/vnd.dev.sigstore.trustedroot.v0.2+json',
      tlogs: [listed.trustedRootJson()],
      certificateAuthorities: [],
      ctlogs: [],
      timestampAuthorities: [],
    }
    const { logs } = parseTrustedRoot(Buffer.from(JSON.stringify(json)))
    expect(logs).toHaveLength(1)
    expect(logs[0]).toMatchObject({
      logId: listed.authority.logId,
      checkpointKeyId: listed.authority.checkpointKeyId,
      names: ['log.example.test'],
      operator: listed.authority.operator,
      validFor: listed.authority.validFor,
    })
    expect(logs[0]?.key.spki).toEqual(listed.authority.key.spki)
    expect(authority.logId).not.toBe(listed.authority.logId)
  })

  it.each([1, 2] as const)('of generation %i has entries that stand in bundles as they are', (generation) => {
    const log = new TestLog({ generation })
    for (let i = 0; i < 5; i++) log.append(`{"entry":${i}}`)
    const entry = log.entry(3n)
    const json = {
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: {
        publicKey: { hint: 'key' },
        tlogEntries: [entryJson(entry)],
        timestampVerificationData: {},
      },
      messageSignature: {
        messageDigest: { algorithm: 'SHA2_256', digest: Buffer.alloc(32).toString('base64') },
        signature: Buffer.of(1).toString('base64'),
      },
    }
    const { entries } = bundleFromJson(parseJsonText(JSON.stringify(json), LIMITS))
    expect(JSON.parse(JSON.stringify(entries, plain))).toEqual(JSON.parse(JSON.stringify([entry], plain)))
  })
})

/** Bytes of every kind as hexadecimal, so that Buffers and arrays compare. */
function plain(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer') {
    return Buffer.from((value as unknown as { data: number[] }).data).toString('hex')
  }
  return value
}
