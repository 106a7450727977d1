import type { Purl } from '../../formats/index.ts'
import { MalformedError } from '../../trust/errors.ts'
import { allOf, nobody, policy, type Policy, type Quantifier, type Requirement } from '../../trust/policy.ts'
import { parsePurlGlob, type PurlGlob } from '../purl-glob.ts'
import type { PolicyNode } from './node.ts'
import { requirePredicateType, type RequirementReader } from './requirements.ts'

/** One item of `packages`. */
export interface Rule {
  readonly glob: PurlGlob
  readonly requirement: Requirement
  readonly quantifier: Quantifier
  /** As in `Policy`: `''` stands for message signatures. */
  readonly perPredicateType: ReadonlyMap<string, Quantifier>
  /** For errors: file, line, path. */
  readonly where: string
}

const QUANTIFIERS = ['any', 'all'] as const
const MESSAGE_SIGNATURE = 'messageSignature'

export async function readRules(node: PolicyNode, reader: RequirementReader): Promise<readonly Rule[]> {
  const rules: Rule[] = []
  for (const item of node.items()) rules.push(await readRule(item, reader))
  return rules
}

async function readRule(node: PolicyNode, reader: RequirementReader): Promise<Rule> {
  const fields = node.fields(['match', 'require', 'bundles', 'perPredicateType'])
  const match = fields.required('match')
  const source = match.text()
  return {
    glob: await match.placed(() => parsePurlGlob(source)),
    requirement: await reader.read(fields.required('require')),
    quantifier: fields.optional('bundles')?.oneOf(QUANTIFIERS) ?? 'any',
    perPredicateType: readQuantifiers(fields.optional('perPredicateType')),
    where: node.where,
  }
}

function readQuantifiers(node: PolicyNode | undefined): ReadonlyMap<string, Quantifier> {
  const quantifiers = new Map<string, Quantifier>()
  for (const [type, { keyNode, value }] of node?.entries() ?? []) {
    if (type !== MESSAGE_SIGNATURE) requirePredicateType(keyNode, type)
    quantifiers.set(type === MESSAGE_SIGNATURE ? '' : type, value.oneOf(QUANTIFIERS))
  }
  return quantifiers
}

/**
 * The policy for one package: every rule that matches must be satisfied. Where none matches, nobody is named.
 * `asked` is what the package must be.
 * @throws MalformedError MALFORMED_POLICY when the matching rules cannot be joined
 */
export function combine(rules: readonly Rule[], purl: Purl | undefined, asked: string | undefined): Policy {
  const matching = rules.filter(({ glob }) => glob.matches(purl))
  const wanted = asked === undefined ? {} : { package: asked }
  const [first, ...rest] = matching
  if (first === undefined) return policy(nobody(), wanted)
  const { quantifier, perPredicateType } = first
  if (rest.length === 0) return policy(first.requirement, { quantifier, perPredicateType, ...wanted })
  requireJoinable(matching)
  return policy(allOf(matching.map(({ requirement }) => requirement)), wanted)
}

/**
 * "Every bundle must satisfy this rule" cannot be said once several rules are joined into one requirement: a bundle
 * that satisfies only the other rule would pass, so a rule that was added would let in what was refused before.
 */
function requireJoinable(matching: readonly Rule[]): void {
  const strict = matching.find(({ quantifier, perPredicateType }) =>
    [quantifier, ...perPredicateType.values()].includes('all'),
  )
  if (strict === undefined) return
  const others = matching.filter((rule) => rule !== strict).map(({ where }) => where)
  throw new MalformedError(
    'MALFORMED_POLICY',
    'a rule that speaks of all bundles is not the only one for a package',
    {
      where: strict.where,
      got: `also ${others.join(', ')}`,
      wanted: 'one rule for these packages, with all that is required',
    },
  )
}
