import { FORMAT, TYPES_AND_QUICK_LINT } from './checks.ts'
import { runPart, runVitest } from './part.ts'

/** `npm run check`: what needs no lab. Types and lint take longest and have a processor for themselves; contract tests mostly wait. */
const outcomes = await Promise.all([
  inTurn(() => runPart(TYPES_AND_QUICK_LINT)),
  inTurn(
    () => runPart(FORMAT),
    () => runTests('unit')
  ),
  inTurn(() => runTests('contract'))
])
process.exitCode = outcomes.flat().every((exitCode) => exitCode === 0) ? 0 : 1

async function inTurn(...parts: readonly (() => Promise<number>)[]): Promise<readonly number[]> {
  const exitCodes: number[] = []
  for (const part of parts) exitCodes.push(await part())
  return exitCodes
}

async function runTests(project: string): Promise<number> {
  const { failed } = await runVitest({ name: project }, ['--project', project])
  return failed === 0 ? 0 : 1
}
