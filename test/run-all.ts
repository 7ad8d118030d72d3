import { globSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { CHANGE_OF_CLOCKS, runByClock } from './clocks.ts'
import { FORMAT, TYPES_AND_LINT } from './checks.ts'
import { asRoot } from './lab/as-root.ts'
import { startLab } from './lab/lab.ts'
import { BROWSER_PACKAGES, CLOCK_PACKAGES, ensurePackages } from './lab/packages.ts'
import { countOfCheck, lastLines, ROOT, runPart, runVitest, sumOf, type Counts, type Part } from './part.ts'

/**
 * `npm test`: installs what the tests need, then types, lint, format, and all vitest projects, the lab's included; ends
 * with one line of counts. What waits and what computes goes on side by side: three labs take one file after the other
 * from one list, and beside them go the checks and the tests that need no lab.
 */
const LABS = 3

async function main(): Promise<number> {
  await ensurePackages((line) => console.log(line), [...BROWSER_PACKAGES, ...CLOCK_PACKAGES])
  const built = await check({ name: 'build', argv: ['npm', 'run', '--silent', 'build'] })
  const files = labFiles()
  const labs = Array.from({ length: LABS }, (_, n) => inLab(`test${n + 1}`, files))
  const sum = sumOf([built, ...(await Promise.all([withoutLab(), ...labs])).flat()])
  for (const line of lastLines(sum)) console.log(line)
  return sum.failed === 0 ? 0 : 1
}

const check = async (part: Part): Promise<Counts> => countOfCheck(part.name, await runPart(part))

/**
 * One after the other: each of them computes. Contract tests run by the other clock alone, and so do a thousand definitions of
 * hostile points, which know no hour; `npm run check` has them by this one, but for those that it leaves out.
 */
async function withoutLab(): Promise<Counts[]> {
  const counts: Counts[] = []
  for (const part of [
    () => check(TYPES_AND_LINT),
    () => check(FORMAT),
    () => runVitest({ name: 'unit', env: { STILLPOINT_TEST_QUICK: '1' } }, ['--project', 'unit']),
    () => runVitest({ name: 'hostile' }, ['--project', 'hostile']),
    () => runByClock(CHANGE_OF_CLOCKS)
  ])
    counts.push(await part())
  return counts
}

/**
 * The window first, on labs that nobody has used: it shows all that is on a host. Else longest first, as far as length says
 * how long it takes: what is begun last should be over soon.
 */
const labFiles = (): string[] =>
  ['e2e', 'lab'].flatMap((folder) =>
    globSync(`test/${folder}/**/*.test.ts`, { cwd: ROOT }).sort((a, b) => weightOf(b) - weightOf(a))
  )

/** Few lines that take minutes. */
const LONGER_THAN_THEY_LOOK = [
  'recovery',
  'cli',
  'postgres',
  'undo-killed',
  'names',
  'debian13',
  'busy',
  'recovery-host',
  'freeze',
  'iscsi',
  'watch'
]

function weightOf(file: string): number {
  const { size } = statSync(join(ROOT, file))
  return LONGER_THAN_THEY_LOOK.includes(basename(file, '.test.ts')) ? size + 100_000 : size
}

/** A lab that takes the next file from the list until there is none. */
async function inLab(lab: string, files: string[]): Promise<Counts[]> {
  const counts: Counts[] = []
  const { stop } = await started(lab)
  for (let file = files.shift(); file !== undefined; file = files.shift()) counts.push(await runFile(file, lab))
  await stop()
  return counts
}

/** Where it does not start, each file says so. */
async function started(name: string): Promise<{ stop: () => Promise<void> }> {
  try {
    const lab = await startLab({ name, trixie: true })
    return { stop: () => lab.stop() }
  } catch (error) {
    console.log(`${name} | does not start: ${String(error)}`)
    return { stop: () => Promise.resolve() }
  }
}

async function runFile(file: string, lab: string): Promise<Counts> {
  const began = performance.now()
  const project = file.startsWith('test/e2e/') ? 'e2e' : 'lab'
  const counts = await runVitest({ name: lab, env: { STILLPOINT_TEST_LAB: lab } }, ['--project', project, file])
  console.log(`${lab} | ${file} took ${((performance.now() - began) / 1000).toFixed(0)} s`)
  return counts
}

await asRoot(import.meta.filename, [], main)
