import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { STOCK_FILES, qemuUserFor } from '../lab/stock-files.ts'

describe('as whom QEMU runs while a test file has the lab', () => {
  it('is as Debian ships it for the files that are named, and root for the others', () => {
    expect(qemuUserFor('/somewhere/test/lab/backup.test.ts', undefined)).toBe('stock')
    expect(qemuUserFor('/somewhere/test/lab/no-such-file.test.ts', undefined)).toBe('root')
  })

  it('can be wished for all files at once', () => {
    for (const wish of ['stock', 'root'] as const)
      expect(['backup.test.ts', 'other.test.ts'].map((file) => qemuUserFor(file, wish))).toEqual([wish, wish])
  })

  it('names files that there are, and at least half of them', () => {
    const files = readdirSync(join(import.meta.dirname, '../lab')).filter((file) => file.endsWith('.test.ts'))
    expect(files).toEqual(expect.arrayContaining([...STOCK_FILES]))
    expect(STOCK_FILES.length).toBeGreaterThanOrEqual(files.length / 2)
  })
})
