import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isClientTrustConfig, parseClientTrustConfig, parseTrustedRoot } from '../../trust/trusted-root.ts'
import { EKU, newAuthority, newTimestampLeaf } from '../support/test-certificates.ts'
import { newKey } from '../support/test-der.ts'
import { BreakableInstance, bytesOf } from '../support/breakable-instance.ts'

const instance = new BreakableInstance()
type Root = ReturnType<BreakableInstance['trustedRootJson']>
type Member = Record<string, unknown>
type Part = 'tlogs' | 'ctlogs' | 'certificateAuthorities' | 'timestampAuthorities'

const parsing = (change: (root: Root) => unknown, of = instance): (() => unknown) => {
  const json = of.trustedRootJson()
  change(json)
  return () => parseTrustedRoot(bytesOf(json))
}
const firstOf = (root: Root, part: Part): Member => root[part][0] ?? {}
const keyOf = (root: Root, part: 'tlogs' | 'ctlogs'): Member => firstOf(root, part)['publicKey'] as Member
const refusal = (where?: string): unknown =>
  expect.objectContaining({
    name: 'MalformedError',
    code: 'MALFORMED_TRUSTED_ROOT',
    ...(where === undefined ? {} : { where }),
  })
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const sha256 = (...parts: readonly Uint8Array[]): Buffer =>
  createHash('sha256').update(Buffer.concat(parts)).digest()

describe('a trusted root', () => {
  it('is read with all of its parts, and knows the digest of its bytes', () => {
    const bytes = bytesOf(instance.trustedRootJson())
    const root = parseTrustedRoot(bytes)
    expect(root).toMatchObject({
      digest: createHash('sha256').update(bytes).digest('hex'),
      logs: [
        { purpose: 'tlog', names: ['log0.own.test'], operator: 'log0.own.test', key: { type: 'ed25519' } },
      ],
      certificateLogs: [{ purpose: 'ctlog', key: { type: 'ecdsa-p256' } }],
      authorities: [
        {
          purpose: 'ca',
          name: 'ca.own.test',
          validFor: { start: new Date('2023-01-01T00:00:00Z'), end: undefined },
        },
      ],
      timestampAuthorities: [{ purpose: 'tsa', operator: 'tsa.own.test' }],
      notes: [],
    })
    expect(root.authorities[0]?.chain).toHaveLength(2)
    expect(root.timestampAuthorities[0]?.leaf).toBeDefined()
  })

  it('may leave parts out and hold fields that nobody here knows', () => {
    const json = { mediaType: instance.trustedRootJson()['mediaType'], futureThings: [1], tlogs: null }
    expect(parseTrustedRoot(bytesOf(json))).toMatchObject({ logs: [], authorities: [], notes: [] })
  })

  it('has one of three media types', () => {
    const prefix = 'application/vnd.dev.sigstore.trustedroot'
    for (const mediaType of [`${prefix}+json;version=0.1`, `${prefix}.v0.1+json`, `${prefix}.v0.2+json`]) {
      expect(parsing((root) => Object.assign(root, { mediaType }))()).toMatchObject({ notes: [] })
    }
    for (const mediaType of [
      '',
      `${prefix}+json;version=0.2`,
      `${prefix}.v0.3+json`,
      'application/json',
      `${prefix}.V0.1+json`,
    ]) {
      expect(parsing((root) => Object.assign(root, { mediaType }))).toThrow(refusal('$.mediaType'))
    }
    expect(parsing((root) => delete root['mediaType'])).toThrow(refusal('$.mediaType'))
  })

  it('is strict JSON of a bounded size, without keys that stand twice', () => {
    const text = JSON.stringify(instance.trustedRootJson())
    expect(() => parseTrustedRoot(Buffer.from(text.replace('{', '{"tlogs":[],')))).toThrow(refusal())
    expect(() => parseTrustedRoot(Buffer.from(text.slice(1)))).toThrow(refusal())
    expect(() => parseTrustedRoot(Buffer.from(text.padEnd(4 * 1024 * 1024 + 1)))).toThrow(refusal())
    expect(() => parseTrustedRoot(Buffer.from('[]'))).toThrow(refusal('$'))
    expect(
      parsing((root) =>
        Object.assign(root, { tlogs: Array.from({ length: 65 }, () => firstOf(root, 'tlogs')) }),
      ),
    ).toThrow(refusal('$.tlogs'))
  })

  it('may stand in a client trust config', () => {
    const mediaType = 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json'
    const config = { mediaType, trustedRoot: instance.trustedRootJson(), signingConfig: { anything: 1 } }
    expect(isClientTrustConfig(bytesOf(config))).toBe(true)
    expect(isClientTrustConfig(bytesOf(config.trustedRoot))).toBe(false)
    expect(parseClientTrustConfig(bytesOf(config)).logs).toHaveLength(1)
    expect(() => parseClientTrustConfig(bytesOf(config.trustedRoot))).toThrow(refusal('$.mediaType'))
    expect(() => parseClientTrustConfig(bytesOf({ mediaType }))).toThrow(refusal('$.trustedRoot'))
    expect(() => parseTrustedRoot(bytesOf(config))).toThrow(refusal('$.mediaType'))
  })
})

describe('a window', () => {
  const holders: readonly (readonly [string, (root: Root) => Member])[] = [
    ['$.tlogs[0].publicKey', (root) => keyOf(root, 'tlogs')],
    ['$.ctlogs[0].publicKey', (root) => keyOf(root, 'ctlogs')],
    ['$.certificateAuthorities[0]', (root) => firstOf(root, 'certificateAuthorities')],
    ['$.timestampAuthorities[0]', (root) => firstOf(root, 'timestampAuthorities')],
  ]
  for (const [path, holder] of holders) {
    it(`of ${path} has a start, and no end before it`, () => {
      const window = (validFor: unknown): (() => unknown) =>
        parsing((root) => Object.assign(holder(root), { validFor }))
      expect(window({})).toThrow(refusal(`${path}.validFor.start`))
      expect(window({ end: '2030-01-01T00:00:00Z' })).toThrow(refusal(`${path}.validFor.start`))
      expect(window({ start: null })).toThrow(refusal(`${path}.validFor.start`))
      expect(window({ start: 'yesterday' })).toThrow(refusal(`${path}.validFor.start`))
      expect(window({ start: '2026-01-01T00:00:01Z', end: '2026-01-01T00:00:00Z' })).toThrow(
        refusal(`${path}.validFor`),
      )
      expect(window([])).toThrow(refusal(`${path}.validFor`))
      expect(window({ start: '2026-01-01T00:00:00Z', end: '2026-01-01T00:00:00Z' })()).toMatchObject({
        notes: [],
      })
    })
  }

  it.each(['certificateAuthorities', 'timestampAuthorities'] as const)(
    'must stand with every one of %s',
    (part) => {
      const without = parsing((root) => delete firstOf(root, part)['validFor'])
      expect(without).toThrow(refusal(`$.${part}[0].validFor`))
    },
  )

  it('that is absent with the key of a log is open', () => {
    const root = parsing((json) => delete keyOf(json, 'tlogs')['validFor'])()
    expect(root).toMatchObject({ logs: [{ validFor: { start: new Date(0), end: undefined } }] })
  })
})

describe('a log ID', () => {
  const withId = (part: 'tlogs' | 'ctlogs', keyId: string): (() => unknown) =>
    parsing((root) => Object.assign(firstOf(root, part), { logId: { keyId } }))

  it('belongs to the key', () => {
    for (const part of ['tlogs', 'ctlogs'] as const) {
      expect(withId(part, base64(Buffer.alloc(32)))).toThrow(refusal(`$.${part}[0].logId.keyId`))
      expect(withId(part, base64(sha256(newKey().spki)))).toThrow(refusal(`$.${part}[0].logId.keyId`))
      expect(withId(part, '')).toThrow(refusal(`$.${part}[0].logId.keyId`))
    }
    const right = Buffer.from(instance.logs[0]?.authority.logId ?? '', 'hex')
    expect(withId('tlogs', base64(right.subarray(0, 4)))).toThrow(refusal('$.tlogs[0].logId.keyId'))
  })

  it('is the digest of the key, or the hash of a note key of that name and type', () => {
    for (const keyType of ['ed25519', 'rsa', 'ecdsa-p256', 'ecdsa-p384'] as const) {
      const of = new BreakableInstance({ logs: [{ keyType, name: 'log.own.test' }] })
      const key = of.logs[0]?.authority.key.spki ?? new Uint8Array(0)
      const named = (name: string, type: number, bytes: Uint8Array): string =>
        base64(sha256(Buffer.from(`${name}\n`), Buffer.of(type), bytes))
      const rsa = Buffer.concat([Buffer.from('PKIX-RSA-PKCS#1v1.5'), key])
      const withKeyId = (keyId: string): (() => unknown) =>
        parsing((root) => Object.assign(firstOf(root, 'tlogs'), { logId: { keyId } }), of)
      expect(withKeyId(base64(sha256(key)))()).toMatchObject({ notes: [] })
      const noteHash: readonly [number, Uint8Array] =
        keyType === 'ed25519' ? [1, key.subarray(-32)] : [0xff, rsa]
      const own = withKeyId(named('log.own.test', ...noteHash))
      if (keyType.startsWith('ecdsa')) expect(own).toThrow(refusal())
      else expect(own()).toMatchObject({ notes: [] })
      expect(withKeyId(named('other.own.test', ...noteHash))).toThrow(refusal())
    }
  })

  it('gives the key ID of checkpoints, unless the root names another', () => {
    const plain = parsing((root) => delete firstOf(root, 'tlogs')['checkpointKeyId'])()
    expect(plain).toMatchObject({
      logs: [{ checkpointKeyId: instance.logs[0]?.authority.logId.slice(0, 8) }],
    })
    const other = parsing((root) =>
      Object.assign(firstOf(root, 'tlogs'), { checkpointKeyId: { keyId: 'AQIDBA==' } }),
    )()
    expect(other).toMatchObject({ logs: [{ checkpointKeyId: '01020304' }] })
  })
})

describe('a key', () => {
  it('of an algorithm that nobody here verifies is set aside, with a note', () => {
    const details = parsing((root) => (keyOf(root, 'tlogs')['keyDetails'] = 'PKIX_ECDSA_P256_SHA3_256'))()
    expect(details).toMatchObject({
      logs: [],
      certificateLogs: [{}],
      notes: ['$.tlogs[0] is not used: key algorithm PKIX_ECDSA_P256_SHA3_256 is not supported'],
    })
    const hash = parsing((root) => (firstOf(root, 'ctlogs')['hashAlgorithm'] = 'SHA2_512'))()
    expect(hash).toMatchObject({
      logs: [{}],
      certificateLogs: [],
      notes: ['$.ctlogs[0] is not used: $.ctlogs[0].hashAlgorithm is SHA2_512, only SHA2_256 is known'],
    })
  })

  it('that is damaged is an error', () => {
    expect(parsing((root) => (keyOf(root, 'tlogs')['rawBytes'] = 'AAAA'))).toThrow(refusal('$.tlogs[0]'))
    expect(parsing((root) => (keyOf(root, 'tlogs')['rawBytes'] = 'A'))).toThrow(
      refusal('$.tlogs[0].publicKey.rawBytes'),
    )
    expect(parsing((root) => delete firstOf(root, 'tlogs')['publicKey'])).toThrow(
      refusal('$.tlogs[0].publicKey'),
    )
    expect(parsing((root) => delete firstOf(root, 'tlogs')['hashAlgorithm'])).toThrow(
      refusal('$.tlogs[0].hashAlgorithm'),
    )
    expect(parsing((root) => delete firstOf(root, 'tlogs')['baseUrl'])).toThrow(refusal('$.tlogs[0].baseUrl'))
  })
})

describe('an operator', () => {
  const operators = (url: string, operator?: string): unknown => {
    const root = parsing((json) => {
      const log = firstOf(json, 'ctlogs')
      Object.assign(log, { baseUrl: url, operator })
      if (operator === undefined) delete log['operator']
    })()
    return (root as { certificateLogs: readonly { operator: string }[] }).certificateLogs[0]?.operator
  }

  it('is who the root says, else the last two labels of the host', () => {
    expect(operators('https://ct.acme.example/2024', 'Acme')).toBe('Acme')
    for (const url of [
      'https://ct.acme.example/2024',
      'http://CT2.acme.example:8080',
      'acme.example',
      'https://acme.example?x=y',
    ]) {
      expect(operators(url)).toBe('acme.example')
    }
    expect(operators('https://127.0.0.1:3000/ct')).toBe('127.0.0.1')
    expect(operators('https://ct.acme.example', '')).toBe('acme.example')
  })
})

describe('an authority', () => {
  const certificates = (part: Part, chain: readonly Uint8Array[]): (() => unknown) =>
    parsing((root) => {
      firstOf(root, part)['certChain'] = { certificates: chain.map((der) => ({ rawBytes: base64(der) })) }
    })

  it('has a chain of certificates that can be read and that belong together', () => {
    const root = newAuthority({ name: 'one' })
    const stranger = newAuthority({ name: 'two' })
    for (const part of ['certificateAuthorities', 'timestampAuthorities'] as const) {
      expect(certificates(part, [])).toThrow(refusal(`$.${part}[0].certChain`))
      expect(certificates(part, [Buffer.of(1, 2, 3)])).toThrow(refusal(`$.${part}[0]`))
      expect(
        certificates(
          part,
          Array.from({ length: 11 }, () => root.certificate),
        ),
      ).toThrow(refusal())
      expect(parsing((json) => delete firstOf(json, part)['certChain'])).toThrow(
        refusal(`$.${part}[0].certChain`),
      )
    }
    expect(certificates('certificateAuthorities', [root.certificate, stranger.certificate])).toThrow(
      refusal(),
    )
    expect(certificates('certificateAuthorities', [newTimestampLeaf(root).certificate])).toThrow(refusal())
    const tsa = newAuthority({ name: 'three', purposes: [EKU.timeStamping] })
    expect(certificates('certificateAuthorities', [tsa.certificate])).toThrow(refusal())
    expect(certificates('certificateAuthorities', [root.certificate])()).toMatchObject({ notes: [] })
  })

  it('for timestamps needs an anchor above its signing certificate, and may leave that one out', () => {
    const { ca, leaf } = instance.timestamps[0] ?? {}
    if (ca === undefined || leaf === undefined) throw new Error('the instance has an authority')
    expect(certificates('timestampAuthorities', [leaf.certificate])).toThrow(
      refusal('$.timestampAuthorities[0]'),
    )
    expect(certificates('timestampAuthorities', ca.chain)()).toMatchObject({
      timestampAuthorities: [{ leaf: undefined }],
    })
  })

  it('is called by its subject, else by its address', () => {
    const name = (subject: unknown): unknown =>
      (
        parsing((root) => (firstOf(root, 'certificateAuthorities')['subject'] = subject))() as {
          authorities: readonly { name: string }[]
        }
      ).authorities[0]?.name
    expect(name({ commonName: 'ca', organization: 'Acme' })).toBe('ca, Acme')
    expect(name({ organization: 'Acme' })).toBe('Acme')
    expect(name(null)).toBe('https://ca.own.test')
  })
})
