import { DAEMON_TARGETS } from './targets-daemon.ts'
import { FORMAT_TARGETS } from './targets-formats.ts'
import { TRUST_TARGETS } from './targets-trust.ts'
import type { Target } from './target.ts'

export const TARGETS: readonly Target[] = [...TRUST_TARGETS, ...FORMAT_TARGETS, ...DAEMON_TARGETS]
