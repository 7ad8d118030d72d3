import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { problemsOf, type Count } from './least-inputs.ts'
import { TALLY_FILE } from './tally.ts'

/** `npm run hostile`, and nothing behind it. */
const HAS_ALL = process.argv.slice(2).join(' ') === 'run --project hostile'

/** Prints what came of all hostile inputs of a run; fails it where one was not handled, or a file has too few of them. */
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
    const problems = problemsOf(counts, project.config.testNamePattern === undefined, HAS_ALL)
    if (problems.length > 0) throw new Error(problems.join('\n'))
  }
}

const countsIn = (file: string): Count[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Count)
