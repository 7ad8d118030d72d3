import { spawn } from 'node:child_process'

/**
 * A flock on a file that is there already. Node has no flock, so a small shell holds it, and ends with this process: a
 * killed engine leaves no lock, and nothing is left beside the file. On what kinds of file systems hosts see one another's
 * locks says `locksHold` (room/file-systems.ts).
 */
export interface FileLock {
  release(): Promise<void>
}

const BUSY = 75
/** 65 and 71 are what flock itself ends with where it is refused. */
const outcomes: Readonly<Record<string, NotHeld>> = { [BUSY]: 'busy', '65': 'no locks', '71': 'no locks' }
const HELD = 'echo held; exec cat >/dev/null'
/** Never makes the file. */
const SHARED = `exec 9<"$1" || exit 76; flock -E ${BUSY} -s -w "$2" 9 || exit; ${HELD}`
/** Open for writing too, as NFS asks of who wants it alone; on a read-only store the change itself says what is wrong. */
const ALONE = `test -f "$1" || exit 76
if (: <>"$1") 2>/dev/null; then exec 9<>"$1"; else exec 9<"$1"; fi
flock -E ${BUSY} -w "$2" 9 || exit; ${HELD}`

/**
 * `busy`: somebody had it all the time that was to be waited. `none`: there is no such file. `no locks`: its file system
 * gives none, so that nobody can be seen to read or write there, and nothing may be removed.
 */
export type NotHeld = 'busy' | 'none' | 'no locks'

export const holdShared = (path: string, waitSeconds: number): Promise<FileLock | NotHeld> =>
  hold(SHARED, path, waitSeconds)

export const holdAlone = (path: string, waitSeconds: number): Promise<FileLock | NotHeld> =>
  hold(ALONE, path, waitSeconds)

async function hold(script: string, path: string, waitSeconds: number): Promise<FileLock | NotHeld> {
  const child = spawn('sh', ['-c', script, 'sh', path, String(waitSeconds)], { stdio: ['pipe', 'pipe', 'ignore'] })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  const held = new Promise<'held'>((resolve) => child.stdout.once('data', () => resolve('held')))
  const outcome = await Promise.race([held, ended])
  if (outcome !== 'held') return outcomes[String(outcome)] ?? 'none'
  const release = async (): Promise<void> => {
    child.stdin.end()
    await ended
  }
  return { release }
}
