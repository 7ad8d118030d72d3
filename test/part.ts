import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { stripVTControlCharacters } from 'node:util'

/** One of several programs that run side by side: each line it prints bears its name. */
export interface Part {
  readonly name: string
  readonly argv: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export const ROOT = join(import.meta.dirname, '..')
const BIN = join(ROOT, 'node_modules/.bin')

/** Runs it to its end; the exit code. A part that cannot be started has failed. */
export function runPart({ name, argv: [program = '', ...args], env }: Part): Promise<number> {
  const path = `${BIN}:${process.env['PATH'] ?? ''}`
  const child = spawn(program, args, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: path, ...env }
  })
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => console.log(`${name} | ${line}`))
  return new Promise((resolve) => {
    child.on('error', (error) => {
      console.log(`${name} | cannot be started: ${error.message}`)
      resolve(127)
    })
    child.on('close', (code) => resolve(code ?? 1))
  })
}

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** What failed, a line each. */
  readonly failures: readonly string[]
}

export const sumOf = (all: readonly Counts[]): Counts => ({
  passed: all.reduce((sum, { passed }) => sum + passed, 0),
  failed: all.reduce((sum, { failed }) => sum + failed, 0),
  skipped: all.reduce((sum, { skipped }) => sum + skipped, 0),
  failures: all.flatMap(({ failures }) => failures)
})

/** The last lines of a run: what failed, once more, since it stands far above; then the counts. */
export const lastLines = ({ passed, failed, skipped, failures }: Counts): readonly string[] => [
  ...failures.map((failure) => `failed: ${failure}`),
  `${passed} passed, ${failed} failed, ${skipped} skipped`
]

/** A check counts as one test. */
export const countOfCheck = (name: string, exitCode: number): Counts => ({
  passed: exitCode === 0 ? 1 : 0,
  failed: exitCode === 0 ? 0 : 1,
  skipped: 0,
  failures: exitCode === 0 ? [] : [`${name} (exit code ${exitCode})`]
})

/** What a vitest run has to say of itself. */
export interface VitestReport {
  readonly numPassedTests?: number
  readonly numFailedTests?: number
  readonly numPendingTests?: number
  readonly numTodoTests?: number
  readonly testResults?: readonly FileReport[]
}

interface FileReport {
  readonly name: string
  readonly status: string
  readonly message: string
  readonly assertionResults: readonly TestReport[]
}

interface TestReport {
  readonly fullName: string
  readonly status: string
  readonly failureMessages?: readonly string[] | null
}

/** A run that ended badly has failed though no test of it did: an error that nobody handled, or no report at all. */
export function countOfVitest(name: string, exitCode: number, report: VitestReport | undefined): Counts {
  const broken = `${name}: vitest ended with exit code ${exitCode}`
  if (report === undefined) return { passed: 0, failed: 1, skipped: 0, failures: [`${broken} and no report`] }
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0, testResults = [] } = report
  const failures = testResults.flatMap(failuresOf)
  return {
    passed: numPassedTests,
    failed: Math.max(numFailedTests, exitCode === 0 ? 0 : 1),
    skipped: numPendingTests + numTodoTests,
    failures: failures.length === 0 && exitCode !== 0 ? [broken] : failures
  }
}

function failuresOf({ name, status, message, assertionResults }: FileReport): readonly string[] {
  const file = relative(ROOT, name)
  const tests = assertionResults.filter((test) => test.status === 'failed')
  if (tests.length === 0) return status === 'failed' ? [`${file}: ${firstLine(message)}`] : []
  return tests.map(({ fullName, failureMessages }) => `${file} > ${fullName}: ${firstLine(failureMessages?.[0] ?? '')}`)
}

const firstLine = (message: string): string =>
  stripVTControlCharacters(message.trim().split('\n')[0] ?? '').slice(0, 1000)

/** Runs vitest, `before` it what it is to be run by, and counts by its own report. */
export async function runVitest(
  part: Omit<Part, 'argv'>,
  args: readonly string[],
  before: readonly string[] = []
): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), 'stillpoint-test-'))
  const file = join(folder, 'report.json')
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
    const exitCode = await runPart({ ...part, argv: [...before, join(BIN, 'vitest'), 'run', ...args, ...reporters] })
    return countOfVitest(part.name, exitCode, reportIn(file))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function reportIn(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport
  } catch {
    return undefined
  }
}
