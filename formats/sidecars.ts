import type { Attachment, PackageFile } from './adapter.ts'

/** Names beside a file under which the tools of Sigstore look for bundles and put them, the usual one first. */
export function bundleSidecars(filename: string): readonly string[] {
  return [`${filename}.sigstore.json`, `${filename}.sigstore.jsonl`, `${filename}.sigstore`]
}

export function sidecarAttachment(file: PackageFile, bundle: Uint8Array): Attachment {
  return { kind: 'sidecar', filename: `${file.filename}.sigstore.json`, bytes: bundle }
}
