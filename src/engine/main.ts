import { failureOf } from '../shared/failure.ts'
import { localShell } from '../shell/local.ts'
import { recoverAtStop } from './recover/at-stop.ts'
import { recoverHost } from './recover/recover-host.ts'
import { runJob } from './jobs/run.ts'
import { tryAsUnit } from './jobs/unit-trial.ts'
import { recoverRunAtStop } from './policy/recover-runs.ts'
import { runPolicy } from './policy/run-policy.ts'
import { tellWhatIsDue } from './tell/tell.ts'
import { withServerLogins } from './server-logins.ts'
import { answer, isVerb } from './verbs.ts'
import { flushed, readQuestion, writeFailure } from './wire.ts'

// Of this process only: what it starts may be another's program.
delete process.env['NODE_COMPILE_CACHE']
const [, , command = '', argument = '', second] = process.argv
const shell = withServerLogins(localShell())

/** `run`, `recover-job`, `recover-all`, `run-policy`, `recover-run`, `tell` and `unit-trial` are for units of the host; everything else is a verb of the protocol. */
async function main(): Promise<void> {
  if (command === 'run') return runJob(argument, shell)
  if (command === 'recover-job') return recoverAtStop(shell, argument)
  if (command === 'recover-all') return recoverHost(shell)
  // By the policy's timer; with the id of a run by hand.
  if (command === 'run-policy') return runPolicy(shell, argument, second === undefined ? 'timer' : 'manual', second)
  if (command === 'recover-run') return recoverRunAtStop(shell, argument)
  if (command === 'tell') return tellWhatIsDue(shell)
  if (command === 'unit-trial') return tryAsUnit(shell, argument)
  if (!isVerb(command)) throw new Error(`unknown command ${command}`)
  const { question, rest } = await readQuestion(process.stdin)
  await answer(command, question, rest, shell)
}

process.stdout.on('error', () => undefined)
try {
  await main()
  await flushed()
  process.exit(0)
} catch (error) {
  await writeFailure(failureOf(error))
  await flushed()
  process.exit(1)
}
