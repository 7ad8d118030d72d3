import type { BackupSpec } from '../../shared/model/job.ts'
import type { VmBefore } from '../evidence/vm-before.ts'
import type { JobContext } from '../jobs/job-context.ts'
import type { CapturePlan } from './capture-plan.ts'
import type { Captured } from './captured.ts'
import { commitOverlays } from './commit-overlays.ts'
import { endFreeze, whileFrozen } from './guest-freeze.ts'
import { copyHeld, HOLD_STEP, lookAtOverlays } from './hold-disks.ts'
import { whileSeen, whileVmRuns } from './keep-running.ts'
import { lookAtMedia } from './media.ts'
import { justHeld } from './noted.ts'
import { requireCurrent } from './plan-backup.ts'
import { measurePauses } from './stand-still.ts'
import { prepareOverlays, switchToOverlays } from './take-snapshot.ts'
import { commitWithRoom } from './watch-room.ts'

/** Disks only, all at one instant; the guest's file systems are frozen for it where its agent answers. */
export async function captureDisk(job: JobContext<BackupSpec>, plan: CapturePlan, before: VmBefore): Promise<Captured> {
  await prepareOverlays(job, plan)
  let media: Captured['media'] = Promise.resolve(new Map())
  const froze = await whileFrozen(job, plan, async () => {
    await requireCurrent(job.shell, plan)
    await job.step('snapshot', {}, () => takeSnapshot(job, plan))
    media = lookAtMedia(job, plan)
  })
  const held = await lookAtOverlays(job, plan)
  const { disks, sampled } = await job.step(HOLD_STEP, { held }, () =>
    whileVmRuns(job, plan, () => copyHeld(job, plan, held))
  )
  const loose = await job.step('fold-back', {}, () =>
    whileSeen(job, plan, () => commitWithRoom(job, plan, () => commitOverlays(job, plan, justHeld(before, sampled))))
  )
  const frozen = await endFreeze(job, plan)
  return { disks, froze, media, loose: frozen === undefined ? loose : { ...loose, kept: [...loose.kept, frozen] } }
}

const SNAPSHOT_WITHIN_MS = 120_000

async function takeSnapshot(job: JobContext<BackupSpec>, plan: CapturePlan): Promise<void> {
  await measurePauses(job, 'switch', () =>
    switchToOverlays(job.shell, job.id, plan, {
      live: false,
      timeoutMs: SNAPSHOT_WITHIN_MS,
      signal: job.signal
    })
  )
}
