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

/** A test as the page names it: its file, if not the usual one, and its title. */
function namedTest(cell: string, usual: string | undefined): { file: string; title: string } {
  const [first = '', second] = Array.from(cell.matchAll(/`([^`]+)`/g), ([, code = '']) => code)
  return second === undefined ? { file: usual ?? first, title: first } : { file: first, title: second }
}

const isOpen = (cell: string): boolean => /^(\*\*)?open\b/.test(cell)
const sourceOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

describe('the page on reliability', () => {
  it.each(rowsBelow('Who does what when').filter(([, , test = '']) => !isOpen(test)))(
    'names a test that exists, for: %s',
    (_who, _outcome, test = '') => {
      const { file, title } = namedTest(test, OTHERS_ACT)
      expect(sourceOf(file)).toContain(title)
    }
  )

  it.each(rowsBelow('Findings and their tests').filter(([, , test = '']) => !isOpen(test)))(
    'names a test that exists, for finding %s',
    (_number, _what, test = '') => {
      const { file, title } = namedTest(test, undefined)
      expect(sourceOf(file)).toContain(title)
    }
  )

  it('leaves no finding out', () => {
    const wanted = Array.from({ length: 50 }, (_, at) => at + 1).filter((number) => number < 37 || number > 39)
    expect(rowsBelow('Findings and their tests').map(([number]) => Number(number))).toEqual(wanted)
  })
})
