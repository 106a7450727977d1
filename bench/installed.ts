import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { benchFolder, removeOlder } from './workload.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const SOURCES = ['.ci/build.ts', 'package.json', 'package-lock.json', '{trust,formats,daemon,plugins}/**/*.*']

/**
 * Packs this checkout and installs the tarball in an empty folder, as a user gets it: built, bundled, without
 * development dependencies. Answers with the path of the command's script; kept until a source changes.
 */
export function installedCommand(): string {
  const key = createHash('sha256').update(process.version)
  for (const path of globSync(SOURCES, { cwd: root }).toSorted())
    key.update(path).update(readFileSync(join(root, path)))
  const folder = join(benchFolder(), `installed-${key.digest('hex').slice(0, 16)}`)
  if (!existsSync(folder)) {
    removeOlder('installed-')
    install(folder)
  }
  return join(folder, 'node_modules/sigward/plugins/cli/sigward.js')
}

function install(folder: string): void {
  const draft = mkdtempSync(`${folder}-`)
  try {
    const copy = join(draft, 'sources')
    const left = ['.git', '.cache', 'coverage', 'dist', 'node_modules'].map((name) => join(root, name))
    cpSync(root, copy, { recursive: true, verbatimSymlinks: true, filter: (path) => !left.includes(path) })
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    npm(copy, 'pack', '--pack-destination', draft)
    const [tarball = ''] = globSync('*.tgz', { cwd: draft })
    writeFileSync(join(draft, 'package.json'), '{"private":true}')
    npm(draft, 'install', '--ignore-scripts', '--omit=dev', '--prefer-offline', `./${tarball}`)
    rmSync(copy, { recursive: true })
    renameSync(draft, folder)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

function npm(cwd: string, ...args: readonly string[]): void {
  // without what the `npm run` around this has set
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))
  execFileSync('npm', args, { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] })
}
