import { rm } from 'node:fs/promises'
import { existsSync, readdirSync } from 'node:fs'
import { fail } from '../../shared/failure.ts'
import {
  CHANNELS_FILE,
  DEFAULT_STORE,
  ENGINE_DIR,
  JOBS_DIR,
  OUTBOX_DIR,
  POLICIES_DIR,
  PROGRAM_DIR,
  RULES_FILE,
  RUN_DIR,
  RUNS_DIR,
  RUNTIME_DIRS,
  STATE_DIR,
  STORE_MOUNTS_FILE,
  STORES_FILE
} from '../../shared/host-paths.ts'
import type { Shell } from '../../shared/shell.ts'
import { IDENTITY_NAME } from '../../store/store-identity.ts'
import { openJobs, readReport, vmOfJob } from '../jobs/job-directory.ts'
import { removeRecoverUnits } from '../jobs/recover-units.ts'
import { removePolicy } from '../policy/policies.ts'
import { idsWithUnits } from '../policy/policy-units.ts'
import { goingRuns } from '../policy/recover-runs.ts'
import { TELL_FILES } from '../tell/channels-file.ts'
import { removeTellTimer } from '../tell/tell-timer.ts'

/** Of the state folder; points, and what restores kept aside, stay. */
const OURS = [
  JOBS_DIR,
  RUNS_DIR,
  POLICIES_DIR,
  OUTBOX_DIR,
  CHANNELS_FILE,
  STORES_FILE,
  STORE_MOUNTS_FILE,
  RULES_FILE,
  TELL_FILES.state
]
const PROGRAMS = [ENGINE_DIR, ...RUNTIME_DIRS]

/**
 * Takes everything of ours off this host, policies with their timers and this engine included. Points, and what restores
 * kept aside, stay.
 */
export async function removeAll(shell: Shell): Promise<{ removed: string[] }> {
  for (const id of openJobs())
    fail({ kind: 'vm-busy', vm: vmOfJob(id)?.name ?? '', by: `job ${id}`, since: readReport(id)?.startedAt ?? '' })
  for (const { policy, startedAt } of await goingRuns())
    fail({ kind: 'usage', message: `a run of policy ${policy.name} goes on since ${startedAt}: wait for its end` })
  const policies = await removePolicies(shell)
  const units = await removeRecoverUnits(shell)
  const removed = [...OURS, ...PROGRAMS, RUN_DIR].filter(existsSync)
  for (const path of removed) await rm(path, { recursive: true, force: true })
  await shell.run(['systemctl', 'daemon-reload'])
  if (isEmpty(DEFAULT_STORE, IDENTITY_NAME)) await rm(DEFAULT_STORE, { recursive: true, force: true })
  for (const dir of [STATE_DIR, PROGRAM_DIR]) if (isEmpty(dir)) await rm(dir, { recursive: true, force: true })
  return { removed: [...policies, ...units, ...removed] }
}

async function removePolicies(shell: Shell): Promise<string[]> {
  const removed: string[] = []
  for (const id of idsWithUnits()) removed.push(...(await removePolicy(shell, id)).removed)
  await removeTellTimer(shell)
  return removed
}

const isEmpty = (path: string, ...but: string[]): boolean =>
  existsSync(path) && readdirSync(path).every((name) => but.includes(name))
