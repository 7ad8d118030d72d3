import type { Kept } from '../evidence/verdict.ts'
import type { VmBefore } from '../evidence/vm-before.ts'
import type { VmProcess } from '../evidence/vm-process.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { pivotStep, type CaptureDisk, type CapturePlan } from './capture-plan.ts'
import type { Loose } from './captured.ts'
import { commitOverlay, type OverlayCase } from './commit-overlay.ts'
import type { HeldDisk } from './hold-disks.ts'

/** What a job knows of its overlays beyond its plan. */
export interface Noted {
  readonly before: VmBefore
  readonly held: readonly HeldDisk[] | undefined
  readonly sameBoot: boolean
  readonly commitBegan: (target: string) => boolean
  readonly pivoted: (target: string) => { readonly process: VmProcess | undefined } | undefined
}

/** What a backup knows that has just switched to its overlays, in the very process that did. */
export const justHeld = (before: VmBefore, held: readonly HeldDisk[] | undefined): Noted => ({
  before,
  held,
  sameBoot: true,
  commitBegan: () => false,
  pivoted: () => undefined
})

/** All disks, one after the other; one that fails keeps no other back. */
export async function commitOverlays(job: JobContext, plan: CapturePlan, noted: Noted): Promise<Loose> {
  const kept: Kept[] = []
  const errors: unknown[] = []
  for (const disk of plan.disks) {
    try {
      const left = await commitOverlay(overlayCase(job, plan, disk, noted))
      if (left !== undefined) kept.push(left)
    } catch (error) {
      errors.push(error)
    }
  }
  return { kept, errors }
}

export function overlayCase(job: JobContext, plan: CapturePlan, disk: CaptureDisk, noted: Noted): OverlayCase {
  const { target } = disk
  return {
    shell: job.shell,
    owner: plan,
    disk,
    before: noted.before,
    sameBoot: noted.sameBoot,
    held: noted.held?.find((held) => held.target === target),
    commitBegan: noted.commitBegan(target),
    pivoted: noted.pivoted(target),
    pivot: (process, work) => job.step(pivotStep(target), process === undefined ? {} : { process }, work),
    onProgress: (done, total) => job.progress(`folding back ${target}`, done, total)
  }
}
