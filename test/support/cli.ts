import type { Engine, Inspection, TrustReport, VerifyReply, VerifyRequest } from '../../daemon/api.ts'
import { dispatch } from '../../plugins/cli/dispatch.ts'
import type { Output } from '../../plugins/cli/terminal.ts'
import type { Evidence } from '../../trust/evidence.ts'
import type { BundleReport, Failure, OtherVerdict, VerifiedVerdict } from '../../trust/verdict.ts'

/** The command line without a process: an engine that answers what the test wants, and text in place of streams. */
export interface Session {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** What the engine was asked. */
  readonly asked: readonly VerifyRequest[]
}

export interface SessionOptions {
  readonly verify?: (request: VerifyRequest) => VerifyReply
  readonly inspection?: Inspection
  readonly trust?: TrustReport
  readonly terminal?: boolean
  readonly columns?: number
  readonly environment?: Readonly<Record<string, string>>
}

export const NOW = new Date('2026-11-20T12:00:00Z')

export async function runCli(args: readonly string[], options: SessionOptions = {}): Promise<Session> {
  const texts = { stdout: '', stderr: '' }
  const asked: VerifyRequest[] = []
  const output = (name: 'stdout' | 'stderr'): Output => ({
    isTerminal: options.terminal ?? false,
    columns: options.columns,
    write: (text) => {
      texts[name] += text
    },
  })
  const engine: Engine = {
    verify: (request) => {
      asked.push(request)
      // a throw becomes a rejection, as it would be with a real engine
      return Promise.resolve().then(() => (options.verify ?? unexpected)(request))
    },
    inspect: () => Promise.resolve(options.inspection ?? unexpected()),
    trust: () => Promise.resolve(options.trust ?? unexpected()),
  }
  const code = await dispatch(args, {
    engine: () => Promise.resolve(engine),
    stdout: output('stdout'),
    stderr: output('stderr'),
    environment: options.environment ?? {},
    now: () => NOW,
  })
  return { code, ...texts, asked }
}

function unexpected(): never {
  throw new Error('the test did not expect this to be asked')
}

export const IDENTITY = 'https://git.example/acme/widget/.ci/release.yml@refs/tags/v1.2.3'
export const ISSUER = 'https://issuer.example'

export function evidence(change: Partial<Evidence> = {}, identity = IDENTITY): Evidence {
  return {
    domain: 'public-good',
    signer: {
      kind: 'certificate',
      identity: {
        subject: { kind: 'uri', value: identity },
        issuer: ISSUER,
        extensions: new Map([
          ['issuer', ISSUER],
          ['sourceRepositoryURI', 'https://git.example/acme/widget'],
          ['sourceRepositoryDigest', 'c0ffee'],
        ]),
      },
      certificate: Uint8Array.of(0x30, 0),
      authority: 'example authority',
      notBefore: new Date('2026-11-01T10:00:00Z'),
      notAfter: new Date('2026-11-01T10:10:00Z'),
    },
    algorithm: 'ecdsa-p256 sha256',
    digest: { algorithm: 'sha256', bytes: new Uint8Array(32).fill(0xab) },
    statement: undefined,
    subjectIndex: undefined,
    times: [
      {
        at: new Date('2026-11-01T10:00:05Z'),
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
        logIndex: 9007199254740993n,
        proof: { treeSize: 9007199254740999n, origin: 'log.example', witnesses: ['witness.example'] },
        promised: false,
      },
    ],
    certificateLogs: [{ log: 'ct.example', operator: 'ct.example', at: new Date('2026-11-01T10:00:01Z') }],
    checks: [
      { check: 'signature', saw: 'ecdsa-p256 sha256 over the message' },
      { check: 'log', saw: 'log.example index 9007199254740993' },
    ],
    ...change,
  }
}

export function keyEvidence(namedBy: 'policy' | 'domain' | 'entry'): Evidence {
  const owner = namedBy === 'domain' ? 'registry.example' : undefined
  return evidence({
    signer: { kind: 'key', keyId: 'cd'.repeat(32), namedBy, owner, hint: 'release key' },
    certificateLogs: [],
  })
}

export function bundle(change: Partial<BundleReport> = {}): BundleReport {
  return {
    where: 'widget.tgz.sigstore.json',
    digest: '12'.repeat(32),
    outcome: 'valid',
    evidence: [],
    checks: [],
    failures: [],
    notes: [],
    ...change,
  }
}

export function failure(change: Partial<Failure> = {}): Failure {
  return {
    check: 'subject',
    code: 'SUBJECT_NOT_FOUND',
    message: 'no subject of the statement has the digest of this file',
    got: '1 subject with sha256',
    wanted: 'sha256:abab',
    where: '$.subject',
    remedy: 'this statement is about other files; get the attestation of this very file',
    domain: 'public-good',
    ...change,
  }
}

const FACTS = {
  subject: {
    format: 'npm-tarball',
    name: 'widget',
    version: '1.2.3',
    purl: 'pkg:npm/widget@1.2.3',
    digests: new Map([['sha256', new Uint8Array(32).fill(0xab)]] as const),
  },
  domains: [
    {
      name: 'public-good',
      source: 'embedded seed',
      rootDigest: 'ef'.repeat(32),
      asOf: new Date('2026-11-05T00:00:00Z'),
    },
  ],
  bundles: [],
}

export function reply(verdict: VerifyReply['verdict'], change: Partial<VerifyReply> = {}): VerifyReply {
  return { verdict, notes: [], nativeSignatures: [], ...change }
}

export function verified(...proven: readonly [Evidence, ...Evidence[]]): VerifyReply {
  const bundles = [bundle({ outcome: 'accepted', evidence: proven })]
  // the mark that only a verification gives: tests of reports have to forge it
  const artifact = {} as unknown as VerifiedVerdict['artifact']
  return reply({ ...FACTS, bundles, outcome: 'verified', artifact, evidence: proven })
}

export function other(outcome: OtherVerdict['outcome'], change: Partial<OtherVerdict> = {}): VerifyReply {
  return reply({ ...FACTS, outcome, failures: [], ...change })
}
