import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { VerifyRequest } from '../../../daemon/api.ts'
import { REMEDIES } from '../../../trust/codes.ts'
import { MalformedError, UsageError } from '../../../trust/errors.ts'
import {
  bundle,
  evidence,
  failure,
  IDENTITY,
  ISSUER,
  keyEvidence,
  other,
  reply,
  runCli,
  verified,
} from '../../support/cli.ts'

let folder: string
let home: string

beforeEach(() => {
  home = process.cwd()
  folder = mkdtempSync(join(tmpdir(), 'sigward-cli-'))
  process.chdir(folder)
  writeFileSync('widget.tgz', 'content')
})

afterEach(() => {
  process.chdir(home)
  rmSync(folder, { recursive: true })
})

const unknownSigner = () => other('signed-by-unknown', { bundles: [bundle({ evidence: [evidence()] })] })
const rejection = () => {
  const failures = [failure()]
  const checks = [{ check: 'signature', saw: 'ecdsa-p256 over the envelope' }] as const
  return other('rejected', { failures, bundles: [bundle({ outcome: 'rejected', failures, checks })] })
}

describe('what is said of one artifact, word for word', () => {
  it('verified: who, when, where, on whose word', async () => {
    const { code, stdout, stderr } = await runCli(['verify', 'widget.tgz', '--key', 'k'], {
      verify: () => verified(evidence()),
    })
    expect(stdout).toBe(`verified  widget.tgz
  package          pkg:npm/widget@1.2.3
  format           npm-tarball
  digest           sha256:${'ab'.repeat(32)}
  signer           ${IDENTITY}
  issuer           ${ISSUER}
  built from       https://git.example/acme/widget at c0ffee
  authority        example authority
  signed           2026-11-01T10:00:05.000Z, timestamp by example time
  log              log.example, index 9007199254740993, proven in a tree of 9007199254740999, witnessed by witness.example (hashedrekord 0.0.2)
  certificate log  ct.example, 2026-11-01T10:00:01.000Z
  algorithm        ecdsa-p256 sha256
  bundle           widget.tgz.sigstore.json
  trust            public-good: embedded seed, as of 2026-11-05, 15 days old, sha256:efefefefefefefef
`)
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })

  it('rejected: what was seen, what was wanted, what to do, and how far each bundle came', async () => {
    const { code, stdout } = await runCli(['verify', 'widget.tgz', '--key', 'k'], { verify: rejection })
    expect(stdout).toBe(`rejected  widget.tgz
  says it is  pkg:npm/widget@1.2.3
  format      npm-tarball
  digest      sha256:${'ab'.repeat(32)}
  asked       public-good: embedded seed, as of 2026-11-05, 15 days old, sha256:efefefefefefefef

  SUBJECT_NOT_FOUND: no subject of the statement has the digest of this file
    got     1 subject with sha256
    wanted  sha256:abab
    where   $.subject
  hint: this statement is about other files; get the attestation of this very file
  hint: sigward explain SUBJECT_NOT_FOUND

  bundle widget.tgz.sigstore.json: found false
    sha256            ${'12'.repeat(32)}
    passed signature  ecdsa-p256 over the envelope
    failed subject    SUBJECT_NOT_FOUND: no subject of the statement has the digest of this file
`)
    expect(code).toBe(1)
  })

  it('signed by unknown: who, and the exact command that would accept', async () => {
    const { code, stdout } = await runCli(['verify', 'widget.tgz'], { verify: unknownSigner })
    expect(stdout.split('\n')[0]).toBe('signed by unknown  widget.tgz')
    expect(stdout.split('\n\n')[1])
      .toBe(`  the signature holds, but nobody was named who may sign this, and anybody can sign anything
  hint: if this is who should sign it, accept that signer by name:
    sigward verify widget.tgz --identity ${IDENTITY} --issuer ${ISSUER}
`)
    expect(code).toBe(6)
  })

  it('unsigned', async () => {
    const { code, stdout } = await runCli(['verify', 'widget.tgz'], { verify: () => other('unsigned') })
    expect(stdout).toBe(`unsigned  widget.tgz
  says it is  pkg:npm/widget@1.2.3
  format      npm-tarball
  digest      sha256:${'ab'.repeat(32)}
  asked       public-good: embedded seed, as of 2026-11-05, 15 days old, sha256:efefefefefefefef
  no bundle was found beside the file or inside it
  hint: if there is a bundle elsewhere, name it with --bundle FILE
`)
    expect(code).toBe(5)
  })

  it('no verdict: the error, and never the word of an outcome', async () => {
    const { code, stdout } = await runCli(['verify', 'widget.tgz'], {
      verify: () => {
        throw new MalformedError('PACKAGE_TRUNCATED', 'the package ends too early', { got: '7 bytes' })
      },
    })
    expect(stdout).toBe(`no verdict  widget.tgz
  PACKAGE_TRUNCATED: the package ends too early
    got  7 bytes
  hint: get the package again; the end is missing
  hint: sigward explain PACKAGE_TRUNCATED
`)
    expect(code).toBe(3)
  })
})

describe('a time ahead of this machine', () => {
  const signedAt = (at: string): ReturnType<typeof evidence> =>
    evidence({
      times: [{ at: new Date(at), source: 'timestamp', authority: 'example time', operator: 'time.example' }],
    })
  const run = async (at: string): Promise<string> =>
    (await runCli(['verify', 'widget.tgz', '--key', 'k'], { verify: () => verified(signedAt(at)) })).stdout

  it('is pointed out, and changes no verdict', async () => {
    const text = await run('2026-11-20T12:06:00Z')
    expect(text).toMatch(/^verified  widget\.tgz$/m)
    expect(text).toContain(
      'warning          signed later than the clock of this machine says: 2026-11-20T12:00:00.000Z',
    )
  })

  it('is nothing to speak of within five minutes', async () => {
    expect(await run('2026-11-20T12:04:59Z')).not.toContain('warning')
  })
})

describe('the word "verified"', () => {
  const replies = {
    rejected: rejection,
    'signed by unknown': unknownSigner,
    unsigned: () => other('unsigned'),
  }

  it.each(Object.entries(replies))('is never said of %s, in any form of output', async (_, verify) => {
    for (const flags of [[], ['--explain'], ['--json'], ['--quiet']]) {
      const { stdout, stderr } = await runCli(['verify', 'widget.tgz', ...flags], { verify })
      expect(stdout).not.toBe('')
      expect(stdout + stderr).not.toMatch(/\bverified\b/i)
    }
  })

  it('stands in no remedy, because remedies are printed with every other outcome', () => {
    expect(Object.values(REMEDIES).filter((text) => /\bverified\b/i.test(text))).toEqual([])
  })

  it('is not taken from a package: what it says of itself never stands beside the outcome', async () => {
    const { verdict } = other('unsigned')
    const verify = () =>
      reply({ ...verdict, subject: { ...verdict.subject, purl: undefined, name: 'verified' } })
    const { stdout } = await runCli(['verify', 'widget.tgz'], { verify })
    expect(stdout.split('\n')[0]).toBe('unsigned  widget.tgz')
    expect(stdout).toContain('  says it is  verified 1.2.3\n')
  })
})

describe('who signed', () => {
  it.each([
    ['policy', 'the key that you named'],
    ['domain', 'a key of registry.example'],
    ['entry', 'a key that nobody named'],
  ] as const)('a key that the %s named', async (namedBy, words) => {
    const reports = [bundle({ evidence: [keyEvidence(namedBy)] })]
    const { stdout } = await runCli(['verify', 'widget.tgz'], {
      verify: () => other('signed-by-unknown', { bundles: reports }),
    })
    expect(stdout).toContain(
      `  signer      ${words}\n  key         sha256:${'cd'.repeat(32)}\n  key hint    release key\n`,
    )
    expect(stdout).toContain('    sigward verify widget.tgz --key FILE\n')
  })

  it('several signers, each with its command; equal ones once', async () => {
    const proven = [evidence(), evidence({}, 'dev@example.com'), evidence()]
    const { stdout } = await runCli(['verify', 'widget.tgz'], {
      verify: () => other('signed-by-unknown', { bundles: [bundle({ evidence: proven })] }),
    })
    expect(stdout.match(/^ {4}sigward verify .*$/gm)).toEqual([
      `    sigward verify widget.tgz --identity ${IDENTITY} --issuer ${ISSUER}`,
      `    sigward verify widget.tgz --identity dev@example.com --issuer ${ISSUER}`,
    ])
  })

  it('the command keeps what was said about roots, bundles and the package, and quotes for the shell', async () => {
    writeFileSync('-odd name.tgz', 'content')
    const hostile = "x'; rm -rf ~; echo '"
    const { stdout } = await runCli(
      [
        'verify',
        '--bundle',
        'a b.json',
        '--trusted-root',
        'r.json',
        '--package=pkg:npm/w@1',
        '--',
        '-odd name.tgz',
      ],
      {
        verify: () =>
          other('signed-by-unknown', { bundles: [bundle({ evidence: [evidence({}, hostile)] })] }),
      },
    )
    expect(stdout).toContain(
      `    sigward verify './-odd name.tgz' --identity 'x'\\''; rm -rf ~; echo '\\''' --issuer ${ISSUER}` +
        ` --bundle 'a b.json' --trusted-root r.json --package pkg:npm/w@1\n`,
    )
  })

  it('a name that begins with a dash is joined to its flag', async () => {
    const { stdout } = await runCli(['verify', 'widget.tgz'], {
      verify: () =>
        other('signed-by-unknown', { bundles: [bundle({ evidence: [evidence({}, '--key=evil')] })] }),
    })
    expect(stdout).toContain("    sigward verify widget.tgz '--identity=--key=evil' --issuer")
  })

  it('no command where a name cannot be shown', async () => {
    const { stdout } = await runCli(['verify', 'widget.tgz'], {
      verify: () =>
        other('signed-by-unknown', {
          bundles: [bundle({ evidence: [evidence({}, 'dev\u202e@example.com')] })],
        }),
    })
    expect(stdout).toContain('signer           dev\\u{202e}@example.com\n')
    expect(stdout).not.toContain('--identity')
    expect(stdout).toContain(
      'hint: a name holds characters that cannot be shown, so no command to accept it is given; be suspicious\n',
    )
  })

  it('no command where nobody vouches for the name', async () => {
    const proven = evidence()
    if (proven.signer.kind !== 'certificate') throw new Error('a certificate was built')
    const signer = { ...proven.signer, identity: { ...proven.signer.identity, issuer: undefined } }
    const { stdout } = await runCli(['verify', 'widget.tgz'], {
      verify: () => other('signed-by-unknown', { bundles: [bundle({ evidence: [{ ...proven, signer }] })] }),
    })
    expect(stdout).not.toContain('--identity')
    expect(stdout).toContain(
      'the certificate names no issuer that vouches for its name, so no flags can accept it\n',
    )
  })
})

describe('text from strangers', () => {
  const hostile = 'a\u001b[2Jb\u202ec\u200bd\u0007e\ufeff'
  const escaped = 'a\\u{1b}[2Jb\\u{202e}c\\u{200b}d\\u{7}e\\u{feff}'

  it('is escaped wherever it stands', async () => {
    const { verdict } = other('rejected', {
      failures: [
        failure({ message: hostile, got: hostile, wanted: hostile, where: hostile, remedy: hostile }),
      ],
      bundles: [bundle({ where: hostile, notes: [hostile], checks: [{ check: 'log', saw: hostile }] })],
    })
    const subject = { ...verdict.subject, format: hostile, purl: hostile }
    const domains = [{ name: hostile, source: hostile, rootDigest: hostile, asOf: undefined }]
    const native = {
      scheme: hostile,
      keyId: hostile,
      covers: hostile,
      state: 'broken',
      remark: hostile,
    } as const
    const { stdout } = await runCli(['verify', 'widget.tgz', '--explain'], {
      verify: () => reply({ ...verdict, subject, domains }, { notes: [hostile], nativeSignatures: [native] }),
    })
    expect(stdout).not.toMatch(/[^\n\x20-\x7e]/)
    expect(stdout.split(escaped).length).toBeGreaterThan(15)
  })

  it('is escaped in JSON so that nothing is lost', async () => {
    const verify = () => other('rejected', { failures: [failure({ got: hostile })] })
    const { stdout } = await runCli(['verify', 'widget.tgz', '--json'], { verify })
    expect(stdout).not.toMatch(/[^\n\x20-\x7e]/)
    expect(JSON.parse(stdout)).toMatchObject({ failures: [{ got: hostile }] })
  })

  it('is escaped in names of files', async () => {
    const name = 'w\u202egt.tgz'
    writeFileSync(name, '')
    const { stdout, stderr } = await runCli(['verify', name, 'widget.tgz', 'no\u0007where'], {
      verify: unknownSigner,
    })
    expect(stdout + stderr).not.toMatch(/[^\n\x20-\x7e]/)
    expect(stdout).toContain('signed by unknown  w\\u{202e}gt.tgz\n')
  })
})

describe('several artifacts', () => {
  const byName = ({ target }: VerifyRequest) => {
    const name = target.kind === 'file' ? target.path : target.text
    if (name.includes('good')) return verified(evidence())
    if (name.includes('bad')) return rejection()
    return other('unsigned')
  }

  it('are reported where they need attention, then summed up in lock step', async () => {
    for (const name of ['good-1', 'bad', 'plain']) writeFileSync(name, '')
    const { code, stdout } = await runCli(['verify', 'good-1', 'bad', 'plain', 'lost', '--key', 'k'], {
      verify: byName,
    })
    expect(stdout.startsWith('rejected  bad\n')).toBe(true)
    expect(stdout.split('\n').slice(-6).join('\n')).toBe(`verified    good-1  ${IDENTITY}
rejected    bad     SUBJECT_NOT_FOUND
unsigned    plain
no verdict  lost    STORE_NOT_FOUND
4 artifacts: 1 verified, 1 rejected, 1 unsigned, 1 no verdict
`)
    expect(code).toBe(1)
  })

  it.each([
    [['good', 'good-2'], 0],
    [['good', 'plain'], 5],
    [['good', 'lost'], 3],
    [['plain', 'lost'], 3],
    [['plain', 'bad', 'lost'], 1],
  ])('%j end with %i', async (names, wanted) => {
    for (const name of names) if (name !== 'lost') writeFileSync(name, '')
    const { code } = await runCli(['verify', ...names], { verify: byName })
    expect(code).toBe(wanted)
  })

  it('--quiet says one line for what needs attention and nothing of the others', async () => {
    for (const name of ['good', 'bad', 'plain']) writeFileSync(name, '')
    const { stdout } = await runCli(['verify', '--quiet', 'good', 'bad', 'plain', 'lost'], { verify: byName })
    expect(stdout).toBe(
      'rejected  bad  SUBJECT_NOT_FOUND\nunsigned  plain\nno verdict  lost  STORE_NOT_FOUND\n',
    )
  })

  it('--json is one object per line', async () => {
    writeFileSync('good', '')
    const { stdout } = await runCli(['verify', '--json', 'good', 'lost'], { verify: byName })
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    expect(lines).toMatchObject([
      { target: 'good', outcome: 'verified', exitCode: 0 },
      { target: 'lost', exitCode: 3, error: { code: 'STORE_NOT_FOUND', message: "there is no file 'lost'" } },
    ])
  })

  it('a question that makes no sense ends the run, because every other artifact would meet it', async () => {
    writeFileSync('good', '')
    const { code, asked } = await runCli(['verify', 'good', 'widget.tgz'], {
      verify: () => {
        throw new UsageError('USAGE_PATTERN', 'no such pattern')
      },
    })
    expect(code).toBe(2)
    expect(asked).toHaveLength(1)
  })
})
