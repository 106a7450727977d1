import { Buffer } from 'node:buffer'
import { plainFile } from '../../formats/plain-file.ts'
import { describeFormatAdapter } from '../contract/format-adapter.ts'

const unnamed = { name: undefined, version: undefined, purl: undefined, statementNames: [] }

describeFormatAdapter({
  adapter: plainFile,
  samples: [
    { filename: 'notes.txt', bytes: Buffer.from('any bytes at all'), ...unnamed },
    { filename: 'empty', bytes: new Uint8Array(0), ...unnamed },
  ],
  foreign: [],
  broken: [],
  noticesCuts: false,
})
