/** A fenced block of a Markdown text, or of the examples in doc comments. */
export interface FencedBlock {
  readonly language: string
  readonly code: string
}

export function fencedBlocks(text: string): readonly FencedBlock[] {
  return [...text.matchAll(/^```([a-z]+)\n([\s\S]*?)^```$/gm)].map(([, language = '', code = '']) => ({
    language,
    code,
  }))
}

/** Blocks in the doc comments of a source file. */
export function documentedExamples(source: string): readonly FencedBlock[] {
  const comments = source.match(/^ *\/\*\*[\s\S]*?\*\//gm) ?? []
  return comments.flatMap((comment) => fencedBlocks(comment.replaceAll(/^ *\* ?/gm, '')))
}

/** Targets of links, without those of code. */
export function linksOf(markdown: string): readonly string[] {
  const prose = markdown.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
}

/** Anchors of headings, as hosts of Markdown make them. */
export function anchorsOf(markdown: string): readonly string[] {
  const headings = markdown.replaceAll(/^```[\s\S]*?^```$/gm, '').match(/^#+ .*$/gm) ?? []
  return headings.map((heading) =>
    heading
      .replace(/^#+ /, '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
