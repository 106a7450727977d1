import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { detect } from '../../formats/index.ts'
import { statementFile } from '../../formats/statement-file.ts'
import { describeFormatAdapter } from '../contract/format-adapter.ts'
import { lazyFile, memoryFile, npmPackage } from '../support/packages.ts'

const coded = (code: string): unknown => expect.objectContaining({ code, name: 'MalformedError' })
const TYPE = 'https://in-toto.io/Statement/v1'
const SUBJECT = { name: 'demo.tgz', digest: { sha256: 'ab'.repeat(32) } }

function statement(fields: object = {}): Buffer {
  const whole = {
    _type: TYPE,
    subject: [SUBJECT],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {},
    ...fields,
  }
  return Buffer.from(JSON.stringify(whole))
}

async function notes(bytes: Uint8Array): Promise<readonly string[]> {
  return (await statementFile.open(memoryFile('statement.json', bytes))).notes
}

const unnamed = { name: undefined, version: undefined, purl: undefined, statementNames: [] }
const late = Buffer.from(
  JSON.stringify({
    subject: Array.from({ length: 200 }, () => SUBJECT),
    _type: 'https://in-toto.io/Statement/v0.1',
  }),
)

describeFormatAdapter({
  adapter: statementFile,
  samples: [
    { filename: 'statement.json', bytes: statement(), ...unnamed },
    {
      filename: 'pretty.json',
      bytes: Buffer.from(`\n ${JSON.stringify({ _type: TYPE }, null, 2)}\n`),
      ...unnamed,
    },
    { filename: 'late.intoto.json', bytes: late, ...unnamed },
  ],
  foreign: [
    { what: 'an npm tarball', bytes: npmPackage() },
    { what: 'another JSON file', bytes: Buffer.from('{"name":"x"}') },
    { what: 'a large JSON file', bytes: Buffer.from(JSON.stringify({ list: 'x'.repeat(5000) })) },
    { what: 'a list of statements', bytes: Buffer.from(`[${statement().toString()}]`) },
    {
      what: 'an envelope with a statement',
      bytes: Buffer.from(JSON.stringify({ payload: statement().toString('base64') })),
    },
    { what: 'a file that only mentions the type', bytes: Buffer.from(JSON.stringify({ seen: TYPE })) },
    { what: 'a type that is no text', bytes: Buffer.from(JSON.stringify({ _type: [TYPE] })) },
    { what: 'a statement with a key twice', bytes: Buffer.from(`{"_type":"${TYPE}","_type":"${TYPE}"}`) },
  ],
  broken: [
    {
      what: 'a key that is there twice',
      bytes: Buffer.from(`{"_type":"${TYPE}","_type":"${TYPE}"}`),
      code: 'MALFORMED_PACKAGE',
    },
    { what: 'a list', bytes: Buffer.from('[]'), code: 'MALFORMED_PACKAGE' },
    {
      what: 'another type',
      bytes: statement({ _type: 'https://example.org/Statement/v1' }),
      code: 'MALFORMED_PACKAGE',
    },
    { what: 'bytes that are not UTF-8', bytes: Buffer.from([0x7b, 0xff, 0x7d]), code: 'MALFORMED_PACKAGE' },
    {
      what: 'lists without end',
      bytes: Buffer.from(`{"_type":"${TYPE}","a":${'['.repeat(100_000)}`),
      code: 'MALFORMED_PACKAGE',
    },
  ],
})

describe('a statement as a file', () => {
  it('is shown and names no package: its subjects are other files', async () => {
    expect(await notes(statement())).toEqual([
      `statement type ${TYPE}`,
      'predicate type https://slsa.dev/provenance/v1',
      `subject 'demo.tgz' sha256:${'ab'.repeat(32)}`,
    ])
    expect((await statementFile.open(memoryFile('demo.tgz', statement()))).subject).toEqual(unnamed)
  })

  it('is shown within limits, whatever it lists', async () => {
    const digest = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`a${i}`, 'x'.repeat(500)]))
    const many = Array.from({ length: 50 }, () => ({ name: `\u001b[31m${'n'.repeat(500)}`, digest }))
    const shown = await notes(statement({ subject: many }))
    expect(shown.length).toBe(23)
    expect(shown.at(-1)).toBe('and 30 more subjects')
    for (const line of shown) expect(line).toMatch(/^[^\u001b\n]{1,1000}$/)
  })

  it('says what it lacks', async () => {
    expect(await notes(statement({ predicateType: 1, subject: {} }))).toEqual([
      `statement type ${TYPE}`,
      'it has no predicate type',
      'it has no list of subjects',
    ])
    expect(
      (await notes(statement({ subject: [1, { digest: 'x' }, { name: 'n', digest: { sha256: 1 } }] }))).slice(
        2,
      ),
    ).toEqual(['subject is not an object', "subject ''", "subject 'n'"])
  })

  it('is not read beyond its limit, and then is a plain file', async () => {
    const head = statement()
    const file = lazyFile('huge.json', 3 * 1024 ** 3, (offset, length) => {
      const bytes = Buffer.alloc(length, ' ')
      if (offset === 0) head.copy(bytes)
      return bytes
    })
    await expect(statementFile.open(file)).rejects.toThrow(coded('PACKAGE_LIMIT'))
    expect((await detect(file)).adapter.format).toBe('plain-file')
    expect(file.bytesRead()).toBeLessThan(200_000)
  })
})
