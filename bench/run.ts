import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { verifyBothCores } from './both-cores.ts'
import { cliStart, cliVerify } from './cli.ts'
import { hashStream } from './hash-stream.ts'
import { parseBundles } from './parse-bundle.ts'
import { line, printComparison, type Bench } from './report.ts'
import { tarballIntegrity } from './tarball-integrity.ts'
import { verifyOwnInstance, verifyRekor1, verifyRekor2 } from './verify.ts'
import { verifyRepeated } from './verify-repeated.ts'

/**
 * `npm run bench` runs all, `npm run bench -- NAME…` some. Each prints what it measured and last, for every
 * comparison, one line of JSON: `{"bench", "against", "ratio", "target"}`; a ratio of at least the target meets it.
 */
const BENCHES: readonly Bench[] = [
  verifyRekor1,
  verifyRekor2,
  verifyBothCores,
  verifyOwnInstance,
  verifyRepeated,
  parseBundles,
  cliVerify,
  cliStart,
  hashStream,
  tarballIntegrity,
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false } },
})
const unknown = positionals.filter((name) => !BENCHES.some((bench) => bench.name === name))
if (unknown.length > 0) {
  process.stderr.write(
    `no bench is called ${unknown.join(', ')}; there are ${BENCHES.map(({ name }) => name).join(', ')}\n`,
  )
  process.exitCode = 2
} else if (positionals.length === 1) {
  for (const bench of BENCHES.filter(({ name }) => positionals.includes(name))) await run(bench)
} else {
  const names = BENCHES.map(({ name }) => name).filter(
    (name) => positionals.length === 0 || positionals.includes(name),
  )
  // each in a process of its own: what one has compiled and allocated would colour the next
  const failed = names.filter((name) => {
    const flags = values.quick ? ['--quick'] : []
    const { status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), name, ...flags], {
      stdio: 'inherit',
    })
    return status !== 0
  })
  if (failed.length > 0) process.exitCode = 1
}

async function run(bench: Bench): Promise<void> {
  line(`# ${bench.name}: ${bench.what}`)
  for (const comparison of await bench.run({ quick: values.quick })) printComparison(comparison)
}
