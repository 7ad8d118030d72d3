import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TALLY_FILE } from './tally.ts'

/** Prints what came of all hostile inputs of a run. */
export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'stillpoint-tally-'))
  const file = join(folder, 'tally.jsonl')
  writeFileSync(file, '')
  process.env[TALLY_FILE] = file
  return () => {
    const counts = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { handled: number; tried: number })
    const sum = (of: 'handled' | 'tried'): number => counts.reduce((total, count) => total + count[of], 0)
    console.info(`hostile inputs: ${sum('handled')} handled / ${sum('tried')} tried`)
    rmSync(folder, { recursive: true })
  }
}
