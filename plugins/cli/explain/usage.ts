import type { Pages } from './page.ts'

export const USAGE_PAGES = {
  USAGE_FLAG: {
    title: 'a flag is wrong',
    what: 'Every flag is known, has a value where it needs one, is given no more often than it may be, and does not contradict another one.',
    why: 'A flag that is ignored because it was misspelt could be the one that makes the check strict.',
    breaks: 'Typing mistakes; values that begin with a dash (write --flag=-value then).',
    todo: 'Run the command with --help.',
  },
  USAGE_POLICY: {
    title: 'it is not clear who must have signed',
    what: 'Exactly one way is used to say who must have signed: --identity with --issuer (or patterns for them), --key, or --policy. No name or pattern is empty.',
    why: 'An identity means nothing without the issuer that vouches for it, and two ways at once could mean both or either.',
    breaks: '--identity without --issuer; --key together with --identity.',
    todo: 'Give --identity with --issuer, or --key, or --policy FILE.',
  },
  USAGE_ARGUMENT: {
    title: 'an argument is missing or makes no sense',
    what: 'Commands exist, arguments are as many as the command takes, digests are whole, folders hold something to judge.',
    why: 'A command that judges nothing must not end as if all were well.',
    breaks: 'An empty folder; a digest that was cut off; a digest without --bundle.',
    todo: 'Run the command with --help.',
  },
  USAGE_PATTERN: {
    title: 'the pattern cannot be used',
    what: 'Patterns are regular expressions without look-around and back-references. They must match the whole text.',
    why: 'Patterns are run over text from strangers. Other engines can be kept busy for years by a text of some dozen characters.',
    breaks: 'A pattern that was written for another engine, or with a bracket that is not closed.',
    todo: 'Correct the pattern. Remember that a dot stands for any character: write \\. for a dot.',
  },
  USAGE_UNKNOWN_CODE: {
    title: 'there is no such code',
    what: 'Codes are words such as SUBJECT_NOT_FOUND.',
    why: 'Codes are stable: scripts may rely on them.',
    breaks: 'Typing mistakes, or a code of another release.',
    todo: 'Run "sigward explain" without an argument for the list.',
  },
} as const satisfies Pages
