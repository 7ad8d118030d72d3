import { stat } from 'node:fs/promises'
import * as z from 'zod'
import { fail } from '../../shared/failure.ts'
import type { Shell } from '../../shared/shell.ts'
import { parseDomain, type DomainXml, type XmlDisk } from '../../libvirt/domain-xml.ts'
import { domainState, domainXml } from '../../libvirt/domains.ts'
import type { BackupSpec } from '../../shared/model/job.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { changeStamp } from './change-stamp.ts'
import { CaptureDisk, imageBelow, isOverlayOf, type CapturePlan } from './capture-plan.ts'
import { copyDisks, type CopiedDisk } from './copy-disks.ts'
import { sampleImage } from './image-samples.ts'
import { diskOfOverlay } from './overlay-disk.ts'
import { whileRoomLasts } from './watch-room.ts'

/** The step that is announced with how the images stood once the VM had gone over to its overlays. */
export const HOLD_STEP = 'copy'

/** Announced within it, with the same and what the images show: that takes longer, and what is known by then is noted. */
export const SAMPLES_STEP = 'samples'

/** An image that stands still below an overlay. */
export const HeldDisk = z.object({
  target: z.string(),
  /** Of a file. */
  image: z.object({ ino: z.string(), mtimeNs: z.string(), sizeBytes: z.string() }).optional(),
  /** Of a device, what the kernel has counted. */
  writes: z.string().optional(),
  /** What it showed at the places of `placesOf`: what another host writes shows nowhere else. */
  samples: z.array(z.string()).optional(),
  /** The disk, where the plan does not know it: a snapshot took it along unasked. */
  extra: CaptureDisk.optional()
})
export type HeldDisk = z.infer<typeof HeldDisk>

/**
 * Looks at what came of a snapshot: each disk of the plan writes to its overlay, and nothing else of the VM's disks went
 * over to one. Answers how the images below stand now, also of disks that the snapshot took along.
 *
 * @throws `foreign-work` if a disk is not where the plan wants it
 */
export async function lookAtOverlays(job: JobContext, plan: CapturePlan): Promise<HeldDisk[]> {
  const { disks } = parseDomain(await domainXml(job.shell, plan.vm))
  for (const { target, sidecar } of plan.disks) {
    const source = disks.find((disk) => disk.target === target)?.source
    if (source !== sidecar)
      foreign(plan, `${target} did not go over to its overlay: it is ${source ?? 'not there any more'}`)
  }
  const extras = extraOverlays(disks, job.id, plan)
  for (const { target } of extras)
    job.warn(`Disk ${target} was plugged in while the backup began: it is not in the point`)
  const held = [...plan.disks.map(holdDisk), ...extras.map((disk) => holdExtra(job.shell, plan, disk))]
  return (await Promise.all(held)).flatMap((each) => each ?? [])
}

const holdDisk = async (disk: CaptureDisk): Promise<HeldDisk> => ({
  target: disk.target,
  ...(await imageStamp(disk))
})

/** Undefined: its overlay does not say what is below it; it is looked at again when overlays are committed. */
async function holdExtra(
  shell: Shell,
  { vm, vmName }: CapturePlan,
  { target, source: overlay = '', nodes: [, node] }: XmlDisk
): Promise<HeldDisk | undefined> {
  const disk = await diskOfOverlay(shell, { vm, vmName, target, overlay, node }).catch(() => undefined)
  return disk === undefined || 'kind' in disk ? undefined : { ...(await holdDisk(disk)), extra: disk }
}

/** Looks at the images in many places, and notes what they show. */
export async function noteSamples(
  job: JobContext,
  plan: CapturePlan,
  held: readonly HeldDisk[]
): Promise<readonly HeldDisk[]> {
  const sampled = await Promise.all(held.map((each) => sampleHeld(job, plan, each)))
  return job.step(SAMPLES_STEP, { held: sampled }, () => Promise.resolve(sampled))
}

async function sampleHeld(job: JobContext, { disks }: CapturePlan, held: HeldDisk): Promise<HeldDisk> {
  const disk = held.extra ?? disks.find(({ target }) => target === held.target)
  const samples = disk && (await sampleImage(job.shell, disk))
  if (samples !== undefined) return { ...held, samples }
  if (disk !== undefined && disk.type !== 'file')
    job.warn(
      `Disk ${disk.target} could not be read to note how it is: if another host wrote to it, that would not show`
    )
  return held
}

/**
 * Notes what the images below show, and copies them, while there is room; they must stand still all the while.
 *
 * @throws as `requireWhole`
 */
export async function copyHeld(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  held: readonly HeldDisk[]
): Promise<{ disks: CopiedDisk[]; sampled: readonly HeldDisk[] }> {
  const copied = await whileRoomLasts(job, plan, async (watched) => {
    const sampled = await noteSamples(watched, plan, held)
    return { sampled, disks: await copyDisks(watched, plan, imageBelow) }
  })
  await requireWhole(job.shell, plan, held)
  return copied
}

export const extrasIn = (held: readonly HeldDisk[] | undefined): CaptureDisk[] =>
  (held ?? []).flatMap(({ extra }) => extra ?? [])

/** Disks that a snapshot of this job took along though its plan does not know them: libvirt names their overlays itself. */
export const extraOverlays = (disks: DomainXml['disks'], jobId: string, plan: CapturePlan): DomainXml['disks'] =>
  disks.filter(
    ({ target, source }) =>
      source !== undefined && isOverlayOf(source, jobId) && !plan.disks.some((disk) => disk.target === target)
  )

/**
 * The instant is whole only if nobody has written to an image below its overlay since the switch: by folding the overlay
 * back by hand, by another tool, or by starting the VM on it.
 *
 * @throws `foreign-work` with the disk and what was found
 */
export async function requireWhole(shell: Shell, plan: CapturePlan, held: readonly HeldDisk[]): Promise<void> {
  const state = await domainState(shell, plan.vm)
  const isActive = state !== undefined && state.state !== 'shut off'
  const disks = isActive ? parseDomain(await domainXml(shell, plan.vm)).disks : []
  for (const disk of plan.disks) {
    const now = disks.find(({ target }) => target === disk.target)
    if (now?.chain.includes(disk.sidecar) === false)
      foreign(plan, `the overlay of ${disk.target} was folded back by somebody else while its image was copied`)
    const before = held.find(({ target }) => target === disk.target)
    if (before !== undefined && (await hasChanged(disk, before)))
      foreign(plan, `the image of ${disk.target} was written to while it was copied`)
  }
}

const foreign = (plan: CapturePlan, detail: string): never => fail({ kind: 'foreign-work', vm: plan.vmName, detail })

/** False where the image does not say whether it was written to, as a server's does not. */
export async function hasChanged(disk: CaptureDisk, { image, writes }: HeldDisk): Promise<boolean> {
  if (writes !== undefined) return (await changeStamp(disk)) !== writes
  if (image === undefined) return false
  const now = (await imageStamp(disk)).image
  return now?.ino !== image.ino || now.mtimeNs !== image.mtimeNs || now.sizeBytes !== image.sizeBytes
}

async function imageStamp(disk: CaptureDisk): Promise<Pick<HeldDisk, 'image' | 'writes'>> {
  if (disk.type === 'block') return { writes: await changeStamp(disk) }
  if (disk.type !== 'file') return {}
  const file = await stat(imageBelow(disk).path, { bigint: true }).catch(() => undefined)
  return file === undefined
    ? {}
    : { image: { ino: String(file.ino), mtimeNs: String(file.mtimeNs), sizeBytes: String(file.size) } }
}
