import { basename, dirname, resolve } from 'node:path'
import { encodePurl, parsePurl, type Purl } from '../formats/index.ts'
import { decodeUtf8 } from '../trust/encoding.ts'
import { MalformedError, UsageError } from '../trust/errors.ts'
import type { Policy } from '../trust/policy.ts'
import { readSmallFile } from './package-file.ts'
import { readPolicyDocument } from './policy/document.ts'
import { readDomains, type DomainDeclaration } from './policy/domains.ts'
import type { PolicyFiles } from './policy/files.ts'
import { RequirementReader } from './policy/requirements.ts'
import { combine, readRules, type Rule } from './policy/rules.ts'

export type { DomainDeclaration } from './policy/domains.ts'
export type { PolicyFiles } from './policy/files.ts'

/** `sigward.yaml`, read and checked. docs/policy.md has every key. */
export interface LoadedPolicy {
  /**
   * The policy for one package: the intersection of all rules that match. Where none matches, nobody is named.
   *
   * `purl` is what the package says it is, `asked` what it must be. Rules are picked by the first where it is known:
   * the verdict compares it with the second. Where neither is known only `**` matches.
   * @throws MalformedError PACKAGE_METADATA, UsageError USAGE_ARGUMENT for a package URL that cannot be read
   */
  policyFor(purl: string | undefined, asked: string | undefined): Policy
  /** Trust domains that the file declares; undefined when it declares none. */
  readonly domains: readonly DomainDeclaration[] | undefined
  /** Absolute path of the file. */
  readonly source: string
}

const LIMIT = 1024 * 1024

/**
 * Reads a policy and the keys and witness policies that it names. Trusted roots are only named.
 * @throws MalformedError MALFORMED_POLICY, MALFORMED_KEY, SIGNATURE_ALGORITHM, MALFORMED_WITNESS_POLICY, each at its place;
 * StoreError STORE_NOT_FOUND, STORE_UNREADABLE
 */
export async function loadPolicyFile(path: string): Promise<LoadedPolicy> {
  const file = resolve(path)
  const text = decodeUtf8(await readSmallFile(path, LIMIT))
  if (text === undefined)
    throw new MalformedError('MALFORMED_POLICY', 'the policy is not valid UTF-8', { where: path })
  const files: PolicyFiles = {
    resolve: (named) => resolve(dirname(file), named),
    read: (named) => readSmallFile(named, LIMIT),
  }
  return parsePolicy(text, { file, files })
}

export interface PolicyPlace {
  /** Absolute path; errors show its last part. */
  readonly file: string
  readonly files: PolicyFiles
}

/** As `loadPolicyFile`, for text that is there already. */
export async function parsePolicy(text: string, { file, files }: PolicyPlace): Promise<LoadedPolicy> {
  const fields = (await readPolicyDocument(text, basename(file))).fields(['version', 'domains', 'packages'])
  fields.required('version').count(1, 1)
  const declared = fields.optional('domains')
  const domains = declared === undefined ? undefined : await readDomains(declared, files)
  const reader = new RequirementReader(
    files,
    domains?.map(({ name }) => name),
  )
  const rules = await readRules(fields.required('packages'), reader)
  return { policyFor: (purl, asked) => policyOf(rules, purl, asked), domains, source: file }
}

function policyOf(rules: readonly Rule[], text: string | undefined, askedText: string | undefined): Policy {
  const purl = text === undefined ? undefined : parsePurl(text)
  if (text !== undefined && purl === undefined) {
    throw new MalformedError('PACKAGE_METADATA', 'the package URL of the package cannot be read', {
      got: text,
    })
  }
  const asked = askedText === undefined ? undefined : parseAsked(askedText)
  return combine(rules, purl ?? asked, asked === undefined ? undefined : encodePurl(asked))
}

function parseAsked(text: string): Purl {
  const purl = parsePurl(text)
  if (purl !== undefined) return purl
  const wanted = 'pkg:type/namespace/name@version'
  throw new UsageError('USAGE_ARGUMENT', 'the package URL cannot be read', { got: text, wanted })
}
