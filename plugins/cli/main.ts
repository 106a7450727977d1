import { fstatSync, writeSync } from 'node:fs'
import { connect } from '../../daemon/client.ts'
import { dispatch, reportBug } from './dispatch.ts'
import type { Output } from './terminal.ts'

/** The process: the only file of the command line that knows standard output, the clock and the exit code. */
const world = {
  engine: connect,
  stdout: openOutput(1),
  stderr: openOutput(2),
  environment: process.env,
  now: () => new Date(),
}

process.on('uncaughtException', (error) => {
  process.exit(reportBug(error, world))
})

// Not awaited: the engine shares a file with this module once both are bundled, and could not load before it has ended.
void dispatch(process.argv.slice(2), world).then((code) => {
  process.exitCode = code
})

/**
 * Writes at once and in order, without the streams of `process`, which take longer to load than most commands run.
 * A reader that went away (`| head`) is no error of ours: the rest is dropped, and the exit code still tells.
 */
function openOutput(descriptor: 1 | 2): Output {
  const stream = () => (descriptor === 1 ? process.stdout : process.stderr)
  const isTerminal = isCharacterDevice(descriptor) && stream().isTTY
  let isGone = false
  let isBlocked = false
  const writeNow = (bytes: Buffer): Buffer => {
    let rest = bytes
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(descriptor, rest))
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code === 'EPIPE' || code === 'EBADF') isGone = true
      else if (code === 'EAGAIN') isBlocked = true
      else throw error
    }
    return rest
  }
  return {
    isTerminal,
    get columns() {
      return isTerminal ? stream().columns : undefined
    },
    write(text) {
      if (isGone) return
      const wasBlocked = isBlocked
      const rest = isBlocked ? Buffer.from(text) : writeNow(Buffer.from(text))
      if (!isBlocked) return
      // a pipe that somebody made non-blocking is full: from here on the stream of `process` does the waiting
      if (!wasBlocked) stream().on('error', () => (isGone = true))
      stream().write(rest)
    },
  }
}

function isCharacterDevice(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isCharacterDevice()
  } catch {
    return false
  }
}
