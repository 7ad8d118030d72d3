import { spawn } from 'node:child_process'
import { fail } from '../../shared/failure.ts'

/**
 * A flock on a file that is there already. Node has no flock, so a small shell holds it, and ends with this process: a
 * killed engine leaves no lock, and nothing is left beside the file. On what kinds of file systems hosts see one another's
 * locks says `locksHold` (room/file-systems.ts).
 */
export interface FileLock {
  release(): Promise<void>
}

const BUSY = 75
/** What flock itself ends with where the file system has no locks to give. */
const NO_LOCKS = [65, 71]
const HELD = 'echo held; exec cat >/dev/null'
/** Never makes the file. */
const SHARED = `exec 9<"$1" || exit 76; flock -E ${BUSY} -s -w "$2" 9 || exit; ${HELD}`
/** Open for writing too, as NFS asks of who wants it alone; on a read-only store the change itself says what is wrong. */
const ALONE = `test -f "$1" || exit 76
if (: <>"$1") 2>/dev/null; then exec 9<>"$1"; else exec 9<"$1"; fi
flock -E ${BUSY} -w "$2" 9 || exit; ${HELD}`

/** `busy`: somebody had it all the time that was to be waited. `none`: there is no such file. @throws `io` with ENOLCK */
export const holdShared = (path: string, waitSeconds: number): Promise<FileLock | 'busy' | 'none'> =>
  hold(SHARED, path, waitSeconds)

export const holdAlone = (path: string, waitSeconds: number): Promise<FileLock | 'busy' | 'none'> =>
  hold(ALONE, path, waitSeconds)

async function hold(script: string, path: string, waitSeconds: number): Promise<FileLock | 'busy' | 'none'> {
  const child = spawn('sh', ['-c', script, 'sh', path, String(waitSeconds)], { stdio: ['pipe', 'pipe', 'ignore'] })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  const held = new Promise<'held'>((resolve) => child.stdout.once('data', () => resolve('held')))
  const outcome = await Promise.race([held, ended])
  if (outcome !== null && outcome !== 'held' && NO_LOCKS.includes(outcome))
    return fail({ kind: 'io', path, code: 'ENOLCK', detail: 'its file system gives no lock on it' })
  if (outcome !== 'held') return outcome === BUSY ? 'busy' : 'none'
  const release = async (): Promise<void> => {
    child.stdin.end()
    await ended
  }
  return { release }
}
