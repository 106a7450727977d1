import { basename, dirname, join } from 'node:path'
import {
  looksLikeAttestations,
  MOST_PARTS,
  parseAttestations,
  splitJson,
  type FormatAdapter,
} from '../formats/index.ts'
import type { FoundBundle } from '../trust/content.ts'
import { MalformedError, StoreError } from '../trust/errors.ts'
import { readSmallFile } from './package-file.ts'

/**
 * Bundles where people and registries put them: beside the artifact, or in files that the user names. One file may
 * hold one bundle, JSON Lines, a JSON array, or a registry's attestations document.
 */

const LIMIT = 64 * 1024 * 1024

/** Bundles in the files that belong to `path` by their name. Files that are not there are no error. */
export async function bundlesBeside(path: string, adapter: FormatAdapter): Promise<readonly FoundBundle[]> {
  const found: FoundBundle[] = []
  for (const name of adapter.sidecars(basename(path))) {
    try {
      found.push(...(await bundlesIn(join(dirname(path), name), adapter)))
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'STORE_NOT_FOUND') throw error
    }
  }
  return found
}

/** Bundles in a file that the user named. */
export async function bundlesIn(
  path: string,
  adapter: FormatAdapter | undefined,
): Promise<readonly FoundBundle[]> {
  const bytes = await readSmallFile(path, LIMIT)
  const found = splitBundles(bytes, basename(path), adapter)
  if (found.length > MOST_PARTS) {
    throw new StoreError('STORE_UNREADABLE', `'${path}' holds more than ${MOST_PARTS} bundles`, {
      where: path,
    })
  }
  return found
}

/**
 * Takes a file of bundles apart without judging them: text that is no bundle comes out as one, so that judging it
 * names the fault.
 */
export function splitBundles(
  bytes: Uint8Array,
  where: string,
  adapter: FormatAdapter | undefined,
): readonly FoundBundle[] {
  if (looksLikeAttestations(bytes)) {
    return parseAttestations(bytes).map(({ bundle }, i) => ({
      where: `${where} attestation ${i + 1}`,
      bytes: bundle,
      notes: [],
    }))
  }
  const parts = splitJson(bytes)
  const many = parts.length > 1
  return parts.flatMap((part, i) => {
    const place = many ? `${where} part ${i + 1}` : where
    const { bundles, notes } = repaired(part, adapter)
    return bundles.map((bundle) => ({ where: place, bytes: bundle, notes }))
  })
}

function repaired(
  stored: Uint8Array,
  adapter: FormatAdapter | undefined,
): { readonly bundles: readonly Uint8Array[]; readonly notes: readonly string[] } {
  if (adapter?.repairBundle === undefined) return { bundles: [stored], notes: [] }
  try {
    return adapter.repairBundle(stored)
  } catch (error) {
    // what cannot be repaired is judged as it stands
    if (error instanceof MalformedError) return { bundles: [stored], notes: [] }
    throw error
  }
}
