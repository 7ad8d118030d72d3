import { join } from 'node:path'
import { fail } from '../../shared/failure.ts'
import { MANIFEST_NAME } from '../../store/layout.ts'
import { holdAlone, holdShared, type FileLock } from './file-lock.ts'

/** Retention holds a point for the moment of a rename. */
const READ_WITHIN_SECONDS = 60

/**
 * Who reads a point for long (verify, export) holds a shared lock on its manifest; retention needs it alone. Retention
 * leaves the point alone until the work is done.
 *
 * @throws `not-found` if there is no point, `timeout` if retention does not let go of it
 */
export async function whileReading<T>(dir: string, work: () => Promise<T>): Promise<T> {
  const lock = await holdShared(join(dir, MANIFEST_NAME), READ_WITHIN_SECONDS)
  if (lock === 'no locks') return work() // nor does anybody remove anything there
  if (lock === 'none') return fail({ kind: 'not-found', what: 'point', name: dir })
  if (lock === 'busy') return fail({ kind: 'timeout', what: `waiting for ${dir}`, afterMs: READ_WITHIN_SECONDS * 1000 })
  try {
    return await work()
  } finally {
    await lock.release()
  }
}

/** Undefined while somebody reads the point, or if there is none. */
export async function changingPoint(dir: string): Promise<FileLock | undefined> {
  const lock = await holdAlone(join(dir, MANIFEST_NAME), 0)
  return typeof lock === 'string' ? undefined : lock
}
