import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asRoot } from './lab/as-root.ts'
import { BROWSER_PACKAGES, ensurePackages } from './lab/packages.ts'

/**
 * `npm test`: installs what the tests need, then types, lint, format, and all vitest projects, the lab's included; ends
 * with one line of counts.
 */
const root = join(import.meta.dirname, '..')
const bin = (name: string): string => join(root, 'node_modules/.bin', name)

interface Counts {
  passed: number
  failed: number
  skipped: number
}

async function main(): Promise<number> {
  await ensurePackages((line) => console.log(line), BROWSER_PACKAGES)
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 }
  await check('build', ['node', join(root, 'scripts/build-node.mjs')], counts)
  await check('types', [bin('tsc'), '--noEmit', '-p', 'tsconfig.json'], counts)
  await check('lint', [bin('eslint'), '.'], counts)
  await check('format', [bin('prettier'), '--check', '--log-level', 'warn', '.'], counts)
  for (const project of ['unit', 'contract', 'e2e']) add(counts, await vitest(project))
  const halves = Array.from({ length: LABS }, (_, n) =>
    vitest('lab', { shard: `${n + 1}/${LABS}`, lab: `test${n + 1}` })
  )
  for (const half of await Promise.all(halves)) add(counts, half)
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  return counts.failed === 0 ? 0 : 1
}

async function check(name: string, argv: readonly [string, ...string[]], counts: Counts): Promise<void> {
  console.log(`\n== ${name}`)
  const exitCode = await run(argv)
  add(counts, exitCode === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 })
}

/** Most of the time a lab waits for its guests, so two of them side by side take little longer than one. */
const LABS = 2

interface Share {
  readonly shard: string
  /** Name of the lab that these files have for themselves. */
  readonly lab: string
}

/** Counts come from vitest's own report; a run that ends without one has failed. */
async function vitest(project: string, share?: Share): Promise<Counts> {
  console.log(`\n== ${project} tests${share === undefined ? '' : `, part ${share.shard}`}`)
  const folder = mkdtempSync(join(tmpdir(), 'stillpoint-test-'))
  const report = join(folder, 'report.json')
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const part = share === undefined ? [] : ['--shard', share.shard]
    const exitCode = await run([bin('vitest'), 'run', '--project', project, ...part, ...reporters], share?.lab)
    if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0 }
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(
      readFileSync(report, 'utf8')
    ) as Record<string, number>
    const failed = Math.max(numFailedTests ?? 0, exitCode === 0 ? 0 : 1)
    return { passed: numPassedTests ?? 0, failed, skipped: (numPendingTests ?? 0) + (numTodoTests ?? 0) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function add(counts: Counts, more: Counts): void {
  counts.passed += more.passed
  counts.failed += more.failed
  counts.skipped += more.skipped
}

function run([program, ...args]: readonly [string, ...string[]], lab?: string): Promise<number> {
  const path = `${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`
  const env = { ...process.env, PATH: path, ...(lab !== undefined && { STILLPOINT_TEST_LAB: lab }) }
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: 'inherit', env })
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })
}

await asRoot(import.meta.filename, [], main)
