import { Buffer } from 'node:buffer'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { splitBundles } from '../../daemon/bundle-search.ts'
import { inspectFile } from '../../daemon/inspect.ts'
import { parseKeyFile } from '../../daemon/key-file.ts'
import { reportProvenance } from '../../daemon/native-signatures.ts'
import { looksLikeKeyring, verifyPgp } from '../../daemon/openpgp.ts'
import { domainsFromFile, embeddedDomain } from '../../daemon/trust-store.ts'
import { formatNamed, parseProvenance } from '../../formats/index.ts'
import { plainFile } from '../../formats/plain-file.ts'
import { parseStrictly } from '../../plugins/cli/invocation.ts'
import { buildCommand } from '../../plugins/cli/shell.ts'
import { jsonLine } from '../../plugins/cli/terminal.ts'
import { readVerifyOptions } from '../../plugins/cli/verify-options.ts'
import { nobody, policy } from '../../trust/policy.ts'
import { verify } from '../../trust/verify.ts'
import { memoryFile } from '../support/packages.ts'
import { readPolicy } from '../support/policies.ts'
import { CORPUS, pem } from './corpus.ts'
import { bulk, bulkLines, mutateBytes, mutateLines } from './mutate-bytes.ts'
import { bulkJson, mutateArchive, mutateDer, mutateJson } from './mutate-structure.ts'
import { insist, type Target } from './target.ts'

const JSON_MUTATORS = [mutateJson, mutateJson, mutateBytes, bulk, bulkJson] as const
const LINE_MUTATORS = [mutateLines, mutateBytes, bulk, bulkLines] as const
const MALFORMED = ['MalformedError']
const textOf = (input: Uint8Array): string => Buffer.from(input).toString('utf8')

let folder: string | undefined

/** What reads files is given one. */
function fileOf(input: Uint8Array, name = 'input'): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'sigward-fuzz-files-'))
    process.on('exit', () => rmSync(made, { recursive: true, force: true }))
    folder = made
  }
  const path = join(folder, name)
  writeFileSync(path, input)
  return path
}

async function runInspect(input: Uint8Array): Promise<void> {
  const { title, fields } = await inspectFile({ path: fileOf(input) })
  insist(title !== '' && !/[^\x20-\x7e]/.test(title), 'a title is our own words')
  JSON.stringify(fields)
}

async function runVerify(input: Uint8Array): Promise<void> {
  const artifact = await plainFile.open(memoryFile('x', Buffer.from('hello')))
  const found = splitBundles(input, 'x', undefined).map((one) => one)
  const verdict = await verify(artifact, found, [await embeddedDomain()], policy(nobody()))
  insist(verdict.outcome !== 'verified', 'nobody was named')
  insist(verdict.bundles.length === found.length, 'every bundle is judged')
  for (const { outcome, failures } of verdict.bundles) {
    insist((outcome === 'valid') === (failures.length === 0), 'a refusal says why')
  }
}

async function runProvenance(input: Uint8Array): Promise<void> {
  const path = fileOf(Buffer.alloc(0), 'a-1.0.0.tgz')
  fileOf(input, 'a-1.0.0.tgz.prov')
  const [keyring] = CORPUS.keyring()
  const keyrings = keyring === undefined ? [] : [{ path: 'ring', bytes: keyring }]
  const reports = await reportProvenance(path, 'a-1.0.0.tgz', Buffer.alloc(32, 0xab), { keys: [], keyrings })
  insist(
    reports.every(({ state }) => state !== 'holds'),
    'no such signature was ever made',
  )
}

async function runKeyring(input: Uint8Array): Promise<void> {
  if (!looksLikeKeyring(input)) return
  const [provenance] = CORPUS.provenance().slice(-1)
  const { message, signature } = await parseProvenance(provenance ?? input)
  await verifyPgp(message, signature, { path: 'ring', bytes: input })
}

/** Reads a command back as a POSIX shell does, as far as our quoting goes. */
function unquote(command: string): readonly string[] {
  return (command.match(/(?:[^ '\\]|'[^']*'|\\')+/g) ?? []).map((word) =>
    word.replace(
      /'([^']*)'|\\(')/g,
      (_, quoted: string | undefined, escaped: string | undefined) => quoted ?? escaped ?? '',
    ),
  )
}

function runShell(input: Uint8Array): void {
  const args = textOf(input).split('\n')
  const command = buildCommand(args)
  if (command === undefined || args.includes('')) return
  insist(JSON.stringify(unquote(command)) === JSON.stringify(args), 'a shell reads what was meant')
}

function runCommandLine(input: Uint8Array): void {
  const request = parseStrictly(textOf(input).split('\n'))
  if (request?.kind === 'run') readVerifyOptions(request.invocation.flags)
}

function runJsonLine(input: Uint8Array): void {
  const value = { text: textOf(input), more: [Buffer.from(input).toString('utf16le')] }
  const line = jsonLine(value)
  insist(
    line.endsWith('\n') && !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(line.slice(0, -1)),
    'one line, all of it visible',
  )
  insist(JSON.stringify(JSON.parse(line)) === JSON.stringify(value), 'a line of JSON says the same')
}

export const DAEMON_TARGETS: readonly Target[] = [
  {
    name: 'policy-file',
    corpus: CORPUS.policy,
    mutators: LINE_MUTATORS,
    async run(input) {
      const loaded = await readPolicy(textOf(input), { 'k.pub': pem })
      loaded.policyFor('pkg:npm/%40acme/x@1.0.0', undefined)
      loaded.policyFor(undefined, 'pkg:gem/a@1')
    },
    refuses: MALFORMED.concat('StoreError'),
    bytesPerByte: 320,
  },
  {
    name: 'inspect',
    corpus: () => [
      ...CORPUS.bundle(),
      ...CORPUS.trustedRoot(),
      ...CORPUS.statement(),
      ...CORPUS.attestations(),
      ...CORPUS.note(),
    ],
    mutators: [...JSON_MUTATORS, mutateLines],
    run: runInspect,
    refuses: MALFORMED,
    bytesPerByte: 480,
  },
  {
    name: 'inspect-der',
    corpus: () => [...CORPUS.certificate(), ...CORPUS.timestamp(), ...CORPUS.key()],
    mutators: [mutateDer, mutateBytes],
    run: runInspect,
    refuses: MALFORMED,
    bytesPerByte: 320,
  },
  {
    name: 'inspect-package',
    corpus: () => [...CORPUS.npm(), ...CORPUS.gem(), ...CORPUS.jar(), ...CORPUS.wasm(), ...CORPUS.pem()],
    mutators: [mutateArchive, mutateBytes],
    run: runInspect,
    refuses: MALFORMED,
    bytesPerByte: 1024,
  },
  {
    name: 'bundle-file',
    corpus: () => [...CORPUS.parts(), ...CORPUS.gemBundles(), ...CORPUS.attestations()],
    mutators: [mutateLines, ...JSON_MUTATORS],
    run: (input) => splitBundles(input, 'x', formatNamed('gem')),
    refuses: MALFORMED.concat('StoreError'),
    bytesPerByte: 480,
  },
  {
    name: 'verify',
    corpus: CORPUS.bundle,
    mutators: JSON_MUTATORS,
    run: runVerify,
    refuses: MALFORMED,
    bytesPerByte: 480,
  },
  {
    name: 'trust-store',
    corpus: () => [...CORPUS.trustedRoot(), ...CORPUS.parts()],
    mutators: [mutateLines, ...JSON_MUTATORS],
    run: (input) => domainsFromFile(fileOf(input), { issuers: 'any', packages: 'any' }),
    refuses: MALFORMED,
    bytesPerByte: 480,
  },
  {
    name: 'key-file',
    corpus: () => [...CORPUS.pem(), ...CORPUS.key()],
    mutators: [mutateBytes, mutateLines],
    run: (input) => parseKeyFile(input, 'input'),
    refuses: MALFORMED,
    bytesPerByte: 160,
  },
  {
    name: 'keyring',
    corpus: () => [
      ...CORPUS.keyring(),
      Buffer.from('-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDME\n-----END PGP PUBLIC KEY BLOCK-----\n'),
    ],
    mutators: [mutateBytes, mutateLines],
    run: runKeyring,
    refuses: MALFORMED,
    bytesPerByte: 480,
  },
  {
    name: 'chart-signature',
    corpus: CORPUS.provenance,
    mutators: [mutateLines, mutateBytes],
    run: runProvenance,
    refuses: MALFORMED,
    bytesPerByte: 480,
  },
  {
    name: 'shell',
    corpus: CORPUS.display,
    mutators: [mutateLines, mutateBytes],
    run: runShell,
    refuses: [],
    bytesPerByte: 320,
  },
  {
    name: 'command-line',
    corpus: CORPUS.arguments,
    mutators: [mutateLines, mutateBytes],
    run: runCommandLine,
    refuses: ['UsageError'],
    bytesPerByte: 320,
  },
  {
    name: 'json-line',
    corpus: CORPUS.display,
    mutators: [mutateBytes, bulk],
    run: runJsonLine,
    refuses: [],
    bytesPerByte: 320,
  },
]
