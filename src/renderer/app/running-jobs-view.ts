import { isEnded } from '../../shared/model/job.ts'
import type { JobLive, JobView } from '../../shared/views/job-view.ts'
import { words } from '../words.ts'

export interface RunningJob {
  readonly job: JobView
  readonly live: JobLive | undefined
}

/** Those that have not ended, oldest first, so that none moves while one looks. */
export function runningJobs(
  jobs: readonly JobView[] | undefined,
  live: ReadonlyMap<string, JobLive>
): readonly RunningJob[] {
  return (jobs ?? [])
    .filter(({ state }) => !isEnded(state))
    .toReversed()
    .map((job) => ({ job, live: live.get(job.id) }))
}

/** What the VM does while the job runs. */
export function meanwhile({ kind, method }: Pick<JobView, 'kind' | 'method'>): string {
  const told = words.running.meanwhile
  if (kind !== 'backup') return told[kind]
  return method === 'classic' || method === 'offline' ? told[method] : told.live
}
