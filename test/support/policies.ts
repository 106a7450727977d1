import { Buffer } from 'node:buffer'
import { generateKeyPairSync } from 'node:crypto'
import { parsePolicy, type LoadedPolicy, type PolicyFiles } from '../../daemon/policy-file.ts'
import { StoreError } from '../../trust/errors.ts'

/** Policies without a disk: the files beside them are given by name. */
export type Files = Readonly<Record<string, string | Uint8Array>>

export function newPem(): string {
  return generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString()
}

export async function readPolicy(text: string, files: Files = {}): Promise<LoadedPolicy> {
  const beside: PolicyFiles = {
    resolve: (path) => `/policies/${path.replace(/^\.\//, '')}`,
    read: async (path) => {
      const content = files[path.replace('/policies/', '')]
      if (content === undefined)
        throw new StoreError('STORE_NOT_FOUND', `'${path}' does not exist`, { where: path })
      return typeof content === 'string' ? Buffer.from(content) : content
    },
  }
  return parsePolicy(text, { file: '/policies/sigward.yaml', files: beside })
}

/** What a policy is refused with; an error that is not expected comes through. */
export async function refusalOf(text: string, files: Files = {}): Promise<Record<string, unknown>> {
  try {
    await readPolicy(text, files)
  } catch (error) {
    if (error instanceof Error && 'code' in error) {
      return Object.fromEntries(
        ['name', 'code', 'message', 'where', 'got', 'wanted'].map((key) => [key, Reflect.get(error, key)]),
      )
    }
    throw error
  }
  return { code: 'accepted' }
}

/** A policy with one rule for everything; `require` and what follows it is given as flow YAML or JSON. */
export function ruleFor(require: string, more = ''): string {
  return `version: 1\npackages:\n  - match: "**"\n    require: ${require}\n${more}`
}

export function withDomain(domain: string): string {
  return `version: 1\ndomains:\n  acme: ${domain}\npackages:\n  - { match: "**", require: ${ANYBODY} }\n`
}

export const ANYBODY = '{ identity: { subject: a@acme.example, issuer: https://oidc.acme.example } }'
