import type { Artifact } from '../trust/artifact.ts'
import { MalformedError } from '../trust/errors.ts'
import type { Attachment, FormatAdapter, PackageFile } from './adapter.ts'
import { looksLikeGzip } from './container/gzip.ts'
import { foldName, PathLedger } from './container/paths.ts'
import { judgedTarballEntries, outlineOf, readBody, type PackageEntry } from './container/tarball.ts'
import { buildPurl } from './purl.ts'
import { bundleSidecars, sidecarAttachment } from './sidecars.ts'
import { parseYamlFields } from './yaml-map.ts'
import { shown } from './shown.ts'

const FORMAT = 'helm-chart'
const MANIFEST = 'Chart.yaml'
const MANIFEST_LIMIT = 1024 * 1024

/** Helm removes the first folder whatever its name, and runs on every system. */
const RULES = { strip: 1, windows: true, outwardLinks: false } as const

/** A packaged chart: a compressed tar with one top folder that holds `Chart.yaml`. */
export const helmChart: FormatAdapter = {
  format: FORMAT,
  title: 'Helm chart (.tgz)',
  matches: (_filename, head) => looksLikeGzip(head),
  async recognizes(file: PackageFile): Promise<boolean> {
    const { files } = await outlineOf(file)
    return files.some((parts) => parts.length === 2 && parts[1] === MANIFEST)
  },
  open: openHelmChart,
  sidecars: bundleSidecars,
  attach(file: PackageFile, bundle: Uint8Array): Promise<Attachment> {
    return Promise.resolve(sidecarAttachment(file, bundle))
  },
}

async function openHelmChart(file: PackageFile): Promise<Artifact> {
  const ledger = new PathLedger(RULES)
  let manifest: Uint8Array | undefined
  let folder = ''
  for await (const entry of judgedTarballEntries(file.stream(), ledger)) {
    // charts below `charts/` are deeper and have their own Chart.yaml
    if (!isManifest(entry)) continue
    if (manifest !== undefined) {
      throw new MalformedError(
        'PACKAGE_DUPLICATE',
        'the chart has two files that some system takes for Chart.yaml',
      )
    }
    manifest = await readBody(entry, MANIFEST_LIMIT)
    folder = entry.path.split('/', 1)[0] ?? ''
    if (entry.parts[0] !== MANIFEST || entry.kind !== 'file') {
      throw new MalformedError(
        'PACKAGE_METADATA',
        `'${shown(entry.path)}' is not a regular file named Chart.yaml`,
      )
    }
  }
  if (manifest === undefined) throw new MalformedError('PACKAGE_METADATA', 'the chart has no Chart.yaml')
  const { name, version } = await chartIdentity(manifest)
  const notes =
    folder === name ? [] : [`the top folder is '${shown(folder)}', the chart calls itself '${name}'`]
  const purl = buildPurl('helm', name, version)
  return {
    format: FORMAT,
    subject: { name, version, purl, statementNames: [purl] },
    embedded: [],
    nativeSignatures: [],
    notes: [...notes, ...ledger.notes],
    signedBytes: () => file.stream(),
  }
}

function isManifest(entry: PackageEntry): boolean {
  const isTop = entry.kind !== 'directory' && entry.parts.length === 1
  return isTop && foldName(entry.parts[0] ?? '') === foldName(MANIFEST)
}

interface ChartIdentity {
  readonly name: string
  readonly version: string
}

/** Name and version of a chart from its `Chart.yaml`. Throws PACKAGE_METADATA. */
async function chartIdentity(bytes: Uint8Array): Promise<ChartIdentity> {
  const fields = await parseYamlFields(bytes, { code: 'PACKAGE_METADATA', what: MANIFEST })
  const name = fields.text('name')
  if (name === undefined || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,249}$/.test(name)) {
    throw bad('Chart.yaml has no name that Helm allows', name)
  }
  const version = fields.text('version')
  if (version === undefined || !CHART_VERSION.test(version)) {
    throw bad('Chart.yaml has no semantic version', version)
  }
  return { name, version }
}

/** Helm also takes a leading `v` and fewer than three numbers. */
const CHART_VERSION =
  /^v?[0-9]{1,19}(?:\.[0-9]{1,19}){0,2}(?:-[0-9A-Za-z.-]{1,128})?(?:\+[0-9A-Za-z.-]{1,128})?$/

function bad(message: string, got: string | undefined): MalformedError {
  return new MalformedError('PACKAGE_METADATA', message, got === undefined ? {} : { got })
}
