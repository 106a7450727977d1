import type { Purl } from '../../formats/index.ts'
import {
  intersectionOf,
  nobody,
  policy,
  type Policy,
  type Quantifier,
  type Requirement,
} from '../../trust/policy.ts'
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
 * The policy for one package: the intersection of all rules that match, so that an added rule never lets in what was
 * refused without it. Where none matches, nobody is named. `asked` is what the package must be.
 */
export function combine(rules: readonly Rule[], purl: Purl | undefined, asked: string | undefined): Policy {
  const matching = rules.filter(({ glob }) => glob.matches(purl))
  const wanted = asked === undefined ? {} : { package: asked }
  const [first, ...rest] = matching
  if (first === undefined) return policy(nobody(), wanted)
  const { requirement, quantifier, perPredicateType } = first
  if (rest.length === 0) return policy(requirement, { quantifier, perPredicateType, ...wanted })
  return policy(intersectionOf(matching.map((rule) => rule.requirement)), {
    ...strictest(matching),
    ...wanted,
  })
}

/** `all` wins, for each predicate type by itself. */
function strictest(rules: readonly Rule[]): Pick<Policy, 'quantifier' | 'perPredicateType'> {
  const of = (quantifiers: readonly Quantifier[]): Quantifier => (quantifiers.includes('all') ? 'all' : 'any')
  const types = new Set(rules.flatMap(({ perPredicateType }) => [...perPredicateType.keys()]))
  const forType = (type: string): Quantifier =>
    of(rules.map(({ quantifier, perPredicateType }) => perPredicateType.get(type) ?? quantifier))
  return {
    quantifier: of(rules.map(({ quantifier }) => quantifier)),
    perPredicateType: new Map([...types].map((type) => [type, forType(type)])),
  }
}
