import type { Failure } from '../../shared/failure.ts'
import { jobUnit, RECOVER_TIMER, RECOVER_UNIT, WATCH_TIMER } from '../../shared/host-paths.ts'
import { isEnded, type JobReport } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { lastStep } from '../../shared/job-report.ts'
import { isHeld } from './host-lock.ts'
import { openJobs, readableEntries, readReport } from './job-directory.ts'
import { readTrouble } from './trouble.ts'

/** Held by whoever hands a job to systemd, until the job has begun. */
export const submitLock = (id: string): string => `submit-${id}`

/** True while systemd runs one of these units, or is about to. */
async function isAnyAlive(shell: Shell, units: readonly string[]): Promise<boolean> {
  const { stdout } = await shell.run(['systemctl', 'show', '-p', 'ActiveState,Job', ...units])
  return /^ActiveState=(?!inactive$|failed$)./m.test(stdout) || /^Job=[1-9]/m.test(stdout)
}

/** True while systemd runs the job or its recovery. */
export const isUnitAlive = (shell: Shell, id: string): Promise<boolean> => isAnyAlive(shell, [jobUnit(id)])

/** True while somebody works on a job, or is just handing it to systemd. In this order: the one ends when the other has begun. */
export const isAlive = async (shell: Shell, id: string): Promise<boolean> =>
  (await isHeld(submitLock(id))) || (await isUnitAlive(shell, id))

/** Jobs of this host that have no end and no process, oldest first. */
export async function deadJobs(shell: Shell): Promise<string[]> {
  const open = openJobs()
  const alive = await Promise.all(open.map((id) => isAlive(shell, id)))
  return open.filter((_, n) => alive[n] !== true)
}

/** So many passes fail before an operator is called; the host goes on trying all the same. */
const PASSES_BEFORE_HELP = 3

/**
 * Report of a job that has no end and that nobody works on: its recovery did not get through. Undefined for every other,
 * and while the host is still at its first tries.
 */
export async function unrecovered(shell: Shell, id: string): Promise<JobReport | undefined> {
  if (await isAlive(shell, id)) return undefined
  const { passes = 0 } = readTrouble(id) ?? {}
  const isComing = passes < PASSES_BEFORE_HELP && (await isAnyAlive(shell, [RECOVER_UNIT, RECOVER_TIMER, WATCH_TIMER]))
  return isComing ? undefined : troubledReport(id)
}

/** As {@link unrecovered}, for whoever has just tried it. */
export function troubledReport(id: string): JobReport | undefined {
  const report = readReport(id)
  if (report === undefined || isEnded(report.state)) return undefined
  const notBegun: Failure = {
    kind: 'interrupted',
    job: report.kind,
    step: lastStep(readableEntries(id)),
    leftover: 'its recovery did not begin'
  }
  return { ...report, state: 'failed-needs-you', failure: readTrouble(id)?.failure ?? notBegun }
}

/** True once so many passes failed that waiting for the next one is of no use to anybody. */
export const needsHelp = (id: string): boolean => (readTrouble(id)?.passes ?? 0) >= PASSES_BEFORE_HELP
