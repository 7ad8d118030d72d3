import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fail } from '../../shared/failure.ts'
import { MANIFEST_NAME } from '../../store/layout.ts'

/**
 * Who reads a point for long (verify, export) holds a shared flock on its manifest; retention needs it alone. Held like the
 * lock of a VM by a small shell that ends with this process. Nothing is left in the store.
 */
export interface PointLock {
  release(): Promise<void>
}

const BUSY = 75
const HELD = 'echo held; exec cat >/dev/null'
/** Never makes the file. A reader waits: retention holds a point for the moment of a rename. */
const SHARED = `exec 9<"$1" || exit 76; flock -s -w 60 9 || exit ${BUSY}; ${HELD}`
/** Open for writing too, as NFS asks of who wants it alone; on a read-only store the change itself says what is wrong. */
const ALONE = `test -f "$1" || exit 76
if (: <>"$1") 2>/dev/null; then exec 9<>"$1"; else exec 9<"$1"; fi
flock -n 9 || exit ${BUSY}; ${HELD}`

/** @throws `not-found` if there is no point, `timeout` if retention does not let go of it */
async function readingPoint(dir: string): Promise<PointLock> {
  const lock = await hold(SHARED, dir)
  if (lock === 'none') return fail({ kind: 'not-found', what: 'point', name: dir })
  return lock === 'busy' ? fail({ kind: 'timeout', what: `waiting for ${dir}`, afterMs: 60_000 }) : lock
}

/** Retention leaves the point alone until the work is done. */
export async function whileReading<T>(dir: string, work: () => Promise<T>): Promise<T> {
  const lock = await readingPoint(dir)
  try {
    return await work()
  } finally {
    await lock.release()
  }
}

/** Undefined while somebody reads the point, or if there is none. */
export async function changingPoint(dir: string): Promise<PointLock | undefined> {
  const lock = await hold(ALONE, dir)
  return typeof lock === 'string' ? undefined : lock
}

async function hold(script: string, dir: string): Promise<PointLock | 'busy' | 'none'> {
  const child = spawn('sh', ['-c', script, 'sh', join(dir, MANIFEST_NAME)], { stdio: ['pipe', 'pipe', 'ignore'] })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  const held = new Promise<'held'>((resolve) => child.stdout.once('data', () => resolve('held')))
  const outcome = await Promise.race([held, ended])
  if (outcome !== 'held') return outcome === BUSY ? 'busy' : 'none'
  const release = async (): Promise<void> => {
    child.stdin.end()
    await ended
  }
  return { release }
}
