import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '../../shared/failure.ts'
import type { BackupSpec } from '../../shared/model/job.ts'
import { freeBytesAt } from '../../store/file-io.ts'
import type { JobContext } from '../jobs/job-context.ts'
import type { CapturePlan } from './capture-plan.ts'

/** Less than this is left for the guest's own writes: the job gives way before the guest meets a full disk. */
export const LAST_RESERVE_BYTES = 32 * 1024 * 1024
const LOOK_EVERY_MS = 500

/** Does `work`, and stops it with `no-room` when a file system that a running VM's overlays grow on is about to be full. */
export async function whileRoomLasts<T>(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  work: (job: JobContext<BackupSpec>) => Promise<T>
): Promise<T> {
  const stop = new AbortController()
  const done = new AbortController()
  const watch = lookAfter(plan, done.signal).catch((error: unknown) => stop.abort(error))
  try {
    return await work({ ...job, signal: AbortSignal.any([job.signal, stop.signal]) })
  } catch (error) {
    throw stop.signal.aborted ? stop.signal.reason : error
  } finally {
    done.abort()
    await watch
  }
}

async function lookAfter(plan: CapturePlan, done: AbortSignal): Promise<void> {
  const folders = new Set(plan.disks.map(({ sidecar }) => dirname(sidecar)))
  while (!done.aborted) {
    for (const path of folders) {
      const freeBytes = await freeBytesAt(path)
      if (freeBytes < LAST_RESERVE_BYTES)
        fail({
          kind: 'no-room',
          path,
          forWhat: 'what the VM writes during the backup',
          neededBytes: LAST_RESERVE_BYTES,
          freeBytes
        })
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal: done }).catch(() => undefined)
  }
}
