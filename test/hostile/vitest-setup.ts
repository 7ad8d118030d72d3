import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TALLY_FILE } from './tally.ts'

/** So many the whole suite has to try, each of them handled. */
const INPUTS_AT_LEAST = 1_300

interface Count {
  readonly from: string
  readonly handled: number
  readonly tried: number
}

/** Prints what came of all hostile inputs of a run; fails a run of all files where they are too few, or not all handled. */
export function setup(project: { readonly config: { readonly testNamePattern?: RegExp | undefined } }): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'stillpoint-tally-'))
  const file = join(folder, 'tally.jsonl')
  writeFileSync(file, '')
  process.env[TALLY_FILE] = file
  return () => {
    const counts = countsIn(file)
    rmSync(folder, { recursive: true })
    const sum = (of: 'handled' | 'tried'): number => counts.reduce((total, count) => total + count[of], 0)
    const [handled, tried] = [sum('handled'), sum('tried')]
    console.info(`hostile inputs: ${handled} handled / ${tried} tried`)
    if (project.config.testNamePattern !== undefined || !isOfAllFiles(counts)) return
    if (handled < tried) throw new Error(`${tried - handled} hostile inputs were not handled`)
    if (tried < INPUTS_AT_LEAST) throw new Error(`only ${tried} hostile inputs of at least ${INPUTS_AT_LEAST}`)
  }
}

const countsIn = (file: string): Count[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Count)

/** A run of some files only is no run of the suite. */
function isOfAllFiles(counts: readonly Count[]): boolean {
  const from = new Set(counts.map((count) => count.from))
  return globSync('**/*.test.ts', { cwd: import.meta.dirname }).every((file) => from.has(file.split('/').at(-1) ?? ''))
}
