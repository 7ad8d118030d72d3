import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { fail } from '../../shared/failure.ts'
import { RUN_DIR } from '../../shared/host-paths.ts'

/**
 * One job per VM, whoever starts it: a flock on `/run/stillpoint/<uuid>.lock`. Node has no flock, so a small shell holds
 * it, and ends with our end of its pipe: a killed engine leaves no lock. The file says who holds it and since when.
 */
export interface VmLock {
  release(): Promise<void>
}

const BUSY = 75
/** Prints the inode of what it locked: the path may have been unlinked by the last holder in between. */
const HOLD = 'exec 9>>"$1"; flock -n 9 || exit 75; stat -L -c %i /proc/self/fd/9; exec cat >/dev/null'

export const lockPath = (vm: string): string => `${RUN_DIR}/${vm}.lock`

/** @throws `vm-busy` with who has it and since when. */
export async function lockVm(vm: string, vmName: string, holder: string): Promise<VmLock> {
  mkdirSync(RUN_DIR, { recursive: true, mode: 0o700 })
  for (;;) {
    const lock = await tryLock(vm)
    if (lock === 'busy') return fail({ kind: 'vm-busy', vm: vmName, ...lockHolder(vm) })
    if (lock === 'stale') continue
    writeFileSync(lockPath(vm), JSON.stringify({ by: holder, since: new Date().toISOString() }))
    return lock
  }
}

/** Who wrote the lock file, if anything can be read from it. */
export function lockHolder(vm: string): { by: string; since: string } {
  try {
    const { by, since } = JSON.parse(readFileSync(lockPath(vm), 'utf8')) as { by?: unknown; since?: unknown }
    return { by: String(by), since: String(since) }
  } catch {
    return { by: 'another job', since: 'just now' }
  }
}

async function tryLock(vm: string): Promise<VmLock | 'busy' | 'stale'> {
  const path = lockPath(vm)
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
      unlinkSync(path)
      await release()
    }
  }
}

function inodeOf(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats === undefined ? undefined : String(stats.ino)
}
