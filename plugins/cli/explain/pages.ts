import type { Code } from '../../../trust/codes.ts'
import { BUNDLE_PAGES } from './bundle.ts'
import { CERTIFICATE_PAGES, SCT_PAGES } from './certificate.ts'
import { IDENTITY_PAGES } from './identity.ts'
import { ENTRY_PAGES, LOG_PAGES } from './log.ts'
import { INPUT_PAGES, PACKAGE_PAGES } from './package.ts'
import type { Page, Pages } from './page.ts'
import { SIGNATURE_PAGES } from './signature.ts'
import { TIME_PAGES } from './time.ts'
import { USAGE_PAGES } from './usage.ts'

export type { Page } from './page.ts'

/** All pages. A code without a page does not compile. */
export const PAGES: Readonly<Record<Code, Page>> = {
  ...BUNDLE_PAGES,
  ...SIGNATURE_PAGES,
  ...ENTRY_PAGES,
  ...LOG_PAGES,
  ...TIME_PAGES,
  ...CERTIFICATE_PAGES,
  ...SCT_PAGES,
  ...IDENTITY_PAGES,
  ...PACKAGE_PAGES,
  ...INPUT_PAGES,
  ...USAGE_PAGES,
}

/** The list of `sigward explain`, in the order in which the checks run. */
export const SECTIONS: readonly { readonly title: string; readonly codes: readonly Code[] }[] = [
  { title: 'bundle: is its shape in order?', codes: codesOf(BUNDLE_PAGES) },
  { title: 'signature and subject: is it about this file?', codes: codesOf(SIGNATURE_PAGES) },
  { title: 'entry: does the log hold this very signature?', codes: codesOf(ENTRY_PAGES) },
  { title: 'log: is the entry proven to be in it?', codes: codesOf(LOG_PAGES) },
  { title: 'time: when was it signed?', codes: codesOf(TIME_PAGES) },
  { title: 'certificate: who vouches for the signer?', codes: codesOf(CERTIFICATE_PAGES) },
  { title: 'certificate log: was the certificate made public?', codes: codesOf(SCT_PAGES) },
  { title: 'identity, domain, package: is it who and what you wanted?', codes: codesOf(IDENTITY_PAGES) },
  { title: 'packages and their companions: can they be read?', codes: codesOf(PACKAGE_PAGES) },
  { title: 'trust, keys and files: what you gave to judge by', codes: codesOf(INPUT_PAGES) },
  { title: 'usage: the command line', codes: codesOf(USAGE_PAGES) },
]

export function isCode(text: string): text is Code {
  return Object.hasOwn(PAGES, text)
}

function codesOf(pages: Pages): readonly Code[] {
  return Object.keys(pages).filter(isCode)
}
