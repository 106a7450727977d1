import { writeSync } from 'node:fs'
import { peakMemory } from './peak-memory.ts'

// Loaded ahead of a program (`node --import`): says on descriptor 3 how much memory it needed, however it ended.
process.on('exit', () => {
  writeSync(3, String(peakMemory()))
})
