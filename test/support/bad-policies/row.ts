import { ruleFor, withDomain } from '../policies.ts'

export interface BadPolicy {
  readonly name: string
  readonly text: string
  readonly message: string
  /** Line, column and path. */
  readonly where: string
  readonly got?: string
  readonly wanted?: string
  /** Can a JSON Schema know? Otherwise it depends on how the file is written, or on what it refers to. */
  readonly seenBySchema: boolean
}

export type Row = readonly [
  name: string,
  text: string,
  message: string,
  where: string,
  got?: string | undefined,
  wanted?: string,
]

export function rows(seenBySchema: boolean, list: readonly Row[]): readonly BadPolicy[] {
  return list.map(([name, text, message, where, got, wanted]) => {
    const details = { ...(got === undefined ? {} : { got }), ...(wanted === undefined ? {} : { wanted }) }
    return { name, text, message, where, seenBySchema, ...details }
  })
}

export const identity = (inside: string): string => ruleFor(`{ identity: { ${inside} } }`)
export const key = (inside: string): string => ruleFor(`{ key: { file: k.pub, ${inside} } }`)
export const domain = (inside: string): string => withDomain(`{ trustedRoot: r, ${inside} }`)
export const RULE = 'match, require, bundles, perPredicateType'
export const IDENTITY =
  'subject, subjectPattern, issuer, issuerPattern, subjectKind, extensions, extensionPatterns, domains, predicateTypes'
