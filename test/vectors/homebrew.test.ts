import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { embeddedDomain } from '../../daemon/trust-store.ts'
import { bottle } from '../../formats/bottle.ts'
import type { Artifact } from '../../trust/artifact.ts'
import { decide } from '../../trust/decide.ts'
import { digestOf } from '../../trust/digest.ts'
import { encodeHex } from '../../trust/encoding.ts'
import type { Evidence } from '../../trust/evidence.ts'
import { pattern } from '../../trust/pattern.ts'
import { anyOf, exactly, identity, policy, type Requirement } from '../../trust/policy.ts'
import type { Verdict } from '../../trust/verdict.ts'
import { bottlePackage, memoryFile } from '../support/packages.ts'
import { claimedCases, HOMEBREW } from '../support/vector-coverage.ts'
import { readVector, vectorInput } from '../support/vectors.ts'

/** A row of Homebrew's own policy: a statement that was verified, and whether Homebrew takes it for the bottle. */
interface Row {
  readonly case: string
  readonly expect: 'pass' | 'fail'
  readonly timestamp?: string
  readonly subject?: readonly string[]
  readonly bottle?: string
  readonly bottleUrl?: string
  readonly repo?: string
}

const ISSUER = 'https://token.actions.githubusercontent.com'
const FILE = 'fakebottle--1.0.faketag.bottle.tar.gz'
const cases = claimedCases(HOMEBREW, 'homebrew')
const rows = cases.flatMap(
  (vector) => JSON.parse(readVector(vectorInput(vector, 'table')).toString()) as Row[],
)
const [core = '', backfill = ''] = cases.flatMap((vector) => [
  vectorInput(vector, 'core'),
  vectorInput(vector, 'backfill'),
])

function filenameOf(row: Row): string {
  if (row.case.includes(':all')) return FILE.replace('faketag', 'all')
  return row.bottle ?? basename(row.bottleUrl ?? FILE)
}

/** Names in the table that stand for others; back-filled statements have the digest of the address in front. */
function namesOf({ subject, bottleUrl = '' }: Row): readonly string[] {
  const address = createHash('sha256').update(bottleUrl).digest('hex')
  return (subject ?? [FILE]).map((name) =>
    name.replace('<sha256 of bottle url>', address).replace('<any>', FILE),
  )
}

const bytes = bottlePackage({ name: 'fakebottle', version: '1.0' })
const digest = { algorithm: 'sha256', bytes: digestOf('sha256', bytes) } as const

function openBottle(row: Row): Promise<Artifact> {
  return bottle.open(memoryFile(filenameOf(row), bytes))
}

function evidenceOf(row: Row, domain: string): Evidence {
  const repository = `https://github.com/${row.repo ?? core}`
  const digests = new Map([[digest.algorithm, encodeHex(digest.bytes)]])
  const [first = '', ...others] = namesOf(row)
  return {
    domain,
    signer: {
      kind: 'certificate',
      identity: {
        subject: { kind: 'uri', value: `${repository}/.github/workflows/publish.yml@refs/heads/main` },
        issuer: ISSUER,
        extensions: new Map([['sourceRepositoryURI', repository]]),
      },
      certificate: new Uint8Array(),
      authority: 'test',
      notBefore: new Date(0),
      notAfter: new Date(0),
    },
    algorithm: 'ecdsa-p256 sha256',
    digest,
    statement: {
      type: 'https://in-toto.io/Statement/v1',
      subjects: [{ name: first, digests }, ...others.map((name) => ({ name, digests }))],
      predicateType: 'https://slsa.dev/provenance/v1',
      predicate: null,
    },
    subjectIndex: 0,
    times: [],
    entries: [],
    certificateLogs: [],
    checks: [],
  }
}

async function judge(row: Row, requirement: Requirement): Promise<Verdict> {
  const domain = await embeddedDomain()
  const evidence = [evidenceOf(row, domain.name)]
  const report = {
    where: 'test',
    digest: '',
    outcome: 'valid',
    evidence,
    checks: [],
    failures: [],
    notes: [],
  } as const
  const digests = new Map([[digest.algorithm, digest.bytes]])
  return decide(await openBottle(row), digests, [report], [domain], policy(requirement))
}

/** Any workflow of the repository, as Homebrew itself accepts it. */
function builtIn(repository: string): Requirement {
  const extensions = [['sourceRepositoryURI', exactly(`https://github.com/${repository}`)]] as const
  return identity({ subject: pattern('.*'), issuer: exactly(ISSUER), extensions })
}

describe.runIf(cases.length > 0)("Homebrew's own policy over verified statements", () => {
  const named = rows.filter(({ repo }) => repo !== backfill)

  it.each(named.map((row) => [row.case, row] as const))('%s', async (_, row) => {
    const { subject } = await openBottle(row)
    // none: a bottle for all systems was attested under the name of the one that built it
    const free = subject.statementNames.length === 0
    expect(free).toBe(row.case.includes(':all'))
    const fits = free || namesOf(row).some((name) => subject.statementNames.includes(name))
    expect(fits).toBe(row.expect === 'pass')
    if (fits) expect(await judge(row, builtIn(core))).toMatchObject({ outcome: 'verified' })
  })

  const filled = rows.filter(({ repo }) => repo === backfill)

  it.each(filled.map((row) => [row.case, row] as const))('%s', async (_, row) => {
    // whoever names only the core repository never takes what was filled in later
    expect(await judge(row, builtIn(core))).toMatchObject({
      outcome: 'rejected',
      failures: [{ code: 'IDENTITY_EXTENSION', wanted: `https://github.com/${core}` }],
    })
    const both = await judge(row, anyOf([builtIn(core), builtIn(backfill)]))
    if (row.expect === 'pass') expect(both.outcome).toBe('verified')
    const { subject } = await openBottle({ ...row, bottle: namesOf(row)[0] ?? '' })
    // the digest of the address stands in front of the name in download caches too
    expect(subject.statementNames).toContain(FILE)
  })

  it('has a row of each kind', () => {
    expect([named.length, filled.length]).toEqual([4, 2])
  })
})
