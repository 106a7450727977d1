import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { helmChart } from '../../formats/helm-chart.ts'
import { openPackage } from '../../formats/index.ts'
import { describeFormatAdapter } from '../contract/format-adapter.ts'
import {
  bottlePackage,
  chartManifest,
  chartPackage,
  gemPackage,
  hostileEntries,
  hostileOnWindows,
  memoryFile,
  npmManifest,
  npmPackage,
  pax,
  tgz,
} from '../support/packages.ts'
import { readVector, vectorCases, vectorInput } from '../support/vectors.ts'

const chart = (body: string, name = 'example/Chart.yaml'): Buffer => tgz({ name, body })

describeFormatAdapter({
  adapter: helmChart,
  samples: [
    {
      filename: 'example-1.2.3.tgz',
      bytes: chartPackage(),
      name: 'example',
      version: '1.2.3',
      purl: 'pkg:helm/example@1.2.3',
      statementNames: ['pkg:helm/example@1.2.3'],
    },
    {
      filename: 'with-sub-charts-and-npm-tools.tgz',
      bytes: tgz(
        pax({ comment: '0123456789' }, 'g'),
        { name: 'example/charts/sub/Chart.yaml', body: 'name: sub\nversion: 9.9.9\n' },
        { ...npmManifest(), name: 'example/package.json' },
        chartManifest({ version: '"1.10"' }),
        { name: 'example/charts/other-1.0.0.tgz', body: 'not looked into' },
      ),
      name: 'example',
      version: '1.10',
      purl: 'pkg:helm/example@1.10',
    },
    {
      filename: 'build-metadata.tgz',
      bytes: chartPackage({ version: '1.2.3+build.1' }),
      name: 'example',
      version: '1.2.3+build.1',
      purl: 'pkg:helm/example@1.2.3%2Bbuild.1',
    },
  ],
  foreign: [
    { what: 'an npm tarball', bytes: npmPackage() },
    { what: 'a gem', bytes: gemPackage() },
    { what: 'a bottle', bytes: bottlePackage() },
    { what: 'a Chart.yaml at the wrong depth', bytes: chart('', 'a/b/Chart.yaml') },
  ],
  broken: [
    ...[...hostileEntries('example'), ...hostileOnWindows('example')].map(([what, parts, code]) => {
      return { what, bytes: chartPackage({}, ...parts), code }
    }),
    {
      what: 'two charts',
      bytes: tgz(chartManifest(), chartManifest({ name: 'other' })),
      code: 'PACKAGE_DUPLICATE',
    },
    {
      what: 'a chart.yaml in other case',
      bytes: chartPackage({}, { name: 'example/chart.yaml' }),
      code: 'PACKAGE_DUPLICATE',
    },
    {
      what: 'only a chart.yaml',
      bytes: chart('name: a\nversion: 1.0.0', 'a/chart.yaml'),
      code: 'PACKAGE_METADATA',
    },
    {
      what: 'no Chart.yaml',
      bytes: tgz({ name: 'example/values.yaml', body: '' }),
      code: 'PACKAGE_METADATA',
    },
    { what: 'no name', bytes: chart('version: 1.0.0'), code: 'PACKAGE_METADATA' },
    { what: 'a name with a slash', bytes: chart('name: a/b\nversion: 1.0.0'), code: 'PACKAGE_METADATA' },
    {
      what: 'a version that is not semantic',
      bytes: chart('name: a\nversion: latest'),
      code: 'PACKAGE_METADATA',
    },
    {
      what: 'a version that readers take for a number',
      bytes: chart('name: a\nversion: 1.10'),
      code: 'PACKAGE_METADATA',
    },
    { what: 'two names', bytes: chart('name: a\nversion: 1.0.0\nname: b'), code: 'PACKAGE_DUPLICATE' },
    { what: 'metadata that is no mapping', bytes: chart('- name: a'), code: 'PACKAGE_METADATA' },
  ],
})

describe('charts', () => {
  it('tells of a folder that is not called like the chart', async () => {
    const file = memoryFile('x.tgz', chart('name: a\nversion: 1.0.0', 'b/Chart.yaml'))
    expect((await helmChart.open(file)).notes).toEqual(["the top folder is 'b', the chart calls itself 'a'"])
  })
})

const published = vectorCases('helm').filter((c) => typeof c.inputs['chart'] === 'string')
it.each(published)('published charts: $id', async (vector) => {
  const path = vectorInput(vector, 'chart')
  const { adapter, artifact } = await openPackage(memoryFile(basename(path), readVector(path)))
  expect(adapter).toBe(helmChart)
  const { name, version } = artifact.subject
  expect(`${name}-${version}.tgz`).toBe(basename(path))
})
