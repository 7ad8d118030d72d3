import { FORMAT, LINT, TYPES } from './checks.ts'
import { runPart, runVitest } from './part.ts'

/** `npm run check`: what needs no lab. Lint takes longest and has a processor for itself; contract tests mostly wait. */
const outcomes = await Promise.all([
  inTurn(() => runPart(LINT)),
  inTurn(
    () => runPart(TYPES),
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
