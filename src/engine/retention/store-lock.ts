import { join } from 'node:path'
import type { VerifyReport } from '../../shared/engine-protocol.ts'
import { fail } from '../../shared/failure.ts'
import { noteVerdict, notNoted } from '../../store/mark-point.ts'
import { IDENTITY_NAME } from '../../store/store-identity.ts'
import { holdAlone } from './file-lock.ts'

/** Somebody may be removing a point of a terabyte from a slow disk. */
const WITHIN_SECONDS = 600

/**
 * Whoever moves, removes or marks points of a store does it alone, over all hosts that share the store: under a lock on the
 * file that carries its identity. A store that has none yet belongs to whoever is there; a full store needs no new file.
 *
 * @throws `timeout` if others do not let go of it, `io` with ENOLCK where there are no locks
 */
export async function whileAloneIn<T>(
  store: string,
  work: () => Promise<T>,
  withinSeconds = WITHIN_SECONDS
): Promise<T> {
  const lock = await holdAlone(join(store, IDENTITY_NAME), withinSeconds)
  if (lock === 'busy')
    return fail({ kind: 'timeout', what: `waiting for others who work on ${store}`, afterMs: withinSeconds * 1000 })
  if (lock === 'no locks')
    return fail({ kind: 'io', path: store, code: 'ENOLCK', detail: 'its file system gives no locks' })
  try {
    return await work()
  } finally {
    if (lock !== 'none') await lock.release()
  }
}

/**
 * Writes the verdict beside the point that was read. Reading may have taken hours: its report is answered also where others
 * have the store for longer than anybody waits, and says so.
 */
export async function noteVerdictAlone(
  store: string,
  report: VerifyReport,
  withinSeconds = WITHIN_SECONDS
): Promise<VerifyReport> {
  try {
    return await whileAloneIn(store, () => noteVerdict(store, report), withinSeconds)
  } catch (error) {
    return notNoted(report, error)
  }
}
