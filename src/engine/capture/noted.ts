import type { VmBefore } from '../evidence/vm-before.ts'
import { bootId } from '../host-facts.ts'
import type { BackupTrace } from '../recover/trace.ts'
import type { Began, Pivoted } from './commit-overlay.ts'
import { dropStep, type CaptureDisk } from './capture-plan.ts'
import { extrasIn, type HeldDisk } from './hold-disks.ts'

/** What a job knows of its overlays beyond its plan. */
export interface Noted {
  readonly before: VmBefore
  readonly held: readonly HeldDisk[] | undefined
  /** Disks that a snapshot took along, though the plan does not know them. */
  readonly extras: readonly CaptureDisk[]
  readonly sameBoot: boolean
  readonly commitBegan: (target: string) => Began | undefined
  readonly pivoted: (target: string) => Pivoted | undefined
  readonly dropped: (target: string) => boolean
}

/** What a backup knows that has just switched to its overlays, in the very process that did. */
export const justHeld = (before: VmBefore, held: readonly HeldDisk[] | undefined): Noted => ({
  before,
  held,
  extras: extrasIn(held),
  sameBoot: true,
  commitBegan: () => undefined,
  pivoted: () => undefined,
  dropped: () => false
})

/** What its journal says of a job, to whoever comes later. */
export async function notedIn(trace: BackupTrace): Promise<Noted> {
  return {
    before: trace.before,
    held: trace.held,
    extras: [...extrasIn(trace.held), ...trace.extras],
    sameBoot: trace.bootId === (await bootId()),
    commitBegan: (target) => trace.commitBegan(target),
    pivoted: (target) => trace.pivoted(target),
    dropped: (target) => trace.announcedSincePlan(dropStep(target))
  }
}
