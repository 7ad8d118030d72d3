import { join } from 'node:path'
import { fail } from '../../shared/failure.ts'
import { IDENTITY_NAME } from '../../store/store-identity.ts'
import { holdAlone } from './file-lock.ts'

/** Somebody may be removing a point of a terabyte from a slow disk. */
const WITHIN_SECONDS = 600

/**
 * Whoever moves, removes or marks points of a store does it alone, over all hosts that share the store: under a lock on the
 * file that carries its identity. A store that has none yet belongs to whoever is there; a full store needs no new file.
 *
 * @throws `timeout` if others do not let go of it
 */
export async function whileAloneIn<T>(store: string, work: () => Promise<T>): Promise<T> {
  const lock = await holdAlone(join(store, IDENTITY_NAME), WITHIN_SECONDS)
  if (lock === 'busy')
    return fail({ kind: 'timeout', what: `waiting for others who work on ${store}`, afterMs: WITHIN_SECONDS * 1000 })
  try {
    return await work()
  } finally {
    if (lock !== 'none') await lock.release()
  }
}
