import { remedyFor, type Code } from './codes.ts'

/** Names of the checks, in the order in which `trust/verify.ts` runs them. */
export const CHECKS = [
  'bundle',
  'domain',
  'signature',
  'subject',
  'entry',
  'log',
  'time',
  'certificate',
  'sct',
  'identity',
  'package',
] as const
/** One of {@link CHECKS}. */
export type CheckName = (typeof CHECKS)[number]

/** What an error says beside its code and its message. */
export interface ErrorDetails {
  /** What was found, as text; printed escaped. */
  readonly got?: string
  /** What would have been accepted. */
  readonly wanted?: string
  /** Replaces the remedy of the code where a better one is known here. */
  readonly hint?: string
  /** JSON path, byte offset, file or line where it went wrong. */
  readonly where?: string
  /** The error beneath it. */
  readonly cause?: unknown
}

/**
 * Base of every error that Sigward raises on purpose. `code` is stable; `message` says what and where in lower
 * case without a final period; `hint` says what to do next. One subclass per "whose problem is it".
 */
export abstract class CodedError extends Error {
  /** Stable: scripts may rely on it. */
  readonly code: Code
  /** What was found; text from outside, so escape it before printing. */
  readonly got: string | undefined
  /** What would have been accepted. */
  readonly wanted: string | undefined
  /** JSON path, byte offset, file or line. */
  readonly where: string | undefined
  /** What to do next. */
  readonly hint: string

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.got = details.got
    this.wanted = details.wanted
    this.where = details.where
    this.hint = details.hint ?? remedyFor(code)
  }
}

/** A check found something false. Never leaves `trust/`: it becomes a `Failure` of a verdict. */
export class CheckFailed extends CodedError {
  override readonly name = 'CheckFailed'
  /** The check that refused. */
  readonly check: CheckName

  constructor(check: CheckName, code: Code, message: string, details: ErrorDetails = {}) {
    super(code, message, details)
    this.check = check
  }
}

/** Input that cannot be parsed: no verdict, except for a bundle, where it becomes a failure of check `bundle`. */
export class MalformedError extends CodedError {
  override readonly name = 'MalformedError'
}

/** The caller asked for something that makes no sense. */
export class UsageError extends CodedError {
  override readonly name = 'UsageError'
}

/** The trust material itself is missing or cannot be used. */
export class TrustError extends CodedError {
  override readonly name = 'TrustError'
}

/** Disk: not there, not readable, not writable. */
export class StoreError extends CodedError {
  override readonly name = 'StoreError'
}
