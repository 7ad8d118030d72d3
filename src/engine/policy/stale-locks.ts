import { existsSync, readdirSync } from 'node:fs'
import { RUN_DIR } from '../../shared/host-paths.ts'
import { removeStaleLock } from '../jobs/host-lock.ts'

/** Removes the lock files that a killed run has left: nobody holds them, but they are ours. */
export async function removeStaleLocks(policy: string): Promise<void> {
  if (!existsSync(RUN_DIR)) return
  for (const file of readdirSync(RUN_DIR)) {
    const name = /^(.*)\.lock$/.exec(file)?.[1] ?? ''
    if (name === `policy-${policy}` || name.startsWith('slot-') || name.startsWith('submit-'))
      await removeStaleLock(name)
  }
}
