import { execFileSync } from 'node:child_process'
import { hash } from 'node:crypto'
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import cacache from 'cacache'
import { LocalFile } from '../daemon/package-file.ts'
import { digestStream, equalDigests } from '../trust/digest.ts'
import { interleave, ratioOf } from './interleave.ts'
import { line, printRates, type Bench } from './report.ts'
import { benchFolder } from './workload.ts'

const modules = fileURLToPath(new URL('../node_modules', import.meta.url))
const MOST_PACKAGES = 300
/** Larger than what a project depends on, such as a whole Node: packing it takes long and shows nothing. */
const MOST_BYTES = 48 * 1024 * 1024

/** One tarball in the cache of npm. */
interface Cached {
  readonly path: string
  /** As lock files have it: `sha512-` and base64. */
  readonly integrity: string
  readonly sha512: Buffer
}

/** Every tarball of a project, page cache warm, one after the other. One operation is the whole project. */
export const tarballIntegrity: Bench = {
  name: 'tarball-integrity',
  what: "integrity of a project's cached tarballs",
  run: async ({ quick }) => {
    const cache = await tarballs(quick ? 5 : MOST_PACKAGES)
    const bytes = cache.files.reduce((sum, { path }) => sum + statSync(path).size, 0)
    line(`${cache.files.length} tarballs, ${(bytes / 1e6).toFixed(0)} MB`)
    const contenders = [
      { name: 'sigward', run: () => checkOurs(cache.files) },
      { name: 'cacache', run: () => checkCacache(cache.folder, cache.files) },
      { name: 'read and sha512', run: () => checkBare(cache.files) },
    ]
    const measured = await interleave(contenders, {
      rounds: quick ? 2 : 15,
      slice: 1,
      warmUp: quick ? 1 : 1500,
    })
    printRates(measured, ['wall'])
    const bench = 'tarball-integrity'
    const floor = ratioOf(measured, 'read and sha512', 'sigward', 'wall')
    return [
      { bench, against: 'cacache', ratio: ratioOf(measured, 'sigward', 'cacache', 'wall'), target: 1.8 },
      { bench, against: '1.2 times read and sha512', ratio: 1.2 / floor, target: 1 },
    ]
  },
}

async function checkOurs(files: readonly Cached[]): Promise<void> {
  for (const { path, sha512 } of files) {
    const file = await LocalFile.open(path)
    file.stopRecording()
    const digests = await digestStream(file.stream(), ['sha512'])
    await file.finish()
    await file.close()
    const got = digests.get('sha512')
    if (got === undefined || !equalDigests(got, sha512)) throw new Error(`'${path}' is not what it was`)
  }
}

async function checkCacache(folder: string, files: readonly Cached[]): Promise<void> {
  for (const { integrity } of files) await cacache.get.byDigest(folder, integrity)
}

function checkBare(files: readonly Cached[]): void {
  for (const { path, sha512 } of files) {
    const digest = hash('sha512', readFileSync(path), 'buffer')
    if (!digest.equals(sha512)) throw new Error(`'${path}' is not what it was`)
  }
}

/** The packages of this checkout, packed and put into a cache as npm does it; made once. */
async function tarballs(
  most: number,
): Promise<{ readonly folder: string; readonly files: readonly Cached[] }> {
  const folder = join(benchFolder(), `tarballs-${most}`)
  const list = join(folder, 'integrity.json')
  if (!existsSync(list)) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const integrities: string[] = []
    for (const path of packages(most)) {
      integrities.push(await cacache.put(folder, path, pack(join(modules, path)), { algorithms: ['sha512'] }))
    }
    writeFileSync(`${list}.new`, JSON.stringify([...new Set(integrities)]))
    renameSync(`${list}.new`, list)
  }
  const integrities = JSON.parse(readFileSync(list, 'utf8')) as readonly string[]
  const files = integrities.map((integrity): Cached => {
    const sha512 = Buffer.from(integrity.slice('sha512-'.length), 'base64')
    return { integrity, sha512, path: contentPath(folder, sha512.toString('hex')) }
  })
  return { folder, files }
}

function contentPath(folder: string, hex: string): string {
  return join(folder, 'content-v2', 'sha512', hex.slice(0, 2), hex.slice(2, 4), hex.slice(4))
}

/** Folders of packages at any depth, relative to `node_modules`, the small ones first. */
function packages(most: number): readonly string[] {
  const manifests = globSync('{*,@*/*,**/node_modules/*,**/node_modules/@*/*}/package.json', { cwd: modules })
  const sizes = manifests.map((manifest) => ({
    path: dirname(manifest),
    bytes: folderBytes(join(modules, dirname(manifest))),
  }))
  return sizes
    .filter(({ bytes }) => bytes < MOST_BYTES)
    .toSorted((a, b) => a.bytes - b.bytes)
    .slice(0, most)
    .map(({ path }) => path)
}

function folderBytes(folder: string): number {
  const files = globSync('**/*', { cwd: folder, withFileTypes: true }).filter((entry) => entry.isFile())
  return files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0)
}

function pack(folder: string): Buffer {
  const draft = mkdtempSync(join(benchFolder(), 'pack-'))
  try {
    const tarball = join(draft, 'package.tgz')
    execFileSync('tar', ['-czf', tarball, '--exclude=./node_modules', '-C', folder, '.'])
    return readFileSync(tarball)
  } finally {
    rmSync(draft, { recursive: true })
  }
}
