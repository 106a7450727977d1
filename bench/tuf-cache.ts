import { Buffer } from 'node:buffer'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalJson } from '../trust/canonical-json.ts'

const ROLES = ['root', 'timestamp', 'snapshot', 'targets'] as const
const SPECIFICATION = '1.0.31'

/**
 * A TUF cache as the `sigstore` packages keep it, complete and current, whose one target is this trusted root: with
 * `--tuf-force-cache` their command line then verifies without network.
 */
export function writeTufCache(folder: string, mirror: URL, trustedRoot: Uint8Array): void {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('hex')
  const key = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: raw } }
  const keyid = sha256(Buffer.from(canonicalJson(key)))
  const expires = new Date(Date.now() + 365 * 24 * 3600 * 1000).toISOString().replace(/\.\d+Z$/, 'Z')
  const common = { spec_version: SPECIFICATION, version: 1, expires }
  const documents = {
    root: {
      _type: 'root',
      ...common,
      consistent_snapshot: true,
      keys: { [keyid]: key },
      roles: Object.fromEntries(ROLES.map((role) => [role, { keyids: [keyid], threshold: 1 }])),
    },
    timestamp: { _type: 'timestamp', ...common, meta: { 'snapshot.json': { version: 1 } } },
    snapshot: { _type: 'snapshot', ...common, meta: { 'targets.json': { version: 1 } } },
    targets: {
      _type: 'targets',
      ...common,
      targets: {
        'trusted_root.json': { length: trustedRoot.length, hashes: { sha256: sha256(trustedRoot) } },
      },
    },
  }
  const cache = join(folder, encodeURIComponent(mirror.host + mirror.pathname.replace(/\/$/, '')))
  mkdirSync(join(cache, 'targets'), { recursive: true })
  for (const role of ROLES) {
    const signed = documents[role]
    const sig = sign(null, Buffer.from(canonicalJson(signed)), privateKey).toString('hex')
    writeFileSync(join(cache, `${role}.json`), JSON.stringify({ signatures: [{ keyid, sig }], signed }))
  }
  writeFileSync(join(cache, 'targets', 'trusted_root.json'), trustedRoot)
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
