import { setTimeout as sleep } from 'node:timers/promises'
import { tryHostLock, type HostLock } from '../jobs/host-lock.ts'
import { readParallel } from './host-rules.ts'

const FIRST_LOOK_MS = 100
const LONGEST_LOOK_MS = 2000

/**
 * The right to one of the jobs that policies may run at a time on this host, over all of them. Waits until there is one;
 * undefined once `isOver` says so. How many there are is read anew each time.
 */
export async function takeSlot(holder: string, isOver: () => boolean): Promise<HostLock | undefined> {
  for (let waitMs = FIRST_LOOK_MS; !isOver(); waitMs = Math.min(waitMs * 1.5, LONGEST_LOOK_MS)) {
    const slot = await firstFree(holder)
    if (slot !== undefined) return slot
    await sleep(waitMs)
  }
  return undefined
}

async function firstFree(holder: string): Promise<HostLock | undefined> {
  for (let n = 1; n <= readParallel(); n++) {
    const slot = await tryHostLock(`slot-${n}`, holder)
    if (slot !== undefined) return slot
  }
  return undefined
}
