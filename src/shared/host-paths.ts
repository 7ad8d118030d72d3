/** Where the engine lives on a host. `STATE_DIR` is root's, mode 0700. */
export const STATE_DIR = '/var/lib/stillpoint'
export const RUN_DIR = '/run/stillpoint'
export const DEFAULT_STORE = `${STATE_DIR}/points`
export const JOBS_DIR = `${STATE_DIR}/jobs`
export const ASIDE_DIR = `${STATE_DIR}/aside`
export const POLICIES_DIR = `${STATE_DIR}/policies`
/** Journals of policy runs: `<run-id>/journal.jsonl`. */
export const RUNS_DIR = `${STATE_DIR}/runs`
/** Messages that wait for another try. */
export const OUTBOX_DIR = `${STATE_DIR}/outbox`
/** Mail and webhook with their secrets, mode 0600. */
export const CHANNELS_FILE = `${STATE_DIR}/channels.json`
/** Which store identity belongs to which path. */
export const STORES_FILE = `${STATE_DIR}/stores.json`
/** On which mount each of them lay. */
export const STORE_MOUNTS_FILE = `${STATE_DIR}/store-mounts.json`
export const RULES_FILE = `${STATE_DIR}/rules.json`
export const UNITS_DIR = '/etc/systemd/system'
export const RECOVER_UNIT = 'stillpoint-recover.service'
/** Armed while a job has neither an end nor a process. */
export const RECOVER_TIMER = 'stillpoint-recover.timer'
/** Armed before a job or a run begins, until none is open: it looks whether one has died, whoever else is dead by then. */
export const WATCH_TIMER = 'stillpoint-watch.timer'
export const WATCH_UNIT = 'stillpoint-watch.service'
/** Only where this file exists do fault points answer to `STILLPOINT_FAULT`. */
export const LAB_MARKER = '/etc/stillpoint-lab'
/** There a process that the lab holds at a fault point shows where it waits. */
export const LAB_HELD_DIR = '/run/stillpoint-fault'

/**
 * Where a runtime may lie: folders of folders named by its hash. Below /var, unless systemd does not start what is there
 * (decision 22). SELinux's policies give what is below a `bin` of /usr the label of programs.
 */
export const PROGRAM_DIR = '/usr/local/libexec/stillpoint'
export const RUNTIME_DIRS = [`${STATE_DIR}/runtime`, `${PROGRAM_DIR}/bin`] as const
export type RuntimeDir = (typeof RUNTIME_DIRS)[number]
export const runtimePath = (hash: string, dir: RuntimeDir = RUNTIME_DIRS[0]): string => `${dir}/${hash}/node`
export const ENGINE_DIR = `${STATE_DIR}/engine`
export const enginePath = (hash: string): string => `${ENGINE_DIR}/${hash}.mjs`
/** What Node has compiled of an engine is kept there, which spares a third of each start. What is damaged Node passes over. */
export const COMPILED_ENV = { NODE_COMPILE_CACHE: `${ENGINE_DIR}/.compiled` }
export const policyPath = (id: string): string => `${POLICIES_DIR}/${id}.json`
export const policyTimer = (id: string): string => `stillpoint-policy-${id}.timer`
export const policyService = (id: string): string => `stillpoint-policy-${id}.service`
/** A run by hand. */
export const runUnit = (runId: string): string => `stillpoint-run-${runId}.service`
/** Sends what waits and what is due: outbox, digests, silence. */
export const TELL_TIMER = 'stillpoint-tell.timer'
export const TELL_SERVICE = 'stillpoint-tell.service'
export const jobUnit = (jobId: string): string => `stillpoint-job-${jobId}.service`
