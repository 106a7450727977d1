import { describe, expect, it } from 'vitest'
import { foldName, PathLedger, splitPath, type PathRules } from '../../../formats/container/paths.ts'

const STRICT: PathRules = { strip: 0, windows: true, outwardLinks: false }
const refuses = (code: string): unknown => expect.objectContaining({ code })

describe('paths', () => {
  it.each([
    ['a/b', ['a', 'b']],
    ['./a//b/./c/', ['a', 'b', 'c']],
    ['.', []],
    ['...', ['...']],
    ['a:b/B::Deparse.3', ['a:b', 'B::Deparse.3']],
    ['ünï/文', ['ünï', '文']],
  ])('%s', (path, parts) => {
    expect(splitPath(path, { windows: false })).toEqual(parts)
  })

  it.each(['/a', '//a', 'a/../b', '..', 'a/..', 'a\0', 'a\nb', 'a\u007f', 'a\u0085b'])(
    '%j is refused',
    (path) => {
      expect(() => splitPath(path, { windows: false })).toThrow(refuses('PACKAGE_PATH'))
    },
  )

  it.each(['a\\b', 'C:/a', 'a/c:', 'c:a'])('%s is refused where Windows unpacks too', (path) => {
    expect(() => splitPath(path, { windows: true })).toThrow(refuses('PACKAGE_PATH'))
    expect(splitPath(path, { windows: false }).length).toBeGreaterThan(0)
  })

  it('shows invisible characters of a refused path', () => {
    expect(() => splitPath('/a\u202eb', STRICT)).toThrow("the path '/a\\u{202e}b' is absolute")
  })

  it('folds names that some file system takes for one', () => {
    for (const other of ['PACKAGE.JSON', 'pac\u212aage.json', '\uff50ackage.json', 'package.j\u017fon']) {
      expect(foldName(other)).toBe(foldName('package.json'))
    }
    expect(foldName('e\u0301')).toBe(foldName('\u00e9'))
    expect(foldName('package-json')).not.toBe(foldName('package.json'))
  })
})

describe('the ledger', () => {
  const ledger = (rules: Partial<PathRules> = {}): PathLedger => new PathLedger({ ...STRICT, ...rules })

  it('takes folders again and again, and files once', () => {
    const paths = ledger()
    paths.add('a', 'directory')
    paths.add('a/b', 'file')
    paths.add('a/', 'directory')
    expect(() => paths.add('./a//b', 'file')).toThrow(refuses('PACKAGE_DUPLICATE'))
    expect(() => paths.add('a/b', 'hardlink', 'a/b')).toThrow(refuses('PACKAGE_DUPLICATE'))
    expect(() => paths.add('a', 'file')).toThrow(refuses('PACKAGE_PATH'))
    expect(() => paths.add('a/b/c', 'file')).toThrow(refuses('PACKAGE_PATH'))
    expect(() => paths.add('a/b', 'directory')).toThrow(refuses('PACKAGE_PATH'))
    expect(() => paths.add('.', 'file')).toThrow(refuses('PACKAGE_PATH'))
  })

  it('strips the first folder as tools do, and finds what then falls together', () => {
    const paths = ledger({ strip: 1 })
    expect(paths.add('top/a/b', 'file')).toEqual(['a', 'b'])
    expect(paths.add('./c', 'file')).toEqual(['c'])
    expect(paths.add('lonely', 'file')).toEqual([])
    expect(() => paths.add('other/a/b', 'file')).toThrow(refuses('PACKAGE_DUPLICATE'))
    expect(() => paths.add('top/c', 'file')).toThrow(refuses('PACKAGE_DUPLICATE'))
  })

  it.each([
    ['/etc', true],
    ['..', false],
    ['../..', true],
    ['../../x', true],
    ['../x', false],
    ['x/../../../y', true],
    // down and up again: another link may lead elsewhere
    ['x/..', true],
    ['./x/./y', false],
    ['C:\\x', true],
  ])('a link at a/b to %s: outside is %s', (target, isOutside) => {
    const paths = ledger()
    if (isOutside) expect(() => paths.add('a/b', 'symlink', target)).toThrow(refuses('PACKAGE_PATH'))
    else expect(paths.add('a/b', 'symlink', target)).toEqual(['a', 'b'])
  })

  it('counts the stripped folder as outside', () => {
    expect(() => ledger({ strip: 1 }).add('top/a', 'symlink', '../x')).toThrow(refuses('PACKAGE_PATH'))
    expect(ledger({ strip: 1 }).add('top/a', 'symlink', 'x')).toEqual(['a'])
  })

  it('refuses links to nothing and to control characters', () => {
    expect(() => ledger().add('a', 'symlink', '')).toThrow(refuses('PACKAGE_PATH'))
    expect(() => ledger().add('a', 'symlink', 'b\n')).toThrow(refuses('PACKAGE_PATH'))
    expect(() => ledger().add('a', 'symlink')).toThrow(refuses('PACKAGE_PATH'))
  })

  it('takes hard links to files that came before, and to nothing else', () => {
    const paths = ledger({ strip: 1, outwardLinks: true })
    paths.add('top/file', 'file')
    paths.add('top/link', 'symlink', '/etc/passwd')
    paths.add('top/folder', 'directory')
    expect(paths.add('top/hard', 'hardlink', 'top/file')).toEqual(['hard'])
    for (const target of ['top/link', 'top/folder', 'top/none', '/etc/passwd', '../x', 'top/link/x', '']) {
      expect(() => paths.add('top/other', 'hardlink', target)).toThrow(refuses('PACKAGE_PATH'))
    }
  })

  it('never lets anything be written through a link, in either order', () => {
    const first = ledger({ outwardLinks: true })
    first.add('l', 'symlink', '/tmp')
    expect(() => first.add('l/x', 'file')).toThrow(refuses('PACKAGE_PATH'))
    const second = ledger({ outwardLinks: true })
    second.add('l/x', 'file')
    expect(() => second.add('l', 'symlink', '/tmp')).toThrow(refuses('PACKAGE_PATH'))
  })

  it('notes names that differ only in case or composition, at most twenty of them', () => {
    const paths = ledger()
    paths.add('README', 'file')
    paths.add('ReadMe', 'file')
    paths.add('e\u0301', 'file')
    paths.add('\u00e9', 'file')
    expect(paths.notes).toHaveLength(2)
    for (let i = 0; i < 50; i++) for (const name of [`x${i}`, `X${i}`]) paths.add(name, 'file')
    expect(paths.notes).toHaveLength(20)
  })

  it('limits lengths, names and all characters', () => {
    const limits = { pathLength: 10, nodes: 3, characters: 12 }
    expect(() => new PathLedger(STRICT, limits).add('a'.repeat(11), 'file')).toThrow(refuses('PACKAGE_LIMIT'))
    expect(() => new PathLedger(STRICT, limits).add('a/b/c/d', 'file')).toThrow(refuses('PACKAGE_LIMIT'))
    const paths = new PathLedger(STRICT, limits)
    paths.add('1234567', 'file')
    expect(() => paths.add('123456', 'file')).toThrow(refuses('PACKAGE_LIMIT'))
  })
})
