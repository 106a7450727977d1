import type { PolicySource, TextMatcher, VerifyRequest } from '../../daemon/api.ts'
import { UsageError } from '../../trust/errors.ts'
import { flagList, flagText, type Flags } from './invocation.ts'

/** The flags of `verify`, checked against each other before any file is opened. */
export interface VerifyOptions {
  /** What is asked of the engine for each artifact. */
  readonly question: Omit<VerifyRequest, 'target'>
  readonly explain: boolean
  readonly json: boolean
  readonly quiet: boolean
  readonly progress: boolean
}

/** @throws UsageError USAGE_POLICY or USAGE_FLAG */
export function readVerifyOptions(flags: Flags): VerifyOptions {
  const [json, quiet, explain] = [flags.has('json'), flags.has('quiet'), flags.has('explain')]
  if (quiet && (json || explain)) {
    throw new UsageError('USAGE_FLAG', `--quiet and --${json ? 'json' : 'explain'} exclude each other`)
  }
  return {
    question: {
      bundles: flagList(flags, 'bundle'),
      policy: readPolicy(flags),
      trustedRoots: flagList(flags, 'trusted-root'),
      package: flagText(flags, 'package'),
    },
    explain,
    json,
    quiet,
    progress: !quiet && !flags.has('no-progress'),
  }
}

function readPolicy(flags: Flags): PolicySource {
  const subject = readMatcher(flags, 'identity')
  const issuer = readMatcher(flags, 'issuer')
  const keys = flagList(flags, 'key')
  const file = flagText(flags, 'policy')
  const named = [
    ...(subject === undefined ? [] : ['--identity']),
    ...(subject === undefined && issuer !== undefined ? ['--issuer'] : []),
    ...(keys.length === 0 ? [] : ['--key']),
    ...(file === undefined ? [] : ['--policy']),
  ]
  if (named.length > 1) throw new UsageError('USAGE_POLICY', `${named.join(' and ')} exclude each other`)
  if (file !== undefined) return { kind: 'file', path: file }
  if (keys.length > 0) return { kind: 'keys', paths: keys }
  if (subject === undefined && issuer === undefined) return { kind: 'nobody' }
  if (issuer === undefined) {
    const hint = 'add --issuer URL; "sigward inspect BUNDLE" shows which issuer a bundle claims'
    throw new UsageError('USAGE_POLICY', 'an identity means nothing without the issuer that vouches for it', {
      hint,
    })
  }
  if (subject === undefined) {
    const hint = 'add --identity WHO, or --identity-regexp PATTERN'
    throw new UsageError('USAGE_POLICY', 'an issuer vouches for many: say for whom', { hint })
  }
  return { kind: 'identity', subject, issuer }
}

function readMatcher(flags: Flags, name: 'identity' | 'issuer'): TextMatcher | undefined {
  const value = flagText(flags, name)
  const source = flagText(flags, `${name}-regexp`)
  if (value !== undefined && source !== undefined) {
    throw new UsageError('USAGE_POLICY', `--${name} and --${name}-regexp exclude each other`)
  }
  if (value !== undefined) return { kind: 'exact', value }
  return source === undefined ? undefined : { kind: 'pattern', source }
}
