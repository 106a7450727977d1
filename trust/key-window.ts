import { windowContains, type Window } from './authority.ts'
import { CheckFailed } from './errors.ts'
import type { VerifiedTime } from './evidence.ts'

/** Why these times do not fit the window of a managed key; undefined when they do. */
export function keyWindowRefusal(
  window: Window | undefined,
  times: readonly VerifiedTime[],
): CheckFailed | undefined {
  if (window === undefined) return undefined
  const outside = times.find(({ at }) => !windowContains(window, at))
  if (outside === undefined && times.length > 0) return undefined
  return new CheckFailed('time', 'TIME_KEY_WINDOW', 'the key was not valid when the signature was made', {
    got: outside?.at.toISOString() ?? 'no signed time',
    wanted: `${window.start.toISOString()} to ${window.end?.toISOString() ?? 'open'}`,
  })
}
