/** Where the engine lives on a host. `STATE_DIR` is root's, mode 0700. */
export const STATE_DIR = '/var/lib/stillpoint'
export const RUN_DIR = '/run/stillpoint'
export const DEFAULT_STORE = `${STATE_DIR}/points`
export const JOBS_DIR = `${STATE_DIR}/jobs`
export const ASIDE_DIR = `${STATE_DIR}/aside`
export const RECOVER_UNIT = 'stillpoint-recover.service'
/** Only where this file exists do fault points answer to `STILLPOINT_FAULT`. */
export const LAB_MARKER = '/etc/stillpoint-lab'

export const runtimePath = (hash: string): string => `${STATE_DIR}/runtime/${hash}/node`
export const enginePath = (hash: string): string => `${STATE_DIR}/engine/${hash}.mjs`
export const jobUnit = (jobId: string): string => `stillpoint-job-${jobId}.service`
