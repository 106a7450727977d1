import type { Code } from '../../../trust/codes.ts'

/** What `sigward explain` says about one code. Sentences for people who have not read the specifications. */
export interface Page {
  /** What happened, in a few words. */
  readonly title: string
  /** What is checked. */
  readonly what: string
  /** What somebody could do if it were not. */
  readonly why: string
  /** How honest people usually get here. */
  readonly breaks: string
  readonly todo: string
  /** Where the rule is written; left out where it is a rule of Sigward's own. */
  readonly spec?: string
}

/** Pages of some codes; `pages.ts` does not compile while any code has none. */
export type Pages = Partial<Record<Code, Page>>
