import type { Shell } from '../../shared/shell.ts'
import { isHostGoingDown, setFree } from './at-shutdown.ts'
import { recoverFromUnit } from './recover.ts'

/**
 * For a job's ExecStopPost, whose engine has ended in whatever way. One try: what fails here the host takes up at once,
 * and again and again.
 */
export async function recoverAtStop(shell: Shell, id: string): Promise<void> {
  if (await isHostGoingDown(shell)) return setFree(shell, id)
  await recoverFromUnit(shell, id)
}
