import type { TimestampAuthority, Window } from '../authority.ts'
import { CheckFailed } from '../errors.ts'
import type { VerifiedTime } from '../evidence.ts'
import { keyWindowRefusal } from '../key-window.ts'
import { checkTimestamp } from '../x509/timestamp-verification.ts'

/**
 * All times that somebody trusted vouches for: promises of logs, verified before, and timestamps over the raw bytes
 * of the signature. A time between two milliseconds counts as both, so that what follows holds at both. Timestamps of unknown authorities are passed over; a known authority's must hold.
 */
export function checkTimes(
  timestamps: readonly Uint8Array[],
  signature: Uint8Array,
  promises: readonly VerifiedTime[],
  authorities: readonly TimestampAuthority[],
): readonly VerifiedTime[] {
  const stamped = timestamps.flatMap((token): readonly VerifiedTime[] => {
    const checked = checkTimestamp(token, signature, authorities)
    if (!checked.known) return []
    const { authority, operator, at, latest } = checked
    const times = latest > at ? [at, latest] : [at]
    return times.map((time) => ({ at: time, source: 'timestamp', authority, operator }))
  })
  return [...promises, ...stamped]
}

/** A certificate lives for minutes: without enough verified times it proves nothing. Counts operators. */
export function requireTimes(
  times: readonly VerifiedTime[],
  offered: number,
  threshold: number,
): readonly [VerifiedTime, ...VerifiedTime[]] {
  const [first, ...rest] = times
  const operators = new Set(times.map(({ operator }) => operator))
  if (first !== undefined && operators.size >= threshold) return [first, ...rest]
  const details = {
    got: `${operators.size} operators`,
    wanted: `${Math.max(1, threshold)} distinct operators`,
  }
  if (first === undefined && offered > 0) {
    throw new CheckFailed('time', 'TIME_UNKNOWN_AUTHORITY', 'no timestamp is by a known authority', details)
  }
  throw new CheckFailed('time', 'TIME_THRESHOLD', 'too few signed times', details)
}

/** A managed key that has a window needs a time, and all times inside it. */
export function checkKeyWindow(window: Window | undefined, times: readonly VerifiedTime[]): void {
  const refusal = keyWindowRefusal(window, times)
  if (refusal !== undefined) throw refusal
}
