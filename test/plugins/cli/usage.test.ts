import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import yargsParser from 'yargs-parser'
import { COMMANDS, findCommand } from '../../../plugins/cli/commands.ts'
import { parseStrictly } from '../../../plugins/cli/invocation.ts'
import { nearest } from '../../../plugins/cli/nearest.ts'
import { renderHelp } from '../../../plugins/cli/render-help.ts'
import { evidence, runCli, verified } from '../../support/cli.ts'

/** Usage errors go to standard error, end with 2, and nothing is asked of the engine. */
async function complaint(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr, asked } = await runCli(args)
  expect([code, stdout, asked.length]).toEqual([2, '', 0])
  return stderr
}

describe('flags that contradict each other are refused before any file is opened', () => {
  const policy: readonly (readonly [args: string, message: string])[] = [
    ['--identity a', 'an identity means nothing without the issuer that vouches for it'],
    ['--identity-regexp a', 'an identity means nothing without the issuer that vouches for it'],
    ['--issuer a', 'an issuer vouches for many: say for whom'],
    ['--issuer-regexp a', 'an issuer vouches for many: say for whom'],
    ['--identity a --identity-regexp b --issuer c', '--identity and --identity-regexp exclude each other'],
    ['--identity a --issuer b --issuer-regexp c', '--issuer and --issuer-regexp exclude each other'],
    ['--identity a --issuer b --key c', '--identity and --key exclude each other'],
    ['--identity a --issuer b --policy c', '--identity and --policy exclude each other'],
    ['--issuer b --key c', '--issuer and --key exclude each other'],
    ['--key a --policy b', '--key and --policy exclude each other'],
    ['--identity a --key b --policy c', '--identity and --key and --policy exclude each other'],
  ]

  it.each(policy)('USAGE_POLICY: %s', async (args, message) => {
    const text = await complaint('verify', 'no-such-file', ...args.split(' '))
    expect(text.split('\n')[0]).toBe(`sigward: ${message} (USAGE_POLICY)`)
    expect(text).toMatch(/\nhint: .+\n$/)
  })

  it.each([
    ['--quiet --explain', '--quiet and --explain exclude each other'],
    ['other --package pkg:npm/a', '--package says what one package must be, and several are named'],
  ])('USAGE_FLAG: %s', async (args, message) => {
    const text = await complaint('verify', 'no-such-file', ...args.split(' '))
    expect(text.split('\n')[0]).toBe(`sigward: ${message} (USAGE_FLAG)`)
  })

  it('USAGE_FLAG: --quiet --json', async () => {
    const { code, stdout } = await runCli(['verify', 'no-such-file', '--quiet', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'USAGE_FLAG', message: '--quiet and --json exclude each other' },
    })
    expect(code).toBe(2)
  })
})

describe('a command line that cannot be read', () => {
  const table: readonly (readonly [args: string, text: string])[] = [
    ['', 'sigward: no command was given (USAGE_ARGUMENT)\nhint: run the command with --help\n'],
    ['veri a', "sigward: 'veri' is not a command (USAGE_ARGUMENT)\nhint: did you mean sigward verify?\n"],
    [
      'qqqqqq',
      "sigward: 'qqqqqq' is not a command (USAGE_ARGUMENT)\nhint: run sigward --help for the commands\n",
    ],
    [
      'app.tgz',
      "sigward: 'app.tgz' is not a command (USAGE_ARGUMENT)\nhint: to judge a file: sigward verify FILE\n",
    ],
    [
      'verify',
      'sigward: an argument is missing: file, directory, digest (USAGE_ARGUMENT)\n' +
        'hint: sigward verify <file|directory|digest..>, or sigward verify --help\n',
    ],
    [
      'inspect',
      'sigward: an argument is missing: file (USAGE_ARGUMENT)\nhint: sigward inspect <file>, or sigward inspect --help\n',
    ],
    [
      'verify a --idenity b',
      'sigward: unknown argument: idenity (USAGE_FLAG)\nhint: did you mean --identity? else run sigward verify --help\n',
    ],
    ['verify a -x', 'sigward: unknown argument: x (USAGE_FLAG)\nhint: run sigward verify --help\n'],
    [
      'verify a --identity',
      'sigward: a flag needs a value: identity (USAGE_FLAG)\nhint: run sigward verify --help\n',
    ],
    [
      'verify a --identity --quiet',
      'sigward: a flag needs a value: identity (USAGE_FLAG)\nhint: run sigward verify --help\n',
    ],
    [
      'verify a --identity=',
      'sigward: the value of --identity is empty (USAGE_FLAG)\nhint: run the command with --help\n',
    ],
    [
      'verify a --quiet=no',
      'sigward: --quiet is a switch and takes no value (USAGE_FLAG)\nhint: run the command with --help\n',
    ],
    [
      'verify a --quiet --quiet',
      'sigward: --quiet is given more than once (USAGE_FLAG)\nhint: run the command with --help\n',
    ],
    [
      'verify a --policy p --policy=q',
      'sigward: --policy is given more than once (USAGE_FLAG)\nhint: run the command with --help\n',
    ],
    [
      'verify a -',
      "sigward: '-' is not a file: nothing is read from standard input (USAGE_ARGUMENT)\n" +
        'hint: write what comes in to a file first, and give its name\n',
    ],
    ['explain A B', 'sigward: unknown argument: B (USAGE_FLAG)\nhint: run sigward explain --help\n'],
    ['--verbose', 'sigward: unknown argument: verbose (USAGE_FLAG)\nhint: run sigward --help\n'],
    [
      'trust hide',
      "sigward: 'hide' is nothing that trust can do (USAGE_ARGUMENT)\nhint: run sigward trust show\n",
    ],
    [
      'completion fihs',
      "sigward: there is no completion for 'fihs' (USAGE_ARGUMENT)\nhint: did you mean fish?\n",
    ],
    [
      'explain SUBJECT_NOT_FOUD',
      "sigward: there is no code 'SUBJECT_NOT_FOUD' (USAGE_UNKNOWN_CODE)\n" +
        'hint: did you mean SUBJECT_NOT_FOUND? else run sigward explain without an argument for the list\n',
    ],
  ]

  it.each(table)('sigward %s', async (args, text) => {
    expect(await complaint(...args.split(' ').filter((arg) => arg !== ''))).toBe(text)
  })

  it('is told in JSON where JSON was asked for', async () => {
    const { code, stdout, stderr } = await runCli(['verify', 'a', '--json', '--identity', 'b'])
    expect(JSON.parse(stdout)).toMatchObject({ target: null, exitCode: 2, error: { code: 'USAGE_POLICY' } })
    expect([code, stderr]).toEqual([2, ''])
  })

  it('is escaped', async () => {
    expect(await complaint('ver\u202eify')).toContain("'ver\\u{202e}ify' is not a command")
    expect(await complaint('verify', 'a', '--\u0007')).not.toMatch(/[^\n\x20-\x7e]/)
  })
})

describe('the strict parser', () => {
  it('reads flags, values in both forms, positionals and the end of flags', () => {
    const request = parseStrictly([
      'verify',
      'a',
      '--bundle',
      'b',
      '--bundle=c=d',
      '--json',
      '--key=-k',
      '--',
      '-x',
      '--json',
    ])
    expect(request).toEqual({
      kind: 'run',
      invocation: {
        command: findCommand('verify'),
        positionals: ['a', '-x', '--json'],
        flags: new Map<string, unknown>([
          ['bundle', ['b', 'c=d']],
          ['json', true],
          ['key', ['-k']],
        ]),
      },
    })
  })

  it.each([
    [['--version'], 'version'],
    [['--help'], 'help'],
    [['-h'], 'help'],
    [['verify', 'a', '--help'], 'help'],
    [['explain'], 'run'],
  ])('%j is %s', (args, kind) => {
    expect(parseStrictly(args)?.kind).toBe(kind)
  })

  it('help after the end of flags is a file', () => {
    expect(parseStrictly(['verify', '--', '--help'])).toMatchObject({
      kind: 'run',
      invocation: { positionals: ['--help'] },
    })
  })

  it('reads nothing that another parser of the same definitions reads differently', () => {
    const verify = findCommand('verify')
    const flags = verify?.flags ?? []
    // not among them: `true`, which that parser takes for the value of a switch before it
    const word = fc.constantFrom('a', 'b.tgz', 'sha256:00', 'with space', '1', '=', 'a=b')
    const flag = fc.constantFrom(
      ...flags.map(({ name }) => `--${name}`),
      '--unknown',
      '-x',
      '--key=v',
      '--json=1',
      '-',
    )
    const commandLine = fc.array(fc.oneof(word, flag, fc.constant('')), { maxLength: 7 })
    fc.assert(
      fc.property(commandLine, (args) => {
        const request = parseStrictly(['verify', ...args])
        if (request?.kind !== 'run') return
        const other = yargsParser(args, {
          boolean: flags.filter(({ kind }) => kind === 'switch').map(({ name }) => name),
          string: ['_', ...flags.filter(({ kind }) => kind !== 'switch').map(({ name }) => name)],
          array: flags.filter(({ kind }) => kind === 'list').map(({ name }) => name),
          configuration: {
            'boolean-negation': false,
            'camel-case-expansion': false,
            'dot-notation': false,
            'greedy-arrays': false,
            'parse-numbers': false,
            'parse-positional-numbers': false,
            'short-option-groups': false,
          },
        })
        const { _: positionals, ...rest } = other
        const given = Object.entries(rest).filter(([, value]) => value !== undefined)
        const read = new Map(given.map(([name, value]) => [name, value === true ? true : [value].flat()]))
        expect(request.invocation.positionals).toEqual(positionals.map(String))
        expect(request.invocation.flags).toEqual(read)
      }),
      { numRuns: 2000 },
    )
  })

  it('asks for as many arguments as the definitions say', () => {
    for (const { name, positional } of COMMANDS) {
      const one = parseStrictly([name, 'x'])
      expect([name, one?.kind]).toEqual([name, positional === undefined ? undefined : 'run'])
      expect([name, parseStrictly([name, 'x', 'y'])?.kind]).toEqual([
        name,
        positional?.count === 'one-or-more' ? 'run' : undefined,
      ])
    }
  })
})

describe('help', () => {
  it('shows every flag of every command, with its words', async () => {
    const texts = await renderHelp()
    for (const { name, flags, summary, examples } of COMMANDS) {
      const text = texts[name]?.replaceAll(/\s+/g, ' ') ?? ''
      expect(text).toContain(summary)
      for (const flag of flags) expect(text).toContain(`--${flag.name} `)
      for (const [example, meaning] of examples)
        expect(texts[name]).toContain(`  # ${meaning}\n  ${example}\n`)
      expect(texts['']).toContain(`sigward ${name}`)
    }
  })

  it('passes an identity in its first example', async () => {
    const { code, stdout } = await runCli(['--help'])
    const [first] = stdout.match(/^ {2}sigward verify .*--.*$/m) ?? []
    expect(first).toMatch(/--identity \S+ --issuer \S+/)
    expect(code).toBe(0)
  })

  it('of a command is printed wherever the flag stands, and nothing is judged', async () => {
    const { stdout, asked } = await runCli(['verify', 'a', '--help'], { verify: () => verified(evidence()) })
    expect(stdout).toContain('Who must have signed:')
    expect(asked).toEqual([])
  })

  it('has no line wider than 90 columns, so that it fits beside code', async () => {
    const lines = Object.values(await renderHelp()).flatMap((text) => text.split('\n'))
    expect(lines.filter((line) => line.length > 90)).toEqual([])
  })
})

describe('an error of our own', () => {
  const broken = () => {
    throw new TypeError('undefined is not\na function')
  }

  it('is one line, how to report it, and a code that no verdict has', async () => {
    const { code, stdout, stderr } = await runCli(['verify', import.meta.filename], { verify: broken })
    expect(stderr).toMatch(
      /^sigward \d+\.\d+\.\d+ met an error of its own and reached no verdict: undefined is not\nhint: this is a bug; please report it with what "SIGWARD_DEBUG=1 sigward \.\.\." prints\n$/,
    )
    expect([code, stdout]).toEqual([70, ''])
  })

  it('has its stack where that is asked for', async () => {
    const { stderr } = await runCli(['verify', import.meta.filename], {
      verify: broken,
      environment: { SIGWARD_DEBUG: '1' },
    })
    expect(stderr).toContain('usage.test.ts')
  })
})

describe('the nearest word', () => {
  it.each([
    ['verfy', 'verify'],
    ['exp', 'explain'],
    ['VERIFY', 'verify'],
    ['xyzzy', undefined],
    ['v'.repeat(1000), undefined],
  ])('of %s is %s', (word, meant) => {
    expect(
      nearest(
        word,
        COMMANDS.map(({ name }) => name),
      ),
    ).toBe(meant)
  })
})
