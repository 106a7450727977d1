import { windowContains } from './authority.ts'
import type { DomainKey } from './domain.ts'
import { decodeBase64 } from './encoding.ts'
import { CheckFailed } from './errors.ts'
import { verifySignature } from './keys.ts'

/**
 * A registry's own signature over a package's name, version and integrity. It says that the registry handed out
 * these bytes under this name, not who built them: never a reason for `verified`.
 */
export interface RegistrySignature {
  /** As the registry writes it: `SHA256:…`. */
  readonly keyId: string
  /** Base64 of an ECDSA signature in DER. */
  readonly signature: string
}

export interface RegistryEvidence {
  readonly owner: string
  readonly keyId: string
}

/**
 * @param message the exact signed text, from the format's own rules
 * @param publishedAt when the version was published, as far as anybody authenticated says; undefined: not known
 * @throws CheckFailed REGISTRY_KEY_UNKNOWN, REGISTRY_KEY_EXPIRED, REGISTRY_SIGNATURE
 */
export function checkRegistrySignature(
  message: Uint8Array,
  { keyId, signature }: RegistrySignature,
  keys: readonly DomainKey[],
  publishedAt: Date | undefined,
): RegistryEvidence {
  const listed = keys.find(({ hint, usage }) => hint === keyId && usage === 'signatures')
  if (listed === undefined) {
    const wanted = keys.filter(({ usage }) => usage === 'signatures').map(({ hint }) => hint)
    throw new CheckFailed('signature', 'REGISTRY_KEY_UNKNOWN', 'no trust domain lists this registry key', {
      got: keyId,
      wanted: wanted.join(' or ') || 'no key is listed',
    })
  }
  const bytes = decodeBase64(signature)
  if (
    bytes === undefined ||
    !verifySignature(listed.key, { kind: 'ecdsa', hash: 'sha256' }, message, bytes)
  ) {
    const text = 'the registry did not sign this name, version and integrity'
    throw new CheckFailed('signature', 'REGISTRY_SIGNATURE', text, { got: signature })
  }
  const { validFor, owner } = listed
  // a key that was retired vouches only for what is known to be older
  if (publishedAt === undefined ? validFor.end !== undefined : !windowContains(validFor, publishedAt)) {
    throw new CheckFailed(
      'signature',
      'REGISTRY_KEY_EXPIRED',
      'the registry key was not valid at that time',
      {
        got: publishedAt?.toISOString() ?? 'no time of publication',
        wanted: `${validFor.start.toISOString()} to ${validFor.end?.toISOString() ?? 'open'}`,
      },
    )
  }
  return { owner, keyId }
}
