import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { TotalsReporter } from './test/support/reporter.ts'

// Tests append a line here for vectors that they could not read; the reporter adds them to its last line.
const skipLog = (process.env['SIGWARD_SKIP_LOG'] ??= join(
  mkdtempSync(join(tmpdir(), 'sigward-skips-')),
  'skips.jsonl',
))

export default defineConfig({
  test: {
    // Node's own type stripping loads the tests and the sources, as it does for users of a checkout.
    experimental: { viteModuleRunner: false },
    pool: 'forks',
    maxWorkers: 2,
    env: { SIGWARD_SKIP_LOG: skipLog },
    reporters: ['default', new TotalsReporter()],
    coverage: {
      provider: 'v8',
      include: ['trust/**/*.ts', 'formats/**/*.ts', 'daemon/**/*.ts', 'plugins/**/*.ts'],
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/tools/**'],
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'tools',
          include: ['test/tools/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
