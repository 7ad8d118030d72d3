import type { BackupSpec } from '../../shared/model/job.ts'
import { freeze, thaw } from '../../libvirt/agent.ts'
import { snapshotCreateAs } from '../../libvirt/snapshot.ts'
import type { VmBefore } from '../evidence/vm-before.ts'
import { orWarn, type JobContext } from '../jobs/job-context.ts'
import { imageBelow, snapshotName, type CapturePlan } from './capture-plan.ts'
import type { Captured } from './captured.ts'
import { commitOverlays, justHeld } from './commit-overlays.ts'
import { copyDisks } from './copy-disks.ts'
import { HOLD_STEP, lookAtOverlays, requireWhole } from './hold-disks.ts'
import { measurePauses } from './stand-still.ts'
import { armThawGuard, disarmThawGuard } from './thaw-guard.ts'
import { commitWithRoom, whileRoomLasts } from './watch-room.ts'

/** Disks only, all at one instant; the guest's file systems are frozen for it where its agent answers. */
export async function captureDisk(job: JobContext<BackupSpec>, plan: CapturePlan, before: VmBefore): Promise<Captured> {
  const froze = plan.agent === 'answered' && (await freezeGuest(job, plan))
  await job.step('snapshot', {}, () => snapshotDisks(job, plan))
  const stayedFrozen = froze && (await thawGuest(job, plan))
  const held = await lookAtOverlays(job, plan)
  const disks = await job.step(HOLD_STEP, { held }, async () => {
    const copied = await whileRoomLasts(job, plan, (watched) => copyDisks(watched, plan, imageBelow))
    await requireWhole(job.shell, plan, held)
    return copied
  })
  const loose = await job.step('fold-back', {}, () =>
    commitWithRoom(job, plan, () => commitOverlays(job, plan, justHeld(before, held)))
  )
  return { disks, froze: stayedFrozen, loose }
}

/** An agent that refuses costs the file systems' consistency, not the point. */
async function freezeGuest(job: JobContext<BackupSpec>, plan: CapturePlan): Promise<boolean> {
  let frozen = false
  await job.step('freeze', {}, () =>
    orWarn(job, 'The guest agent did not freeze the file systems; the point is as after a power cut', async () => {
      await armThawGuard(job.shell, job.id, plan.vm)
      await freeze(job.shell, plan.vm)
      frozen = true
    })
  )
  return frozen
}

/** False if somebody else had thawed it before, so that the disks may be of a moment in which it wrote. */
async function thawGuest(job: JobContext<BackupSpec>, plan: CapturePlan): Promise<boolean> {
  let thawed = 0
  await job.step('thaw', {}, async () => {
    thawed = await thaw(job.shell, plan.vm)
  })
  await disarmThawGuard(job.shell, job.id)
  if (thawed === 0)
    job.warn('The guest did not stay frozen until its disks were held; the point is as after a power cut')
  return thawed > 0
}

const SNAPSHOT_WITHIN_MS = 120_000

async function snapshotDisks(job: JobContext<BackupSpec>, plan: CapturePlan): Promise<void> {
  await measurePauses(job, 'switch', () =>
    snapshotCreateAs(job.shell, plan.vm, {
      name: snapshotName(job.id),
      disks: [
        ...plan.disks.map(({ target, sidecar }) => ({ target, overlay: sidecar })),
        ...plan.excluded.map((target) => ({ target, skip: true as const }))
      ],
      live: false,
      timeoutMs: SNAPSHOT_WITHIN_MS,
      signal: job.signal
    })
  )
}
