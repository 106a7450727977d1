import { existsSync } from 'node:fs'
import {
  exitCodeOf,
  exitCodeOfError,
  type Engine,
  type PolicySource,
  type Target,
  type VerifyRequest,
} from '../../daemon/api.ts'
import { escapeForDisplay } from '../../trust/encoding.ts'
import { CodedError, UsageError } from '../../trust/errors.ts'

/**
 * The command line protocol of the published conformance suite. Arguments always come in the order of the template;
 * only the exit status is judged there. What is written to stderr begins each line with a code, for our own tests.
 */
export interface ProtocolAnswer {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

const TEMPLATE = `verify-bundle [--staging] --bundle FILE
  (--certificate-identity IDENTITY --certificate-oidc-issuer URL | --key FILE)
  [--trusted-root FILE] FILE_OR_DIGEST`

export async function runProtocol(
  args: readonly string[],
  connect: () => Promise<Engine>,
): Promise<ProtocolAnswer> {
  try {
    const request = parseRequest(args)
    const engine = await connect()
    const { verdict } = await engine.verify(request)
    const exitCode = exitCodeOf(verdict)
    if (verdict.outcome === 'verified') return { exitCode, stdout: 'verified\n', stderr: '' }
    const lines = verdict.failures.map(({ code, message, got, where }) => describe(code, message, where, got))
    return { exitCode, stdout: '', stderr: [...lines, `${verdict.outcome}\n`].join('') }
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    const { code, message, got, where, hint } = error
    const stderr = `${describe(code, message, where, got)}hint: ${escapeForDisplay(hint)}\n`
    return { exitCode: exitCodeOfError(error), stdout: '', stderr }
  }
}

function describe(code: string, message: string, where: string | undefined, got: string | undefined): string {
  const place = where === undefined ? '' : ` at ${where}`
  const seen = got === undefined ? '' : `, got ${got}`
  return `${code}: ${escapeForDisplay(`${message}${place}${seen}`)}\n`
}

function parseRequest(args: readonly string[]): VerifyRequest {
  const words = new Words(args)
  const command = words.next()
  if (command === 'sign-bundle') {
    throw usage('sign-bundle is not supported: signing is not part of this version', 'use verify-bundle')
  }
  if (command !== 'verify-bundle') {
    throw usage(`there is no command '${command ?? ''}'`, TEMPLATE)
  }
  const staging = words.takes('--staging')
  const bundle = words.value('--bundle')
  const policy = readPolicy(words)
  const trustedRoot = words.optional('--trusted-root')
  const target = words.next()
  if (target === undefined || target.startsWith('--') || words.next() !== undefined) throw outOfOrder()
  if (staging && trustedRoot === undefined) {
    throw usage('no trusted root of the staging instance is embedded', 'name it with --trusted-root FILE')
  }
  return {
    target: readTarget(target),
    bundles: [bundle],
    policy,
    trustedRoots: trustedRoot === undefined ? [] : [trustedRoot],
    package: undefined,
  }
}

function readPolicy(words: Words): PolicySource {
  const key = words.optional('--key')
  if (key !== undefined) return { kind: 'keys', paths: [key] }
  return {
    kind: 'identity',
    subject: { kind: 'exact', value: words.value('--certificate-identity') },
    issuer: { kind: 'exact', value: words.value('--certificate-oidc-issuer') },
  }
}

/** A digest has the right form and is no file on disk; everything else is a path. */
function readTarget(text: string): Target {
  const isDigest = /^sha256:[0-9a-f]{64}$/i.test(text) && !existsSync(text)
  return isDigest ? { kind: 'digest', text } : { kind: 'file', path: text }
}

/** The arguments, read from the front. */
class Words {
  readonly #words: readonly string[]
  #at = 0

  constructor(words: readonly string[]) {
    this.#words = words
  }

  next(): string | undefined {
    const word = this.#words[this.#at]
    if (word !== undefined) this.#at++
    return word
  }

  takes(flag: string): boolean {
    if (this.#words[this.#at] !== flag) return false
    this.#at++
    return true
  }

  optional(flag: string): string | undefined {
    if (!this.takes(flag)) return undefined
    const value = this.next()
    if (value === undefined || value === '') throw outOfOrder()
    return value
  }

  value(flag: string): string {
    const value = this.optional(flag)
    if (value === undefined) throw outOfOrder()
    return value
  }
}

function outOfOrder(): UsageError {
  return usage('the arguments are not those of the protocol, in its order', TEMPLATE)
}

function usage(message: string, hint: string): UsageError {
  return new UsageError('USAGE_ARGUMENT', message, { hint })
}
