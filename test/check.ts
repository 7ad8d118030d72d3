import { FORMAT, TYPES_AND_QUICK_LINT } from './checks.ts'
import { runPart, runVitest } from './part.ts'

/** Each of them starts hundreds of programs or makes a package, which takes as long as all others together: `npm test` has them. */
const LEFT_OUT = ['overlay-evidence', 'encrypted-overlays', 'ssh', 'copy-image', 'shell', 'package'].flatMap((name) => [
  '--exclude',
  `test/contract/${name}.test.ts`
])

process.env['STILLPOINT_TEST_QUICK'] = '1'

/** `npm run check`: what needs no lab. Types and lint take longest and have a processor for themselves; contract tests mostly wait. */
const outcomes = await Promise.all([
  inTurn(() => runPart(TYPES_AND_QUICK_LINT)),
  inTurn(
    () => runPart(FORMAT),
    () => runTests('unit')
  ),
  inTurn(() => runTests('contract', LEFT_OUT))
])
process.exitCode = outcomes.flat().every((exitCode) => exitCode === 0) ? 0 : 1

async function inTurn(...parts: readonly (() => Promise<number>)[]): Promise<readonly number[]> {
  const exitCodes: number[] = []
  for (const part of parts) exitCodes.push(await part())
  return exitCodes
}

async function runTests(project: string, options: readonly string[] = []): Promise<number> {
  const { failed } = await runVitest({ name: project }, ['--project', project, ...options])
  return failed === 0 ? 0 : 1
}
