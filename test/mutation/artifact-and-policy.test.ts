import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { contentOfDigest, type ArtifactContent } from '../../trust/content.ts'
import { EvidenceCache } from '../../trust/evidence-cache.ts'
import { parsePublicKeyPem } from '../../trust/keys.ts'
import { pattern } from '../../trust/pattern.ts'
import {
  allOf,
  anyOf,
  exactly,
  identity,
  managedKey,
  nobody,
  policy,
  type Requirement,
} from '../../trust/policy.ts'
import type { Verdict } from '../../trust/verdict.ts'
import {
  bundleVectors,
  contentOf,
  judgeTrial,
  trialOf,
  type BundleVector,
} from '../support/bundle-vectors.ts'

/** The bundle stays as it is; the artifact is another one, or the policy names somebody else. */
const vectors = (await bundleVectors()).filter(({ expected }) => expected === 'pass')
const passing = vectors.map((vector) => [vector.id, vector] as const)
const withArtifact = passing.filter(([, { artifact }]) => artifact !== undefined)
const certified = passing.filter(([, { signer }]) => signer.kind === 'identity')
const keyed = passing.filter(([, { signer }]) => signer.kind === 'keys')

function codesOf(verdict: Verdict): readonly string[] {
  return verdict.outcome === 'verified' ? ['verified'] : verdict.failures.map(({ code }) => code)
}

function contentJudge(vector: BundleVector): (content: ArtifactContent) => readonly string[] {
  const trial = trialOf(vector)
  return (content) => codesOf(judgeTrial({ ...trial, content }))
}

/** What says that the bundle is about something else. */
const OTHER_ARTIFACT: readonly string[] = ['ARTIFACT_DIGEST', 'SUBJECT_NOT_FOUND', 'STATEMENT_PAYLOAD_TYPE']

function changedArtifacts(bytes: Buffer): readonly Buffer[] {
  const flip = (at: number, bit: number): Buffer => {
    const copy = Buffer.from(bytes)
    copy[at] = (copy[at] ?? 0) ^ bit
    return copy
  }
  const everywhere = bytes.length > 256 ? [0, 1, bytes.length >> 1, bytes.length - 1] : [...bytes.keys()]
  return [
    ...everywhere.map((at) => flip(at, 1 << (at % 8))),
    Buffer.alloc(0),
    bytes.subarray(1),
    bytes.subarray(0, -1),
    bytes.subarray(0, bytes.length >> 1),
    Buffer.concat([bytes, Buffer.of(0)]),
    Buffer.concat([bytes, Buffer.from('\n')]),
    Buffer.concat([Buffer.from('\ufeff'), bytes]),
    Buffer.concat([bytes, bytes]),
  ]
}

describe('another artifact', () => {
  it('is tried wherever there are vectors', () => {
    expect(withArtifact.length > 20).toBe(vectors.length > 0)
  })

  it.each(withArtifact)(
    '%s: flipped, cut or lengthened, it is not the one that was signed',
    async (_, vector) => {
      const judged = contentJudge(vector)
      for (const changed of changedArtifacts(vector.artifact ?? Buffer.alloc(0))) {
        const codes = judged(await contentOf(changed))
        expect(OTHER_ARTIFACT).toEqual(expect.arrayContaining([...codes]))
        expect(codes).not.toEqual([])
      }
    },
  )

  it.each(passing)('%s: every byte of its digest counts', async (_, vector) => {
    const judged = contentJudge(vector)
    const { digests } = vector.content
    expect(judged(await contentOfDigest(digests))).toEqual(['verified'])
    for (let at = 0; at < 64; at++) {
      const changed = [...digests].map(([algorithm, bytes]) => {
        const copy = Buffer.from(bytes)
        copy[at % copy.length] = (copy[at % copy.length] ?? 0) ^ (1 << (at % 8))
        return [algorithm, copy] as const
      })
      const codes = judged(await contentOfDigest(new Map(changed)))
      expect(OTHER_ARTIFACT).toEqual(expect.arrayContaining([...codes]))
    }
  })

  it.each(passing)('%s: no digest, a cut one or one under another name is none', async (_, vector) => {
    const judged = contentJudge(vector)
    const { digests } = vector.content
    const cut = [...digests].map(([algorithm, bytes]) => [algorithm, bytes.subarray(0, 16)] as const)
    const empty = [...digests].map(([algorithm]) => [algorithm, new Uint8Array()] as const)
    const sha256 = digests.get('sha256') ?? new Uint8Array(32)
    for (const given of [cut, empty, [], [['sha384', sha256] as const], [['sha512', sha256] as const]]) {
      expect(judged(await contentOfDigest(new Map(given)))).not.toContain('verified')
    }
  })
})

/** Everything that looks like a text and is another one. */
function lookalikes(text: string): readonly string[] {
  const confusable: Readonly<Record<string, string>> = {
    a: '\u0430',
    e: '\u0435',
    o: '\u043e',
    i: '\u0456',
    '/': '\u2215',
  }
  const changed = [
    `${text}/`,
    `${text} `,
    ` ${text}`,
    `${text}\n`,
    `${text}\u0000`,
    `${text}\u0000.example`,
    `${text}?`,
    `${text}#`,
    `${text}x`,
    `x${text}`,
    text.slice(0, -1),
    text.slice(1),
    text.replace(/^https:/, 'http:'),
    text.replace(/^https:\/\//, ''),
    text.replace('://', '://user@'),
    text.replace(/@.*/, ''),
    text.toUpperCase(),
    text.replace(/[a-z]/, (c) => c.toUpperCase()),
    text.replace(/[a-z]/, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0)),
    text.replaceAll(/[a-z/]/g, (c) => confusable[c] ?? c),
    text.replace(/(.)$/, '\u200b$1'),
    text.replace(/(.)$/, '\u202e$1'),
    `${text}\u0301`,
    encodeURI(text).replace('.', '%2e'),
    text.replaceAll('.', '\\.'),
    `^${text}$`,
    '.*',
    '*',
    '%',
  ]
  return changed.filter((one) => one !== text && one !== '')
}

function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, (c) => `\\${c}`)
}

describe('another policy', () => {
  it('is tried wherever there are vectors', () => {
    expect([certified.length > 20, keyed.length > 5]).toEqual([vectors.length > 0, vectors.length > 0])
  })

  it.each(certified)('%s: a subject or issuer that only looks alike is another', (_, vector) => {
    const { signer } = vector
    if (signer.kind !== 'identity') throw new TypeError('chosen above')
    const trial = trialOf(vector)
    // evidence may be remembered, decisions are made anew
    const cache = new EvidenceCache()
    const verdictFor = (subject: string, issuer: string): readonly string[] => {
      const named = policy(identity({ subject: exactly(subject), issuer: exactly(issuer) }))
      return codesOf(judgeTrial({ ...trial, policy: named }, cache))
    }
    expect(verdictFor(signer.subject, signer.issuer)).toEqual(['verified'])
    for (const subject of lookalikes(signer.subject)) {
      expect([subject, verdictFor(subject, signer.issuer)]).toEqual([subject, ['IDENTITY_SUBJECT']])
    }
    for (const issuer of lookalikes(signer.issuer)) {
      expect([issuer, verdictFor(signer.subject, issuer)]).toEqual([issuer, ['IDENTITY_ISSUER']])
    }
    expect(verdictFor(signer.issuer, signer.subject)).toEqual(['IDENTITY_ISSUER'])
  })

  it.each(certified.slice(0, 4))('%s: each condition of a policy is asked', (_, vector) => {
    const { signer } = vector
    if (signer.kind !== 'identity') throw new TypeError('chosen above')
    const trial = trialOf(vector)
    const judged = (requirement: Requirement): readonly string[] =>
      codesOf(judgeTrial({ ...trial, policy: policy(requirement) }))
    const names = { subject: exactly(signer.subject), issuer: exactly(signer.issuer) }
    const right = identity(names)
    const wrong = identity({ ...names, subject: exactly('nobody@example.com') })
    expect(judged(anyOf([wrong, right]))).toEqual(['verified'])
    expect(judged(allOf([wrong, right]))).toEqual(['IDENTITY_SUBJECT'])
    expect(judged(allOf([anyOf([wrong]), right]))).toEqual(['IDENTITY_SUBJECT'])
    expect(judged(nobody())).toEqual([])
    expect(judged(identity({ ...names, subjectKind: 'otherName' }))).toEqual(['IDENTITY_SUBJECT'])
    expect(judged(identity({ ...names, domains: ['another'] }))).toEqual(['IDENTITY_DOMAIN'])
    expect(judged(identity({ ...names, predicateTypes: ['https://example.com/p'] }))).toEqual([
      'PREDICATE_TYPE',
    ])
    expect(judged(identity({ ...names, extensions: [['runnerEnvironment', exactly('my own')]] }))).toEqual([
      'IDENTITY_EXTENSION',
    ])
    expect(judged(identity({ ...names, subject: pattern(escapePattern(signer.subject)) }))).toEqual([
      'verified',
    ])
    for (const part of [signer.subject.slice(1), signer.subject.slice(0, -1), signer.subject.slice(1, -1)]) {
      const partly = identity({ ...names, subject: pattern(escapePattern(part)) })
      expect(judged(partly)).toEqual(['IDENTITY_SUBJECT'])
    }
  })

  it.each(certified)('%s: a certificate is no key', (_, vector) => {
    const key = managedKey(parsePublicKeyPem(newKey('P-256')))
    expect(codesOf(judgeTrial({ ...trialOf(vector), policy: policy(key) }))).toEqual(['IDENTITY_KIND'])
  })

  it.each(keyed)(
    '%s: another key, or the same under another name, is not the one that signed',
    (_, vector) => {
      const trial = trialOf(vector)
      for (const curve of ['P-256', 'P-384']) {
        for (const hint of [undefined, hintOf(vector)]) {
          const key = managedKey(parsePublicKeyPem(newKey(curve)), hint === undefined ? {} : { hint })
          const verdict = judgeTrial({ ...trial, policy: policy(key) })
          expect(codesOf(verdict)).toEqual([
            expect.stringMatching(/^(?:SIGNATURE_INVALID|SIGNATURE_ALGORITHM|IDENTITY_KEY)$/),
          ])
        }
      }
      const someone = identity({
        subject: exactly('someone@example.com'),
        issuer: exactly('https://issuer.example'),
      })
      const [code] = codesOf(judgeTrial({ ...trial, policy: policy(someone) }))
      // where not even the log tells the key, nothing can be said about who signed
      expect(['IDENTITY_KIND', 'IDENTITY_KEY']).toContain(code)
    },
  )
})

function hintOf({ bundle }: BundleVector): string {
  const { verificationMaterial } = JSON.parse(bundle.toString('utf8')) as {
    verificationMaterial: { publicKey: { hint: string } }
  }
  return verificationMaterial.publicKey.hint
}

function newKey(namedCurve: string): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve })
  return createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()
}
