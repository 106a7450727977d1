import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { EXIT_CODES, type Engine, type VerifyRequest } from '../../daemon/api.ts'
import { connect } from '../../daemon/client.ts'
import { vectorCases, vectorPath } from '../support/vectors.ts'
import { EXPECTED } from './expected-codes.ts'
import { runProtocol, type ProtocolAnswer } from './protocol.ts'

const CLIENT = join(import.meta.dirname, 'client')
const FOLDER = 'bundle-verify'

/** Where a case says nothing else, this identity and issuer are asked for. */
const IDENTITY =
  'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main'
const ISSUER = 'https://token.actions.githubusercontent.com'

const engine = connect()
const MODES = ['path', 'digest'] as const

/** The folder with `bundle-verify` in it, as the suite sets its working directory. */
const assets = vectorCases('bundle-verify').length === 0 ? undefined : vectorPath('sigstore-conformance')
const names = assets === undefined ? [] : caseNames(assets)

function caseNames(folder: string): readonly string[] {
  return readdirSync(join(folder, FOLDER), { withFileTypes: true })
    .filter(
      (entry) => entry.isDirectory() && existsSync(join(folder, FOLDER, entry.name, 'bundle.sigstore.json')),
    )
    .map(({ name }) => name)
    .toSorted()
}

/** The arguments that the suite makes of a folder, paths relative to `assets`. */
function argumentsFor(folder: string, name: string, mode: (typeof MODES)[number]): readonly string[] {
  const has = (file: string): boolean => existsSync(join(folder, FOLDER, name, file))
  const path = (file: string): string => join(FOLDER, name, file)
  const text = (file: string, otherwise: string): string =>
    has(file) ? readFileSync(join(folder, path(file)), 'utf8').trim() : otherwise
  const artifact = has('artifact') ? path('artifact') : join(FOLDER, 'a.txt')
  const digest = createHash('sha256').update(readFileSync(join(folder, artifact)))
  const identity = ['--certificate-identity', text('identity', IDENTITY)]
  const issuer = ['--certificate-oidc-issuer', text('issuer', ISSUER)]
  return [
    'verify-bundle',
    '--bundle',
    path('bundle.sigstore.json'),
    ...(has('key.pub') ? ['--key', path('key.pub')] : [...identity, ...issuer]),
    ...(has('trusted_root.json') ? ['--trusted-root', path('trusted_root.json')] : []),
    mode === 'path' ? artifact : `sha256:${digest.digest('hex')}`,
  ]
}

/** The same arguments with absolute paths, for a process whose working directory is another. */
function absolute(folder: string, args: readonly string[]): readonly string[] {
  return args.map((argument) => (argument.startsWith(FOLDER) ? join(folder, argument) : argument))
}

/** The real executable, found by its `#!` line, under the Node that runs this test. */
function spawn(args: readonly string[], cwd: string): Promise<ProtocolAnswer> {
  const PATH = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`
  return new Promise((resolve, reject) => {
    execFile(
      CLIENT,
      args,
      { cwd, env: { ...process.env, PATH }, timeout: 15_000 },
      (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : error.code
        if (typeof exitCode === 'number') resolve({ exitCode, stdout, stderr })
        else reject(new Error(`the client did not run: ${error?.message}`, { cause: error }))
      },
    )
  })
}

function codesIn({ stderr }: ProtocolAnswer): readonly string[] {
  return stderr.split('\n').flatMap((line) => /^([A-Z][A-Z0-9_]+): /.exec(line)?.[1] ?? [])
}

function expectAnswer(name: string, answer: ProtocolAnswer): void {
  const expected = EXPECTED[name]
  if (expected === undefined) {
    throw new Error(`the case '${name}' is new: read what it is about and add its code to expected-codes.ts`)
  }
  if (expected === 'verified') {
    expect(answer).toEqual({ exitCode: 0, stdout: 'verified\n', stderr: '' })
    return
  }
  expect(codesIn(answer)).toEqual([expected])
  // what the caller gave cannot be used: there is no verdict on the bundle then
  const broken = expected.startsWith('MALFORMED_')
  expect(answer.exitCode).toBe(broken ? EXIT_CODES['no-verdict'] : EXIT_CODES.rejected)
}

describe('published conformance cases', () => {
  it.each(names.flatMap((name) => MODES.map((mode) => [name, mode] as const)))(
    '%s by %s',
    async (name, mode) => {
      const folder = assets ?? ''
      const args = absolute(folder, argumentsFor(folder, name, mode))
      expectAnswer(name, await runProtocol(args, () => engine))
    },
  )

  it('are listed with what their names call for', () => {
    const failing = Object.entries(EXPECTED).filter(([, expected]) => expected !== 'verified')
    expect([failing.length, Object.keys(EXPECTED).length]).toEqual([49, 70])
    for (const [name, expected] of Object.entries(EXPECTED)) {
      expect([name, name.endsWith('_fail')]).toEqual([name, expected !== 'verified'])
    }
  })
})

describe('the executable', () => {
  const REPRESENTATIVE = [
    'happy-path-v0.3',
    'rekor2-happy-path',
    'managed-key-happy-path',
    'bundle-malformed-json_fail',
    'wrong-material_fail',
    'rekor2-no-timestamp_fail',
  ]
  const spawned = REPRESENTATIVE.filter((name) => names.includes(name))

  it('may be executed', () => {
    expect(statSync(CLIENT).mode & 0o111).toBe(0o111)
  })

  it.each(spawned)('answers %s by path and by digest', async (name) => {
    const folder = assets ?? ''
    const answers = await Promise.all(MODES.map((mode) => spawn(argumentsFor(folder, name, mode), folder)))
    for (const answer of answers) expectAnswer(name, answer)
  })

  it('refuses to sign with exit code 2', async () => {
    const answer = await spawn(
      ['sign-bundle', '--identity-token', 'T', '--bundle', 'b.json', 'a.txt'],
      tmpdir(),
    )
    expect(answer.exitCode).toBe(2)
    expect(answer.stderr).toContain('signing is not part of this version')
  })
})

describe('the protocol', () => {
  const who = [
    '--certificate-identity',
    'a@example.com',
    '--certificate-oidc-issuer',
    'https://issuer.example',
  ]
  const digest = `sha256:${'a'.repeat(64)}`

  /** The request that the arguments become; nothing is verified. */
  async function requestOf(args: readonly string[]): Promise<VerifyRequest> {
    const requests: VerifyRequest[] = []
    const recorder: Engine = {
      ...(await engine),
      verify: (request) => {
        requests.push(request)
        return Promise.reject(new RangeError('enough'))
      },
    }
    await expect(runProtocol(args, () => Promise.resolve(recorder))).rejects.toThrow(RangeError)
    expect(requests).toHaveLength(1)
    return requests[0] as VerifyRequest
  }

  it('passes on what the arguments say', async () => {
    const args = ['verify-bundle', '--bundle', 'b.json', ...who, '--trusted-root', 'root.json', 'a.txt']
    expect(await requestOf(args)).toEqual({
      target: { kind: 'file', path: 'a.txt' },
      bundles: ['b.json'],
      policy: {
        kind: 'identity',
        subject: { kind: 'exact', value: 'a@example.com' },
        issuer: { kind: 'exact', value: 'https://issuer.example' },
      },
      trustedRoots: ['root.json'],
      package: undefined,
    })
    const keyed = ['verify-bundle', '--staging', '--bundle', 'b', '--key', 'k', '--trusted-root', 'r', digest]
    expect(await requestOf(keyed)).toMatchObject({
      target: { kind: 'digest', text: digest },
      policy: { kind: 'keys', paths: ['k'] },
    })
  })

  it.each([
    ['another algorithm', `sha512:${'a'.repeat(128)}`],
    ['another length', `sha256:${'a'.repeat(63)}`],
    ['another alphabet', `sha256:${'g'.repeat(64)}`],
    ['no algorithm', 'a'.repeat(64)],
  ])('takes a digest of %s for a path', async (_what, text) => {
    const { target } = await requestOf(['verify-bundle', '--bundle', 'b', ...who, text])
    expect(target).toEqual({ kind: 'file', path: text })
  })

  it('takes the digest that is the name of a file for that file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sigward-conformance-'))
    const before = process.cwd()
    try {
      process.chdir(folder)
      const args = ['verify-bundle', '--bundle', 'b', ...who, digest]
      expect((await requestOf(args)).target.kind).toBe('digest')
      writeFileSync(digest, '')
      expect((await requestOf(args)).target.kind).toBe('file')
    } finally {
      process.chdir(before)
      rmSync(folder, { recursive: true })
    }
  })

  it.each([
    ['no argument', []],
    ['an unknown command', ['verify']],
    ['no bundle', ['verify-bundle', ...who, 'a.txt']],
    ['no artifact', ['verify-bundle', '--bundle', 'b', ...who]],
    ['a flag in its place', ['verify-bundle', '--bundle', 'b', ...who, '--key']],
    ['two artifacts', ['verify-bundle', '--bundle', 'b', ...who, 'a.txt', 'b.txt']],
    ['an identity without issuer', ['verify-bundle', '--bundle', 'b', ...who.slice(0, 2), 'a.txt']],
    [
      'an empty identity',
      ['verify-bundle', '--bundle', 'b', '--certificate-identity', '', ...who.slice(2), 'a'],
    ],
    ['identity and key', ['verify-bundle', '--bundle', 'b', '--key', 'k', ...who, 'a.txt']],
    ['another order', ['verify-bundle', ...who, '--bundle', 'b', 'a.txt']],
    ['nobody named', ['verify-bundle', '--bundle', 'b', 'a.txt']],
    ['a root without value', ['verify-bundle', '--bundle', 'b', ...who, '--trusted-root']],
  ])('refuses %s', async (_what, args) => {
    const answer = await runProtocol(args, () => Promise.reject(new RangeError('not asked')))
    expect([answer.exitCode, codesIn(answer)]).toEqual([EXIT_CODES.usage, ['USAGE_ARGUMENT']])
  })

  it('says that no root of the staging instance is embedded', async () => {
    const answer = await runProtocol(
      ['verify-bundle', '--staging', '--bundle', 'b', ...who, 'a'],
      () => engine,
    )
    expect(answer).toEqual({
      exitCode: EXIT_CODES.usage,
      stdout: '',
      stderr:
        'USAGE_ARGUMENT: no trusted root of the staging instance is embedded\n' +
        'hint: name it with --trusted-root FILE\n',
    })
  })

  it('tells a file that is not there from a verdict', async () => {
    const answer = await runProtocol(
      ['verify-bundle', '--bundle', 'b', ...who, '/nowhere/a.txt'],
      () => engine,
    )
    expect([answer.exitCode, codesIn(answer)]).toEqual([EXIT_CODES['no-verdict'], ['STORE_NOT_FOUND']])
  })
})
