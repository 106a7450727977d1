import { MalformedError } from '../../trust/errors.ts'
import type { PackageFile } from '../adapter.ts'

/** Exactly `length` bytes from `offset`; a read beyond the end is PACKAGE_TRUNCATED. */
export type ReadAt = (offset: number, length: number) => Promise<Uint8Array>

const WINDOW = 64 * 1024

/**
 * Headers lie close together and are small: one system call each would cost more than the parsing. Keeps one
 * window of the file and reads on only when a request leaves it; memory is one window plus the longest request.
 */
export function readWindowed(file: PackageFile): ReadAt {
  let start = 0
  let held: Uint8Array = new Uint8Array(0)
  return async (offset, length) => {
    if (offset < 0 || offset + length > file.size) {
      throw new MalformedError('PACKAGE_TRUNCATED', 'the package ends inside one of its headers', {
        got: `${file.size} bytes`,
        wanted: `at least ${offset + length} bytes`,
        where: `offset ${offset}`,
      })
    }
    if (offset < start || offset + length > start + held.length) {
      held = await file.read(offset, Math.min(Math.max(length, WINDOW), file.size - offset))
      start = offset
    }
    return held.subarray(offset - start, offset - start + length)
  }
}
