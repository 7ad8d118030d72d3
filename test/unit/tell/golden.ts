import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'

const FIXTURES = join(import.meta.dirname, '../../fixtures')

/** Compares with what a person has looked at. `STILLPOINT_GOLDEN=write` writes files anew, to be looked at again. */
export function expectGolden(file: string, text: string): void {
  const path = join(FIXTURES, file)
  if (process.env['STILLPOINT_GOLDEN'] === 'write') writeFileSync(path, text)
  expect(existsSync(path), `${path} is missing`).toBe(true)
  expect(text).toBe(readFileSync(path, 'utf8'))
}
