import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { wasm } from '../../formats/wasm.ts'
import type { Artifact } from '../../trust/artifact.ts'
import { contentOfDigest, prepare, prepareForDigest, type FoundBundle } from '../../trust/content.ts'
import { digestOf, type DigestAlgorithm } from '../../trust/digest.ts'
import { artifactFromBytes } from '../../trust/given.ts'
import { nobody, policy, type Policy } from '../../trust/policy.ts'
import { judge, verify } from '../../trust/verify.ts'
import { memoryFile } from '../support/packages.ts'
import { newKey, type TestKey, type TestKeyType } from '../support/test-der.ts'
import {
  ARTIFACT,
  BreakableInstance,
  bytesOf,
  found,
  statementAbout,
  type SignRequest,
} from '../support/breakable-instance.ts'
import type { TestScheme } from '../support/test-signing.ts'
import { keyRequirement, summary, USUAL_SIGNER } from '../support/verdicts.ts'
import { buildNamedModule, customSection } from '../support/wasm-packages.ts'

const instance = new BreakableInstance()
const first = new BreakableInstance({ name: 'first.test', generation: 1 })
const domains = [instance.domain(), first.domain()]
const usual = policy(USUAL_SIGNER)
const MIB = 1024 * 1024

/** An artifact that comes in these pieces. */
function pieces(chunks: () => Iterable<Uint8Array>): Artifact {
  return {
    ...artifactFromBytes(new Uint8Array(0)),
    signedBytes: async function* () {
      yield* chunks()
    },
  }
}

async function judgedBytes(bytes: Uint8Array, request: SignRequest, asked: Policy = usual): Promise<string> {
  const bundle = found(instance.sign({ artifact: bytes, ...request }))
  return summary(await verify(artifactFromBytes(bytes), [bundle], domains, asked))
}

describe('an artifact', () => {
  it('is the same in one piece and in many, kept in memory or not', async () => {
    for (const size of [0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB]) {
      const bytes = Buffer.alloc(size, 'abcdefg')
      const bundle = found(instance.sign({ artifact: bytes }))
      const inPieces = pieces(function* () {
        for (let at = 0; at < bytes.length; at += 300_000) yield bytes.subarray(at, at + 300_000)
      })
      for (const artifact of [artifactFromBytes(bytes), inPieces]) {
        expect(summary(await verify(artifact, [bundle], domains, usual))).toBe('verified')
        const { content } = await prepare(artifact, [bundle], domains, usual)
        expect(content.bytes?.length).toBe(size <= MIB ? size : undefined)
        expect(content.digests.get('sha256')).toEqual(digestOf('sha256', bytes))
      }
    }
  })

  it('is what was read, also by a reader that uses one buffer again and again', async () => {
    for (const size of [10, MIB]) {
      const bytes = Buffer.from(Array.from({ length: size }, (_, i) => i % 251))
      const reused = Buffer.alloc(4096)
      const artifact = pieces(function* () {
        for (let at = 0; at < bytes.length; at += reused.length) {
          const length = bytes.copy(reused, 0, at, Math.min(at + reused.length, bytes.length))
          yield reused.subarray(0, length)
          reused.fill(0)
        }
      })
      const bundle = found(instance.sign({ artifact: bytes }))
      expect(summary(await verify(artifact, [bundle], domains, usual))).toBe('verified')
    }
  })

  it('is hashed with what its bundles speak of, and no more', async () => {
    const algorithms = async (...bundles: readonly unknown[]): Promise<readonly string[]> => {
      const { content } = await prepare(
        artifactFromBytes(ARTIFACT),
        bundles.map((bundle) => found(bundle)),
        domains,
        usual,
      )
      return [...content.digests.keys()]
    }
    expect(await algorithms()).toEqual(['sha256'])
    expect(await algorithms(instance.sign({ key: newKey('p384') }))).toEqual(['sha256', 'sha384'])
    const subject = [
      { name: 'a', digest: { sha512: Buffer.from(digestOf('sha512', ARTIFACT)).toString('hex') } },
    ]
    const npm = instance.sign({ statement: { ...statementAbout(ARTIFACT), subject } })
    expect(await algorithms(npm, {})).toEqual(['sha256', 'sha512'])
    expect(summary(await verify(artifactFromBytes(ARTIFACT), [found(npm)], domains, usual))).toBe('verified')
    const strange = instance.sign({ payload: Buffer.from('no statement') })
    expect(await algorithms(strange)).toEqual(['sha256'])
    expect(summary(await verify(artifactFromBytes(ARTIFACT), [found(strange)], domains, usual))).toBe(
      'rejected STATEMENT_MALFORMED',
    )
  })

  it('that cannot be read gives no verdict', async () => {
    const broken = pieces(function* () {
      yield Buffer.of(1)
      throw new Error('the disk is gone')
    })
    await expect(verify(broken, [], domains, usual)).rejects.toThrow('the disk is gone')
  })
})

const TYPES: readonly (readonly [TestKeyType, TestScheme | undefined])[] = [
  ['p256', undefined],
  ['p384', undefined],
  ['p521', undefined],
  ['rsa2048', undefined],
  ['rsa2048', { kind: 'rsa-pss', hash: 'sha256' }],
  ['ed25519', undefined],
  ['ed25519', { kind: 'ed25519' }],
  ['ml-dsa-44', undefined],
]

for (const [type, scheme] of TYPES) {
  const managed: TestKey = newKey(type)
  const by = policy(keyRequirement(managed))
  const tiles = type !== 'ml-dsa-44' && scheme === undefined
  const logs = tiles ? [instance, first] : [first]
  const needsBytes = type === 'ml-dsa-44' || scheme?.kind === 'ed25519'
  const request = { managed, ...(scheme === undefined ? {} : { scheme }) }

  describe(`a signature with ${type} ${scheme?.kind ?? ''}`, () => {
    it('is verified over an artifact of any size, where its scheme can do that', async () => {
      for (const issuer of logs) {
        for (const artifact of [ARTIFACT, Buffer.alloc(MIB + 1)]) {
          const bundle = found(issuer.sign({ ...request, artifact }))
          const result = summary(await verify(artifactFromBytes(artifact), [bundle], domains, by))
          expect(result).toBe(
            needsBytes && artifact !== ARTIFACT ? 'rejected SIGNATURE_NEEDS_ARTIFACT' : 'verified',
          )
        }
      }
    })

    it('is verified over a statement, whatever the size of the artifact', async () => {
      const artifact = Buffer.alloc(MIB + 1)
      for (const issuer of logs) {
        const bundle = found(issuer.sign({ ...request, statement: statementAbout(artifact) }))
        expect(summary(await verify(artifactFromBytes(artifact), [bundle], domains, by))).toBe('verified')
      }
    })

    it('is verified over a digest, where its scheme can do that', async () => {
      const of = (['sha256', 'sha384', 'sha512'] as const).map((name): [DigestAlgorithm, Uint8Array] => [
        name,
        digestOf(name, ARTIFACT),
      ])
      const content = await contentOfDigest(new Map(of))
      for (const issuer of logs) {
        for (const about of [{}, { statement: statementAbout(ARTIFACT) }]) {
          const bundles = prepareForDigest([found(issuer.sign({ ...request, ...about }))], content)
          const verdict = judge(artifactFromBytes(new Uint8Array(0)), content, bundles, domains, by)
          expect(summary(verdict)).toBe(
            needsBytes && !('statement' in about) ? 'rejected SIGNATURE_NEEDS_ARTIFACT' : 'verified',
          )
        }
      }
    })
  })
}

describe('a certificate for Ed25519', () => {
  it('signs artifacts of any size', async () => {
    for (const bytes of [ARTIFACT, Buffer.alloc(MIB + 1)]) {
      expect(await judgedBytes(bytes, { key: newKey('ed25519') })).toBe('verified')
      expect(await judgedBytes(bytes, { key: newKey('ed25519') }, policy(nobody()))).toBe('signed-by-unknown')
    }
  })
})

describe('a bundle inside the package', () => {
  const module = buildNamedModule()
  const withSection = (bundle: unknown, of: Uint8Array = module): Buffer =>
    Buffer.concat([of, customSection('sigstore', bytesOf(bundle))])
  const judged = async (bytes: Uint8Array, beside: readonly FoundBundle[] = []): Promise<string> =>
    summary(await verify(await wasm.open(memoryFile('demo.wasm', bytes)), beside, domains, usual))

  it('covers the module without its own section', async () => {
    expect(await judged(withSection(instance.sign({ artifact: module })))).toBe('verified')
    const whole = withSection({})
    expect(await judged(withSection(instance.sign({ artifact: whole })))).toBe('rejected ARTIFACT_DIGEST')
  })

  it('does not cover what was added to the module', async () => {
    const bundle = instance.sign({ artifact: module })
    const more = buildNamedModule(customSection('more', 'code'))
    expect(await judged(withSection(bundle, more))).toBe('rejected ARTIFACT_DIGEST')
    const behind = Buffer.concat([withSection(bundle), customSection('more', 'code')])
    expect(await judged(behind)).toBe('rejected ARTIFACT_DIGEST')
  })

  it('may be a statement, or signed over a digest', async () => {
    expect(await judged(withSection(instance.sign({ statement: statementAbout(module) })))).toBe('verified')
    expect(await judged(withSection(instance.sign({ artifact: module, key: newKey('ed25519') })))).toBe(
      'verified',
    )
    const large = buildNamedModule(customSection('padding', Buffer.alloc(MIB)))
    expect(await judged(withSection(instance.sign({ artifact: large }), large))).toBe('verified')
  })

  it('stands beside one that covers the whole file', async () => {
    const file = withSection(instance.sign({ artifact: module }))
    expect(await judged(file, [found(instance.sign({ artifact: file }))])).toBe('verified')
    expect(await judged(file, [found(instance.sign({ artifact: module }))])).toBe('rejected ARTIFACT_DIGEST')
  })
})
