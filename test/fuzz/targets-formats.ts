import { Buffer } from 'node:buffer'
import {
  FORMATS,
  openPackage,
  parseAttestations,
  parsePurl,
  encodePurl,
  splitJson,
} from '../../formats/index.ts'
import { collect } from '../../formats/container/byte-reader.ts'
import { gunzip } from '../../formats/container/gzip.ts'
import { repairGemBundles } from '../../formats/gem-bundles.ts'
import { parseGemSpecification } from '../../formats/gem-specification.ts'
import { parseProvenance, provenanceSignature } from '../../formats/helm-provenance.ts'
import { parseManifest } from '../../formats/jar-manifest.ts'
import { looksLikeAttestations, parseRegistryKeys } from '../../formats/npm-attestations.ts'
import { parseYamlFields } from '../../formats/yaml-map.ts'
import { memoryFile } from '../support/packages.ts'
import { CORPUS } from './corpus.ts'
import { bulk, bulkLines, mutateBytes, mutateLines, type Mutator } from './mutate-bytes.ts'
import { bulkJson, mutateArchive, mutateJson } from './mutate-structure.ts'
import { insist, type Target } from './target.ts'

const JSON_MUTATORS = [mutateJson, mutateJson, mutateBytes, bulk, bulkJson] as const
const LINE_MUTATORS = [mutateLines, mutateBytes, bulk, bulkLines] as const
const ARCHIVE_MUTATORS = [mutateArchive, mutateArchive, mutateArchive, mutateBytes] as const
const MALFORMED = ['MalformedError']
const textOf = (input: Uint8Array): string => Buffer.from(input).toString('utf8')

/** Detects, opens, and reads all that is signed, as a file of any name and as one that promises a format. */
async function openAs(filename: string, input: Uint8Array): Promise<void> {
  const file = memoryFile(filename, input)
  try {
    const { adapter, artifact } = await openPackage(file)
    insist(artifact.format === adapter.format && FORMATS.includes(adapter), 'a package has a format')
    const parts: Uint8Array[] = []
    for await (const part of artifact.signedBytes()) parts.push(part)
    const signed = Buffer.concat(parts)
    insist(adapter.format === 'wasm' || signed.equals(input), 'all of the file is signed')
    for (const { signedBytes } of artifact.embedded) {
      let length = 0
      for await (const part of signedBytes?.() ?? []) length += part.length
      insist(length <= input.length, 'a bundle inside covers no more than there is')
    }
    for (const note of artifact.notes) insist(note.length < 2000, 'remarks are short')
  } finally {
    insist(file.openStreams() === 0, 'no stream is left open')
  }
}

function opens(
  name: string,
  filename: string,
  mutators: readonly [Mutator, ...Mutator[]],
  corpus: Target['corpus'],
): Target {
  return {
    name,
    corpus,
    mutators,
    run: async (input) => {
      await openAs('file', input).catch((error: unknown) => {
        if (!(error instanceof Error) || error.name !== 'MalformedError') throw error
      })
      await openAs(filename, input)
    },
    refuses: MALFORMED,
    // a path of the archive costs some hundred bytes, and compresses well
    bytesPerByte: 1024,
  }
}

async function runGunzip(input: Uint8Array): Promise<void> {
  const file = memoryFile('x', input)
  try {
    await collect(gunzip(file.stream(), { inflated: 16 * 1024 * 1024 }), 16 * 1024 * 1024, 'content')
  } finally {
    insist(file.openStreams() === 0, 'no stream is left open')
  }
}

function runRepair(input: Uint8Array): void {
  const { bundles, notes } = repairGemBundles(input)
  insist(bundles.length > 0 || textOf(input).trim().startsWith('['), 'bundles come out')
  for (const bundle of bundles) JSON.parse(textOf(bundle))
  if (notes.length === 0 && bundles.length === 1 && !textOf(input).trim().startsWith('[')) {
    insist(Buffer.from(bundles[0] ?? []).equals(input), 'nothing is changed without a remark')
  }
}

function runSplit(input: Uint8Array): void {
  const parts = splitJson(input)
  const whole = Buffer.from(input)
  let at = 0
  for (const part of parts) {
    const found = whole.indexOf(part, at)
    insist(found >= at, 'parts stand in the file, in order, byte for byte')
    at = found + part.length
  }
}

async function runYaml(input: Uint8Array): Promise<void> {
  const fields = await parseYamlFields(input, { code: 'MALFORMED_PACKAGE', what: 'input' })
  for (const key of fields.keys.slice(0, 100)) {
    fields.map(key)
    fields.text(key)
  }
}

export const FORMAT_TARGETS: readonly Target[] = [
  opens('npm-tarball', 'x.tgz', ARCHIVE_MUTATORS, CORPUS.npm),
  opens('helm-chart', 'x.tgz', ARCHIVE_MUTATORS, CORPUS.helm),
  opens('bottle', 'x--1.yosemite.bottle.tar.gz', ARCHIVE_MUTATORS, CORPUS.bottle),
  opens('gem', 'x.gem', ARCHIVE_MUTATORS, CORPUS.gem),
  opens('jar', 'x.jar', [mutateBytes], CORPUS.jar),
  opens('wasm', 'x.wasm', [mutateBytes], CORPUS.wasm),
  opens('statement-file', 'x.json', JSON_MUTATORS, CORPUS.statement),
  {
    name: 'gzip',
    corpus: CORPUS.gzip,
    mutators: [mutateBytes],
    run: runGunzip,
    refuses: MALFORMED,
    bytesPerByte: 1100,
  },
  {
    name: 'attestations',
    corpus: CORPUS.attestations,
    mutators: JSON_MUTATORS,
    run(input) {
      if (looksLikeAttestations(input)) {
        for (const { bundle } of parseAttestations(input)) JSON.parse(textOf(bundle))
      } else {
        parseRegistryKeys(input)
      }
    },
    refuses: MALFORMED,
    bytesPerByte: 320,
  },
  {
    name: 'gem-bundles',
    corpus: CORPUS.gemBundles,
    mutators: JSON_MUTATORS,
    run: runRepair,
    refuses: MALFORMED,
    bytesPerByte: 480,
  },
  {
    name: 'bundle-parts',
    corpus: CORPUS.parts,
    mutators: [mutateLines, ...JSON_MUTATORS],
    run: runSplit,
    refuses: [],
    bytesPerByte: 160,
  },
  {
    name: 'provenance',
    corpus: CORPUS.provenance,
    mutators: LINE_MUTATORS,
    async run(input) {
      const { message, signature } = await parseProvenance(input)
      insist(message.length > 0 && signature.length > 0, 'something is signed')
      await provenanceSignature(input)
    },
    refuses: MALFORMED,
    bytesPerByte: 320,
  },
  {
    name: 'gem-specification',
    corpus: CORPUS.yaml,
    mutators: LINE_MUTATORS,
    run: parseGemSpecification,
    refuses: MALFORMED,
    bytesPerByte: 320,
  },
  {
    name: 'yaml',
    corpus: CORPUS.yaml,
    mutators: LINE_MUTATORS,
    run: runYaml,
    refuses: MALFORMED,
    bytesPerByte: 320,
  },
  {
    name: 'jar-manifest',
    corpus: CORPUS.manifest,
    mutators: LINE_MUTATORS,
    run: (input) => parseManifest(input, 'input'),
    refuses: MALFORMED,
    bytesPerByte: 320,
  },
  {
    name: 'purl',
    corpus: CORPUS.purl,
    mutators: [mutateBytes],
    run(input) {
      const purl = parsePurl(textOf(input))
      if (purl === undefined) return
      const again = parsePurl(encodePurl(purl))
      insist(again !== undefined && encodePurl(again) === encodePurl(purl), 'a package URL has one spelling')
    },
    refuses: [],
    bytesPerByte: 96,
  },
]
