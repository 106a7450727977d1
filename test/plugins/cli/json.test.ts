import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { bundle, evidence, failure, keyEvidence, other, runCli, verified } from '../../support/cli.ts'
import type { VerifyReply } from '../../../daemon/api.ts'

const file = import.meta.filename

async function answer(verify: () => VerifyReply): Promise<unknown> {
  const { stdout } = await runCli(['verify', file, '--json'], { verify })
  return JSON.parse(stdout)
}

const proven = {
  domain: 'public-good',
  signer: {
    kind: 'certificate',
    identity: 'https://git.example/acme/widget/.ci/release.yml@refs/tags/v1.2.3',
    identityKind: 'uri',
    issuer: 'https://issuer.example',
    extensions: {
      issuer: 'https://issuer.example',
      sourceRepositoryURI: 'https://git.example/acme/widget',
      sourceRepositoryDigest: 'c0ffee',
    },
    authority: 'example authority',
    notBefore: '2026-11-01T10:00:00.000Z',
    notAfter: '2026-11-01T10:10:00.000Z',
    certificate: 'MAA=',
  },
  algorithm: 'ecdsa-p256 sha256',
  digest: `sha256:${'ab'.repeat(32)}`,
  statement: null,
  times: [
    {
      at: '2026-11-01T10:00:05.000Z',
      source: 'timestamp',
      authority: 'example time',
      operator: 'time.example',
    },
  ],
  entries: [
    {
      log: 'log.example',
      operator: 'log.example',
      kind: 'hashedrekord 0.0.2',
      logIndex: '9007199254740993',
      proof: { treeSize: '9007199254740999', origin: 'log.example', witnesses: ['witness.example'] },
      promised: false,
    },
  ],
  certificateLogs: [{ log: 'ct.example', operator: 'ct.example', at: '2026-11-01T10:00:01.000Z' }],
  checks: [
    { check: 'signature', saw: 'ecdsa-p256 sha256 over the message' },
    { check: 'log', saw: 'log.example index 9007199254740993' },
  ],
}

const facts = {
  target: file,
  package: { format: 'npm-tarball', name: 'widget', version: '1.2.3', purl: 'pkg:npm/widget@1.2.3' },
  digests: { sha256: 'ab'.repeat(32) },
  trust: [
    {
      name: 'public-good',
      source: 'embedded seed',
      rootDigest: 'ef'.repeat(32),
      asOf: '2026-11-05T00:00:00.000Z',
    },
  ],
  nativeSignatures: [],
  notes: [],
}

describe('--json', () => {
  it('of what is verified: the signer at the top, and everything behind it', async () => {
    expect(await answer(() => verified(evidence()))).toEqual({
      ...facts,
      outcome: 'verified',
      exitCode: 0,
      signer: proven.signer,
      failures: [],
      bundles: [
        {
          where: 'widget.tgz.sigstore.json',
          digest: '12'.repeat(32),
          outcome: 'accepted',
          evidence: [{ accepted: true, ...proven }],
          checks: [],
          failures: [],
          notes: [],
        },
      ],
    })
  })

  it('has no signer at the top of anything else', async () => {
    const found = await answer(() =>
      other('signed-by-unknown', { bundles: [bundle({ evidence: [evidence()] })] }),
    )
    expect(found).toMatchObject({ outcome: 'signed-by-unknown', exitCode: 6, signer: null })
    expect(found).toMatchObject({
      bundles: [{ outcome: 'valid', evidence: [{ accepted: false, ...proven }] }],
    })
  })

  it('of failures: code, got, wanted, where, hint, and null for what is not there', async () => {
    const one = failure({ got: undefined, domain: undefined })
    const reports = [
      bundle({ outcome: 'rejected', failures: [one], checks: [{ check: 'log', saw: 'a log' }] }),
    ]
    const wanted = {
      check: 'subject',
      domain: null,
      code: 'SUBJECT_NOT_FOUND',
      message: 'no subject of the statement has the digest of this file',
      got: null,
      wanted: 'sha256:abab',
      where: '$.subject',
      hint: 'this statement is about other files; get the attestation of this very file',
    }
    expect(await answer(() => other('rejected', { failures: [one], bundles: reports }))).toMatchObject({
      outcome: 'rejected',
      exitCode: 1,
      failures: [wanted],
      bundles: [{ failures: [wanted], checks: [{ check: 'log', saw: 'a log' }], evidence: [] }],
    })
  })

  it('of keys and statements', async () => {
    const statement = {
      type: 'https://in-toto.io/Statement/v1',
      subjects: [{ name: 'a', digests: new Map([['sha256', 'ab']]) }],
      predicateType: 'https://slsa.dev/provenance/v1',
      predicate: null,
    } as const
    const found = await answer(() => verified({ ...keyEvidence('domain'), statement, subjectIndex: 0 }))
    expect(found).toMatchObject({
      signer: {
        kind: 'key',
        keyId: 'cd'.repeat(32),
        namedBy: 'domain',
        owner: 'registry.example',
        hint: 'release key',
      },
      bundles: [
        {
          evidence: [
            { statement: { predicateType: 'https://slsa.dev/provenance/v1', subjects: 1, subject: 0 } },
          ],
        },
      ],
    })
  })

  it('every field has a line in docs/json.md', async () => {
    const docs = readFileSync(new URL('../../../docs/json.md', import.meta.url), 'utf8')
    const names = new Set<string>()
    const collect = (value: unknown, depth = 0): void => {
      if (Array.isArray(value)) for (const item of value) collect(item, depth)
      else if (typeof value === 'object' && value !== null) {
        for (const [name, item] of Object.entries(value)) {
          // whose names come from the certificate, and from the list of digests
          if (!['extensions', 'digests'].includes(name)) collect(item, depth + 1)
          names.add(name)
        }
      }
    }
    const native = { scheme: 's', keyId: 'k', covers: 'c', state: 'holds', remark: 'r' } as const
    collect(await answer(() => ({ ...verified(evidence()), nativeSignatures: [native] })))
    collect(await answer(() => other('rejected', { failures: [failure()] })))
    const { stdout } = await runCli(['verify', 'no-such-file', '--json'])
    collect(JSON.parse(stdout))
    expect([...names].filter((name) => !docs.includes(`\`${name}\``))).toEqual([])
  })
})
