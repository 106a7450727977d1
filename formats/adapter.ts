import type { Artifact } from '../trust/artifact.ts'

/**
 * The seam between package formats and everything else. An adapter answers three questions and no others: what is
 * this package called, which bytes does a signature cover, and where may a bundle be inside or beside it. It
 * computes no digest and trusts no field it reads; the verifier hashes the bytes itself.
 */

/** One opened package file, given by the daemon. Every read returns bytes of the copy that is hashed. */
export interface PackageFile {
  /** Base name only, never a path. */
  readonly filename: string
  /** Bytes. */
  readonly size: number
  /** Exactly `length` bytes from `offset`, or PACKAGE_TRUNCATED. */
  read(offset: number, length: number): Promise<Uint8Array>
  /** Bytes from `start` (default 0) up to `end`, not included (default the size). Repeatable; may be left early. */
  stream(start?: number, end?: number): AsyncIterable<Uint8Array>
}

/** How a bundle goes with a package: as a file beside it, or as the package rewritten with the bundle inside. */
export type Attachment =
  | { readonly kind: 'sidecar'; readonly filename: string; readonly bytes: Uint8Array }
  | { readonly kind: 'embedded'; readonly bytes: AsyncIterable<Uint8Array> }

/** Bytes that detection hands to `matches`: the first so many of the file, or all of a smaller one. */
export const HEAD_LENGTH = 4096

export interface FormatAdapter {
  /** Stable name: `npm-tarball`. */
  readonly format: string
  /** One line for help texts. */
  readonly title: string
  /** Names of files that promise this format: one that is something else is refused. `/\.gem$/i` */
  readonly promisedBy?: RegExp
  /**
   * Cheap, pure, never throws: could this file be of this format? `head` is the first `HEAD_LENGTH` bytes of the
   * file. The name may be looked at only where the content of a format says nothing at all.
   */
  matches(filename: string, head: Uint8Array): boolean
  /**
   * For formats whose head cannot tell (three kinds of package are a compressed tar): looks into the first entries,
   * within limits. False for anything that cannot be read, so never throws for a broken package. Asked only after
   * `matches` said yes; left out where `matches` is enough.
   */
  recognizes?(file: PackageFile): Promise<boolean>
  /** Reads name and version. Throws MalformedError for a package that is broken, hostile or beyond limits. */
  open(file: PackageFile): Promise<Artifact>
  /** Candidate names of files beside the package that may hold bundles, the preferred one first. */
  sidecars(filename: string): readonly string[]
  /** Puts a bundle where the tools of the ecosystem look for it. */
  attach(file: PackageFile, bundle: Uint8Array): Promise<Attachment>
  /**
   * Repairs bundles that the registry of this ecosystem is known to store broken. Takes the registry's answer,
   * returns one or more bundles and what was changed; signed bytes are never touched.
   */
  repairBundle?(stored: Uint8Array): RepairedBundle
}

export interface RepairedBundle {
  /** Bundles as JSON, one per element. */
  readonly bundles: readonly Uint8Array[]
  /** What was repaired, one remark each; empty when nothing was. */
  readonly notes: readonly string[]
}
