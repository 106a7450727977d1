import type { Bundle, LogEntry } from './bundle.ts'
import { parseBundleCertificates } from './bundle-certificates.ts'
import type { TrustDomain } from './domain.ts'
import type { Window } from './authority.ts'
import { decodeUtf8, encodeBase64, encodeHex, equalBytes } from './encoding.ts'
import { digestOf } from './digest.ts'
import { CheckFailed, MalformedError } from './errors.ts'
import { Fields } from './fields.ts'
import { parseJson } from './json.ts'
import { equalKeys, keyId, parsePublicKey, parsePublicKeyPem, type PublicKey } from './keys.ts'
import { managedKeys, type KeyRequirement, type Policy } from './policy.ts'
import type { Certificate } from './x509/certificate.ts'

/** Who is supposed to have signed a bundle: the key to try, and where it comes from. Not yet believed. */
export type ClaimedSigner =
  | {
      readonly kind: 'certificate'
      readonly key: PublicKey
      readonly leaf: Certificate
      readonly untrusted: readonly Certificate[]
    }
  | {
      readonly kind: 'key'
      readonly key: PublicKey
      readonly hint: string
      readonly namedBy: 'policy' | 'domain' | 'entry'
      readonly owner: string | undefined
      readonly validFor: Window | undefined
    }

/**
 * Picks the key that must verify this bundle under this domain.
 * @throws CheckFailed when no key can be named, MalformedError for a broken certificate
 */
export function claimSigner(bundle: Bundle, domain: TrustDomain, policy: Policy): ClaimedSigner {
  const { keyMaterial } = bundle
  if (keyMaterial.kind === 'certificate') {
    const { leaf, untrusted } = parseBundleCertificates(keyMaterial)
    refuseRoots(bundle, untrusted)
    return { kind: 'certificate', key: leaf.publicKey, leaf, untrusted }
  }
  const { hint } = keyMaterial
  const named = managedKeys(policy.requirement)
  const attesting = domain.keys.filter(({ usage }) => usage === 'attestations')
  const fromDomain = hint === '' ? undefined : attesting.find((one) => one.hint === hint)
  const answering =
    named.find((one) => hint !== '' && answersTo(one.key, one.hint, hint)) ??
    named.find(({ key }) => fromDomain !== undefined && equalKeys(key, fromDomain.key))
  if (answering === undefined && fromDomain !== undefined) {
    const { key, owner, validFor } = fromDomain
    return { kind: 'key', key, hint, namedBy: 'domain', owner, validFor }
  }
  // hints are free text: where only one key is named, it is the one to try, whatever the bundle calls it
  const fromPolicy = answering ?? onlyKey(named)
  if (fromPolicy !== undefined) {
    const { key } = fromPolicy
    return {
      kind: 'key',
      key,
      hint,
      namedBy: 'policy',
      owner: undefined,
      validFor: commonWindow(fromPolicy, named),
    }
  }
  if (named.length > 0) {
    throw new CheckFailed('identity', 'IDENTITY_KEY', 'the bundle was signed with none of the named keys', {
      got: hint === '' ? 'no key hint' : hint,
      wanted: named.map((one) => one.hint ?? keyId(one.key)).join(' or '),
    })
  }
  return {
    kind: 'key',
    key: keyFromEntries(bundle.entries),
    hint,
    namedBy: 'entry',
    owner: undefined,
    validFor: undefined,
  }
}

/**
 * The window of a key, where all rules that name it agree; else each rule asks for its own when the policy decides.
 */
function commonWindow(
  { key, validFor }: KeyRequirement,
  named: readonly KeyRequirement[],
): Window | undefined {
  const same = named.filter((other) => equalKeys(other.key, key))
  return same.every((other) => windowText(other.validFor) === windowText(validFor)) ? validFor : undefined
}

function windowText(window: Window | undefined): string {
  return window === undefined ? 'none' : `${window.start.getTime()} ${window.end?.getTime() ?? 'open'}`
}

/** Several rules may name one key. */
function onlyKey(named: readonly KeyRequirement[]): KeyRequirement | undefined {
  const distinct = new Set(named.map(({ key }) => keyId(key)))
  return distinct.size === 1 ? named[0] : undefined
}

/**
 * Clients of version 0.1 put the whole chain into the bundle, root at its end; it was and is ignored. Later versions
 * forbid it, and a self-made root in a bundle is an attempt to be believed.
 */
function refuseRoots(bundle: Bundle, untrusted: readonly Certificate[]): void {
  const index = untrusted.findIndex((certificate) => equalBytes(certificate.subject, certificate.issuer))
  const endsChain = bundle.version === '0.1' && index === untrusted.length - 1
  if (index >= 0 && !endsChain) {
    throw new MalformedError('BUNDLE_ROOT_CERTIFICATE', 'the bundle carries a root certificate', {
      where: `$.verificationMaterial.x509CertificateChain.certificates[${index + 1}]`,
    })
  }
}

/** A hint may be the digest of the key in base64 or hex, or the name that the policy gives the key. */
function answersTo(key: PublicKey, name: string | undefined, hint: string): boolean {
  const digest = digestOf('sha256', key.spki)
  return [name, encodeBase64(digest), encodeHex(digest)].includes(hint)
}

/** With no key named, the logged one at least tells who signed; the outcome can never be `verified`. */
function keyFromEntries(entries: readonly LogEntry[]): PublicKey {
  for (const entry of entries) {
    const key = loggedKey(entry)
    if (key !== undefined) return key
  }
  throw new CheckFailed(
    'identity',
    'IDENTITY_KEY',
    'the bundle was signed with a key, and no key was named',
    {
      wanted: 'the public key of the signer',
      hint: 'give the public key with --key FILE',
    },
  )
}

function loggedKey(entry: LogEntry): PublicKey | undefined {
  const limits = {
    size: 16 * 1024 * 1024,
    depth: 16,
    values: 1000,
    code: 'ENTRY_MALFORMED',
    what: 'log entry',
  } as const
  const spec = new Fields(parseJson(entry.body, limits), '$', 'ENTRY_MALFORMED').object('spec')
  if (entry.generation === 2) {
    const verifier = spec.object('hashedRekordV002').object('signature').object('verifier')
    const raw = verifier.optionalObject('publicKey')?.bytes('rawBytes')
    return raw === undefined ? undefined : parsePublicKey(raw)
  }
  const pem = decodeUtf8(loggedVerifier(entry.kind, spec)) ?? ''
  return pem.includes('PUBLIC KEY') ? parsePublicKeyPem(pem) : undefined
}

function loggedVerifier(kind: string, spec: Fields): Uint8Array {
  if (kind === 'hashedrekord') return spec.object('signature').object('publicKey').bytes('content')
  const isDsse = kind === 'dsse'
  const holder = isDsse ? spec : spec.object('content').object('envelope')
  const [first] = holder.objects('signatures', 64, 'ENTRY_MALFORMED')
  if (first === undefined) throw new MalformedError('ENTRY_MALFORMED', 'the entry logs no signature')
  return first.bytes(isDsse ? 'verifier' : 'publicKey')
}

/** Names the managed keys that a policy offers, for the key of remembered evidence. */
export function offeredKeys(policy: Policy): string {
  // hints are free text, so they are quoted
  return managedKeys(policy.requirement)
    .map(({ key, hint, validFor }) => `${keyId(key)} ${JSON.stringify(hint ?? null)} ${windowText(validFor)}`)
    .join('\n')
}
