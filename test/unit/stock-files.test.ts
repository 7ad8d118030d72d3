import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { STOCK_FILES } from '../lab/stock-files.ts'

describe('the lab tests', () => {
  const files = readdirSync(join(import.meta.dirname, '../lab')).filter((file) => file.endsWith('.test.ts'))

  it('run on hosts as Debian ships them, at least half of them', () => {
    for (const file of STOCK_FILES) expect(files).toContain(file)
    expect(STOCK_FILES.length).toBeGreaterThanOrEqual(files.length / 2)
  })
})
