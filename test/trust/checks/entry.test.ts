import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { newLeaf } from '../../support/test-certificates.ts'
import { newKey, type TestKeyType } from '../../support/test-der.ts'
import {
  ARTIFACT,
  BreakableInstance,
  statementAbout,
  type SignRequest,
  type TestBundle,
} from '../../support/breakable-instance.ts'
import { pem, type TestScheme } from '../../support/test-signing.ts'
import { ask, changed, keyRequirement, outcomeOf } from '../../support/verdicts.ts'
import { policy } from '../../../trust/policy.ts'

/**
 * Every log here is honest: it holds, proves and signs exactly the body that the bundle carries. Only the comparison
 * of body and bundle can tell that something is wrong.
 */
const first = new BreakableInstance({ generation: 1, timestamps: [] })
const second = new BreakableInstance({ generation: 2 })
const statement = statementAbout(ARTIFACT)

type Member = Record<string, unknown>
const at = (body: Member, ...path: readonly (string | number)[]): Member =>
  path.reduce<Member>((value, name) => value[name] as Member, body)

const judged = (instance: BreakableInstance, bundle: TestBundle): Promise<string> =>
  outcomeOf({ bundles: [bundle], domains: [instance.domain()] })

/** Outcome for a bundle whose entry says something else. */
function logging(
  instance: BreakableInstance,
  request: SignRequest,
  change: (body: Member) => unknown,
): Promise<string> {
  const logged = (body: Member): unknown => {
    change(body)
    return body
  }
  return judged(instance, instance.sign({ ...request, logged }))
}

const otherSignature = Buffer.from('another signature').toString('base64')
const otherCertificate = (): string => {
  const { rawBytes } = first.sign().verificationMaterial['certificate'] as { rawBytes: string }
  return rawBytes
}
const otherPem = (): string => pem(Buffer.from(otherCertificate(), 'base64'), false)
const keyPem = (): string => pem(newKey().spki, true)
const hex = (length: number): string => 'ab'.repeat(length)

interface Kind {
  readonly name: string
  readonly instance: BreakableInstance
  readonly request: SignRequest
  /** What makes the entry speak about something else, with the code. */
  readonly lies: readonly (readonly [what: string, code: string, change: (body: Member) => unknown])[]
}

const KINDS: readonly Kind[] = [
  {
    name: 'hashedrekord 0.0.1',
    instance: first,
    request: {},
    lies: [
      ['another digest', 'ENTRY_DIGEST', (b) => (at(b, 'spec', 'data', 'hash')['value'] = hex(32))],
      ['another algorithm', 'ENTRY_DIGEST', (b) => (at(b, 'spec', 'data', 'hash')['algorithm'] = 'sha512')],
      ['a digest that is cut', 'ENTRY_DIGEST', (b) => (at(b, 'spec', 'data', 'hash')['value'] = '')],
      [
        'another signature',
        'ENTRY_SIGNATURE',
        (b) => (at(b, 'spec', 'signature')['content'] = otherSignature),
      ],
      [
        'another certificate',
        'ENTRY_VERIFIER',
        (b) => (at(b, 'spec', 'signature', 'publicKey')['content'] = otherPem()),
      ],
      ['a key', 'ENTRY_VERIFIER', (b) => (at(b, 'spec', 'signature', 'publicKey')['content'] = keyPem())],
      [
        'no PEM',
        'ENTRY_VERIFIER',
        (b) => (at(b, 'spec', 'signature', 'publicKey')['content'] = otherSignature),
      ],
      [
        'two certificates',
        'ENTRY_VERIFIER',
        (b) => {
          const key = at(b, 'spec', 'signature', 'publicKey')
          key['content'] = Buffer.concat([
            Buffer.from(String(key['content']), 'base64'),
            Buffer.from(otherPem(), 'base64'),
          ]).toString('base64')
        },
      ],
      ['no hash', 'ENTRY_MALFORMED', (b) => delete at(b, 'spec', 'data')['hash']],
      ['no spec', 'ENTRY_MALFORMED', (b) => delete b['spec']],
      ['no signature', 'ENTRY_MALFORMED', (b) => (at(b, 'spec', 'signature')['content'] = '')],
    ],
  },
  {
    name: 'dsse 0.0.1',
    instance: first,
    request: { statement },
    lies: [
      ['another payload', 'ENTRY_DIGEST', (b) => (at(b, 'spec', 'payloadHash')['value'] = hex(32))],
      ['another algorithm', 'ENTRY_DIGEST', (b) => (at(b, 'spec', 'payloadHash')['algorithm'] = 'sha1')],
      [
        'another signature',
        'ENTRY_SIGNATURE',
        (b) => (at(b, 'spec', 'signatures', 0)['signature'] = otherSignature),
      ],
      [
        'two signatures',
        'ENTRY_SIGNATURE',
        (b) =>
          (at(b, 'spec')['signatures'] = [at(b, 'spec', 'signatures', 0), at(b, 'spec', 'signatures', 0)]),
      ],
      ['no signature', 'ENTRY_SIGNATURE', (b) => (at(b, 'spec')['signatures'] = [])],
      [
        'another certificate',
        'ENTRY_VERIFIER',
        (b) => (at(b, 'spec', 'signatures', 0)['verifier'] = otherPem()),
      ],
      ['no payload hash', 'ENTRY_MALFORMED', (b) => delete at(b, 'spec')['payloadHash']],
    ],
  },
  {
    name: 'intoto 0.0.2',
    instance: first,
    request: { statement, kind: 'intoto' },
    lies: [
      [
        'another payload hash',
        'ENTRY_DIGEST',
        (b) => (at(b, 'spec', 'content', 'payloadHash')['value'] = hex(32)),
      ],
      [
        'another payload',
        'ENTRY_DIGEST',
        (b) => (at(b, 'spec', 'content', 'envelope')['payload'] = otherSignature),
      ],
      [
        'another payload type',
        'ENTRY_DIGEST',
        (b) => (at(b, 'spec', 'content', 'envelope')['payloadType'] = 'text/plain'),
      ],
      [
        'another signature',
        'ENTRY_SIGNATURE',
        (b) =>
          (at(b, 'spec', 'content', 'envelope', 'signatures', 0)['sig'] =
            Buffer.from(otherSignature).toString('base64')),
      ],
      [
        'a signature in base64 once',
        'ENTRY_SIGNATURE',
        (b) => (at(b, 'spec', 'content', 'envelope', 'signatures', 0)['sig'] = otherSignature),
      ],
      [
        'another certificate',
        'ENTRY_VERIFIER',
        (b) => (at(b, 'spec', 'content', 'envelope', 'signatures', 0)['publicKey'] = otherPem()),
      ],
      ['no signature', 'ENTRY_SIGNATURE', (b) => (at(b, 'spec', 'content', 'envelope')['signatures'] = [])],
      ['no envelope', 'ENTRY_MALFORMED', (b) => delete at(b, 'spec', 'content')['envelope']],
    ],
  },
  ...[{}, { statement }].map((request: SignRequest): Kind => ({
    name: `hashedrekord 0.0.2 of ${'statement' in request ? 'an envelope' : 'a message'}`,
    instance: second,
    request,
    lies: [
      [
        'another digest',
        'ENTRY_DIGEST',
        (b) => (at(b, 'spec', 'hashedRekordV002', 'data')['digest'] = otherSignature),
      ],
      [
        'another algorithm',
        'ENTRY_DIGEST',
        (b) => (at(b, 'spec', 'hashedRekordV002', 'data')['algorithm'] = 'SHA2_512'),
      ],
      [
        'another signature',
        'ENTRY_SIGNATURE',
        (b) => (at(b, 'spec', 'hashedRekordV002', 'signature')['content'] = otherSignature),
      ],
      [
        'another certificate',
        'ENTRY_VERIFIER',
        (b) =>
          (at(b, 'spec', 'hashedRekordV002', 'signature', 'verifier', 'x509Certificate')['rawBytes'] =
            otherCertificate()),
      ],
      [
        'other key details',
        'ENTRY_VERIFIER',
        (b) => (at(b, 'spec', 'hashedRekordV002', 'signature', 'verifier')['keyDetails'] = 'PKIX_ED25519_PH'),
      ],
      [
        'a key',
        'ENTRY_VERIFIER',
        (b) => {
          const verifier = at(b, 'spec', 'hashedRekordV002', 'signature', 'verifier')
          verifier['publicKey'] = verifier['x509Certificate']
          delete verifier['x509Certificate']
        },
      ],
      ['one field more', 'ENTRY_MALFORMED', (b) => (at(b, 'spec')['more'] = 1)],
      ['no data', 'ENTRY_MALFORMED', (b) => delete at(b, 'spec', 'hashedRekordV002')['data']],
    ],
  })),
]

for (const { name, instance, request, lies } of KINDS) {
  describe(`an entry of kind ${name}`, () => {
    it('holds when it is about the bundle', async () => {
      const verdict = await ask({ bundles: [instance.sign(request)], domains: [instance.domain()] })
      const kind = name.split(' ').slice(0, 2).join(' ')
      expect(verdict).toMatchObject({ outcome: 'verified', evidence: [{ entries: [{ kind }] }] })
    })

    for (const [what, code, change] of lies) {
      it(`is refused with ${what}`, async () => {
        expect(await logging(instance, request, change)).toBe(`rejected ${code}`)
      })
    }

    it('is refused when its body is of another kind than the bundle says', async () => {
      const bundle = changed(instance.sign(request), (copy) => {
        const entry = copy.verificationMaterial.tlogEntries[0] ?? {}
        const body = JSON.parse(
          Buffer.from(String(entry['canonicalizedBody']), 'base64').toString(),
        ) as Member
        body['apiVersion'] = '0.0.9'
        entry['canonicalizedBody'] = Buffer.from(JSON.stringify(body)).toString('base64')
      })
      expect(await judged(instance, bundle)).toBe('rejected ENTRY_KIND')
    })

    it('is refused when its body is no JSON', async () => {
      const bundle = changed(instance.sign(request), (copy) => {
        Object.assign(copy.verificationMaterial.tlogEntries[0] ?? {}, { canonicalizedBody: 'e30A' })
      })
      expect(await judged(instance, bundle)).toBe('rejected ENTRY_MALFORMED')
    })
  })
}

describe('an entry', () => {
  it('of a message cannot log an envelope, and the other way round', async () => {
    const message = first.sign()
    const envelope = first.sign({ statement })
    const swapped = (bundle: TestBundle, other: TestBundle): TestBundle =>
      changed(bundle, (copy) => {
        copy.verificationMaterial.tlogEntries = other.verificationMaterial.tlogEntries
      })
    expect(await judged(first, swapped(message, envelope))).toBe('rejected ENTRY_KIND')
    expect(await judged(first, swapped(envelope, message))).toBe('rejected ENTRY_KIND')
  })

  it('of another signature by the same key does not stand for this one', async () => {
    for (const instance of [first, second]) {
      const key = newKey()
      const bundle = changed(instance.sign({ key }), (copy) => {
        copy.verificationMaterial.tlogEntries = instance.sign({ key }).verificationMaterial.tlogEntries
      })
      expect(await judged(instance, bundle)).toBe('rejected ENTRY_SIGNATURE')
    }
  })

  it('of a log that nobody knows is passed over, whatever it says', async () => {
    const two = new BreakableInstance({ logs: [{ generation: 2 }, { generation: 2 }] })
    const liar = two.sign({ logged: (body) => ({ ...body, spec: {} }), logs: two.logs.slice(1) })
    const mixed = changed(two.sign({ logs: two.logs.slice(0, 1) }), (copy) => {
      copy.verificationMaterial.tlogEntries.push(...liar.verificationMaterial.tlogEntries)
    })
    const root = two.trustedRoot(({ tlogs }) => tlogs.pop())
    expect(await outcomeOf({ bundles: [mixed], domains: [two.domain({ root })] })).toBe('verified')
    expect(await judged(two, mixed)).toBe('rejected ENTRY_MALFORMED')
  })
})

describe('a managed key', () => {
  const types: readonly TestKeyType[] = ['p256', 'p384', 'p521', 'rsa2048', 'rsa3072', 'ed25519']
  for (const type of types) {
    it(`of type ${type} is logged in both generations`, async () => {
      const managed = newKey(type)
      for (const instance of [first, second]) {
        for (const request of [{ managed }, { managed, statement }]) {
          const question = { bundles: [instance.sign(request)], domains: [instance.domain()] }
          expect(await outcomeOf({ ...question, policy: policy(keyRequirement(managed)) })).toBe('verified')
        }
      }
    })
  }

  it('may have been logged under a certificate of that same key, in generation 1', async () => {
    const managed = newKey()
    const loggedAs = (verifier: string): Promise<string> => {
      const logged = (body: Member): Member => {
        at(body, 'spec', 'signature', 'publicKey')['content'] = verifier
        return body
      }
      const bundles = [first.sign({ managed, logged })]
      return outcomeOf({ bundles, domains: [first.domain()], policy: policy(keyRequirement(managed)) })
    }
    const { certificate } = newLeaf(first.ca, { key: managed })
    expect(await loggedAs(pem(certificate, false))).toBe('verified')
    expect(await loggedAs(pem(certificate, true))).toBe('rejected ENTRY_VERIFIER')
    expect(await loggedAs(otherPem())).toBe('rejected ENTRY_VERIFIER')
    expect(await loggedAs(pem(Buffer.of(1, 2, 3), false))).toBe('rejected MALFORMED_CERTIFICATE')
  })

  it('is refused where another key is logged', async () => {
    const managed = newKey()
    const change = (body: Member): Member => {
      const { signature } = body['spec'] as { signature: Member }
      signature['publicKey'] = { content: keyPem() }
      return body
    }
    const bundle = first.sign({ managed, logged: change })
    const asked = policy(keyRequirement(managed))
    expect(await outcomeOf({ bundles: [bundle], domains: [first.domain()], policy: asked })).toBe(
      'rejected ENTRY_VERIFIER',
    )
  })

  const outside: readonly (readonly [TestKeyType, TestScheme])[] = [
    ['p384', { kind: 'ecdsa', hash: 'sha256' }],
    ['p521', { kind: 'ecdsa', hash: 'sha256' }],
    ['rsa2048', { kind: 'rsa-pss', hash: 'sha256' }],
    ['ed25519', { kind: 'ed25519' }],
    ['ml-dsa-44', { kind: 'ml-dsa' }],
  ]
  for (const [type, scheme] of outside) {
    it(`of type ${type} with ${scheme.kind} is nothing that a tile log takes, though generation 1 does`, async () => {
      const managed = newKey(type)
      const asked = policy(keyRequirement(managed))
      const outcome = (instance: BreakableInstance): Promise<string> =>
        outcomeOf({
          bundles: [instance.sign({ managed, scheme })],
          domains: [instance.domain()],
          policy: asked,
        })
      expect(await outcome(first)).toBe('verified')
      expect(await outcome(second)).toBe('rejected ENTRY_KIND')
    })
  }
})
