import type { Policy, RunReport } from '../../shared/model/policy.ts'
import type { Shell } from '../../shared/shell.ts'
import { nextRunAt } from '../../shared/schedule/next-run.ts'
import { hostTimeZone } from '../tell/host-time.ts'
import { tellOfRun } from '../tell/tell.ts'
import { forgetOld } from './forget-old.ts'
import { isPolicyThere } from './policy-file.ts'
import { removeServiceUnit } from './policy-units.ts'
import { readRunEntries, removeRun, type RunJournal } from './run-files.ts'
import { runReportOf, stateOf } from './run-report.ts'

interface Ending {
  readonly id: string
  readonly policy: Policy
  readonly shell: Shell
  readonly journal: RunJournal
}

/** Tells of the run and closes its journal. Of a policy that was removed meanwhile nothing stays behind. */
export async function endRun(run: Ending, end: Partial<Pick<RunReport, 'state' | 'reason'>>): Promise<void> {
  const report = finalReport(run, end)
  if (report === undefined) return
  for (const told of await tellOfRun(run.policy, report)) run.journal.append({ type: 'told', told })
  const { told } = finalReport(run, end) ?? report
  run.journal.append({ type: 'end', report: { ...report, told } })
  if (!isPolicyThere(run.policy.id)) {
    removeRun(run.id)
    await removeServiceUnit(run.policy.id)
  }
  forgetOld()
}

function finalReport({ id, policy }: Ending, end: Partial<Pick<RunReport, 'state' | 'reason'>>): RunReport | undefined {
  const report = runReportOf(readRunEntries(id))
  if (report === undefined) return undefined
  const now = new Date()
  const next = isPolicyThere(policy.id) ? nextRunAt(policy, hostTimeZone(), now) : undefined
  const state = stateOf(report)
  return { ...report, state, endedAt: now.toISOString(), ...(next !== undefined && { nextRunAt: next }), ...end }
}
