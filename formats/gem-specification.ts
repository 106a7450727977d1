import { MalformedError } from '../trust/errors.ts'
import { parseYamlFields, type YamlFields } from './yaml-map.ts'

export interface GemIdentity {
  readonly name: string
  readonly version: string
  /** `ruby` for gems that run everywhere. */
  readonly platform: string
}

/**
 * Name, version and platform from the YAML of a `Gem::Specification`, by the rules with which RubyGems accepts
 * them. Throws PACKAGE_METADATA.
 */
export async function parseGemSpecification(bytes: Uint8Array): Promise<GemIdentity> {
  const fields = await parseYamlFields(bytes, {
    code: 'PACKAGE_METADATA',
    what: 'the specification of the gem',
  })
  return {
    name: checked('name', fields.text('name'), /^[A-Za-z0-9._-]{1,256}$/),
    version: checked(
      'version',
      fields.map('version')?.text('version'),
      /^[0-9]+(?:\.[0-9A-Za-z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/,
    ),
    platform: checked('platform', platformOf(fields), /^[A-Za-z0-9._-]{1,128}$/),
  }
}

/** A text today; once an object of processor, system and version. Absent means Ruby everywhere. */
function platformOf(fields: YamlFields): string | undefined {
  const parts = fields.map('platform')
  if (parts === undefined) return fields.text('platform') ?? 'ruby'
  const texts = [parts.text('cpu'), parts.text('os'), parts.text('version')]
  return texts.filter((text) => text !== undefined).join('-')
}

function checked(what: string, value: string | undefined, pattern: RegExp): string {
  if (value !== undefined && value.length <= 256 && pattern.test(value)) return value
  throw new MalformedError(
    'PACKAGE_METADATA',
    `the specification of the gem has no valid ${what}`,
    value === undefined ? {} : { got: value },
  )
}
