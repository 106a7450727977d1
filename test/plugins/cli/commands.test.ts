import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Inspection, TrustReport } from '../../../daemon/api.ts'
import { COMMANDS } from '../../../plugins/cli/commands.ts'
import { PAGES, SECTIONS } from '../../../plugins/cli/explain/pages.ts'
import { REMEDIES } from '../../../trust/codes.ts'
import { runCli } from '../../support/cli.ts'

describe('explain', () => {
  it('has the page of a code, however it is typed', async () => {
    const { code, stdout } = await runCli(['explain', 'subject-not-found'])
    expect(stdout).toMatch(
      /^SUBJECT_NOT_FOUND {2}the statement is about other files\n\nwhat is checked\n {2}\S.+\n\nwhy it matters\n {2}\S.+\n\nhow it usually breaks\n {2}\S.+\n\nwhat to do\n {2}\S.+\n\nwhere it is written\n {2}\S.+\n$/,
    )
    expect(code).toBe(0)
  })

  it('lists every code once', async () => {
    const { stdout } = await runCli(['explain'])
    const listed = [...stdout.matchAll(/^ {2}([A-Z_]+) {2,}\S/gm)].map(([, name = '']) => name)
    expect(listed.toSorted()).toEqual(Object.keys(REMEDIES).toSorted())
    expect(SECTIONS.flatMap(({ codes }) => codes)).toHaveLength(Object.keys(PAGES).length)
  })

  it('gives programs the same', async () => {
    const { stdout } = await runCli(['explain', 'CERT_TIME', '--json'])
    expect(JSON.parse(stdout)).toEqual({ code: 'CERT_TIME', ...PAGES.CERT_TIME })
    const all = await runCli(['explain', '--json'])
    expect(all.stdout.trimEnd().split('\n')).toHaveLength(Object.keys(REMEDIES).length)
  })

  it.each(Object.entries(PAGES))(
    '%s is written in whole sentences, its title in the style of messages',
    (_, page) => {
      expect(page.title).toMatch(/^[a-z].*[^.]$/)
      for (const text of [page.what, page.why, page.breaks, page.todo])
        expect(text).toMatch(/^["A-Z-].{14,}\.$/)
    },
  )
})

const INSPECTION: Inspection = {
  kind: 'bundle',
  title: 'a Sigstore bundle',
  fields: [
    { label: 'media type', value: 'x' },
    { label: 'version', value: 'y\u202e' },
    { label: 'log entry', value: [{ label: 'index', value: '1' }] },
  ],
}
const WARNING = 'not verified: this is what the file says, and nothing of it was checked'

describe('inspect', () => {
  it('says at both ends that nothing is verified', async () => {
    const { code, stdout } = await runCli(['inspect', 'a.json'], { inspection: INSPECTION })
    expect(stdout).toBe(`${WARNING}

a Sigstore bundle  a.json
  media type  x
  version     y\\u{202e}
  log entry
    index  1

${WARNING}
`)
    expect(code).toBe(0)
  })

  it('ends with 3 where something could not be read, however deep', async () => {
    const problem = { label: 'problem', value: [{ label: 'code', value: 'MALFORMED_NOTE' }] }
    const fields = [...INSPECTION.fields, { label: 'checkpoint', value: [problem] }]
    const { code } = await runCli(['inspect', 'a.json'], { inspection: { ...INSPECTION, fields } })
    expect(code).toBe(3)
  })

  it('marks JSON, too', async () => {
    const { stdout } = await runCli(['inspect', 'a.json', '--json'], { inspection: INSPECTION })
    expect(JSON.parse(stdout)).toEqual({ file: 'a.json', notVerified: true, ...INSPECTION })
  })
})

const TRUST: TrustReport = {
  domains: [
    {
      name: 'public-good',
      source: 'embedded seed',
      rootDigest: 'ef'.repeat(32),
      asOf: '2026-11-19T12:00:00.000Z',
      speaksFor: 'any issuer; any package',
      thresholds: 'logs 1',
      notes: ['tlogs[1] is not used'],
      authorities: [
        {
          role: 'transparency log',
          name: 'log.example',
          key: 'ed25519 abcd',
          start: '2025-01-01T00:00:00.000Z',
          end: undefined,
          operator: 'log.example',
        },
        {
          role: 'certificate authority',
          name: 'old',
          key: 'ecdsa-p384 certificate abcd',
          start: '2020-01-01T00:00:00.000Z',
          end: '2021-01-01T00:00:00.000Z',
          operator: 'example.org',
        },
        {
          role: 'timestamp authority',
          name: 'soon',
          key: 'ecdsa-p256 certificate abcd',
          start: '2027-01-01T00:00:00.000Z',
          end: undefined,
          operator: 'soon',
        },
      ],
    },
  ],
}

describe('trust show', () => {
  it('says where each root comes from, how old it is, and for how long each key is good', async () => {
    const { code, stdout } = await runCli(['trust', 'show'], { trust: TRUST })
    expect(stdout).toBe(`trust domain  public-good
  source      embedded seed
  age         as of 2026-11-19, 1 day old
  root        sha256:${'ef'.repeat(32)}
  speaks for  any issuer; any package
  asks for    logs 1
  note        tlogs[1] is not used

  transparency log log.example
    key      ed25519 abcd
    trusted  2025-01-01T00:00:00.000Z to now, still open

  certificate authority old
    key       ecdsa-p384 certificate abcd
    trusted   2020-01-01T00:00:00.000Z to 2021-01-01T00:00:00.000Z (over: only for what was signed before)
    operator  example.org

  timestamp authority soon
    key      ecdsa-p256 certificate abcd
    trusted  2027-01-01T00:00:00.000Z to now, still open (not yet)
`)
    expect(code).toBe(0)
  })

  it.each([
    [undefined, 'of unknown age'],
    ['2026-12-24T00:00:00.000Z', 'as of 2026-12-24, which is in the future of this clock'],
    ['2026-11-20T11:00:00.000Z', 'as of 2026-11-20, 0 days old'],
  ])('is honest about an age of %s', async (asOf, words) => {
    const domains = TRUST.domains.map((domain) => ({ ...domain, asOf }))
    const { stdout } = await runCli(['trust', 'show'], { trust: { domains } })
    expect(stdout).toContain(`  age         ${words}\n`)
  })

  it('gives programs null for what is open or unknown', async () => {
    const domains = TRUST.domains.map((domain) => ({ ...domain, asOf: undefined }))
    const { stdout } = await runCli(['trust', 'show', '--json'], { trust: { domains } })
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'public-good',
      asOf: null,
      authorities: [{ end: null }, {}, {}],
    })
  })
})

describe('completion', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sigward-complete-'))
    writeFileSync(join(folder, 'my package.tgz'), '')
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  async function complete(...words: readonly string[]): Promise<readonly string[]> {
    const { stdout } = await runCli(['completion', 'bash'])
    const asked = words.map((word) => `'${word}'`).join(' ')
    const script = `${stdout}\nCOMP_WORDS=(${asked}); COMP_CWORD=${words.length - 1}; _sigward; printf '%s\\n' "\${COMPREPLY[@]}"`
    const said = execFileSync('bash', ['--norc', '-c', script], { cwd: folder, encoding: 'utf8' })
    return said.split('\n').filter((line) => line !== '')
  }

  it('bash: commands, flags, codes, words and files', async () => {
    expect(await complete('sigward', 'in')).toEqual(['inspect'])
    expect(await complete('sigward', 'verify', '--iss')).toEqual(['--issuer', '--issuer-regexp'])
    expect(await complete('sigward', 'explain', 'SCT_S')).toEqual(['SCT_SIGNATURE'])
    expect(await complete('sigward', 'trust', '')).toEqual(['show'])
    expect(await complete('sigward', 'completion', 'f')).toEqual(['fish'])
    expect(await complete('sigward', 'verify', 'my')).toEqual(['my package.tgz'])
    expect(await complete('sigward', 'verify', '--bundle', 'my')).toEqual(['my package.tgz'])
    expect(await complete('sigward', 'verify', '--identity', '')).toEqual([])
  })

  it.each(['bash', 'zsh', 'fish'])('%s: every command, flag and code', async (shell) => {
    const { code, stdout } = await runCli(['completion', shell])
    for (const { name, flags } of COMMANDS) {
      expect(stdout).toContain(name)
      for (const flag of flags)
        expect(stdout).toContain(shell === 'fish' ? `-l ${flag.name} ` : `--${flag.name}`)
    }
    for (const name of Object.keys(REMEDIES)) expect(stdout).toContain(name)
    expect(code).toBe(0)
  })

  it.each(['zsh', 'fish'])('%s: quotes are closed and nothing is expanded', async (shell) => {
    const { stdout } = await runCli(['completion', shell])
    for (const line of stdout.split('\n')) {
      const bare = line.replaceAll(/'(?:\\'|[^'])*'/g, '')
      expect(bare).not.toMatch(/['`]/)
      if (shell === 'fish') expect(bare).not.toMatch(/[$;]/)
    }
  })
})
