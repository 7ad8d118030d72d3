import { setTimeout as sleep } from 'node:timers/promises'
import type { BackupSpec } from '../../shared/model/job.ts'
import { labelForLibvirt } from '../../libvirt/selinux.ts'
import { whileSpaceLasts } from '../../store/free-space.ts'
import { ownerPath, type PointOwner } from '../../store/owner.ts'
import { beginPoint } from '../../store/point-store.ts'
import { bootId, machineId } from '../host-facts.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { holdAlone, type FileLock } from '../retention/file-lock.ts'
import { requireKnownStore } from '../retention/known-stores.ts'
import type { CapturePlan } from './capture-plan.ts'

/** What says of a folder that this job of this host writes it. */
export async function ownerFor(job: string, host: string): Promise<PointOwner> {
  return {
    format: 'stillpoint-owner',
    machineId: await machineId(),
    bootId: await bootId(),
    host,
    job,
    since: new Date().toISOString()
  }
}

/** A process is one job, which has one point. */
let held: FileLock | undefined

/**
 * Makes the folder of the job's point. Whose it is stands in it before anything else, under a lock that ends with this
 * process at the latest: other hosts of the store see that it is being written. A held file also keeps the store from being
 * unmounted; so it is asked once more only then whether this is the store that was looked at, perhaps hours ago.
 *
 * @throws `store-changed` if it is another one by now, or its disk is not mounted; `no-room` if it is full
 */
export async function beginOwnPoint({ id, spec, shell }: JobContext<BackupSpec>, { vm }: CapturePlan): Promise<void> {
  const owner = await ownerFor(id, spec.hostName)
  const room = [{ path: spec.store, forWhat: 'the point' }]
  const dir = await whileSpaceLasts(room, undefined, () => beginPoint(spec.store, vm, id, owner))
  const lock = await holdAlone(ownerPath(dir), 0)
  if (typeof lock !== 'string') held = lock
  await requireKnownStore(spec.store)
  await labelForLibvirt(shell, [dir])
}

const LET_GO_WITHIN_MS = 10_000

/** Whoever is told that the job is over may unmount its store. One whose server is away keeps the job from its end no longer than that. */
export async function letGoOfOwnPoint(): Promise<void> {
  await Promise.race([held?.release(), sleep(LET_GO_WITHIN_MS, undefined, { ref: false })])
  held = undefined
}
