import { parentPort, workerData } from 'node:worker_threads'
import { domainOf, verifyBundle } from './our-verifier.ts'

/** Verifies what it is sent and answers when it is done. Its data is the JSON of the trusted root. */
const domains = [domainOf(workerData as Uint8Array)]

parentPort?.on('message', ({ bundle, artifact }: { bundle: Uint8Array; artifact: Uint8Array }) => {
  // a bundle that does not verify ends the worker, and with it the bench
  void verifyBundle(bundle, artifact, domains).then(() => parentPort?.postMessage('done', []))
})
