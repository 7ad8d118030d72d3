import { jobUnit } from '../../shared/host-paths.ts'
import { isEnded, type JobReport } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { readJournal } from '../journal/journal.ts'
import { journalPath, readReport } from './job-directory.ts'
import { lastStep, ofType } from '../../shared/job-report.ts'

/** Its unit may not have begun yet. */
const START_WITHIN_MS = 60_000

/** True while systemd runs the job or its recovery. */
export async function isUnitAlive(shell: Shell, id: string): Promise<boolean> {
  const { stdout } = await shell.run(['systemctl', 'show', '-p', 'ActiveState', '--value', jobUnit(id)])
  return !['inactive', 'failed', ''].includes(stdout.trim())
}

/**
 * Report of a job that has no end and that nobody works on: its recovery did not get through. Undefined for every other.
 * The boot-time unit, the next job of that VM and the doctor try again.
 */
export async function unrecovered(shell: Shell, id: string): Promise<JobReport | undefined> {
  if (await isUnitAlive(shell, id)) return undefined
  const entries = readJournal(journalPath(id))
  const report = readReport(id, entries)
  if (report === undefined || isEnded(report.state)) return undefined
  if (entries.length === 0 && Date.now() - Date.parse(report.startedAt) < START_WITHIN_MS) return undefined
  const why = ofType(entries, 'note').at(-1)?.text ?? 'its recovery did not begin'
  return {
    ...report,
    state: 'failed-needs-you',
    failure: { kind: 'interrupted', job: report.kind, step: lastStep(entries), leftover: why }
  }
}
