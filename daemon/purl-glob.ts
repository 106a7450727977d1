import type { Purl } from '../formats/index.ts'
import { UsageError } from '../trust/errors.ts'

/**
 * Which packages a rule of the policy is for: a package URL in which `*` stands for any text within one part.
 *
 * - `**`: everything, also files that have no package URL
 * - `pkg:**`, `pkg:npm/**`, `pkg:npm/%40acme/**`: everything below; only as the last part
 * - `pkg:npm/%40acme/*`, `pkg:gem/acme-*`: any text within that part
 * - `pkg:npm/%40acme/app@1.*`: only these versions; without `@` every version
 *
 * Compared part by part after percent-decoding, so `pkg:npm/@acme/*` is the same pattern and `%2A` is a star that
 * stands for itself. Qualifiers never matter. Time grows with the length of pattern times text, at most.
 */
export interface PurlGlob {
  readonly source: string
  /** A package URL without a version is matched by a pattern for any version: one of them it may be. */
  matches(purl: Purl | undefined): boolean
}

/** Text that must stand at the start, then the pieces between stars in order; the last must stand at the end. */
type Part = readonly string[]

interface Parts {
  /** Type, segments of the namespace, name. */
  readonly path: readonly Part[]
  /** One or more parts may follow. */
  readonly below: boolean
  readonly version: Part | undefined
}

const LONGEST = 1024

/** @throws UsageError USAGE_PATTERN */
export function parsePurlGlob(source: string): PurlGlob {
  if (source === '**') return { source, matches: () => true }
  const parts = parseParts(source)
  return { source, matches: (purl) => purl !== undefined && matchesParts(parts, purl) }
}

function parseParts(source: string): Parts {
  if (source.length > LONGEST) refuse('the pattern is too long', `${source.length} characters`)
  if (!source.startsWith('pkg:')) refuse('the pattern is no package URL', source)
  if (/[?#]/.test(source)) refuse('the pattern has qualifiers or a sub-path, which never matter', source)
  const segments = source.slice('pkg:'.length).split('/')
  const below = segments.at(-1) === '**'
  if (below) segments.pop()
  if (segments.length < 2 && !below) refuse('the pattern names no package', source)
  const last = below ? '' : (segments.pop() ?? '')
  const at = last.indexOf('@')
  const [type, ...path] = below ? segments : [...segments, at < 0 ? last : last.slice(0, at)]
  if (type !== undefined && !/^[A-Za-z*][A-Za-z0-9.*-]*$/.test(type))
    refuse('the pattern has no package type', source)
  const typePart = type === undefined ? [] : [parsePart(type.toLowerCase(), source, false)]
  return {
    // an @ may start a namespace: people write npm scopes so
    path: [...typePart, ...path.map((one, i) => parsePart(one, source, i === 0))],
    below,
    version: at < 0 ? undefined : parsePart(last.slice(at + 1), source, false),
  }
}

function parsePart(text: string, source: string, scope: boolean): Part {
  if (text === '') refuse('the pattern has an empty part', source)
  if (text.includes('**')) refuse('** is not the whole last part of the pattern', source)
  if (text.includes('@', scope ? 1 : 0)) refuse('the pattern has an @ that is no version', source)
  return text.split('*').map((piece) => decode(piece, source))
}

/** Percent-encoding is decoded between stars only, so that it can make neither a star nor a separator. */
function decode(text: string, source: string): string {
  try {
    const decoded = decodeURIComponent(text)
    if (!decoded.includes('/')) return decoded
  } catch (error) {
    if (!(error instanceof URIError)) throw error
  }
  return refuse('the pattern has percent-encoding that no package URL has', source)
}

function refuse(message: string, got: string): never {
  throw new UsageError('USAGE_PATTERN', message, {
    got,
    wanted: 'such as pkg:npm/%40acme/*, pkg:maven/org.acme/** or **',
    hint: 'docs/policy.md shows what a match may look like',
  })
}

function matchesParts({ path, below, version }: Parts, purl: Purl): boolean {
  const actual = [purl.type, ...(purl.namespace?.split('/') ?? []), purl.name]
  if (below ? actual.length <= path.length : actual.length !== path.length) return false
  if (!path.every((part, i) => matchesPart(part, actual[i] ?? ''))) return false
  return version === undefined || purl.version === undefined || matchesPart(version, purl.version)
}

/** Each piece where it first fits: a later place never leaves more room for the rest. */
function matchesPart(part: Part, text: string): boolean {
  const [start = '', ...pieces] = part
  const end = pieces.pop()
  if (end === undefined) return text === start
  if (text.length < start.length + end.length || !text.startsWith(start) || !text.endsWith(end)) return false
  const limit = text.length - end.length
  let at = start.length
  for (const piece of pieces) {
    const found = text.indexOf(piece, at)
    if (found < 0 || found + piece.length > limit) return false
    at = found + piece.length
  }
  return true
}
