import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { findPolicy } from '../../../core/policies/find-policy.ts'
import { runPolicy } from '../../../core/policies/policy-errands.ts'
import type { Failure } from '../../../../shared/failure.ts'
import type { RunReport } from '../../../../shared/model/policy.ts'
import { missedWords, prunedWords, runHeadline, runSeverity, vmDeedWords } from '../../../../shared/run-words.ts'
import { questionAfter } from '../../../core/jobs/catch-up.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { leaf } from '../leaf.ts'
import type { ActionOptions, Perform } from '../run-program.ts'
import type { Session } from '../session.ts'
import { watchToEnd } from '../watch-job.ts'

const LOOK_EVERY_MS = 1000

export const runCommand = (perform: Perform): Command =>
  leaf('run <POLICY>', 'Start a run now; also of a schedule that is paused, or out of its hours', [
    'policy run nightly --host alpha',
    'policy run nightly --wait --json'
  ])
    .option('--host <HOST>', 'where several hosts have one of that name')
    .option('--wait', 'watch its jobs, and end as the run ends')
    .action((name: string, options: ActionOptions & { host?: string; wait?: boolean }) =>
      perform(options, async (session) => {
        const { host, state } = await findPolicy(session.core, name, options.host)
        const { run } = await runPolicy(session.core, { host, id: state.policy.id })
        if (options.wait === true) return watchRun(session, host, run)
        session.out.line(`${state.policy.name} runs on ${host} (run ${run}). See how it went: stillpoint history`)
        session.out.result({ host, policy: state.policy, run })
        return EXIT.done
      })
    )

/** Its jobs one after the other; whoever leaves one leaves the run, which goes on on its host. */
async function watchRun(session: Session, host: string, id: string): Promise<ExitCode> {
  const watched = new Set<string>()
  for (;;) {
    const run = await runOf(session, host, id)
    const next = run?.vms.find(({ job, outcome }) => outcome === 'running' && job !== undefined && !watched.has(job))
    if (next?.job !== undefined) {
      watched.add(next.job)
      const job = { kind: 'backup', host, id: next.job, vm: next.vm.name } as const
      if ((await watchToEnd(session, job)) === undefined) return leftRunning(session, host, id)
    } else if (run?.endedAt !== undefined) return endOfRun(session, run)
    else {
      if (session.interrupts.signal.aborted) return leftRunning(session, host, id)
      await sleep(LOOK_EVERY_MS)
    }
  }
}

/** Undefined as long as it has not begun to write. */
async function runOf({ core }: Session, host: string, id: string): Promise<RunReport | undefined> {
  const engine = await core.connections.engine(host)
  const runs = await engine.call('runs', questionAfter([{ id, isOpen: true }], 0))
  await core.history.addRuns(runs)
  return runs.find((run) => run.id === id)
}

function leftRunning({ out }: Session, host: string, id: string): ExitCode {
  if (out.json) out.failed({ kind: 'cancelled', what: 'Watching the run' }, { leftRunning: true, run: id, host })
  else out.note(`The run goes on on ${host}. See how it went: stillpoint history`)
  return EXIT.cancelled
}

function endOfRun({ out }: Session, run: RunReport): ExitCode {
  const severity = runSeverity(run)
  const vms = run.vms.map((vm) => `  ${vm.vm.name}: ${vmDeedWords(vm)}`)
  const missed = run.missedCount > 0 ? [missedWords(run)] : []
  const pruned = run.pruned === undefined ? [] : [prunedWords(run.pruned), ...run.pruned.refused]
  const more = [...missed, ...run.warnings, ...pruned]
  out.line([`${run.policy.name} on ${run.host}: ${runHeadline(run)}`, ...vms, ...more.map((text) => `  ${text}`)])
  if (severity !== 'failure') out.result({ run })
  else if (out.json) out.failed(failureOfRun(run), { run })
  return severity === 'failure' ? EXIT.failed : severity === 'warning' ? EXIT.warnings : EXIT.done
}

const failureOfRun = (run: RunReport): Failure =>
  run.vms.find(({ failure }) => failure !== undefined)?.failure ?? {
    kind: 'command-failed',
    command: `the run of ${run.policy.name}`,
    exitCode: undefined,
    stderr: run.reason ?? ''
  }
