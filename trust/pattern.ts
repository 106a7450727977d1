import { RE2JS, RE2JSException } from 're2js'
import { UsageError } from './errors.ts'
import type { PatternMatcher } from './policy.ts'

const LONGEST = 1024

/**
 * A regular expression in RE2 syntax, matched in linear time and always against the whole text: `github.com/acme/`
 * alone matches nothing longer, so an unanchored pattern cannot let a stranger in.
 * @throws UsageError USAGE_PATTERN for look-around, back-references and anything else RE2 does not know
 */
export function pattern(source: string): PatternMatcher {
  if (source === '' || source.length > LONGEST) {
    throw new UsageError('USAGE_PATTERN', `a pattern must have 1 to ${LONGEST} characters`, {
      got: `${source.length}`,
    })
  }
  try {
    const compiled = RE2JS.compile(source)
    return { kind: 'pattern', source, matches: (text) => compiled.matches(text) }
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    throw new UsageError('USAGE_PATTERN', `pattern is not valid: ${error.message}`, {
      got: source,
      cause: error,
    })
  }
}
