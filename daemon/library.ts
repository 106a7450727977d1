/**
 * Sigward as a library: verify signed packages offline.
 *
 * {@link createEngine} judges files as the command line does: it finds out what a package is, looks for its bundles
 * and reads trusted roots. {@link verify} is the core beneath it, without files, network and clock: bytes and trusted
 * roots are arguments. `docs/library.md` walks through both.
 *
 * @packageDocumentation
 */
export * from '../trust/index.ts'
export {
  EXIT_CODES,
  exitCodeOf,
  type AuthorityReport,
  type Engine,
  type Inspection,
  type InspectionField,
  type InspectRequest,
  type NativeSignatureReport,
  type PolicySource,
  type Target,
  type TextMatcher,
  type TrustDomainReport,
  type TrustReport,
  type TrustRequest,
  type VerifyReply,
  type VerifyRequest,
} from './api.ts'
export { createEngine } from './engine.ts'
export { domainsFromFile, domainsFromFiles, embeddedDomain } from './trust-store.ts'
