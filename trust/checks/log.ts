import type { TransparencyLog } from '../authority.ts'
import type { TrustDomain } from '../domain.ts'
import { CheckFailed } from '../errors.ts'
import type { LoggedEntry, VerifiedTime } from '../evidence.ts'
import { checkInclusion, checkLogKeyWindow, checkPromise } from '../log/inclusion.ts'
import type { LogEntry } from '../bundle.ts'
import type { MatchingEntry } from './entry.ts'

/** Entries that are in their logs, and the times that promises gave. */
export interface Logged {
  readonly entries: readonly LoggedEntry[]
  /** For each entry the logs of its key: one key may be listed several times, with windows that follow each other. */
  readonly authorities: readonly (readonly TransparencyLog[])[]
  readonly promises: readonly VerifiedTime[]
}

/**
 * Every matching entry must be proven by what it carries: promise, inclusion proof, or both. A domain's threshold
 * counts operators, so two entries of one operator are one witness.
 */
export function checkLogged(
  matching: readonly MatchingEntry[],
  all: readonly LogEntry[],
  domain: TrustDomain,
): Logged {
  const { root, thresholds, witnesses } = domain
  const promises: VerifiedTime[] = []
  const entries = matching.map(({ entry, leaf }) => {
    const promised = entry.promise === undefined ? undefined : openPromise(entry, root.logs)
    if (promised !== undefined) promises.push(promised.time)
    const inclusion =
      entry.proof === undefined ? undefined : checkInclusion(entry, leaf, root.logs, witnesses)
    const authority = inclusion?.log ?? promised?.log
    if (authority === undefined)
      throw new CheckFailed('log', 'LOG_PROOF', 'the entry has neither promise nor proof')
    if (inclusion === undefined && witnesses !== undefined) {
      throw new CheckFailed(
        'log',
        'LOG_WITNESS_QUORUM',
        'the entry has no checkpoint that a witness could have signed',
      )
    }
    return {
      log: authority.names[0],
      operator: authority.operator,
      kind: `${entry.kind} ${entry.version}`,
      // the place among all shards is signed only by a promise; a proof knows the place in its tree
      logIndex: promised === undefined && inclusion !== undefined ? inclusion.index : entry.logIndex,
      proof:
        inclusion === undefined
          ? undefined
          : {
              treeSize: inclusion.treeSize,
              origin: inclusion.origin,
              witnesses: inclusion.witnesses.map(({ name }) => name),
            },
      promised: promised !== undefined,
    }
  })
  requireOperators(new Set(entries.map(({ operator }) => operator)), all, thresholds.logs, domain.name)
  const authorities = matching.map(({ entry }) => root.logs.filter(({ logId }) => logId === entry.logId))
  return { entries, authorities, promises }
}

function requireOperators(
  operators: ReadonlySet<string>,
  all: readonly LogEntry[],
  wanted: number,
  domain: string,
): void {
  if (operators.size >= wanted) return
  const details = {
    got: `${operators.size} of ${all.length} entries`,
    wanted: `${wanted} distinct log operators`,
  }
  if (operators.size === 0 && all.length > 0) {
    throw new CheckFailed(
      'log',
      'LOG_UNKNOWN',
      `no entry is of a log that trust domain ${domain} knows`,
      details,
    )
  }
  throw new CheckFailed('log', 'LOG_THRESHOLD', 'too few logs vouch for the signature', details)
}

/** A trusted root may list one log twice, with windows that follow each other. */
function openPromise(
  entry: LogEntry,
  logs: readonly TransparencyLog[],
): { log: TransparencyLog; time: VerifiedTime } {
  let failure: CheckFailed | undefined
  for (const log of logs) {
    if (log.logId !== entry.logId) continue
    try {
      const at = checkPromise(entry, log)
      return { log, time: { at, source: 'log-promise', authority: log.names[0], operator: log.operator } }
    } catch (error) {
      if (!(error instanceof CheckFailed)) throw error
      failure ??= error
    }
  }
  throw failure ?? new CheckFailed('log', 'LOG_UNKNOWN', 'the promise is of an unknown log')
}

/**
 * Some verified time must lie in the window of each log's key. Without any time (managed keys only) a key that is
 * still in use is accepted; one that was retired is not, because nothing says that it was good then.
 */
export function checkLogWindows({ authorities }: Logged, times: readonly VerifiedTime[]): void {
  for (const logs of authorities) {
    const inUse = times.length === 0 && logs.some(({ validFor }) => validFor.end === undefined)
    if (!inUse)
      checkLogKeyWindow(
        logs,
        times.map(({ at }) => at),
      )
  }
}

export function describeLogged({ entries }: Logged): string {
  return entries.map(({ log, logIndex }) => `${log} index ${logIndex}`).join(', ') || 'none asked for'
}
