import { join } from 'node:path'
import { snapshotCreateAs, snapshotOntoOverlays, snapshotXml, type SnapshotRequest } from '../../libvirt/snapshot.ts'
import type { Shell } from '../../shared/shell.ts'
import { createOverlay, imageInfo, servedImageInfo, type KeyFiles } from '../../libvirt/qemu-img.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { withPrivateFiles, withXmlFile } from '../jobs/private-files.ts'
import { imageBelow, snapshotDisks, snapshotName, type CaptureDisk, type CapturePlan } from './capture-plan.ts'
import { withNewKey } from './overlay-keys.ts'
import { fillPlaced, giveOverlays, MAKE_STEP, type PlacedFile } from './overlay-owner.ts'
import { isOutdatedNow, requireCurrent } from './plan-backup.ts'

/**
 * Sees to it that overlays lie there for which it matters how they begin: where libvirt leaves owners alone, and those of
 * encrypted disks, which libvirt would make in clear, or slowly while the guest stands still. libvirt takes all or none as they are.
 */
export async function prepareOverlays(job: JobContext, plan: CapturePlan): Promise<void> {
  const forAll = isEncrypted(plan)
  const placed = await giveOverlays(job, plan.disks, { forAll })
  if (!forAll) return
  await job.step(MAKE_STEP, {}, async () => {
    for (const file of placed) await makeOverlay(job.shell, plan, file)
  })
  // That takes seconds, and libvirt makes none by itself for a disk that came meanwhile.
  await requireCurrent(job.shell, plan)
  await requireSizes(job.shell, plan)
}

const isEncrypted = ({ disks }: CapturePlan): boolean => disks.some(({ encryption }) => encryption !== undefined)

/** In memory first: QEMU removes the file where it fails, and with it whose it was. */
async function makeOverlay(shell: Shell, plan: CapturePlan, placed: PlacedFile): Promise<void> {
  const disk = plan.disks.find(({ sidecar }) => sidecar === placed.path)
  if (disk === undefined) return
  const { encryption } = disk
  const backing = { file: imageBelow(disk).path, format: encryption === undefined ? disk.format : 'luks' }
  const virtualSizeBytes = await sizeNow(shell, disk)
  const make = async (folder: string, keyFiles?: KeyFiles): Promise<void> => {
    const made = join(folder, 'overlay')
    await createOverlay(shell, made, {
      ...{ backing, virtualSizeBytes, opensWithBelow: encryption?.opensWithDisk === true },
      ...(keyFiles && { keyFiles })
    })
    await fillPlaced(placed, made)
  }
  if (encryption === undefined) return withPrivateFiles([], (_none, folder) => make(folder))
  await withNewKey(shell, disk, encryption, (keyFiles, folder) => make(folder, keyFiles))
}

/** What the guest sees; its owner may have made it larger since the plan. */
async function sizeNow(shell: Shell, disk: CaptureDisk): Promise<number> {
  const { path, format } = imageBelow(disk)
  const look = disk.type === 'network' ? servedImageInfo : imageInfo
  const { virtualSizeBytes } = await look(shell, path, { format })
  return virtualSizeBytes - (disk.encryption?.payloadAt ?? 0)
}

/** Onto an overlay that is smaller than its disk by now, a guest would lose the end of it. @throws what `isOutdated` asks for */
async function requireSizes(shell: Shell, plan: CapturePlan): Promise<void> {
  for (const disk of plan.disks) {
    const { virtualSizeBytes } = await imageInfo(shell, disk.sidecar, { format: 'qcow2' })
    if (virtualSizeBytes !== (await sizeNow(shell, disk))) isOutdatedNow(plan)
  }
}

type How = Pick<SnapshotRequest, 'memoryFile' | 'live' | 'timeoutMs' | 'signal'>

/** All disks of the plan go over to their overlays, at one instant, that of the RAM too where it is to be saved. */
export async function switchToOverlays(shell: Shell, jobId: string, plan: CapturePlan, how: How): Promise<void> {
  const request: SnapshotRequest = { name: snapshotName(jobId), disks: snapshotDisks(plan), ...how }
  if (!isEncrypted(plan)) return snapshotCreateAs(shell, plan.vm, request)
  await withXmlFile(snapshotXml(request), (path) => snapshotOntoOverlays(shell, plan.vm, path, request))
}
