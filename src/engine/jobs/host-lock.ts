import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import { fail } from '../../shared/failure.ts'
import { RUN_DIR } from '../../shared/host-paths.ts'

/**
 * A flock on `/run/stillpoint/<name>.lock`. Node has no flock, so a small shell holds it, and ends with our end of its
 * pipe: a killed engine leaves no lock. The file says who holds it, since when, and by which process.
 */
export interface HostLock {
  release(): Promise<void>
}

const BUSY = 75
/** Prints the inode of what it locked: the path may have been unlinked by the last holder in between. */
const HOLD = 'exec 9>>"$1"; flock -n 9 || exit 75; stat -L -c %i /proc/self/fd/9; exec cat >/dev/null'

export const lockPath = (name: string): string => `${RUN_DIR}/${name}.lock`

/** So long may a killed holder's helper, or whoever removes what it left, be in the way. */
const GONE_WITHIN_MS = 2000
const TRY_EVERY_MS = 20

/** Undefined: somebody has it, who lives. */
export async function tryHostLock(name: string, holder: string): Promise<HostLock | undefined> {
  mkdirSync(RUN_DIR, { recursive: true, mode: 0o700 })
  const deadline = performance.now() + GONE_WITHIN_MS
  for (;;) {
    const lock = await tryLock(lockPath(name), holder)
    if (typeof lock === 'object') return lock
    if (lock === 'stale') continue
    if (livesHolder(name) || performance.now() > deadline) return undefined
    await sleep(TRY_EVERY_MS)
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

/** Who holds a lock says in its file which process does it: nothing is taken in order to look. */
export async function isHeld(name: string): Promise<boolean> {
  if (readHolder(name)?.pid !== undefined) return livesHolder(name)
  return !(await removeStaleLock(name))
}

/** Removes a lock file that nobody holds, if there is one. False if somebody holds it. */
export async function removeStaleLock(name: string): Promise<boolean> {
  if (!existsSync(lockPath(name))) return true
  if (livesHolder(name)) return false
  const lock = await tryHostLock(name, 'removal of a lock that nobody holds')
  await lock?.release()
  return lock !== undefined
}

const Holder = z.object({
  by: z.string(),
  since: z.string(),
  /** The process that holds the lock, and when it began by the kernel's own count. Engines before said neither. */
  pid: z.number().optional(),
  begun: z.string().optional()
})

function readHolder(name: string): z.infer<typeof Holder> | undefined {
  try {
    return Holder.safeParse(JSON.parse(readFileSync(lockPath(name), 'utf8'))).data
  } catch {
    return undefined
  }
}

function livesHolder(name: string): boolean {
  const { pid, begun } = readHolder(name) ?? {}
  return pid !== undefined && begun !== undefined && begunAt(pid) === begun
}

/** Clock ticks from boot to the beginning of a process. Undefined: there is none of this number. */
function begunAt(pid: number): string | undefined {
  try {
    const [state, ...rest] = (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? '').split(' ')
    return state === 'Z' ? undefined : rest[18]
  } catch {
    return undefined
  }
}

/** Who wrote the lock file, if anything can be read from it. */
export const lockHolder = (name: string): { by: string; since: string } => {
  const { by = 'another job', since = 'just now' } = readHolder(name) ?? {}
  return { by, since }
}

async function tryLock(path: string, by: string): Promise<HostLock | 'busy' | 'stale'> {
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
  const { pid = 0 } = child
  writeFileSync(path, JSON.stringify({ by, since: new Date().toISOString(), pid, begun: begunAt(pid) }))
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
