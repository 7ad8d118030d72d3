import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { comesToAnEnd } from '../patience.ts'

const ROOT = join(import.meta.dirname, '../..')

/** What makes a test depend on the day or the speed, each with what to do instead. */
const FORBIDDEN: readonly (readonly [what: string, pattern: RegExp, instead: string])[] = [
  [
    'a span of time that must be shorter than so much',
    /(?:Date\.now\(\)|performance\.now\(\)|hrtime\S*)\s*-[^\n]*\.toBeLessThan/,
    'count what is done, or wait with `eventually`; what would never end is for `comesToAnEnd`'
  ],
  ['a wait with a limit of its own', /vi\.waitFor\(|expect\.poll\(/, 'wait with `eventually`'],
  [
    'a limit for one test or hook',
    /^ *\}, ?[\d_]+\)|\b(?:it|test|describe|beforeAll|afterAll)\S*\([^\n]*\{ timeout:/m,
    'the one in vitest.config.ts does'
  ]
]

const files = ['unit', 'contract', 'e2e', 'lab']
  .flatMap((folder) => globSync(`test/${folder}/**/*.test.ts`, { cwd: ROOT }))
  .filter((file) => file !== 'test/unit/patience.test.ts')

describe('no test depends on the day or the speed', () => {
  it.each(FORBIDDEN)('by %s', (_, pattern, instead) => {
    const found = files.filter((file) => pattern.test(readFileSync(join(ROOT, file), 'utf8')))
    expect(found, instead).toEqual([])
  })

  it('and what would go on for ever is ended', () => {
    const forEver = (): never => {
      for (;;);
    }
    expect(comesToAnEnd(() => 'done')).toBe('done')
    expect(() => comesToAnEnd(forEver, 20)).toThrow('timed out')
  })
})
