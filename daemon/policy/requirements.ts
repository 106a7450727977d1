import type { Window } from '../../trust/authority.ts'
import { parseTime } from '../../trust/fields.ts'
import { keyId, type PublicKey } from '../../trust/keys.ts'
import {
  allOf,
  anyOf,
  exactly,
  identity,
  managedKey,
  type KeyRequirement,
  type Matcher,
  type Requirement,
} from '../../trust/policy.ts'
import { FULCIO_EXTENSIONS } from '../../trust/x509/extensions.ts'
import { parseKeyFile } from '../key-file.ts'
import { readPattern } from './domains.ts'
import type { PolicyFiles } from './files.ts'
import type { PolicyFields, PolicyNode } from './node.ts'

/** Alternatives within alternatives: nobody reads deeper. */
const DEEPEST = 8

/** The issuer has keys of its own beside the subject. */
const EXTENSIONS = [...new Set(Object.values(FULCIO_EXTENSIONS))].filter((name) => name !== 'issuer')

/** Reads every `require` of one policy. */
export class RequirementReader {
  readonly #files: PolicyFiles
  /** Names that the policy declares; undefined when it declares none. */
  readonly #domains: readonly string[] | undefined
  readonly #keys: KeyRequirement[] = []

  constructor(files: PolicyFiles, domains: readonly string[] | undefined) {
    this.#files = files
    this.#domains = domains
  }

  async read(node: PolicyNode, depth = 1): Promise<Requirement> {
    if (depth > DEEPEST)
      node.fail('the requirement is nested too deeply', { wanted: `at most ${DEEPEST} levels` })
    const kinds = ['identity', 'key', 'anyOf', 'allOf'] as const
    const [kind, value] = node.fields(kinds).exactlyOne(kinds)
    if (kind === 'identity') return this.#identity(value)
    if (kind === 'key') return this.#key(value)
    const parts: Requirement[] = []
    for (const item of value.items()) parts.push(await this.read(item, depth + 1))
    return kind === 'anyOf' ? anyOf(parts) : allOf(parts)
  }

  async #identity(node: PolicyNode): Promise<Requirement> {
    const names = [
      'subject',
      'subjectPattern',
      'issuer',
      'issuerPattern',
      'subjectKind',
      'extensions',
      'extensionPatterns',
    ]
    const fields = node.fields([...names, ...SCOPE])
    const subject = await readMatcher(fields.exactlyOne(['subject', 'subjectPattern']))
    const issuer = await readMatcher(fields.exactlyOne(['issuer', 'issuerPattern']))
    const subjectKind = fields.optional('subjectKind')?.oneOf(['email', 'uri', 'otherName'])
    return identity({
      subject,
      issuer,
      extensions: await readExtensions(fields),
      ...(subjectKind === undefined ? {} : { subjectKind }),
      ...this.#scope(fields),
    })
  }

  async #key(node: PolicyNode): Promise<Requirement> {
    const fields = node.fields(['file', 'hint', 'validFrom', 'validUntil', ...SCOPE])
    const file = fields.required('file')
    const path = this.#files.resolve(file.text())
    const key = await file.placed(async () => parseKeyFile(await this.#files.read(path), path))
    const hint = fields.optional('hint')?.text()
    const validFor = readWindow(fields)
    const requirement = managedKey(key, {
      ...(hint === undefined ? {} : { hint }),
      ...(validFor === undefined ? {} : { validFor }),
      ...this.#scope(fields),
    })
    this.#requireOneMeaning(node, requirement)
    return requirement
  }

  /**
   * Verification picks a key by its hint, once for all rules. So a key is the same throughout a policy: another
   * validity at a second place, or a hint that two keys share, would not be looked at.
   */
  #requireOneMeaning(node: PolicyNode, added: KeyRequirement): void {
    for (const known of this.#keys) {
      const isSame = isSameKey(known.key, added.key)
      if (!isSame && added.hint !== undefined && added.hint === known.hint) {
        node.fail('two keys have the same hint', {
          got: added.hint,
          wanted: 'a hint of its own for each key',
        })
      }
      if (isSame && (added.hint !== known.hint || spell(added.validFor) !== spell(known.validFor))) {
        const got = `hint ${added.hint ?? 'none'}, valid ${spell(added.validFor)}`
        const wanted = `hint ${known.hint ?? 'none'}, valid ${spell(known.validFor)}`
        node.fail('the same key stands in the policy with another hint or validity', { got, wanted })
      }
    }
    this.#keys.push(added)
  }

  #scope(fields: PolicyFields): { domains?: readonly string[]; predicateTypes?: readonly string[] } {
    const domains = fields.optional('domains')?.texts()
    const predicateTypes = fields.optional('predicateTypes')?.texts()
    for (const item of fields.optional('domains')?.items() ?? []) {
      if (this.#domains?.includes(item.text()) !== false) continue
      item.fail('the policy declares no such trust domain', {
        got: item.text(),
        wanted: this.#domains.join(' or '),
      })
    }
    for (const item of fields.optional('predicateTypes')?.items() ?? [])
      requirePredicateType(item, item.text())
    return {
      ...(domains === undefined ? {} : { domains }),
      ...(predicateTypes === undefined ? {} : { predicateTypes }),
    }
  }
}

const SCOPE = ['domains', 'predicateTypes']

/** Predicate types are URIs; some old ones leave the scheme away. */
export function requirePredicateType(node: PolicyNode, text: string): void {
  if (/[:/]/.test(text)) return
  node.fail('this is no predicate type', {
    got: text,
    wanted: 'a URI such as https://slsa.dev/provenance/v1',
  })
}

async function readMatcher([key, node]: readonly [string, PolicyNode]): Promise<Matcher> {
  return key.endsWith('Pattern') ? readPattern(node) : exactly(node.text())
}

async function readExtensions(fields: PolicyFields): Promise<readonly (readonly [string, Matcher])[]> {
  const exact = fields.optional('extensions')?.fields(EXTENSIONS)
  const patterns = fields.optional('extensionPatterns')?.fields(EXTENSIONS)
  const read: (readonly [string, Matcher])[] = []
  for (const name of EXTENSIONS) {
    const value = exact?.optional(name)
    const source = patterns?.optional(name)
    if (value !== undefined) read.push([name, exactly(value.text())])
    if (source === undefined) continue
    if (value !== undefined)
      source.fail(`the extension ${name} has an exact value already`, { got: source.text() })
    read.push([name, await readPattern(source)])
  }
  return read
}

/** Both ends belong to it. */
function readWindow(fields: PolicyFields): Window | undefined {
  const from = fields.optional('validFrom')
  const until = fields.optional('validUntil')
  if (from === undefined && until === undefined) return undefined
  const start = from === undefined ? new Date(0) : readTime(from)
  const end = until === undefined ? undefined : readTime(until)
  if (end !== undefined && end <= start)
    until?.fail('the key would never be valid', { got: spell({ start, end }) })
  return { start, end }
}

function readTime(node: PolicyNode): Date {
  const text = node.text()
  return (
    parseTime(text) ??
    node.fail('this is no time', { got: text, wanted: 'UTC, such as 2026-01-31T00:00:00Z' })
  )
}

function isSameKey(a: PublicKey, b: PublicKey): boolean {
  return keyId(a) === keyId(b)
}

function spell(window: Window | undefined): string {
  if (window === undefined) return 'always'
  return `from ${window.start.toISOString()} until ${window.end?.toISOString() ?? 'further notice'}`
}
