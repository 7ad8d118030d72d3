import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '../../shared/failure.ts'
import { RUN_DIR } from '../../shared/host-paths.ts'

/**
 * A flock on `/run/stillpoint/<name>.lock`. Node has no flock, so a small shell holds it, and ends with our end of its
 * pipe: a killed engine leaves no lock. The file says who holds it and since when.
 */
export interface HostLock {
  release(): Promise<void>
}

const BUSY = 75
/** Prints the inode of what it locked: the path may have been unlinked by the last holder in between. */
const HOLD = 'exec 9>>"$1"; flock -n 9 || exit 75; stat -L -c %i /proc/self/fd/9; exec cat >/dev/null'

export const lockPath = (name: string): string => `${RUN_DIR}/${name}.lock`

/** Undefined: somebody has it. */
export async function tryHostLock(name: string, holder: string): Promise<HostLock | undefined> {
  mkdirSync(RUN_DIR, { recursive: true, mode: 0o700 })
  for (;;) {
    const lock = await tryLock(lockPath(name))
    if (lock === 'busy') return undefined
    if (lock === 'stale') continue
    writeFileSync(lockPath(name), JSON.stringify({ by: holder, since: new Date().toISOString() }))
    return lock
  }
}

const LOOK_EVERY_MS = 50

/** Does something while nobody else does what goes under this name. */
export async function withHostLock<T>(name: string, holder: string, work: () => Promise<T>): Promise<T> {
  for (;;) {
    const lock = await tryHostLock(name, holder)
    if (lock === undefined) {
      await sleep(LOOK_EVERY_MS)
      continue
    }
    try {
      return await work()
    } finally {
      await lock.release()
    }
  }
}

/** Without a lock file nothing is taken in order to look. */
export async function isHeld(name: string): Promise<boolean> {
  if (!existsSync(lockPath(name))) return false
  const lock = await tryHostLock(name, 'a look whether it is free')
  await lock?.release()
  return lock === undefined
}

/** Who wrote the lock file, if anything can be read from it. */
export function lockHolder(name: string): { by: string; since: string } {
  try {
    const { by, since } = JSON.parse(readFileSync(lockPath(name), 'utf8')) as { by?: unknown; since?: unknown }
    return { by: String(by), since: String(since) }
  } catch {
    return { by: 'another job', since: 'just now' }
  }
}

async function tryLock(path: string): Promise<HostLock | 'busy' | 'stale'> {
  const child = spawn('sh', ['-c', HOLD, 'sh', path], { stdio: ['pipe', 'pipe', 'ignore'] })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  const inode = await Promise.race([
    new Promise<string>((resolve) => child.stdout.once('data', (data: Buffer) => resolve(data.toString().trim()))),
    ended
  ])
  if (typeof inode !== 'string') return inode === BUSY ? 'busy' : fail({ kind: 'missing-tool', tool: 'flock' })
  const release = async (): Promise<void> => {
    child.stdin.end()
    await ended
  }
  if (inodeOf(path) !== inode) {
    await release()
    return 'stale'
  }
  return {
    async release() {
      rmSync(path, { force: true })
      await release()
    }
  }
}

function inodeOf(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats === undefined ? undefined : String(stats.ino)
}
