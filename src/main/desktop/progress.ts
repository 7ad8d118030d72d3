import type { Progress } from '../../shared/model/job.ts'
import type { JobLive, JobView } from '../../shared/views/job-view.ts'

/** Whole percents done of the phase that is under way; undefined where nobody can say. */
export function percentOf(progress: Progress | undefined): number | undefined {
  const share = shareOf(progress)
  return share === undefined ? undefined : Math.floor(100 * share)
}

/** For Electron's `setProgressBar`: -1 no bar, above 1 a bar that only says that something goes on. */
export function barOf(live: readonly JobLive[]): number {
  if (live.length === 0) return -1
  const known = live.flatMap(({ progress }) => shareOf(progress) ?? [])
  if (known.length === 0) return 2
  // Each job counts alike: how many bytes it is about is a host's word.
  const share = known.reduce((sum, each) => sum + each, 0) / known.length
  return Math.round(100 * share) / 100
}

/** From 0 to 1, whatever the figures are. */
function shareOf(progress: Progress | undefined): number | undefined {
  if (progress === undefined || !(progress.totalBytes > 0)) return undefined
  const share = progress.doneBytes / progress.totalBytes
  return Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : undefined
}

/** True while bytes go through this computer, which therefore must not fall asleep. What a host says of its jobs is no reason. */
export const streamsHere = (jobs: readonly JobView[]): boolean =>
  jobs.some(({ isHere, kind, endedAt }) => isHere === true && endedAt === undefined && kind !== 'verify')
