import { mkdirSync } from 'node:fs'
import { DEFAULT_STORE, JOBS_DIR, STATE_DIR } from '../shared/host-paths.ts'
import type { Shell } from '../shared/shell.ts'
import { deadJobs } from './jobs/unit-state.ts'
import { refreshPolicies } from './policy/policies.ts'
import { armWatch, beginRecovery, ensureRecoverUnits } from './jobs/recover-units.ts'
import { isAnythingOpen } from './recover/anything-open.ts'

/** The folders, the units that recover interrupted jobs, and those of policies. What is open is watched over, what lies dead is taken up. Safe to do again. */
export async function prepareHost(shell: Shell): Promise<void> {
  for (const path of [STATE_DIR, JOBS_DIR, DEFAULT_STORE]) mkdirSync(path, { recursive: true, mode: 0o700 })
  await ensureRecoverUnits(shell)
  await refreshPolicies(shell)
  if (isAnythingOpen()) await armWatch(shell)
  if ((await deadJobs(shell)).length > 0) await beginRecovery(shell)
}
