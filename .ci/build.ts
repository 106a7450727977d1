import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor'
import { rolldown, type Plugin } from 'rolldown'

/**
 * Builds `dist/`: the library (`index.js` with `index.d.ts`) and the command line (`plugins/cli/main.js` with its lazy
 * chunks). Start-up time follows the number of modules, so each of ours becomes as few files as laziness allows. The
 * library leaves its dependencies outside; the command takes in those that many files would slow down.
 */
const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const declarations = join(root, '.cache/declarations')

interface Manifest {
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
const installed = Object.keys(manifest.dependencies)
/** Measured: as files of their own these cost 3 to 18 ms at start, inside a chunk a third of that or less. */
const bundled = ['@noble/curves', '@noble/hashes', 'yaml']

const inlined = new Set<string>()

/** Modules that share a file; the higher priority wins where two want one. */
interface Group {
  readonly name: string
  readonly priority: number
  readonly test: (id: string) => boolean
}

const ours = (pattern: RegExp) => (id: string) =>
  id.startsWith(root) && !id.includes('node_modules') && pattern.test(id.slice(root.length))

/**
 * `verify` is the command that scripts run a thousand times. What it needs stands in two files, one of which every
 * command needs; left alone the bundler makes fifteen, and each costs about two milliseconds.
 */
const groups: readonly Group[] = [
  {
    name: 'start',
    priority: 2,
    test: ours(
      /^trust\/(?:errors|codes|encoding)\.ts$|^daemon\/(?:api|client)\.ts$|^plugins\/cli\/(?:main|dispatch|world|terminal|commands|rendered-help|invocation|nearest)\.ts$/,
    ),
  },
  {
    name: 'engine',
    priority: 1,
    test: ours(
      /^trust\/(?!prehash|pattern|library|index)|^formats\/|^daemon\/(?!policy|purl-glob|inspect|library|trust-report)|^plugins\/cli\/(?:verify|report|evidence|failure|progress|targets|shell)/,
    ),
  },
]

/** Bundles entries with their lazy chunks beside them. */
async function bundle(
  input: Record<string, string>,
  folder: string,
  outside: readonly string[],
  together: readonly Group[] = [],
): Promise<void> {
  const build = await rolldown({
    input,
    cwd: root,
    platform: 'node',
    external: outside.map((name) => new RegExp(`^${name}(?:/|$)`)),
    plugins: [jsonAsText],
    onLog(level, log) {
      // The library exports some of what the command loads late: there, it is not late.
      if ('index' in input && log.code === 'INEFFECTIVE_DYNAMIC_IMPORT') return
      // A warning is a mistake that a user would meet first: an import that cannot be found, a name that is not there.
      if (level === 'warn') throw new Error(log.message)
    },
  })
  const { output } = await build.write({
    dir: folder,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    ...(together.length === 0 ? {} : { codeSplitting: { groups: [...together] } }),
    comments: { legal: true, annotation: false, jsdoc: false },
  })
  await build.close()
  for (const chunk of output) {
    if (chunk.type !== 'chunk') continue
    for (const id of chunk.moduleIds) {
      const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id) ?? []
      if (name !== undefined) inlined.add(name)
    }
  }
}

/** Large JSON becomes text that is parsed when it is first needed: faster than a literal of the same size. */
const jsonAsText: Plugin = {
  name: 'json-as-text',
  load(id) {
    if (!id.endsWith('.json')) return null
    const text = readFileSync(id, 'utf8')
    if (id === join(root, 'package.json')) return { code: `{"version":${JSON.stringify(manifest.version)}}` }
    const compact = JSON.stringify(JSON.parse(text))
    return { moduleType: 'js', code: `export default /* @__PURE__ */ JSON.parse(${JSON.stringify(compact)})` }
  },
}

/** What is taken into a bundle from somebody else keeps its licence. */
function writeLicences(names: ReadonlySet<string>): void {
  const parts = [...names].toSorted().map((name) => {
    const folder = join(root, 'node_modules', name)
    const [file] = globSync('{LICENSE,LICENCE,License,license}*', { cwd: folder })
    if (file === undefined) throw new Error(`'${name}' is bundled but carries no licence text`)
    return `${name}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`
  })
  if (parts.length > 0)
    writeFileSync(join(dist, 'THIRD-PARTY-LICENSES'), parts.join(`\n${'-'.repeat(72)}\n\n`))
}

/** Help is rendered here, from the same command definitions, so that `--help` loads no parser. */
async function renderHelp(): Promise<void> {
  const source = join(root, 'plugins/cli/render-help.ts')
  if (!existsSync(source)) return
  const { renderHelp: render } = (await import(pathToFileURL(source).href)) as {
    renderHelp: () => Promise<Record<string, string>>
  }
  writeFileSync(join(dist, 'plugins/cli/help.json'), `${JSON.stringify(await render())}\n`)
}

/** One declaration file for the library. That it is the file that the API report speaks of, `npm run api:check` asks. */
function rollUpTypes(): void {
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  })
  const configObjectFullPath = join(root, 'api-extractor.json')
  const configObject = ExtractorConfig.loadFile(configObjectFullPath)
  configObject.apiReport = { ...configObject.apiReport, enabled: false }
  const config = ExtractorConfig.prepare({
    configObject,
    configObjectFullPath,
    packageJsonFullPath: join(root, 'package.json'),
  })
  if (!Extractor.invoke(config, { localBuild: false }).succeeded) process.exitCode = 1
}

rmSync(dist, { recursive: true, force: true })
rmSync(declarations, { recursive: true, force: true })
await bundle({ index: 'daemon/library.ts' }, dist, installed)
const command = installed.filter((name) => !bundled.includes(name))
await bundle({ main: 'plugins/cli/main.ts' }, join(dist, 'plugins/cli'), command, groups)
writeLicences(inlined)
await renderHelp()
rollUpTypes()
