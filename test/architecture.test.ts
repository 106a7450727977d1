import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import {
  cycles,
  eachMark,
  eachUse,
  longerThan,
  parseSource,
  readTree,
  type Mark,
  type SourceFile,
  type Use,
} from './support/source-tree.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const product = ['trust', 'formats', 'daemon', 'plugins']
const folders = [...product, 'test', 'bench']

/** The packages of package.json's `dependencies`, and the JSON that the build takes in from a dev dependency. */
const installed = [
  ...Object.keys(
    (JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { dependencies: object }).dependencies,
  ),
  '@sigstore/tuf/seeds.json',
]

interface Arrow {
  /** The folder or file whose imports this line allows. All lines that match a file add up. */
  readonly from: string
  /** Files and folders of ours. */
  readonly files?: readonly string[]
  /** Files of ours from which types, and nothing else, may be taken. */
  readonly types?: readonly string[]
  /** Packages and Node's modules; `node:*` is all of Node's. */
  readonly packages?: readonly string[]
}

/** Who may import whom: what no line allows is forbidden. */
const arrows: readonly Arrow[] = [
  {
    from: 'trust/',
    files: ['trust/'],
    packages: ['node:crypto', 'node:buffer', '@noble/curves', '@noble/hashes'],
  },
  { from: 'trust/pattern.ts', packages: ['re2js'] },
  {
    from: 'formats/',
    files: [
      'formats/',
      'trust/artifact.ts',
      'trust/codes.ts',
      'trust/digest.ts',
      'trust/encoding.ts',
      'trust/errors.ts',
      'trust/json.ts',
    ],
    packages: ['node:buffer', 'node:stream', 'node:zlib', 'yaml'],
  },
  {
    from: 'daemon/',
    files: ['daemon/', 'trust/', 'formats/index.ts', 'package.json'],
    types: ['formats/adapter.ts'],
    packages: ['node:*', ...installed],
  },
  {
    from: 'plugins/',
    files: [
      'plugins/',
      'daemon/client.ts',
      'daemon/api.ts',
      'trust/codes.ts',
      'trust/encoding.ts',
      'trust/errors.ts',
      'package.json',
    ],
    types: ['trust/evidence.ts', 'trust/verdict.ts', 'trust/policy.ts'],
    packages: ['node:*', ...installed],
  },
  { from: 'test/', files: [''], packages: ['*'] },
  { from: 'bench/', files: [''], packages: ['*'] },
]

interface Rule {
  readonly name: string
  readonly broken: (tree: readonly SourceFile[]) => string[]
}

/** The rules. Each answers with `file:line what`, one for each place that breaks it. */
const rules: readonly Rule[] = [
  {
    name: 'a folder imports only what its arrows allow',
    broken: (tree) => eachUse(tree, (file, use) => !isAllowed(file.path, use)),
  },
  {
    name: 'only trust/verify.ts imports the checks; among themselves they share types',
    broken: (tree) =>
      eachUse(
        tree.filter((file) => isProduct(file.path) && file.path !== 'trust/verify.ts'),
        (file, use) =>
          use.target.startsWith('trust/checks/') && !(file.path.startsWith('trust/checks/') && use.typeOnly),
      ),
  },
  {
    name: 'a format adapter is imported by formats/index.ts alone, so by no other adapter',
    broken: (tree) => {
      const adapters = tree.filter(({ path, marks }) => isAdapter(path, marks)).map(({ path }) => path)
      const others = tree.filter(({ path }) => isProduct(path) && path !== 'formats/index.ts')
      return eachUse(others, (_, use) => adapters.includes(use.target))
    },
  },
  {
    name: 'every import of a file names a file that exists, with its extension',
    // The compiler says so too; here it keeps an import from passing the other rules under another spelling.
    broken: (tree) => {
      const paths = new Set(tree.map((file) => file.path))
      return eachUse(tree, (file, use) => {
        const isCode = !use.target.endsWith('.json')
        return isProduct(file.path) && use.internal && isCode && !paths.has(use.target)
      })
    },
  },
  { name: 'no cycles, types included', broken: (tree) => cycles(tree) },
  { name: 'no file over 400 lines', broken: (tree) => longerThan(tree, 400, () => true) },
  {
    name: 'the two paths to read are at most 150 lines',
    broken: (tree) =>
      longerThan(tree, 150, (path) => path === 'trust/verify.ts' || path === 'daemon/sign.ts'),
  },
  {
    name: 'no file or folder is called utils, helpers, common, shared or types',
    broken: (tree) =>
      tree
        .filter((file) => /(?:^|\/)(?:utils?|helpers?|common|shared|types)(?:\/|\.)/.test(file.path))
        .map((file) => `${file.path}:1 says nothing about what it holds`),
  },
  {
    name: 'no default exports',
    broken: (tree) => eachMark(tree, product, (what) => what === 'export default'),
  },
  { name: 'no enums', broken: (tree) => eachMark(tree, folders, (what) => what === 'enum') },
  {
    name: 'trust/ has no clock, no chance, no process and no network of its own',
    broken: (tree) =>
      eachMark(tree, ['trust'], (what) => /^(?:the clock|the global|Math\.random)/.test(what)),
  },
  {
    name: 'imports are literal, so that these rules see them',
    broken: (tree) =>
      eachMark(tree, ['trust', 'formats', 'daemon'], (what) => what === 'import of a computed name'),
  },
]

function isProduct(path: string): boolean {
  return product.some((folder) => path.startsWith(`${folder}/`))
}

/** What a format's adapter reads with may be shared; the adapter itself is a file that declares a FormatAdapter. */
function isAdapter(path: string, marks: readonly Mark[]): boolean {
  return /^formats\/[^/]+\.ts$/.test(path) && marks.some(({ what }) => what === 'an adapter')
}

function isAllowed(path: string, use: Use): boolean {
  const lines = arrows.filter((arrow) => path.startsWith(arrow.from))
  if (!use.internal)
    return lines.some((arrow) => arrow.packages?.some((name) => namesPackage(name, use.target)))
  const within = (places?: readonly string[]) =>
    places?.some(
      (place) =>
        use.target === place || ((place === '' || place.endsWith('/')) && use.target.startsWith(place)),
    )
  return lines.some((arrow) => within(arrow.files) || (use.typeOnly && within(arrow.types)))
}

function namesPackage(allowed: string, specifier: string): boolean {
  if (allowed === '*' || allowed === specifier) return true
  if (allowed === 'node:*') return specifier.startsWith('node:') && isBuiltin(specifier)
  return !allowed.startsWith('node:') && specifier.startsWith(`${allowed}/`)
}

describe('the tree', () => {
  const tree = readTree(root, folders)

  test.each(rules)('$name', ({ broken }) => {
    expect(broken(tree)).toEqual([])
  })

  test('has no folder beside the house', () => {
    const visible = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    const house = [...folders, 'docs', 'node_modules', 'dist', 'coverage']
    expect(
      visible.map((entry) => entry.name).filter((name) => !name.startsWith('.') && !house.includes(name)),
    ).toEqual([])
  })
})

/** A tree that breaks one rule each, and the one report that it must cause. */
const broken: readonly { rule: string; files: Record<string, string>; report: string }[] = [
  ...forbidden('trust/bundle.ts', "import { readFileSync } from 'node:fs'", 'node:fs'),
  ...forbidden('trust/bundle.ts', "import type { Socket } from 'node:net'", 'node:net'),
  ...forbidden('trust/bundle.ts', "import { RE2JS } from 're2js'", 're2js'),
  ...forbidden('trust/bundle.ts', "import type { A } from '../formats/jar.ts'", 'formats/jar.ts'),
  ...forbidden('trust/bundle.ts', "export { x } from '../daemon/engine.ts'", 'daemon/engine.ts'),
  ...forbidden('trust/bundle.ts', "const fs = process.getBuiltinModule('node:fs')", 'node:fs'),
  ...forbidden('trust/bundle.ts', "export * from '../test/support/clock.ts'", 'test/support/clock.ts'),
  ...forbidden('formats/jar.ts', "const { createHash } = await import('node:crypto')", 'node:crypto'),
  ...forbidden('formats/jar.ts', 'const { x } = await import(`../trust/x509/der.ts`)', 'trust/x509/der.ts'),
  ...forbidden('formats/jar.ts', "type V = import('../trust/verdict.ts').Verdict", 'trust/verdict.ts'),
  ...forbidden('daemon/engine.ts', "import { jar } from '../formats/jar.ts'", 'formats/jar.ts'),
  ...forbidden(
    'daemon/engine.ts',
    "import { toMarkdown } from '../formats/adapter.ts'",
    'formats/adapter.ts',
  ),
  ...forbidden('daemon/engine.ts', "import { x } from 'left-pad'", 'left-pad'),
  ...forbidden('daemon/engine.ts', "import { run } from '../plugins/run.ts'", 'plugins/run.ts'),
  ...forbidden('daemon/engine.ts', "import { time } from '../bench/clock.ts'", 'bench/clock.ts'),
  ...forbidden('plugins/cli/verify.ts', "import { verify } from '../../trust/verify.ts'", 'trust/verify.ts'),
  ...forbidden('plugins/cli/verify.ts', "import { allOf } from '../../trust/policy.ts'", 'trust/policy.ts'),
  ...forbidden(
    'plugins/cli/verify.ts',
    "import { engine } from '../../daemon/engine.ts'",
    'daemon/engine.ts',
  ),
  {
    rule: 'only trust/verify.ts imports the checks; among themselves they share types',
    files: { 'trust/index.ts': "export { checkTime } from './checks/time.ts'", 'trust/checks/time.ts': '' },
    report: 'trust/index.ts:1 imports trust/checks/time.ts',
  },
  {
    rule: 'only trust/verify.ts imports the checks; among themselves they share types',
    files: { 'trust/checks/sct.ts': "\nimport { checkTime } from './time.ts'", 'trust/checks/time.ts': '' },
    report: 'trust/checks/sct.ts:2 imports trust/checks/time.ts',
  },
  {
    rule: 'a format adapter is imported by formats/index.ts alone, so by no other adapter',
    files: {
      'formats/gem.ts': "import type { Jar } from './jar.ts'",
      'formats/jar.ts': 'export const jar: FormatAdapter = open()',
    },
    report: 'formats/gem.ts:1 imports formats/jar.ts',
  },
  {
    rule: 'a format adapter is imported by formats/index.ts alone, so by no other adapter',
    files: {
      'formats/gem-bundles.ts': "\nexport { jar } from './jar.ts'",
      'formats/jar.ts': 'export const jar = {} satisfies FormatAdapter',
    },
    report: 'formats/gem-bundles.ts:2 imports formats/jar.ts',
  },
  {
    rule: 'every import of a file names a file that exists, with its extension',
    files: { 'trust/index.ts': "export { x } from './digest'", 'trust/digest.ts': '' },
    report: 'trust/index.ts:1 imports trust/digest',
  },
  {
    rule: 'every import of a file names a file that exists, with its extension',
    files: { 'trust/index.ts': "export { x } from './digest.js'", 'trust/digest.ts': '' },
    report: 'trust/index.ts:1 imports trust/digest.js',
  },
  {
    rule: 'no cycles, types included',
    files: {
      'trust/artifact.ts': "import type { B } from './bundle.ts'",
      'trust/bundle.ts': "import { c } from './digest.ts'",
      'trust/digest.ts': "\n\nconst a = await import('./artifact.ts')",
    },
    report:
      'trust/digest.ts:3 closes trust/artifact.ts -> trust/bundle.ts -> trust/digest.ts -> trust/artifact.ts',
  },
  {
    rule: 'no file over 400 lines',
    files: { 'test/long.test.ts': 'void 0\n'.repeat(401) },
    report: 'test/long.test.ts:401 goes on to line 401',
  },
  {
    rule: 'the two paths to read are at most 150 lines',
    files: { 'trust/verify.ts': 'void 0\n'.repeat(151) },
    report: 'trust/verify.ts:151 goes on to line 151',
  },
  {
    rule: 'the two paths to read are at most 150 lines',
    files: { 'daemon/sign.ts': 'void 0\n'.repeat(160) },
    report: 'daemon/sign.ts:151 goes on to line 160',
  },
  ...['utils.ts', 'utils/tar.ts', 'x/helpers.ts', 'common/tar.ts', 'shared.ts', 'types.d.ts'].map((name) => ({
    rule: 'no file or folder is called utils, helpers, common, shared or types',
    files: { [`formats/${name}`]: '' },
    report: `formats/${name}:1 says nothing about what it holds`,
  })),
  ...['export default 1', 'const x = 1; export { x as default }'].map((text) => ({
    rule: 'no default exports',
    files: { 'daemon/main.ts': `\n${text}` },
    report: 'daemon/main.ts:2 has export default',
  })),
  { rule: 'no enums', files: { 'trust/a.ts': 'export const enum A { B }' }, report: 'trust/a.ts:1 has enum' },
  ...['Date.now()', 'new Date()', 'Date()', 'const { now } = Date', 'const clock = Date'].map(
    impure('the clock through Date'),
  ),
  ...['process.env', 'const { env } = process'].map(impure('the global process')),
  ...["fetch('x')", 'const get = fetch'].map(impure('the global fetch')),
  ...['globalThis.fetch', "globalThis['process']"].map(impure('the global globalThis')),
  ...['Math.random()'].map(impure('Math.random')),
  {
    rule: 'imports are literal, so that these rules see them',
    files: { 'trust/a.ts': "const name = 'node:' + 'fs'; await import(name)" },
    report: 'trust/a.ts:1 has import of a computed name',
  },
]

function forbidden(path: string, text: string, target: string) {
  const rule = 'a folder imports only what its arrows allow'
  return [{ rule, files: { [path]: `// \n${text}` }, report: `${path}:2 imports ${target}` }]
}

function impure(what: string) {
  return (text: string) => ({
    rule: 'trust/ has no clock, no chance, no process and no network of its own',
    files: { 'trust/a.ts': text },
    report: `trust/a.ts:1 has ${what}`,
  })
}

function treeOf(files: Record<string, string>): SourceFile[] {
  return Object.entries(files).map(([path, text]) => parseSource(path, text))
}

describe('the rules themselves', () => {
  test.each(broken)('$report', ({ rule, files, report }) => {
    const found = rules.find(({ name }) => name === rule)?.broken(treeOf(files))
    expect(found).toEqual([report])
  })

  test('each rule has a tree that breaks it', () => {
    expect(rules.map(({ name }) => name).filter((name) => !broken.some(({ rule }) => rule === name))).toEqual(
      [],
    )
  })

  test('a tree that keeps all of them is left alone', () => {
    const tree = treeOf({
      'trust/errors.ts': '',
      'trust/verdict.ts':
        "import { createHash } from 'node:crypto'; export const at = new Date(createHash.length)",
      'trust/pattern.ts': "import { RE2JS } from 're2js'; import { p256 } from '@noble/curves/nist.js'",
      'trust/checks/time.ts': 'export interface Times { readonly at: Date; readonly process: string }',
      'trust/checks/sct.ts':
        "import type { Times } from './time.ts'; export const t = (x: Times) => [x.process, x instanceof Date]",
      'trust/verify.ts': "import { t } from './checks/sct.ts'; export const at = [t, Date.UTC(2020, 1)]",
      'formats/adapter.ts': "import { x } from '../trust/errors.ts'",
      'formats/jar.ts':
        "import { open } from 'yaml'; import { n } from './purl.ts'; export const jar: FormatAdapter = { open, n }",
      'formats/purl.ts': "import type { A } from './adapter.ts'",
      'formats/index.ts': "export { jar } from './jar.ts'",
      'daemon/api.ts':
        "import { readFile } from 'node:fs/promises'; import seeds from '@sigstore/tuf/seeds.json' with { type: 'json' }",
      'daemon/client.ts':
        "import type { A } from '../formats/adapter.ts'; import { jar } from '../formats/index.ts'; process.exit(Date.now())",
      'plugins/cli/main.ts':
        "import { type Verdict } from '../../trust/verdict.ts'; import yargs from 'yargs'; await import('../../daemon/client.ts')",
      'test/a.test.ts':
        "import { t } from '../trust/checks/sct.ts'; import { fc } from 'fast-check'; export default t",
    })
    expect(rules.flatMap(({ broken: find }) => find(tree))).toEqual([])
  })

  test('folders that do not exist hold nothing', () => {
    expect(readTree(root, ['no-such-folder'])).toEqual([])
  })
})
