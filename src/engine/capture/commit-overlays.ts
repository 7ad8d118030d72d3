import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseDomain, type DomainXml } from '../../libvirt/domain-xml.ts'
import { domainState, domainXml } from '../../libvirt/domains.ts'
import { keep, type Kept } from '../evidence/verdict.ts'
import type { JobContext } from '../jobs/job-context.ts'
import {
  dropStep,
  extraStep,
  isOverlayOf,
  pivotStep,
  stayStep,
  writeStep,
  type CaptureDisk,
  type CapturePlan
} from './capture-plan.ts'
import type { Loose } from './captured.ts'
import { commitOverlay, type OverlayCase } from './commit-overlay.ts'
import { quoted } from '../../shared/quoted.ts'
import { extraOverlays } from './hold-disks.ts'
import type { OverlayWork } from './late-journal.ts'
import type { Noted } from './noted.ts'
import { definitionBelow, diskOfOverlay } from './overlay-disk.ts'

/** All disks, one after the other, and those that a snapshot took along unasked; one that fails keeps no other back. */
export async function commitOverlays(job: JobContext, plan: CapturePlan, noted: Noted): Promise<Loose> {
  const own = await eachOf(plan.disks, (disk) => commitOverlay(overlayCase(job, plan, disk, noted)))
  const extra = await commitExtraOverlays(job, plan, noted)
  return { kept: [...own.kept, ...extra.kept], errors: [...own.errors, ...extra.errors] }
}

/**
 * Disks that were plugged in between plan and snapshot: libvirt named their overlays after the snapshot. They were noted when
 * the snapshot had been taken, since by now the VM may be off or have lost them; where that was not reached, they are now.
 */
export async function commitExtraOverlays(job: JobContext, plan: CapturePlan, noted: Noted): Promise<Loose> {
  const known = await eachOf(noted.extras, (disk) => commitExtra(job, plan, disk, noted))
  const now = (await extrasNow(job, plan)).filter(({ source }) => !noted.extras.some((disk) => disk.sidecar === source))
  const found = await eachOf(now, async ({ target, source: overlay = '', nodes: [, node] }) => {
    const disk = await diskOfOverlay(job.shell, { vm: plan.vm, vmName: plan.vmName, target, overlay, node })
    if ('kind' in disk) return disk
    return job.step(extraStep(target), { disk }, () => commitExtra(job, plan, disk, noted))
  })
  const seen = [...plan.disks, ...noted.extras].map(({ sidecar }) => sidecar)
  const lost = await lostExtras(job.id, plan, [...seen, ...now.flatMap(({ source }) => source ?? [])])
  return { kept: [...known.kept, ...found.kept, ...lost], errors: [...known.errors, ...found.errors] }
}

/** Beside the images of the VM: of a disk that was unplugged, or went with its VM, before anybody could look. */
async function lostExtras(jobId: string, plan: CapturePlan, seen: readonly string[]): Promise<Kept[]> {
  const folders = [...new Set(plan.disks.map(({ sidecar }) => dirname(sidecar)))]
  const files = await Promise.all(folders.map(async (folder) => filesIn(folder)))
  return files
    .flat()
    .filter((path) => isOverlayOf(path, jobId) && !seen.includes(path))
    .map((path) =>
      keep(
        path,
        `it holds what ${plan.vmName} wrote to a disk that was plugged in while the backup began, and is gone since`,
        `qemu-img info --backing-chain ${quoted(path)}   # names the image below it`,
        `qemu-img commit ${quoted(path)} && rm ${quoted(path)}   # if nobody has written to that image since`
      )
    )
}

const filesIn = (folder: string): Promise<string[]> =>
  readdir(folder).then(
    (names) => names.map((name) => join(folder, name)),
    () => []
  )

async function extrasNow(job: JobContext, plan: CapturePlan): Promise<DomainXml['disks']> {
  if ((await domainState(job.shell, plan.vm)) === undefined) return []
  return extraOverlays(parseDomain(await domainXml(job.shell, plan.vm)).disks, job.id, plan)
}

async function commitExtra(
  job: JobContext,
  plan: CapturePlan,
  disk: CaptureDisk,
  noted: Noted
): Promise<Kept | undefined> {
  const { vm, vmName } = plan
  const definition = (await definitionBelow(job.shell, vm, disk)) ?? plan.definition
  return commitOverlay(overlayCase(job, { vm, vmName, definition }, disk, noted))
}

async function eachOf<T>(disks: readonly T[], commit: (disk: T) => Promise<Kept | undefined>): Promise<Loose> {
  const kept: Kept[] = []
  const errors: unknown[] = []
  for (const disk of disks) {
    try {
      const left = await commit(disk)
      if (left !== undefined) kept.push(left)
    } catch (error) {
      errors.push(error)
    }
  }
  return { kept, errors }
}

export function overlayCase(
  job: OverlayWork,
  owner: OverlayCase['owner'],
  disk: CaptureDisk,
  noted: Noted
): OverlayCase {
  const { target } = disk
  let began = noted.commitBegan(target)
  let pivoted = noted.pivoted(target)
  return {
    shell: job.shell,
    owner,
    disk,
    before: noted.before,
    sameBoot: noted.sameBoot,
    started: noted.started,
    held: noted.held?.find((held) => held.target === target),
    placed: noted.placed,
    commitBegan: () => began,
    write(how, work) {
      if (began !== 'in use') began = how
      return job.step(writeStep(target), { live: how === 'in use' }, work)
    },
    pivoted: () => pivoted,
    async pivot(told, work) {
      pivoted = { ...told, done: false }
      await job.step(pivotStep(target), { ...told }, work)
      pivoted = { ...told, done: true }
    },
    async stay() {
      await job.step(stayStep(target), {}, () => Promise.resolve())
      pivoted = undefined
    },
    dropped: noted.dropped(target),
    drop: () => job.step(dropStep(target), {}, () => Promise.resolve()),
    onProgress: (done, total) => job.progress(`folding back ${target}`, done, total)
  }
}
