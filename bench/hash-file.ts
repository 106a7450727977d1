import { LocalFile } from '../daemon/package-file.ts'
import { peakMemory } from '../test/support/peak-memory.ts'
import { DIGEST_ALGORITHMS, digestStream } from '../trust/digest.ts'
import { encodeHex } from '../trust/encoding.ts'

/** `node hash-file.ts PATH ALGORITHM`: hashes a file and prints what `hash-stream.ts` asks for, as JSON. */
const [path = '', name] = process.argv.slice(2)
const algorithm = DIGEST_ALGORITHMS.find((known) => known === name)
if (algorithm === undefined) throw new Error(`no digest is called ${name}`)

const start = performance.now()
const file = await LocalFile.open(path)
// as for a package without bundles inside
file.stopRecording()
const digests = await digestStream(file.stream(), [algorithm])
await file.finish()
await file.close()
const milliseconds = performance.now() - start

const hex = encodeHex(digests.get(algorithm) ?? new Uint8Array())
process.stdout.write(JSON.stringify({ hex, milliseconds, peak: peakMemory() / 1024 / 1024 }))
