import { Buffer } from 'node:buffer'
import { gunzipSync, gzipSync } from 'node:zlib'
import { encodeElement, readElement } from '../../trust/x509/der.ts'
import { BULK, bulk, mutateBytes, type Mutator } from './mutate-bytes.ts'
import type { Random } from './random.ts'

/** Mutations that keep the outer form valid, so that what lies deeper is reached. */

type Tree = null | boolean | number | string | Tree[] | { readonly members: [key: string, value: Tree][] }

const TEXTS = [
  '',
  ' ',
  '0',
  '-1',
  '18446744073709551616',
  'A'.repeat(5000),
  '../../x',
  'a\u202eb\u200bc',
  '\u001b[2J',
  'AA==',
  'AB==',
  '2026-02-30T00:00:00Z',
  '2026-03-01T12:00:00.000000000001Z',
  'application/vnd.dev.sigstore.bundle.v9+json',
]

/** Members left out, doubled, renamed, retyped, nested; base64 changed inside. */
export const mutateJson: Mutator = (random, input, others) => {
  let tree: Tree
  try {
    tree = treeOf(JSON.parse(Buffer.from(input).toString()))
  } catch {
    return mutateBytes(random, input, others)
  }
  for (let n = 1 + random.below(3); n > 0; n--) tree = editTree(random, tree)
  return Buffer.from(write(tree))
}

const SMALL: readonly Tree[] = [1, '', 'a', [], { members: [] }, true, [[]], { members: [['a', 1]] }]

/** One list or object in the document with very many members. */
export const bulkJson: Mutator = (random, input, others) => {
  let tree: Tree
  try {
    tree = treeOf(JSON.parse(Buffer.from(input).toString()))
  } catch {
    return bulk(random, input, others)
  }
  const many = 1 + random.below(random.chance(2) ? 250_000 : 1000)
  return Buffer.from(write(fill(random, tree, many)))
}

function fill(random: Random, tree: Tree, many: number): Tree {
  if (typeof tree !== 'object' || tree === null) {
    const length = Math.min(many, Math.ceil(BULK / (write(tree).length + 1)))
    return Array.from({ length }, () => tree)
  }
  if (Array.isArray(tree)) {
    const at = random.below(tree.length)
    const item = tree[at]
    if (item !== undefined && random.chance(2)) return tree.with(at, fill(random, item, many))
    const small = item !== undefined && write(item).length < 8 ? item : random.pick(SMALL)
    return Array.from({ length: many }, () => small)
  }
  const { members } = tree
  const [key, value] = members[random.below(members.length)] ?? ['a', 1]
  if (random.chance(6)) {
    return { members: [...members, ...Array.from({ length: many }, (_, i): [string, Tree] => [`k${i}`, 1])] }
  }
  return { members: members.map((member) => (member[0] === key ? [key, fill(random, value, many)] : member)) }
}

function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return value.map((item: unknown) => treeOf(item))
  if (typeof value === 'object' && value !== null) {
    return { members: Object.entries(value).map(([key, item]: [string, unknown]) => [key, treeOf(item)]) }
  }
  return value as Tree
}

function write(tree: Tree): string {
  if (Array.isArray(tree)) return `[${tree.map(write).join(',')}]`
  if (typeof tree !== 'object' || tree === null) return JSON.stringify(tree)
  return `{${tree.members.map(([key, value]) => `${JSON.stringify(key)}:${write(value)}`).join(',')}}`
}

function editTree(random: Random, tree: Tree): Tree {
  if (Array.isArray(tree) && tree.length > 0 && !random.chance(4)) {
    const at = random.below(tree.length)
    const item = tree[at] ?? null
    if (!random.chance(3)) return tree.with(at, editTree(random, item))
    return random.pick([tree.toSpliced(at, 1), tree.toSpliced(at, 0, item), tree.toReversed(), [], [tree]])
  }
  if (
    typeof tree === 'object' &&
    tree !== null &&
    'members' in tree &&
    tree.members.length > 0 &&
    !random.chance(5)
  ) {
    const { members } = tree
    const at = random.below(members.length)
    const [key, value] = random.pick(members.slice(at))
    const edits: readonly (() => [string, Tree][])[] = [
      () => members.toSpliced(at, 1),
      () => members.toSpliced(at, 0, [key, value]),
      () => members.toSpliced(at, 1, [random.pick(['__proto__', 'x', '', key.toUpperCase()]), value]),
      () => members.toReversed(),
    ]
    const deeper = members.map((member, i): [string, Tree] =>
      i === at ? [member[0], editTree(random, member[1])] : member,
    )
    return { members: random.chance(4) ? random.pick(edits)() : deeper }
  }
  return editLeaf(random, tree)
}

function editLeaf(random: Random, tree: Tree): Tree {
  if (typeof tree === 'string' && tree.length >= 4 && !random.chance(3)) {
    const bytes = Buffer.from(tree, 'base64')
    if (bytes.toString('base64') !== tree)
      return Buffer.from(mutateBytes(random, Buffer.from(tree), [bytes])).toString()
    const mutator = bytes[0] === 0x7b ? mutateJson : random.chance(2) ? mutateDer : mutateBytes
    return Buffer.from(mutator(random, bytes, [bytes])).toString('base64')
  }
  const nested = (depth: number): Tree => (depth === 0 ? 1 : [nested(depth - 1)])
  const other: Tree = { members: [['a', tree]] }
  return random.pick<Tree>([
    null,
    true,
    0,
    -1,
    2 ** 53,
    1e300,
    [],
    other,
    [tree, tree],
    nested(100),
    random.pick(TEXTS),
  ])
}

interface Node {
  readonly tag: number
  readonly content: readonly Node[] | Uint8Array
}

/** Elements left out, doubled, retagged, changed inside; lengths stay right. */
export const mutateDer: Mutator = (random, input, others) => {
  const nodes = derOf(input, 0)
  if (nodes === undefined) return mutateBytes(random, input, others)
  let edited = nodes
  for (let n = 1 + random.below(3); n > 0; n--) edited = editDer(random, edited)
  return Buffer.concat(edited.map(encodeNode))
}

function derOf(bytes: Uint8Array, depth: number): readonly Node[] | undefined {
  const nodes: Node[] = []
  try {
    for (let at = 0; at < bytes.length;) {
      const { tag, content, raw } = readElement(bytes, at)
      const mayNest = (tag & 0x20) !== 0 || tag === 0x04 || (tag & 0xc0) === 0x80
      nodes.push({ tag, content: (mayNest && depth < 16 ? derOf(content, depth + 1) : undefined) ?? content })
      at += raw.length
    }
  } catch {
    return undefined
  }
  return nodes
}

function encodeNode({ tag, content }: Node): Uint8Array {
  return encodeElement(tag, content instanceof Uint8Array ? content : Buffer.concat(content.map(encodeNode)))
}

const TAGS = [
  0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x17, 0x18, 0x30, 0x31, 0x80, 0x81, 0xa0, 0xa1, 0xa3,
]

function editDer(random: Random, nodes: readonly Node[]): readonly Node[] {
  const at = random.below(nodes.length)
  const node = nodes[at]
  if (node === undefined) return [{ tag: random.pick(TAGS), content: random.bytes(random.small(20)) }]
  const { tag, content } = node
  if (!(content instanceof Uint8Array) && !random.chance(5)) {
    return nodes.with(at, { tag, content: editDer(random, content) })
  }
  const bytes = content instanceof Uint8Array ? content : Buffer.concat(content.map(encodeNode))
  return random.pick([
    () => nodes.toSpliced(at, 1),
    () => nodes.toSpliced(at, 0, node),
    () => nodes.toReversed(),
    () => nodes.with(at, { tag: random.pick(TAGS), content }),
    () => nodes.with(at, { tag, content: mutateBytes(random, bytes, [bytes]) }),
    () => nodes.with(at, { tag, content: new Uint8Array(0) }),
    () => nodes.with(at, { tag, content: [node] }),
  ])()
}

const BLOCK = 512
const INFLATED = 8 * 1024 * 1024

/** Changes what is inside of gzip; of a gem, which is a plain tar, the members. */
export const mutateArchive: Mutator = (random, input, others) => {
  if (input[0] !== 0x1f) return mutateTar(random, input, others)
  let inner: Uint8Array
  try {
    inner = gunzipSync(input, { maxOutputLength: INFLATED })
  } catch {
    return mutateBytes(random, input, others)
  }
  return gzipSync(mutateTar(random, inner, [inner]), { level: 1 })
}

/** Header fields of a tar with the checksum made right again; blocks moved; contents changed. */
const mutateTar: Mutator = (random, input, others) => {
  const blocks = Array.from(
    { length: Math.ceil(input.length / BLOCK) },
    (_, i) => Buffer.from(input.subarray(i * BLOCK, (i + 1) * BLOCK)) as Buffer,
  )
  const headers = blocks.flatMap((block, i) => (block.toString('latin1', 257, 262) === 'ustar' ? [i] : []))
  if (headers.length === 0 || random.chance(6)) return mutateBytes(random, input, others)
  const at = random.pick(headers)
  const header = Buffer.from(blocks[at] ?? [])
  const size = Number.parseInt(header.toString('latin1', 124, 135), 8) || 0
  const span = 1 + Math.ceil(size / BLOCK)
  const edited = random.pick([
    () => blocks.with(at, withField(random, header)),
    () => blocks.toSpliced(at, span),
    () => blocks.toSpliced(at, 0, ...blocks.slice(at, at + span)),
    () => blocks.toSpliced(at + 1, 0, ...blocks.slice(random.pick(headers), at + 1)),
    () => blocks.with(at + 1, Buffer.from(changedBody(random, blocks[at + 1] ?? Buffer.alloc(BLOCK)))),
  ])()
  return Buffer.concat(edited)
}

/** A body of the same length: a longer one would push all headers out of their blocks. */
function changedBody(random: Random, body: Uint8Array): Uint8Array {
  const changed = mutateBytes(random, body, [body])
  return Buffer.concat([changed, Buffer.alloc(BLOCK)]).subarray(0, BLOCK)
}

const FIELDS: readonly (readonly [offset: number, length: number])[] = [
  [0, 100],
  [100, 8],
  [124, 12],
  [156, 1],
  [157, 100],
  [257, 8],
  [345, 155],
]
const TYPES = ['0', '1', '2', '3', '5', '6', '7', 'x', 'g', 'L', 'K', 'S', '\0']
const SIZES = ['00000000000', '77777777777', '00000001000', '\u0080\0\0\0\0\0\0\0\0\0\0\x01', '-1', '']

function withField(random: Random, original: Buffer): Buffer {
  const header = Buffer.concat([original], BLOCK)
  const [offset, length] = random.pick(FIELDS)
  const before = header.subarray(offset, offset + length)
  const name = random.pick([
    '../x',
    '/x',
    'package/package.json',
    'a/'.repeat(49),
    'package/\u202ex',
    'Package/Package.json',
  ])
  const value =
    offset === 156
      ? Buffer.from(random.pick(TYPES))
      : offset === 124
        ? Buffer.from(random.pick(SIZES), 'latin1')
        : length < 100 || random.chance(2)
          ? Buffer.from(mutateBytes(random, before, [before]))
          : Buffer.from(name)
  header.fill(0, offset, offset + length)
  value.copy(header, offset, 0, length)
  header.write('        ', 148, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}
