import { Buffer } from 'node:buffer'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEngine } from '../../daemon/engine.ts'
import { dispatch } from '../../plugins/cli/dispatch.ts'
import type { Output } from '../../plugins/cli/terminal.ts'
import { npmPackage, tgz } from '../support/packages.ts'
import { otherName, uriName } from '../support/test-certificates.ts'
import { newKey } from '../support/test-der.ts'
import {
  BreakableInstance,
  bytesOf,
  statementAbout,
  type SignRequest,
} from '../support/breakable-instance.ts'

/** Everything that terminals obey or do not show, between letters that must still be seen. */
const HOSTILE = {
  control: 'a\u0007b\u0008c\u007fd\u009be',
  newline: 'a\nverified  everything\r\nb',
  escape: 'a\u001b[2J\u001b]0;title\u0007b\u001b[1A',
  bidirectional: 'a\u202eevil\u202c\u2066b\u2069\u200fc',
  'zero-width': 'a\u200bb\u200cc\u200dd\ufeffe\u00adf\u2060g',
  invisible: 'a\u{e0041}b\u3164c\u115fd\ufe0fe\u2028f\u2029g\u{f0000}h',
} as const
const CASES = Object.entries(HOSTILE)

/** All that no output may hold; a line end is ours. */
const UNSEEN =
  /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]/u

const instance = new BreakableInstance()
const artifact = Buffer.from('an artifact')
const engine = createEngine()
const folder = mkdtempSync(join(tmpdir(), 'sigward-names-'))
const home = process.cwd()
beforeAll(() => {
  process.chdir(folder)
  writeFileSync('root.json', bytesOf(instance.trustedRootJson()))
})
afterAll(() => {
  process.chdir(home)
  rmSync(folder, { recursive: true })
})

interface Said {
  readonly code: number
  readonly text: string
}

/** Runs one command in this process, and looks at every character that it wrote. */
async function say(args: readonly string[], terminal = false): Promise<Said> {
  let text = ''
  const output: Output = { isTerminal: terminal, columns: 80, write: (more) => (text += more) && undefined }
  const world = {
    engine: async () => engine,
    stdout: output,
    stderr: output,
    environment: {},
    now: () => new Date(),
  }
  const code = await dispatch(args, world)
  // on a terminal, colours and the progress bar are our own
  const seen = terminal ? text.replace(/\u001b\[[0-9;]*[mK]|\r/g, '') : text
  const at = seen.search(UNSEEN)
  expect(at === -1 ? '' : JSON.stringify(seen.slice(at - 100, at + 100))).toBe('')
  return { code, text: seen }
}

/** The same in every form that there is. */
async function sayAll(path: string, ...more: readonly string[]): Promise<readonly Said[]> {
  const forms = [[], ['--explain'], ['--quiet'], ['--json']]
  const said = await Promise.all(
    forms.map((form) => say(['verify', path, '--trusted-root', 'root.json', ...form, ...more])),
  )
  return [...said, await say(['verify', path, '--trusted-root', 'root.json', '--explain', ...more], true)]
}

function sign(name: string, request: SignRequest, bytes: Uint8Array = artifact): string {
  writeFileSync(name, bytes)
  writeFileSync(`${name}.sigstore.json`, bytesOf(instance.sign({ artifact: bytes, ...request })))
  return name
}

const sentence = 'a name holds characters that cannot be shown, so no command to accept it is given'

describe.each(CASES)('a name with %s characters', (kind, hostile) => {
  it('of a file is escaped, and in no command', async () => {
    expect(UNSEEN.test(hostile)).toBe(true)
    const name = sign(`${hostile}.bin`, {})
    for (const { code } of await sayAll(name)) expect(code).toBe(6)
    const { text } = await say(['verify', name, '--trusted-root', 'root.json'])
    expect(text).toContain(sentence)
    expect(text).not.toContain('sigward verify')
    expect(text).toContain('\\u{')
    await say(['verify', '.', '--trusted-root', 'root.json'])
    await say(['inspect', name])
    await say(['verify', `${name}-that-is-not-there`])
    await say(['verify', name, '--identity', hostile, '--issuer', hostile])
    await say(['verify', name, '--bundle', hostile])
    await say([hostile])
    await say(['verify', `--${hostile}`])
    await say(['explain', hostile])
  })

  it('of a package is refused and escaped', async () => {
    const manifest = { name: hostile, version: '1.0.0' }
    const path = sign(`${kind}-package.tgz`, {}, npmPackage(manifest))
    for (const { code } of await sayAll(path)) expect(code).toBe(3)
    const versioned = sign(`${kind}-version.tgz`, {}, npmPackage({ name: 'x', version: `1.0.0-${hostile}` }))
    for (const { code } of await sayAll(versioned)) expect(code).toBe(3)
    const inside = tgz(
      { name: 'package/package.json', body: '{"name":"x","version":"1.0.0"}' },
      { name: `package/${hostile}`, body: 'x' },
    )
    await sayAll(sign(`${kind}-inside.tgz`, {}, inside))
    await say(['inspect', `${kind}-inside.tgz`])
  })

  it('of a signer is escaped, and in no command', async () => {
    const alternativeName = otherName(hostile)
    const path = sign(`${kind}-signer.bin`, { alternativeName })
    for (const { code } of await sayAll(path)) expect([1, 6]).toContain(code)
    const { code, text } = await say(['verify', path, '--trusted-root', 'root.json'])
    if (code === 6) expect(text).toContain(sentence)
    expect(text).not.toContain('sigward verify')
    await sayAll(path, '--identity', 'x', '--issuer', 'https://issuer.example')
    await say(['inspect', `${path}.sigstore.json`])
    await say(['inspect', `${path}.sigstore.json`, '--json'])
  })

  it('of an issuer, or in an extension, is escaped', async () => {
    const path = sign(`${kind}-issuer.bin`, {
      issuer: hostile,
      extensions: [
        [12, hostile],
        [13, hostile],
      ],
    })
    for (const { code } of await sayAll(path)) expect([1, 6]).toContain(code)
    await sayAll(path, '--identity', 'dev@example.com', '--issuer', 'https://issuer.example')
    await say(['inspect', `${path}.sigstore.json`])
  })

  it('in a statement is escaped', async () => {
    const statement = {
      ...statementAbout(artifact, { name: hostile, predicateType: hostile }),
      predicate: { [hostile]: hostile },
    }
    const path = sign(`${kind}-statement.bin`, { statement })
    await sayAll(path)
    await say(['inspect', `${path}.sigstore.json`])
    writeFileSync(`${kind}-statement.json`, bytesOf(statement))
    await say(['inspect', `${kind}-statement.json`])
    const named = { ...statementAbout(artifact, { name: `pkg:npm/${hostile}` }) }
    await sayAll(sign(`${kind}-purl.bin`, { statement: named }), '--package', 'pkg:npm/x')
  })

  it('of a key, a log or a field is escaped', async () => {
    const path = sign(`${kind}-key.bin`, { managed: newKey(), hint: hostile })
    await sayAll(path)
    const bundle = JSON.parse(bytesOf(instance.sign({ artifact })).toString()) as Record<string, unknown>
    writeFileSync(path + '.sigstore.json', bytesOf({ ...bundle, mediaType: hostile, [hostile]: hostile }))
    await sayAll(path)
    await say(['inspect', `${path}.sigstore.json`])
    writeFileSync(`${kind}-root.json`, bytesOf({ ...instance.trustedRootJson(), mediaType: hostile }))
    await say(['verify', path, '--trusted-root', `${kind}-root.json`])
    await say(['trust', 'show', '--trusted-root', `${kind}-root.json`])
  })
})

/** Names that are shown as they are, and that a shell would read as something else. */
const SHELL = [
  "it's",
  'two words',
  '$(touch pwned)',
  '`touch pwned`',
  'a;touch pwned',
  'a&touch pwned|x>y<z',
  '"quoted" \\back\\',
  '*?[a-z]{x,y}',
  '~root',
  '#comment',
  '!history',
  '--identity=evil',
  '-x',
  '=cmd',
  '\u00fcml\u00e4ut\u4e2d\u6587',
  "'''",
  '%s%n',
]

describe('a command that is suggested', () => {
  /** What a shell makes of it: `sigward` only says what it was given. */
  function argumentsOf(command: string): readonly string[] {
    const script = `sigward() { for one in "$@"; do printf '%s\\0' "$one"; done; }\n${command}\n`
    return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1)
  }

  it.each(SHELL)('means what it shows, with a file and a signer called %j', async (name) => {
    const file = sign(`${name}.bin`, {
      alternativeName: otherName(name),
      issuer: `https://${encodeURI(name)}.example/'$(x)`,
    })
    const path = file.startsWith('-') ? `./${file}` : file
    const { code, text } = await say(['verify', '--trusted-root', 'root.json', '--', file])
    expect(code).toBe(6)
    const [command = ''] = /^ +sigward verify .*$/m.exec(text) ?? []
    const args = argumentsOf(command)
    expect(args[0]).toBe('verify')
    expect(args[1]).toBe(path)
    expect(args.join(' ')).toContain(name)
    // what was suggested is what accepts this very signer
    expect((await say(args)).code).toBe(0)
    expect(existsSync('pwned')).toBe(false)
  })

  it('keeps the bundle, the root and the package that were named', async () => {
    const tarball = npmPackage({ name: 'x', version: '1.0.0' })
    sign('plain.tgz', { alternativeName: uriName('https://git.example/a b?c=$d') }, tarball)
    writeFileSync("it's a root.json", bytesOf(instance.trustedRootJson()))
    const named = [
      '--bundle=plain.tgz.sigstore.json',
      "--trusted-root=it's a root.json",
      '--package=pkg:npm/x@1.0.0',
    ]
    const { text } = await say(['verify', 'plain.tgz', ...named])
    const [command = ''] = /^ +sigward verify .*$/m.exec(text) ?? []
    expect(argumentsOf(command)).toEqual([
      'verify',
      'plain.tgz',
      '--identity',
      'https://git.example/a b?c=$d',
      '--issuer',
      'https://issuer.example',
      '--bundle',
      'plain.tgz.sigstore.json',
      '--trusted-root',
      "it's a root.json",
      '--package',
      'pkg:npm/x@1.0.0',
    ])
    expect((await say(argumentsOf(command))).code).toBe(0)
  })
})
