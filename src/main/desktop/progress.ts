import { COPYING_THE_POINT } from '../../shared/job-words.ts'
import type { Progress } from '../../shared/model/job.ts'
import type { JobLive, JobView } from '../../shared/views/job-view.ts'

/** Whole percents done of the phase that is under way; undefined where nobody can say. */
export function percentOf(progress: Progress | undefined): number | undefined {
  if (progress === undefined || progress.totalBytes <= 0) return undefined
  return Math.floor(100 * Math.min(1, Math.max(0, progress.doneBytes / progress.totalBytes)))
}

/** For Electron's `setProgressBar`: -1 no bar, above 1 a bar that only says that something goes on. */
export function barOf(live: readonly JobLive[]): number {
  if (live.length === 0) return -1
  const known = live.flatMap(({ progress }) => (progress !== undefined && progress.totalBytes > 0 ? [progress] : []))
  if (known.length === 0) return 2
  const done = known.reduce((sum, { doneBytes, totalBytes }) => sum + Math.min(doneBytes, totalBytes), 0)
  const total = known.reduce((sum, { totalBytes }) => sum + totalBytes, 0)
  return Math.round((100 * done) / total) / 100
}

/** True while bytes go through this computer, which therefore must not fall asleep. */
export function streamsHere(jobs: readonly JobView[], live: readonly JobLive[]): boolean {
  const phases = new Map(live.map(({ id, progress }) => [id, progress?.phase]))
  return jobs.some(
    ({ id, kind, endedAt }) =>
      endedAt === undefined && (kind === 'copy' || (kind === 'restore' && phases.get(id) === COPYING_THE_POINT))
  )
}
