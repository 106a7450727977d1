/**
 * Judges a value by a JSON Schema: the keywords that the project's schemas use, and an error for any other, so that
 * nothing is passed over in silence.
 */
type Schema = Readonly<Record<string, unknown>>
type Keyword = (value: unknown, wanted: unknown, root: Schema, schema: Schema) => boolean

export function satisfiesSchema(value: unknown, schema: Schema, root: Schema = schema): boolean {
  return Object.entries(schema).every(([name, wanted]) => {
    if (SAYING_NOTHING.has(name)) return true
    const keyword = KEYWORDS[name]
    if (keyword === undefined) throw new Error(`the schema uses '${name}', which this reader does not know`)
    return keyword(value, wanted, root, schema)
  })
}

const SAYING_NOTHING = new Set(['$schema', '$defs', 'title', 'description'])

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  array: (value) => Array.isArray(value),
  string: (value) => typeof value === 'string',
  integer: (value) => Number.isInteger(value),
}

const KEYWORDS: Readonly<Record<string, Keyword>> = {
  $ref: (value, wanted, root) => {
    const name = String(wanted).replace('#/$defs/', '')
    return satisfiesSchema(value, within(root, '$defs', name), root)
  },
  type: (value, wanted) => TYPES[String(wanted)]!(value),
  const: (value, wanted) => value === wanted,
  enum: (value, wanted) => (wanted as unknown[]).includes(value),
  pattern: (value, wanted) => typeof value !== 'string' || new RegExp(String(wanted), 'u').test(value),
  minimum: (value, wanted) => typeof value !== 'number' || value >= Number(wanted),
  maximum: (value, wanted) => typeof value !== 'number' || value <= Number(wanted),
  items: (value, wanted, root) =>
    !Array.isArray(value) || value.every((item) => satisfiesSchema(item, wanted as Schema, root)),
  minItems: (value, wanted) => !Array.isArray(value) || value.length >= Number(wanted),
  uniqueItems: (value) =>
    !Array.isArray(value) || new Set(value.map((item) => JSON.stringify(item))).size === value.length,
  minProperties: (value, wanted) => namesOf(value).length >= Number(wanted),
  maxProperties: (value, wanted) => namesOf(value).length <= Number(wanted),
  required: (value, wanted) =>
    !TYPES['object']!(value) || (wanted as string[]).every((name) => namesOf(value).includes(name)),
  properties: (value, wanted, root) =>
    membersOf(value).every(([name, member]) => {
      const schema = (wanted as Record<string, Schema>)[name]
      return schema === undefined || satisfiesSchema(member, schema, root)
    }),
  additionalProperties: (value, wanted, root, schema) =>
    membersOf(value).every(([name, member]) => {
      if (name in ((schema['properties'] as object | undefined) ?? {})) return true
      return wanted !== false && satisfiesSchema(member, wanted as Schema, root)
    }),
  propertyNames: (value, wanted, root) =>
    namesOf(value).every((name) => satisfiesSchema(name, wanted as Schema, root)),
  allOf: (value, wanted, root) => counted(value, wanted, root) === (wanted as Schema[]).length,
  anyOf: (value, wanted, root) => counted(value, wanted, root) > 0,
  oneOf: (value, wanted, root) => counted(value, wanted, root) === 1,
}

function counted(value: unknown, schemas: unknown, root: Schema): number {
  return (schemas as Schema[]).filter((schema) => satisfiesSchema(value, schema, root)).length
}

function membersOf(value: unknown): [string, unknown][] {
  return TYPES['object']!(value) ? Object.entries(value as object) : []
}

function namesOf(value: unknown): string[] {
  return membersOf(value).map(([name]) => name)
}

function within(schema: Schema, ...path: readonly string[]): Schema {
  return path.reduce((at, name) => {
    const next = at[name]
    if (!TYPES['object']!(next)) throw new Error(`the schema has no ${path.join('.')}`)
    return next as Schema
  }, schema)
}
