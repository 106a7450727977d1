import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { HEAD_LENGTH, type FormatAdapter } from '../../formats/adapter.ts'
import { detect, FORMATS } from '../../formats/index.ts'
import type { Artifact } from '../../trust/artifact.ts'
import { MalformedError } from '../../trust/errors.ts'
import { memoryFile, type WatchedFile } from '../support/packages.ts'

/** What every format adapter must keep. A new format calls `describeFormatAdapter` and adds its own bad files. */
export interface FormatContract {
  readonly adapter: FormatAdapter
  /** At least one valid package; the first must be small (every cut and many mutations of it are tried). */
  readonly samples: readonly [FormatSample, ...FormatSample[]]
  /** Files of other formats, which this one must not take for its own. */
  readonly foreign: readonly { readonly what: string; readonly bytes: Uint8Array }[]
  /** Files of this format that must be refused, with the code. */
  readonly broken: readonly { readonly what: string; readonly bytes: Uint8Array; readonly code: string }[]
  /** False for formats without an end of their own (plain file): a cut one is still one. */
  readonly noticesCuts?: boolean
  /** False where the signature covers less than the whole file. */
  readonly signsWholeFile?: boolean
}

export interface FormatSample {
  readonly filename: string
  readonly bytes: Uint8Array
  readonly name: string | undefined
  readonly version: string | undefined
  readonly purl: string | undefined
  readonly statementNames?: readonly string[]
}

export function describeFormatAdapter(contract: FormatContract): void {
  const { adapter, samples, broken } = contract
  describe(`the contract of format adapters: ${adapter.format}`, () => {
    it('has a stable name, a title of one line and a place in the list', () => {
      expect(adapter.format).toMatch(/^[a-z]+(-[a-z]+)*$/)
      expect(adapter.title).toMatch(/^[^\n]{3,70}$/)
      expect(FORMATS.filter((other) => other.format === adapter.format)).toEqual([adapter])
    })

    it.each(samples)('opens $filename and says what it is', async (sample) => {
      const file = memoryFile(sample.filename, sample.bytes)
      const artifact = await adapter.open(file)
      expect(artifact.format).toBe(adapter.format)
      expect(artifact.subject).toMatchObject({
        name: sample.name,
        version: sample.version,
        purl: sample.purl,
      })
      if (sample.statementNames) expect(artifact.subject.statementNames).toEqual(sample.statementNames)
      for (const note of artifact.notes) expect(note).toMatch(/^[^\n]{1,1000}$/)
      expect(file.openStreams()).toBe(0)
    })

    it.each(samples)(
      'hands out the signed bytes of $filename as often as asked',
      async ({ filename, bytes }) => {
        const artifact = await adapter.open(memoryFile(filename, bytes))
        const first = await signedBytes(artifact)
        expect((await signedBytes(artifact)).equals(first)).toBe(true)
        if (contract.signsWholeFile !== false) expect(first.equals(bytes)).toBe(true)
      },
    )

    describeDetection(contract)
    describeSidecars(contract)
    describeDamage(contract)

    it.each(broken)('refuses $what', async ({ bytes, code }) => {
      const file = memoryFile(samples[0].filename, bytes)
      await expect(adapter.open(file)).rejects.toThrow(
        expect.objectContaining({ code, name: 'MalformedError' }),
      )
      expect(file.openStreams()).toBe(0)
    })
  })
}

function describeDetection({ adapter, samples, foreign }: FormatContract): void {
  it.each(samples)('is detected by content, whatever $filename is called', async ({ filename, bytes }) => {
    for (const name of [filename, 'renamed', 'renamed.bin']) {
      expect((await detect(memoryFile(name, bytes))).adapter.format).toBe(adapter.format)
    }
  })

  it('matches without throwing on any head, and gives the same answer twice', () => {
    const heads = [...samples, ...foreign].map(({ bytes }) => bytes.subarray(0, HEAD_LENGTH))
    for (const head of [
      new Uint8Array(0),
      new Uint8Array(HEAD_LENGTH),
      Buffer.alloc(HEAD_LENGTH, 0xff),
      ...heads,
    ]) {
      for (const cut of [head, head.subarray(0, 1), head.subarray(0, 257), head.subarray(0, 511)]) {
        expect(adapter.matches('x', cut)).toBe(adapter.matches('x', cut))
      }
    }
    for (const { filename, bytes } of samples) {
      expect(adapter.matches(filename, bytes.subarray(0, HEAD_LENGTH))).toBe(true)
    }
  })

  it.each(foreign)('does not take $what for its own', async ({ bytes }) => {
    const file = memoryFile('file', bytes)
    const isMatch = adapter.matches('file', bytes.subarray(0, HEAD_LENGTH))
    expect(isMatch && (adapter.recognizes === undefined || (await adapter.recognizes(file)))).toBe(false)
    expect(file.openStreams()).toBe(0)
  })
}

function describeSidecars({ adapter, samples }: FormatContract): void {
  it('names sidecars beside the file, each once', () => {
    const names = adapter.sidecars(samples[0].filename)
    expect(names.length).toBeGreaterThan(0)
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) expect(name).toMatch(/^[^/\\]+$/)
  })

  it('attaches a bundle where it looks for bundles', async () => {
    const [{ filename, bytes }] = samples
    const bundle = Buffer.from('{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}')
    const attachment = await adapter.attach(memoryFile(filename, bytes), bundle)
    if (attachment.kind === 'sidecar') {
      expect(adapter.sidecars(filename)).toContain(attachment.filename)
      expect(Buffer.from(attachment.bytes).equals(bundle)).toBe(true)
    } else {
      const rewritten = memoryFile(filename, await drain(attachment.bytes))
      const { embedded, subject } = await adapter.open(rewritten)
      expect(embedded.map((found) => Buffer.from(found.bytes).toString())).toContain(bundle.toString())
      expect(subject).toEqual((await adapter.open(memoryFile(filename, bytes))).subject)
    }
  })
}

function describeDamage({ adapter, samples, noticesCuts }: FormatContract): void {
  const [{ filename, bytes }] = samples

  const cutResult = noticesCuts === false ? 'takes what is left after' : 'notices'
  it(`${cutResult} a cut at every boundary of 512 bytes and around it`, async () => {
    const cuts = new Set([1, 2, 3, bytes.length - 1])
    for (let at = 0; at < bytes.length; at += 512) for (const cut of [at - 1, at, at + 1]) cuts.add(cut)
    for (const cut of cuts) {
      if (cut < 0 || cut >= bytes.length) continue
      const file = memoryFile(filename, bytes.subarray(0, cut))
      const failure = await failureOf(adapter, file)
      if (noticesCuts === false) expect(failure, `cut at ${cut}`).toBeUndefined()
      else expect(failure, `cut at ${cut}`).toBeInstanceOf(MalformedError)
      expect(file.openStreams()).toBe(0)
    }
  })

  it('answers any changed byte with a package or a coded error', async () => {
    const step = Math.max(1, Math.floor(bytes.length / 300))
    for (let at = 0; at < bytes.length; at += step) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8))
      const file = memoryFile(filename, changed)
      const failure = await failureOf(adapter, file)
      if (failure !== undefined) expect(failure, `byte ${at}`).toBeInstanceOf(MalformedError)
      expect(file.openStreams()).toBe(0)
    }
  })
}

async function failureOf(adapter: FormatAdapter, file: WatchedFile): Promise<unknown> {
  try {
    await adapter.open(file)
    return undefined
  } catch (error) {
    return error
  }
}

function signedBytes(artifact: Artifact): Promise<Buffer> {
  return drain(artifact.signedBytes())
}

async function drain(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  return Buffer.concat(parts)
}
