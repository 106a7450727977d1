import type { Artifact } from '../trust/artifact.ts'
import type { Attachment, FormatAdapter, PackageFile } from './adapter.ts'
import { bundleSidecars, sidecarAttachment } from './sidecars.ts'

/** Any file at all: its bytes are what is signed, and it has no name of its own. Always the last resort. */
export const plainFile: FormatAdapter = {
  format: 'plain-file',
  title: 'any other file',
  matches: () => true,
  open(file: PackageFile): Promise<Artifact> {
    return Promise.resolve({
      format: 'plain-file',
      // the name of the file is not a claim of its content, so no statement is held to it
      subject: { name: undefined, version: undefined, purl: undefined, statementNames: [] },
      embedded: [],
      nativeSignatures: [],
      notes: [],
      signedBytes: () => file.stream(),
    })
  },
  sidecars: bundleSidecars,
  attach(file: PackageFile, bundle: Uint8Array): Promise<Attachment> {
    return Promise.resolve(sidecarAttachment(file, bundle))
  },
}
