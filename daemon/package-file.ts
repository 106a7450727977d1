import { closeSync, constants, fstatSync, openSync, read, readSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { digestOf } from '../trust/digest.ts'
import { equalBytes } from '../trust/encoding.ts'
import { MalformedError, StoreError } from '../trust/errors.ts'
import type { PackageFile } from '../formats/adapter.ts'

const BLOCK = 1024 * 1024

/**
 * One file, opened once. What is parsed is what is hashed: the digest of every block is kept when the block is first
 * read, and a block that reads differently later is refused, whoever reads it for whatever purpose. `finish` then
 * looks whether descriptor and path are still what they were, so that a file swapped meanwhile is noticed.
 */
export class LocalFile implements PackageFile {
  readonly filename: string
  readonly size: number
  readonly path: string
  readonly #descriptor: number
  readonly #identity: string
  readonly #blocks = new Map<number, Uint8Array>()
  #recording = true
  #closed = false
  #last: { readonly index: number; readonly bytes: Uint8Array } | undefined

  private constructor(path: string, descriptor: number, size: number, identity: string) {
    this.path = path
    this.filename = basename(path)
    this.#descriptor = descriptor
    this.size = size
    this.#identity = identity
  }

  /** Regular files only; a symbolic link is followed once, here. */
  static async open(path: string): Promise<LocalFile> {
    let descriptor: number
    try {
      // not blocking, so that a pipe with nobody at the other end does not hang
      descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    } catch (error) {
      throw fileError(error, path)
    }
    const state = fstatSync(descriptor, { bigint: true })
    if (!state.isFile()) {
      closeSync(descriptor)
      throw new StoreError('STORE_UNREADABLE', `'${path}' is not a regular file`, { where: path })
    }
    return new LocalFile(path, descriptor, Number(state.size), identityOf(state))
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    if (offset < 0 || length < 0 || offset + length > this.size) {
      throw new MalformedError('PACKAGE_TRUNCATED', 'the package ends too early', {
        got: `${this.size} bytes`,
        wanted: `at least ${offset + length} bytes`,
        where: `offset ${offset}`,
      })
    }
    const out = new Uint8Array(length)
    for (let at = offset; at < offset + length;) {
      const index = Math.floor(at / BLOCK)
      const block = await this.#block(index)
      const part = block.subarray(at - index * BLOCK, Math.min(block.length, offset + length - index * BLOCK))
      out.set(part, at - offset)
      at += part.length
    }
    return out
  }

  async *stream(start = 0, end = this.size): AsyncIterable<Uint8Array> {
    if (!this.#recording && this.size > BLOCK) {
      yield* this.#streamAhead(start, end)
      return
    }
    for (let at = start; at < end;) {
      const index = Math.floor(at / BLOCK)
      const block = await this.#block(index)
      const part = block.subarray(at - index * BLOCK, Math.min(block.length, end - index * BLOCK))
      yield part
      at += part.length
    }
  }

  /**
   * Reads the next block while the caller works on this one, into two buffers in turn: memory that is new for every
   * block is collected too late, and a large file would fill hundreds of megabytes.
   */
  async *#streamAhead(start: number, end: number): AsyncIterable<Uint8Array> {
    const buffers = [Buffer.allocUnsafeSlow(BLOCK), Buffer.allocUnsafeSlow(BLOCK)] as const
    const blockAt = (index: number): Promise<Uint8Array> => {
      const block = this.#block(index, buffers[index % 2 === 0 ? 0 : 1])
      // a failure is met when the block is asked for; until then nobody waits for it
      void block.catch(() => undefined)
      return block
    }
    const behind = Math.ceil(end / BLOCK)
    const first = Math.floor(start / BLOCK)
    if (start >= end) return
    let ahead = blockAt(first)
    try {
      for (let index = first; index < behind; index++) {
        const block = await ahead
        if (index + 1 < behind) ahead = blockAt(index + 1)
        const from = Math.max(start - index * BLOCK, 0)
        yield block.subarray(from, Math.min(block.length, end - index * BLOCK))
      }
    } finally {
      // who leaves early may close the file next, and no read may still be under way then
      await ahead.catch(() => undefined)
    }
  }

  /**
   * From here on the file is read once more at most, to be hashed: blocks that nobody has parsed need no digest of
   * their own. What `stream` gives then holds until the next is asked for.
   */
  stopRecording(): void {
    this.#recording = false
  }

  async #block(index: number, into?: Buffer): Promise<Uint8Array> {
    if (this.#closed) {
      const message = `'${this.path}' was closed when its verdict was reached`
      throw new StoreError('STORE_UNREADABLE', message, {
        where: this.path,
        hint: 'open the file again, and verify it again',
      })
    }
    if (this.#last?.index === index) return this.#last.bytes
    const bytes = await this.#readBlock(index, into)
    const known = this.#blocks.get(index)
    if (known !== undefined || this.#recording) {
      const digest = digestOf('sha256', bytes)
      if (known === undefined) this.#blocks.set(index, digest)
      else if (!equalBytes(known, digest)) throw this.#changed()
    }
    if (into === undefined) this.#last = { index, bytes }
    return bytes
  }

  async #readBlock(index: number, into?: Buffer): Promise<Uint8Array> {
    const length = Math.min(BLOCK, this.size - index * BLOCK)
    const buffer = into?.subarray(0, length) ?? Buffer.allocUnsafeSlow(length)
    for (let filled = 0; filled < length;) {
      const count = await this.#readInto(buffer.subarray(filled), index * BLOCK + filled)
      if (count === 0) throw this.#changed()
      filled += count
    }
    return buffer
  }

  /**
   * A file of one block is read at once: handing it to another thread takes longer. Between the blocks of larger ones
   * others get their turn.
   */
  #readInto(buffer: Buffer, position: number): Promise<number> | number {
    const descriptor = this.#descriptor
    if (this.size <= BLOCK) return readSync(descriptor, buffer, 0, buffer.length, position)
    return new Promise((resolve, reject) => {
      read(descriptor, buffer, 0, buffer.length, position, (error, count) => {
        if (error === null) resolve(count)
        else reject(error)
      })
    })
  }

  /** Throws PACKAGE_CHANGED when the file, or what its path names, is not what was opened. */
  async finish(): Promise<void> {
    if (identityOf(fstatSync(this.#descriptor, { bigint: true })) !== this.#identity) throw this.#changed()
    if (identityOf(this.#named()) !== this.#identity) throw this.#changed()
  }

  #named(): FileState {
    try {
      return statSync(this.path, { bigint: true })
    } catch (error) {
      throw fileError(error, this.path)
    }
  }

  /** After this nothing can be read any more; asking is an error of the caller's, said as one. */
  async close(): Promise<void> {
    this.#closed = true
    closeSync(this.#descriptor)
  }

  #changed(): MalformedError {
    return new MalformedError('PACKAGE_CHANGED', `'${this.path}' changed while it was read`, {
      where: this.path,
    })
  }
}

interface FileState {
  readonly dev: bigint
  readonly ino: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
}

function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: FileState): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`
}

/** Not there and not readable are two outcomes. */
export function fileError(error: unknown, path: string): StoreError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  // no file can have a name that is too long: the bundle beside a file with a long name is simply not there
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') {
    return new StoreError('STORE_NOT_FOUND', `there is no file '${path}'`, { where: path, cause: error })
  }
  return new StoreError('STORE_UNREADABLE', `'${path}' cannot be read: ${code}`, {
    where: path,
    cause: error,
  })
}

/** A small file in one piece: bundles, keys, roots. */
export async function readSmallFile(path: string, limit = 64 * 1024 * 1024): Promise<Uint8Array> {
  const file = await LocalFile.open(path)
  try {
    if (file.size > limit) {
      throw new StoreError('STORE_UNREADABLE', `'${path}' is larger than ${limit} bytes`, { where: path })
    }
    return await file.read(0, file.size)
  } finally {
    await file.close()
  }
}
