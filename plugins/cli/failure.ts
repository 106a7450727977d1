import type { CodedError } from '../../trust/errors.ts'
import type { Failure } from '../../trust/verdict.ts'
import type { Piece, Row } from './terminal.ts'

/** Why something was refused, and what to do. Errors and failures of checks read the same. */
export interface Refusal {
  readonly code: string
  readonly message: string
  readonly got: string | undefined
  readonly wanted: string | undefined
  readonly where: string | undefined
  readonly hint: string
}

export function refusalOfError({ code, message, got, wanted, where, hint }: CodedError): Refusal {
  return { code, message, got, wanted, where, hint }
}

export function refusalOfFailure({ code, message, got, wanted, where, remedy }: Failure): Refusal {
  return { code, message, got, wanted, where, hint: remedy }
}

export function describeRefusal(refusal: Refusal, indent: number): readonly Piece[] {
  const rows: Row[] = []
  for (const label of ['got', 'wanted', 'where'] as const) {
    const value = refusal[label]
    if (value !== undefined) rows.push([label, value])
  }
  return [
    { kind: 'text', indent, tone: 'strong', text: `${refusal.code}: ${refusal.message}` },
    ...(rows.length === 0 ? [] : [{ kind: 'fields', indent: indent + 2, rows } as const]),
    { kind: 'hint', indent, text: refusal.hint },
    { kind: 'hint', indent, text: `sigward explain ${refusal.code}` },
  ]
}

/** The same for programs; absent parts are null. */
export function refusalToJson({ code, message, got, wanted, where, hint }: Refusal) {
  return { code, message, got: got ?? null, wanted: wanted ?? null, where: where ?? null, hint }
}
