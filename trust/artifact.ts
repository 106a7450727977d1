/**
 * What an adapter hands to verification: data, never a decision. Nothing here is trusted until the verdict says so.
 */
export interface Artifact {
  /** Name of the format: `npm-tarball`. */
  readonly format: string
  /** What it says it is. */
  readonly subject: Subject
  /** Bundles (or JSON Lines of them) found inside the package; often none. */
  readonly embedded: readonly EmbeddedBundle[]
  /** Signatures of the format's own kind found inside the package; often none. */
  readonly nativeSignatures: readonly NativeSignature[]
  /** Remarks on what was met while reading, for `inspect`. */
  readonly notes: readonly string[]
  /** The exact bytes that a signature covers; repeatable. */
  signedBytes(): AsyncIterable<Uint8Array>
}

/** What the package says it is, read from inside it. */
export interface Subject {
  /** undefined where the format has no names (plain file) or the package does not say. */
  readonly name: string | undefined
  /** undefined where `name` is, or where the package does not say. */
  readonly version: string | undefined
  /** Package URL without qualifiers that depend on where it was fetched: `pkg:npm/%40scope/name@1.2.3`. */
  readonly purl: string | undefined
  /** Names under which a statement may speak about this file; compared exactly, never as a fallback for the digest. */
  readonly statementNames: readonly string[]
}

/** A bundle that an adapter found inside the package. */
export interface EmbeddedBundle {
  /** Where it was found, for reports: `custom section "sigstore"`. */
  readonly where: string
  /** JSON of the bundle. */
  readonly bytes: Uint8Array
  /**
   * The bytes that this bundle's signature covers, when they are not `signedBytes()`: a bundle inside a file
   * cannot cover itself.
   */
  readonly signedBytes?: () => AsyncIterable<Uint8Array>
}

/** A signature of the format's own making: `trust/` verifies it, the adapter only reports it. */
export interface NativeSignature {
  /** `wasm-signature`, `jarsigner`, `npm-registry`, `helm-provenance`. */
  readonly scheme: string
  /** What signs: key ID, alias, certificate subject; text from the package. */
  readonly keyId: string | undefined
  /** Exactly the bytes under the signature; undefined where the scheme is reported but not verified. */
  readonly message: Uint8Array | undefined
  /** As the scheme encodes it. */
  readonly signature: Uint8Array
  /** `ed25519`, `ecdsa-p256-sha256`, `pkcs7`, `openpgp`. */
  readonly algorithm: string
  /** What the signature covers, in words: `whole module`, `sections 1 to 4`, `manifest`. */
  readonly covers: string
  /** True when the hash that the signature covers was recomputed from the file and agrees. */
  readonly contentMatches: boolean
}
