import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const page = readFileSync(join(ROOT, 'docs/reliability.md'), 'utf8')
const OTHERS_ACT = 'test/lab/others-act.test.ts'

/** Rows of the table below a heading, as cells. */
function rowsBelow(heading: string): string[][] {
  const part = page.split(`## ${heading}`)[1]?.split('\n## ')[0] ?? ''
  const rows = part.split('\n').filter((line) => line.startsWith('| ') && !/^\| -+:? /.test(line))
  return rows.slice(1).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim())
  )
}

/** Tests as the page names them: files, the usual one if none is named, each with titles behind it. */
function namedTests(cell: string, usual: string): { file: string; title: string }[] {
  const named: { file: string; title: string }[] = []
  let file = usual
  for (const [, code = ''] of cell.matchAll(/`([^`]+)`/g)) {
    if (code.startsWith('test/')) file = code
    else named.push({ file, title: code })
  }
  return named
}

const hasTest = ({ file, title }: { file: string; title: string }): boolean => sourceOf(file).includes(title)

const isOpen = (cell: string): boolean => /^(\*\*)?open\b/.test(cell)
const sourceOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

describe('the page on reliability', () => {
  it.each(rowsBelow('Who does what when').filter(([, , test = '']) => !isOpen(test)))(
    'names tests that exist, for: %s',
    (_who, _outcome, test = '') => {
      expect(namedTests(test, OTHERS_ACT)).not.toEqual([])
      expect(namedTests(test, OTHERS_ACT).filter((named) => !hasTest(named))).toEqual([])
    }
  )

  it.each(rowsBelow('Findings and their tests').filter(([, , test = '']) => !isOpen(test)))(
    'names tests that exist, for finding %s',
    (_number, _what, test = '') => {
      expect(namedTests(test, '')).not.toEqual([])
      expect(namedTests(test, '').filter((named) => !hasTest(named))).toEqual([])
    }
  )

  it.each(rowsBelow('A hostile host, page or neighbour'))(
    'names tests that exist, for a hostile one: %s',
    (_who, _outcome, test = '') => {
      expect(namedTests(test, '')).not.toEqual([])
      expect(namedTests(test, '').filter((named) => !hasTest(named))).toEqual([])
    }
  )

  it.each(rowsBelow('Found since'))('names tests that exist, for what was found since: %s', (_what, test = '') => {
    expect(namedTests(test, '')).not.toEqual([])
    expect(namedTests(test, '').filter((named) => !hasTest(named))).toEqual([])
  })

  it('leaves no finding out', () => {
    const wanted = Array.from({ length: 50 }, (_, at) => at + 1).filter((number) => number < 37 || number > 39)
    expect(rowsBelow('Findings and their tests').map(([number]) => Number(number))).toEqual(wanted)
  })
})
