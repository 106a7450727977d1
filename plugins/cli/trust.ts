import type { AuthorityReport, TrustDomainReport } from '../../daemon/api.ts'
import { UsageError } from '../../trust/errors.ts'
import { describeAge } from './evidence.ts'
import { flagList, type Invocation } from './invocation.ts'
import { jsonLine, Printer, type Piece } from './terminal.ts'
import type { World } from './world.ts'

/** `sigward trust show`. @throws UsageError USAGE_ARGUMENT */
export async function runTrust({ positionals, flags }: Invocation, world: World): Promise<number> {
  const [action = ''] = positionals
  if (action !== 'show') {
    throw new UsageError('USAGE_ARGUMENT', `'${action}' is nothing that trust can do`, {
      hint: 'run sigward trust show',
    })
  }
  const engine = await world.engine()
  const { domains } = await engine.trust({ trustedRoots: flagList(flags, 'trusted-root') })
  if (flags.has('json')) {
    for (const domain of domains) world.stdout.write(jsonLine(domainToJson(domain)))
  } else {
    const now = world.now()
    const printer = new Printer(world.stdout, world.environment)
    printer.print(
      domains.flatMap((domain, i) => [...(i === 0 ? [] : [SPACE]), ...describeDomain(domain, now)]),
    )
  }
  return 0
}

const SPACE: Piece = { kind: 'space' }

function describeDomain(domain: TrustDomainReport, now: Date): readonly Piece[] {
  const { name, source, rootDigest, asOf, speaksFor, thresholds, authorities, notes } = domain
  return [
    { kind: 'head', tone: 'strong', word: 'trust domain', text: name },
    {
      kind: 'fields',
      rows: [
        ['source', source],
        ['age', describeAge(asOf === undefined ? undefined : new Date(asOf), now)],
        ['root', `sha256:${rootDigest}`],
        ['speaks for', speaksFor],
        ['asks for', thresholds],
        ...notes.map((note) => ['note', note] as const),
      ],
    },
    ...authorities.flatMap((authority) => describeAuthority(authority, now)),
  ]
}

function describeAuthority(authority: AuthorityReport, now: Date): readonly Piece[] {
  const { role, name, key, start, end, operator } = authority
  return [
    SPACE,
    { kind: 'text', indent: 2, text: `${role} ${name}` },
    {
      kind: 'fields',
      indent: 4,
      rows: [
        ['key', key],
        ['trusted', `${start} to ${end ?? 'now, still open'}${stateOf(authority, now)}`],
        ...(operator === name ? [] : [['operator', operator] as const]),
      ],
    },
  ]
}

/** A window that is over is no fault: what was signed in it stays good. */
function stateOf({ start, end }: AuthorityReport, now: Date): string {
  if (new Date(start) > now) return ' (not yet)'
  return end !== undefined && new Date(end) < now ? ' (over: only for what was signed before)' : ''
}

function domainToJson({ asOf, authorities, ...domain }: TrustDomainReport) {
  return {
    ...domain,
    asOf: asOf ?? null,
    authorities: authorities.map((authority) => ({ ...authority, end: authority.end ?? null })),
  }
}
