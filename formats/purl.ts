import { decodeUtf8, encodeUtf8 } from '../trust/encoding.ts'
import { UsageError } from '../trust/errors.ts'

/** A package URL (ECMA-427) without its percent-encoding. The sub-path is not supported: it names no package. */
export interface Purl {
  /** Lower case: `npm`. */
  readonly type: string
  /** `@scope`, `org.example`; several segments are joined by `/`. */
  readonly namespace: string | undefined
  readonly name: string
  readonly version: string | undefined
  /** Keys in lower case. */
  readonly qualifiers: ReadonlyMap<string, string>
}

export type PurlComparison = 'same' | 'different' | 'unknown'

/** Qualifier values that mean the same as no qualifier. */
const DEFAULTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  gem: { platform: 'ruby' },
  maven: { type: 'jar' },
}

/** Strict: one spelling per separator, percent-encoding well-formed, no empty part; undefined for anything else. */
export function parsePurl(text: string): Purl | undefined {
  const match = /^pkg:([A-Za-z][A-Za-z0-9.-]*)\/([^?#]+?)(?:@([^@/?#]+))?(?:\?([^?#]+))?$/.exec(text)
  if (match === null) return undefined
  // an unescaped @ may only start a namespace: people write npm scopes so
  const path = (match[2] ?? '').split('/')
  if (path.some((segment, i) => segment.includes('@', i === 0 && path.length > 1 ? 1 : 0))) return undefined
  const segments = path.map((segment) => decodePart(segment))
  const version = match[3] === undefined ? undefined : decodePart(match[3])
  const qualifiers = match[4] === undefined ? new Map<string, string>() : parseQualifiers(match[4])
  const name = segments.pop()
  if (name === undefined || segments.includes(undefined) || qualifiers === undefined) return undefined
  if (match[3] !== undefined && version === undefined) return undefined
  return {
    type: (match[1] ?? '').toLowerCase(),
    namespace: segments.length === 0 ? undefined : segments.join('/'),
    name,
    version,
    qualifiers,
  }
}

function parseQualifiers(text: string): Map<string, string> | undefined {
  const qualifiers = new Map<string, string>()
  for (const pair of text.split('&')) {
    const equals = pair.indexOf('=')
    const key = pair.slice(0, Math.max(equals, 0)).toLowerCase()
    // in a value a slash needs no encoding
    const value = decodePart(pair.slice(equals + 1), '/')
    if (!/^[a-z][a-z0-9._-]*$/.test(key) || value === undefined || qualifiers.has(key)) return undefined
    qualifiers.set(key, value)
  }
  return qualifiers
}

/** One percent-encoded part: not empty, well-formed, and no separator in disguise. */
function decodePart(text: string, allowed = ''): string | undefined {
  if (text === '' || !/^(?:[^%]|%[0-9A-Fa-f]{2})*$/.test(text)) return undefined
  const bytes = encodeUtf8(text)
  const out: number[] = []
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === 0x25) {
      out.push(Number.parseInt(latin1Pair(bytes, i + 1), 16))
      i += 2
    } else out.push(bytes[i] ?? 0)
  }
  const decoded = decodeUtf8(Uint8Array.from(out))
  if (decoded === undefined || decoded === '.' || decoded === '..') return undefined
  // a slash that was encoded would make another namespace once decoded
  if (decoded.includes('/') && allowed !== '/') return undefined
  return decoded
}

function latin1Pair(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(bytes[at] ?? 0, bytes[at + 1] ?? 0)
}

/** The canonical spelling: `pkg:npm/%40scope/name@1.2.3`, qualifiers sorted. */
export function encodePurl(purl: Purl): string {
  const path = [...(purl.namespace?.split('/') ?? []), purl.name].map((part) => encodePart(part)).join('/')
  const version = purl.version === undefined ? '' : `@${encodePart(purl.version)}`
  const pairs = [...purl.qualifiers].map(([key, value]) => `${key}=${encodePart(value)}`)
  const query = pairs.length === 0 ? '' : `?${pairs.toSorted().join('&')}`
  return `pkg:${purl.type}/${path}${version}${query}`
}

function encodePart(text: string): string {
  // a colon stays; the rest follows the unreserved set of RFC 3986
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%3A', ':')
}

/** Shorthand for adapters. */
export function buildPurl(
  type: string,
  name: string,
  version: string,
  more: { readonly namespace?: string; readonly qualifiers?: Readonly<Record<string, string>> } = {},
): string {
  const qualifiers = new Map(Object.entries(more.qualifiers ?? {}))
  return encodePurl({ type, namespace: more.namespace, name, version, qualifiers })
}

/**
 * Is the package what was asked for? `asked` is from the user or the package manager and may leave out the version
 * and qualifiers; what it names must be so. `unknown` when the package does not say, also for a qualifier that
 * packages never carry inside (`repository_url`): the caller must not take it for a yes.
 */
export function comparePurl(asked: string, subject: { readonly purl: string | undefined }): PurlComparison {
  const wanted = parsePurl(asked)
  if (wanted === undefined) {
    throw new UsageError('USAGE_ARGUMENT', 'the package URL cannot be read', {
      got: asked,
      wanted: 'pkg:type/namespace/name@version',
    })
  }
  const is = subject.purl === undefined ? undefined : parsePurl(subject.purl)
  if (is === undefined) return 'unknown'
  if (wanted.type !== is.type || wanted.namespace !== is.namespace || wanted.name !== is.name)
    return 'different'
  if (wanted.version !== undefined && is.version !== undefined && wanted.version !== is.version)
    return 'different'
  let result: PurlComparison = wanted.version !== undefined && is.version === undefined ? 'unknown' : 'same'
  for (const [key, value] of wanted.qualifiers) {
    const actual = is.qualifiers.get(key) ?? DEFAULTS[is.type]?.[key]
    if (actual === undefined) result = 'unknown'
    else if (actual !== value) return 'different'
  }
  return result
}
