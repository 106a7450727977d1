import { readFileSync, writeFileSync } from 'node:fs'

/**
 * Highest resident memory of this process so far, in bytes. Linux says it per process image; `getrusage`, which other
 * systems are asked, counts there what the parent held when it forked.
 */
export function peakMemory(): number {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]
    if (kilobytes !== undefined) return Number(kilobytes) * 1024
  } catch {
    // no such file on this system
  }
  return process.resourceUsage().maxRSS * 1024
}

/** Makes `peakMemory` start again from what is held now, where the system can do that. */
export function resetPeakMemory(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5')
  } catch {
    // elsewhere the peak only ever rises, which makes limits looser and never stricter
  }
}
