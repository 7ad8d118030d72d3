import { snapshotCreateAs, snapshotOntoOverlays, snapshotXml, type SnapshotRequest } from '../../libvirt/snapshot.ts'
import type { Shell } from '../../shared/shell.ts'
import { createOverlay, imageInfo, servedImageInfo } from '../../libvirt/qemu-img.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { withXmlFile } from '../jobs/private-files.ts'
import { imageBelow, snapshotDisks, snapshotName, type CaptureDisk, type CapturePlan } from './capture-plan.ts'
import { withNewKey } from './overlay-keys.ts'
import { giveOverlays, MAKE_STEP } from './overlay-owner.ts'

/**
 * Sees to it that overlays lie there for which it matters how they begin: where libvirt leaves owners alone, and those of
 * encrypted disks, which libvirt would make in clear, or slowly while the guest stands still. libvirt takes all or none as they are.
 */
export async function prepareOverlays(job: JobContext, plan: CapturePlan): Promise<void> {
  const forAll = isEncrypted(plan)
  await giveOverlays(job, plan.disks, { forAll })
  if (!forAll) return
  await job.step(MAKE_STEP, {}, async () => {
    for (const disk of plan.disks) await makeOverlay(job.shell, disk)
  })
}

const isEncrypted = ({ disks }: CapturePlan): boolean => disks.some(({ encryption }) => encryption !== undefined)

async function makeOverlay(shell: Shell, disk: CaptureDisk): Promise<void> {
  const { encryption, sidecar } = disk
  const backing = { file: imageBelow(disk).path, format: encryption === undefined ? disk.format : 'luks' }
  const virtualSizeBytes = await sizeNow(shell, disk)
  if (encryption === undefined) return createOverlay(shell, sidecar, { backing, virtualSizeBytes })
  await withNewKey(shell, disk, encryption, (keyFile) =>
    createOverlay(shell, sidecar, { backing, virtualSizeBytes, keyFile })
  )
}

/** What the guest sees; its owner may have made it larger since the plan. */
async function sizeNow(shell: Shell, disk: CaptureDisk): Promise<number> {
  const { path, format } = imageBelow(disk)
  const look = disk.type === 'network' ? servedImageInfo : imageInfo
  const { virtualSizeBytes } = await look(shell, path, { format })
  return virtualSizeBytes - (disk.encryption?.payloadAt ?? 0)
}

type How = Pick<SnapshotRequest, 'memoryFile' | 'live' | 'timeoutMs' | 'signal'>

/** All disks of the plan go over to their overlays, at one instant, that of the RAM too where it is to be saved. */
export async function switchToOverlays(shell: Shell, jobId: string, plan: CapturePlan, how: How): Promise<void> {
  const request: SnapshotRequest = { name: snapshotName(jobId), disks: snapshotDisks(plan), ...how }
  if (!isEncrypted(plan)) return snapshotCreateAs(shell, plan.vm, request)
  await withXmlFile(snapshotXml(request), (path) => snapshotOntoOverlays(shell, plan.vm, path, request))
}
