import { parseDomain } from '../../libvirt/domain-xml.ts'
import { domainState, domainXml } from '../../libvirt/domains.ts'
import type { Kept } from '../evidence/verdict.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { dropStep, pivotStep, writeStep, type CaptureDisk, type CapturePlan } from './capture-plan.ts'
import type { Loose } from './captured.ts'
import { commitOverlay, type OverlayCase } from './commit-overlay.ts'
import { extraOverlays } from './hold-disks.ts'
import type { Noted } from './noted.ts'
import { commitStrayOverlay } from './stray-overlay.ts'

/** All disks, one after the other, and those that a snapshot took along unasked; one that fails keeps no other back. */
export async function commitOverlays(job: JobContext, plan: CapturePlan, noted: Noted): Promise<Loose> {
  const own = await eachOf(plan.disks, (disk) => commitOverlay(overlayCase(job, plan, disk, noted)))
  const extra = await commitExtraOverlays(job, plan)
  return { kept: [...own.kept, ...extra.kept], errors: [...own.errors, ...extra.errors] }
}

/** Disks that were plugged in between plan and snapshot: libvirt named their overlays after the snapshot. */
export async function commitExtraOverlays(job: JobContext, plan: CapturePlan): Promise<Loose> {
  if ((await domainState(job.shell, plan.vm)) === undefined) return { kept: [], errors: [] }
  const { disks } = parseDomain(await domainXml(job.shell, plan.vm))
  return eachOf(extraOverlays(disks, job.id, plan), ({ target, source = '' }) =>
    commitStrayOverlay(job.shell, { vm: plan.vm, vmName: plan.vmName, target, overlay: source })
  )
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

export function overlayCase(job: JobContext, plan: CapturePlan, disk: CaptureDisk, noted: Noted): OverlayCase {
  const { target } = disk
  let began = noted.commitBegan(target)
  return {
    shell: job.shell,
    owner: plan,
    disk,
    before: noted.before,
    sameBoot: noted.sameBoot,
    held: noted.held?.find((held) => held.target === target),
    commitBegan: () => began,
    write(work) {
      began = true
      return job.step(writeStep(target), {}, work)
    },
    pivoted: noted.pivoted(target),
    pivot: (noted, work) => job.step(pivotStep(target), { ...noted }, work),
    dropped: noted.dropped(target),
    drop: () => job.step(dropStep(target), {}, () => Promise.resolve()),
    onProgress: (done, total) => job.progress(`folding back ${target}`, done, total)
  }
}
