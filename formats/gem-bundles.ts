import { asBuffer, decodeBase64, decodeUtf8, encodeBase64, encodeUtf8 } from '../trust/encoding.ts'
import { parseJson } from '../trust/json.ts'
import type { RepairedBundle } from './adapter.ts'
import { elementsAt, membersAt, spanOf, type Span } from './json-spans.ts'

/**
 * The attestations of a gem as the gem host gives them: an array of bundles, some of which were stored broken (its
 * issue 6098): log entries lost their kind, and the certificate is base64 of PEM instead of DER. Both are put right
 * in the text; nothing that is signed stands there. Everything else stays byte for byte.
 */
export function repairGemBundles(stored: Uint8Array): RepairedBundle {
  parseJson(stored, {
    size: 16 * 1024 * 1024,
    depth: 64,
    values: 100_000,
    code: 'MALFORMED_BUNDLE',
    what: 'stored bundles',
  })
  const text = decodeUtf8(stored) ?? ''
  const spans = elementsAt(text, 0) ?? [{ start: 0, end: text.length }]
  const notes: string[] = []
  const bundles = spans.map((span, i) => {
    const bundle = text.slice(span.start, span.end)
    const edits = [...kindEdits(bundle), ...certificateEdits(bundle)]
    for (const edit of edits) notes.push(`bundle ${i + 1}: ${edit.note}`)
    return encodeUtf8(apply(bundle, edits))
  })
  return { bundles, notes }
}

interface Edit extends Span {
  readonly text: string
  readonly note: string
}

const KIND = '{"kind":"hashedrekord","version":"0.0.1"}'

/** The only kind that gems were ever logged as; the check of the entry against the bundle fails for any other. */
function kindEdits(bundle: string): Edit[] {
  const list = spanOf(bundle, 0, 'verificationMaterial', 'tlogEntries')
  const entries = list === undefined ? [] : (elementsAt(bundle, list.start) ?? [])
  return entries.flatMap((entry, i): Edit[] => {
    const members = membersAt(bundle, entry.start)
    if (members === undefined) return []
    const note = `log entry ${i + 1} had no kind, taken as hashedrekord 0.0.1`
    const found = members.find((member) => member.key === 'kindVersion')
    if (found === undefined) {
      const comma = members.length === 0 ? '' : ','
      return [{ start: entry.start + 1, end: entry.start + 1, text: `"kindVersion":${KIND}${comma}`, note }]
    }
    const isNull = bundle.slice(found.value.start, found.value.end) === 'null'
    return isNull ? [{ ...found.value, text: KIND, note }] : []
  })
}

const PEM = /^-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE-----\s*$/

function certificateEdits(bundle: string): Edit[] {
  const span = spanOf(bundle, 0, 'verificationMaterial', 'certificate', 'rawBytes')
  if (span === undefined || bundle[span.start] !== '"') return []
  const outer = decodeBase64(String(JSON.parse(bundle.slice(span.start, span.end))))
  const body = outer === undefined ? undefined : PEM.exec(asBuffer(outer).toString('latin1'))?.[1]
  const der = body === undefined ? undefined : decodeBase64(body.replace(/[\r\n]/g, ''))
  if (der === undefined) return []
  return [
    { ...span, text: `"${encodeBase64(der)}"`, note: 'the certificate was PEM inside base64, taken as DER' },
  ]
}

/** Edits do not overlap; from the end on, so that earlier places stay where they are. */
function apply(text: string, edits: readonly Edit[]): string {
  return edits
    .toSorted((a, b) => b.start - a.start)
    .reduce((out, edit) => out.slice(0, edit.start) + edit.text + out.slice(edit.end), text)
}
