import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { hasVectors, parseTranscript, patternOf, playTranscript } from './support/transcript.ts'

const folder = fileURLToPath(new URL('transcripts', import.meta.url))
const stories = globSync('*.txt', { cwd: folder }).toSorted()

describe('stories', () => {
  it('are there', () => {
    expect(stories.length).toBeGreaterThan(5)
  })

  for (const story of stories) {
    const transcript = parseTranscript(readFileSync(`${folder}/${story}`, 'utf8'))
    it.skipIf(!hasVectors(transcript))(`story ${basename(story, '.txt')}`, () => {
      expect(transcript.steps.length).toBeGreaterThan(0)
      const played = playTranscript(transcript)
      for (const [i, { command, output, exit }] of played.entries()) {
        const wanted = transcript.steps[i]
        expect(output, `$ ${command}`).toMatch(patternOf(wanted?.output ?? []))
        expect(exit, `$ ${command}`).toBe(wanted?.exit)
      }
    })
  }
})

describe('the form of transcripts', () => {
  it('prose, files, commands, output and exit codes', () => {
    const text = 'Prose.\n\n%file a\n| one\n|\n%npm b c 1\n\n$ true\n\n$ false x\nout\n\nmore\n[exit 3]\n'
    expect(parseTranscript(text)).toEqual({
      setup: [
        { action: 'file', words: ['a'], lines: ['one', ''] },
        { action: 'npm', words: ['b', 'c', '1'], lines: [] },
      ],
      steps: [
        { command: 'true', output: [], exit: 0 },
        { command: 'false x', output: ['out', '', 'more'], exit: 3 },
      ],
    })
  })

  it('holes match within a line, and dots match lines', () => {
    const pattern = patternOf(['a [..] c (x)', '...', 'end'])
    expect('a b c (x)\nend\n').toMatch(pattern)
    expect('a b c (x)\n1\n2\nend\n').toMatch(pattern)
    expect('a b\n c (x)\nend\n').not.toMatch(pattern)
    expect('a b c (x)\nend\nmore\n').not.toMatch(pattern)
  })
})
