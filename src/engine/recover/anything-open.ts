import { openJobs } from '../jobs/job-directory.ts'
import { openRuns } from '../policy/run-files.ts'

/** True while a job or a run of this host has no end, whether it lives or not. */
export const isAnythingOpen = (): boolean => openJobs().length > 0 || openRuns().length > 0
