import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { journalPath } from '../../src/engine/jobs/job-directory.ts'
import { RUNS_DIR } from '../../src/shared/host-paths.ts'
import { JobReport } from '../../src/shared/model/job.ts'
import type { LabHost } from './host.ts'

/** Lines of a job's journal. Read off the host's disk: nothing has to run there. */
export function journalOf(host: LabHost, id: string): string[] {
  const path = join(host.tree, journalPath(id))
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []
}

/** Whether a job of a lab host has announced this step. */
export const hasBegun = (host: LabHost, id: string, step: string): boolean =>
  journalOf(host, id).some((line) => line.includes(`"step":"${step}"`))

/** How many runs of policies have ended on a host. */
export function endedRunsOn(host: LabHost): number {
  const runs = globSync(join(host.tree, RUNS_DIR, '*/journal.jsonl'))
  return runs.filter((path) => readFileSync(path, 'utf8').includes('"type":"end"')).length
}

/** The report of a job that has ended. */
export function endOf(host: LabHost, id: string): JobReport | undefined {
  const last = journalOf(host, id).at(-1)
  if (last === undefined || !last.includes('"type":"end"')) return undefined
  return JobReport.parse((JSON.parse(last) as { report: unknown }).report)
}
