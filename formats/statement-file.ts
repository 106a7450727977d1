import type { Artifact } from '../trust/artifact.ts'
import { asBuffer } from '../trust/encoding.ts'
import { MalformedError } from '../trust/errors.ts'
import { parseJson, type Json, type JsonObject } from '../trust/json.ts'
import { HEAD_LENGTH, type FormatAdapter, type PackageFile } from './adapter.ts'
import { bundleSidecars, sidecarAttachment } from './sidecars.ts'
import { shown } from './shown.ts'

const TYPE_PREFIX = 'https://in-toto.io/Statement/'
const SIZE_LIMIT = 16 * 1024 * 1024
const SHOWN = 20
const DIGESTS_SHOWN = 3

/**
 * An in-toto statement as a file of its own, not in an envelope. Its bytes are what a signature covers, as with any
 * file; what it says about other files is shown and never counts as their attestation, because nobody signed it.
 */
export const statementFile: FormatAdapter = {
  format: 'statement-file',
  title: 'in-toto statement (JSON, not signed by itself)',

  matches(_filename: string, head: Uint8Array): boolean {
    const text = asBuffer(head).toString('latin1')
    if (!/^[ \t\r\n]*\{/.test(text)) return false
    // a long list of subjects may stand before the type
    return text.includes(TYPE_PREFIX) || head.length >= HEAD_LENGTH
  },

  async recognizes(file: PackageFile): Promise<boolean> {
    try {
      return statementType(await readObject(file)) !== undefined
    } catch (error) {
      if (error instanceof MalformedError) return false
      throw error
    }
  },

  async open(file: PackageFile): Promise<Artifact> {
    const statement = await readObject(file)
    if (statementType(statement) === undefined) {
      throw new MalformedError('MALFORMED_PACKAGE', 'the file is not an in-toto statement', {
        wanted: `"_type": "${TYPE_PREFIX}…"`,
      })
    }
    return {
      format: 'statement-file',
      subject: { name: undefined, version: undefined, purl: undefined, statementNames: [] },
      embedded: [],
      nativeSignatures: [],
      notes: describe(statement),
      signedBytes: () => file.stream(),
    }
  },

  sidecars: bundleSidecars,
  attach: (file, bundle) => Promise.resolve(sidecarAttachment(file, bundle)),
}

async function readObject(file: PackageFile): Promise<JsonObject> {
  if (file.size > SIZE_LIMIT) {
    throw new MalformedError('PACKAGE_LIMIT', 'the statement is larger than sigward reads', {
      got: `${file.size} bytes`,
      wanted: `at most ${SIZE_LIMIT} bytes`,
    })
  }
  const limits = { size: SIZE_LIMIT, depth: 64, code: 'MALFORMED_PACKAGE', what: 'statement' } as const
  const value = parseJson(await file.read(0, file.size), limits)
  if (!isObject(value)) throw new MalformedError('MALFORMED_PACKAGE', 'the file is not an in-toto statement')
  return value
}

function statementType(statement: JsonObject): string | undefined {
  const type = statement.get('_type')
  return typeof type === 'string' && type.startsWith(TYPE_PREFIX) ? type : undefined
}

function describe(statement: JsonObject): readonly string[] {
  const predicate = statement.get('predicateType')
  const subjects = statement.get('subject')
  const notes = [`statement type ${shown(statementType(statement) ?? '')}`]
  notes.push(
    typeof predicate === 'string' ? `predicate type ${shown(predicate)}` : 'it has no predicate type',
  )
  if (!isArray(subjects)) return [...notes, 'it has no list of subjects']
  for (const subject of subjects.slice(0, SHOWN)) notes.push(`subject ${describeSubject(subject)}`)
  if (subjects.length > SHOWN) notes.push(`and ${subjects.length - SHOWN} more subjects`)
  return notes
}

function describeSubject(subject: Json): string {
  if (!isObject(subject)) return 'is not an object'
  const name = subject.get('name')
  const digest = subject.get('digest') ?? null
  const digests = isObject(digest)
    ? [...digest].flatMap(([k, v]) => (typeof v === 'string' ? `${k}:${v}` : []))
    : []
  const listed = digests.slice(0, DIGESTS_SHOWN).map((text) => ` ${shown(text)}`)
  return `'${typeof name === 'string' ? shown(name) : ''}'${listed.join('')}`
}

function isObject(value: Json): value is JsonObject {
  return value instanceof Map
}

function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}
