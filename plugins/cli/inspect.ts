import { EXIT_CODES, type InspectionField } from '../../daemon/api.ts'
import type { Invocation } from './invocation.ts'
import { jsonLine, Printer, type Piece, type Row } from './terminal.ts'
import type { World } from './world.ts'

const WARNING = 'not verified: this is what the file says, and nothing of it was checked'

/** A field of this label tells why something could not be read. */
const PROBLEM = 'problem'

function hasProblem(fields: readonly InspectionField[]): boolean {
  return fields.some(
    ({ label, value }) => label === PROBLEM || (typeof value !== 'string' && hasProblem(value)),
  )
}

/** `sigward inspect FILE`. */
export async function runInspect({ positionals, flags }: Invocation, world: World): Promise<number> {
  const [path = ''] = positionals
  const engine = await world.engine()
  const inspection = await engine.inspect({ path })
  const { kind, title, fields } = inspection
  if (flags.has('json')) {
    world.stdout.write(jsonLine({ file: path, notVerified: true, kind, title, fields }))
  } else {
    new Printer(world.stdout, world.environment).print([
      { kind: 'text', tone: 'attention', text: WARNING },
      { kind: 'space' },
      { kind: 'head', tone: 'strong', word: title, text: path },
      ...describeFields(fields, 2),
      { kind: 'space' },
      { kind: 'text', tone: 'attention', text: WARNING },
    ])
  }
  return hasProblem(fields) ? EXIT_CODES['no-verdict'] : 0
}

/** Neighbouring texts are set in lock step; a group has its label on a line and its fields below. */
function describeFields(fields: readonly InspectionField[], indent: number): readonly Piece[] {
  const pieces: Piece[] = []
  let rows: Row[] = []
  const flush = () => {
    if (rows.length > 0) pieces.push({ kind: 'fields', indent, rows })
    rows = []
  }
  for (const { label, value } of fields) {
    if (typeof value === 'string') {
      rows.push([label, value])
      continue
    }
    flush()
    pieces.push({ kind: 'text', indent, tone: 'strong', text: label }, ...describeFields(value, indent + 2))
  }
  flush()
  return pieces
}
