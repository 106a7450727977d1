import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { parseAst } from 'rolldown/parseAst'

/** One import, re-export, dynamic import or import type. */
export interface Use {
  readonly line: number
  /** The file inside the tree (`trust/errors.ts`), or the package or builtin as it is written. */
  readonly target: string
  readonly internal: boolean
  /** Erased at run time: nothing but types is taken. */
  readonly typeOnly: boolean
}

/** Something that a rule asks about: an enum, a default export, the clock, a global, a format's adapter. */
export interface Mark {
  readonly line: number
  readonly what: string
}

/** What the rules need to know of a file. */
export interface SourceFile {
  readonly path: string
  readonly lines: number
  readonly uses: readonly Use[]
  readonly marks: readonly Mark[]
}

const sourceName = /\.(?:ts|js)$/

/** Reads every source file under the folders of `root`; folders that do not exist (yet) hold nothing. */
export function readTree(root: string, folders: readonly string[]): SourceFile[] {
  const files: SourceFile[] = []
  for (const folder of folders) {
    if (!existsSync(join(root, folder))) continue
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !sourceName.test(entry.name)) continue
      const path = posix.relative(root, posix.join(entry.parentPath, entry.name))
      if (!path.includes('node_modules/'))
        files.push(parseSource(path, readFileSync(join(root, path), 'utf8')))
    }
  }
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

/** Reads one file's imports and marks from its text. */
export function parseSource(path: string, text: string): SourceFile {
  const lang = path.endsWith('.ts') ? (path.endsWith('.d.ts') ? 'dts' : 'ts') : 'js'
  const lineEnds = [...text.matchAll(/\n/g)].map((match) => match.index)
  const found: { uses: Use[]; marks: Mark[] } = { uses: [], marks: [] }
  visit(parseAst(text, { lang, astType: 'ts' }), (node, parent, key) => {
    const line = lineEnds.filter((end) => end < Number(node['start'])).length + 1
    const source = specifierOf(node)
    if (source !== undefined) found.uses.push({ line, typeOnly: isTypeOnly(node), ...resolve(path, source) })
    const what = markOf(node, parent, key)
    if (what !== undefined) found.marks.push({ line, what })
  })
  return { path, lines: text === '' ? 0 : text.replace(/\n$/, '').split('\n').length, ...found }
}

function resolve(from: string, specifier: string): { target: string; internal: boolean } {
  if (!specifier.startsWith('.')) return { target: specifier, internal: false }
  return { target: posix.join(posix.dirname(from), specifier), internal: true }
}

type Node = Readonly<Record<string, unknown>>

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value
}

type See = (node: Node, parent: Node | undefined, key: string) => void

/** Calls `see` for every node, with the node that holds it and the field that it stands in. */
function visit(value: unknown, see: See, parent?: Node, key = ''): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, see, parent, key)
  } else if (isNode(value)) {
    see(value, parent, key)
    for (const [name, part] of Object.entries(value)) visit(part, see, value, name)
  }
}

/** The text of a literal, or of a template without substitutions. */
function literal(node: unknown): string | undefined {
  if (!isNode(node)) return undefined
  if (node['type'] === 'Literal' && typeof node['value'] === 'string') return node['value']
  if (node['type'] !== 'TemplateLiteral' || !Array.isArray(node['quasis']) || node['quasis'].length !== 1) {
    return undefined
  }
  const [quasi] = node['quasis'] as { value: { cooked: string } }[]
  return quasi?.value.cooked
}

/** The name of an identifier, or a dotted path of them: `module.require`, `Math.random`. */
function nameOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined
  if (node['type'] === 'Identifier') return String(node['name'])
  if (node['type'] !== 'MemberExpression') return undefined
  const object = nameOf(node['object'])
  const property = node['computed'] === true ? literal(node['property']) : nameOf(node['property'])
  return object === undefined || property === undefined ? undefined : `${object}.${property}`
}

function argumentsOf(node: Node): readonly unknown[] {
  return Array.isArray(node['arguments']) ? node['arguments'] : []
}

function specifierOf(node: Node): string | undefined {
  switch (node['type']) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return literal(node['source'])
    case 'TSExternalModuleReference':
      return literal(node['expression'])
    case 'CallExpression':
      return /(?:^|\.)(?:require|getBuiltinModule)$/.test(nameOf(node['callee']) ?? '')
        ? literal(argumentsOf(node)[0])
        : undefined
    default:
      return undefined
  }
}

function isTypeOnly(node: Node): boolean {
  if (node['type'] === 'TSImportType') return true
  if (node['importKind'] === 'type' || node['exportKind'] === 'type') return true
  const specifiers = Array.isArray(node['specifiers']) ? (node['specifiers'] as Node[]) : []
  return (
    specifiers.length > 0 &&
    specifiers.every((item) => item['importKind'] === 'type' || item['exportKind'] === 'type')
  )
}

/** Globals that reach the clock, chance, the process or the network. */
const worldly = new Set([
  'console',
  'fetch',
  'globalThis',
  'performance',
  'process',
  'queueMicrotask',
  'setImmediate',
  'setInterval',
  'setTimeout',
  'Temporal',
  'WebSocket',
])

function markOf(node: Node, parent: Node | undefined, key: string): string | undefined {
  switch (node['type']) {
    case 'ExportDefaultDeclaration':
      return 'export default'
    case 'ExportSpecifier':
      return nameOf(node['exported']) === 'default' ? 'export default' : undefined
    case 'TSEnumDeclaration':
      return 'enum'
    case 'VariableDeclarator':
    case 'TSSatisfiesExpression':
      return namesType(node, 'FormatAdapter') ? 'an adapter' : undefined
    case 'ImportExpression':
      return literal(node['source']) === undefined ? 'import of a computed name' : undefined
    case 'MemberExpression':
      return nameOf(node) === 'Math.random' ? 'Math.random' : undefined
    case 'Identifier': {
      const name = String(node['name'])
      if (isPropertyName(parent, key)) return undefined
      if (name === 'Date') return readsClock(parent, key) ? 'the clock through Date' : undefined
      return worldly.has(name) ? `the global ${name}` : undefined
    }
    default:
      return undefined
  }
}

/** Whether a variable is declared, or a value said to be, of the named type. */
function namesType(node: Node, name: string): boolean {
  const holder = node['type'] === 'VariableDeclarator' ? node['id'] : node
  const annotation = isNode(holder) ? holder['typeAnnotation'] : undefined
  const type =
    isNode(annotation) && annotation['type'] === 'TSTypeAnnotation'
      ? annotation['typeAnnotation']
      : annotation
  return isNode(type) && type['type'] === 'TSTypeReference' && nameOf(type['typeName']) === name
}

function isPropertyName(parent: Node | undefined, key: string): boolean {
  return parent?.['computed'] === false && (key === 'property' || key === 'key')
}

/** Date as a type, `new Date(value)`, `instanceof Date`, `Date.UTC` and `Date.parse` read no clock; the rest may. */
function readsClock(parent: Node | undefined, key: string): boolean {
  switch (parent?.['type']) {
    case 'NewExpression':
      return key !== 'callee' || argumentsOf(parent).length === 0
    case 'MemberExpression':
      return !['UTC', 'parse', 'prototype'].includes(nameOf(parent['property']) ?? '')
    case 'BinaryExpression':
      return parent['operator'] !== 'instanceof'
    default:
      return !String(parent?.['type']).startsWith('TS')
  }
}

/** One report for each import that breaks a rule. */
export function eachUse(
  tree: readonly SourceFile[],
  isBroken: (file: SourceFile, use: Use) => boolean,
): string[] {
  return tree.flatMap((file) =>
    file.uses
      .filter((use) => isBroken(file, use))
      .map((use) => `${file.path}:${use.line} imports ${use.target}`),
  )
}

/** One report for each mark, in some folders, that breaks a rule. */
export function eachMark(
  tree: readonly SourceFile[],
  within: readonly string[],
  isBroken: (what: string) => boolean,
): string[] {
  return tree
    .filter((file) => within.some((folder) => file.path.startsWith(`${folder}/`)))
    .flatMap((file) =>
      file.marks
        .filter(({ what }) => isBroken(what))
        .map(({ line, what }) => `${file.path}:${line} has ${what}`),
    )
}

/** One report for each file that is too long. */
export function longerThan(
  tree: readonly SourceFile[],
  most: number,
  applies: (path: string) => boolean,
): string[] {
  return tree
    .filter((file) => file.lines > most && applies(file.path))
    .map((file) => `${file.path}:${most + 1} goes on to line ${file.lines}`)
}

/** Reports each import that closes a cycle, found by walking depth first. */
export function cycles(tree: readonly SourceFile[]): string[] {
  const files = new Map(tree.map((file) => [file.path, file]))
  const finished = new Set<string>()
  const found: string[] = []
  const walk = (file: SourceFile, path: readonly string[]): void => {
    for (const use of file.uses) {
      const next = files.get(use.target)
      const at = path.indexOf(use.target)
      if (at >= 0)
        found.push(`${file.path}:${use.line} closes ${[...path.slice(at), use.target].join(' -> ')}`)
      else if (next !== undefined && !finished.has(use.target)) walk(next, [...path, use.target])
    }
    finished.add(file.path)
  }
  for (const file of tree) if (!finished.has(file.path)) walk(file, [file.path])
  return found
}
