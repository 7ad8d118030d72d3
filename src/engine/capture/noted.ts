import type { VmBefore } from '../evidence/vm-before.ts'
import type { VmProcess } from '../evidence/vm-process.ts'
import { bootId } from '../host-facts.ts'
import type { BackupTrace } from '../recover/trace.ts'
import type { Began, Pivoted } from './commit-overlay.ts'
import { dropStep, type CaptureDisk } from './capture-plan.ts'
import { extrasIn, type HeldDisk } from './hold-disks.ts'
import type { Placed } from './overlay-owner.ts'

/** What a job knows of its overlays beyond its plan. */
export interface Noted {
  readonly before: VmBefore
  readonly held: readonly HeldDisk[] | undefined
  /** Disks that a snapshot took along, though the plan does not know them. */
  readonly extras: readonly CaptureDisk[]
  readonly sameBoot: boolean
  /** The QEMU that an undo has started, on images that it had compared with how they were. */
  readonly started: VmProcess | undefined
  readonly placed: Placed
  readonly commitBegan: (target: string) => Began | undefined
  readonly pivoted: (target: string) => Pivoted | undefined
  readonly dropped: (target: string) => boolean
}

/** What a backup knows that has just switched to its overlays, in the very process that did: they are no empty files any more. */
export const justHeld = (before: VmBefore, held: readonly HeldDisk[] | undefined): Noted => ({
  before,
  held,
  extras: extrasIn(held),
  sameBoot: true,
  started: undefined,
  placed: { isUnfinished: false, files: [] },
  commitBegan: () => undefined,
  pivoted: () => undefined,
  dropped: () => false
})

/** What its journal says of a job, to whoever comes later. */
export async function notedIn(trace: BackupTrace): Promise<Noted> {
  const boot = await bootId()
  return {
    before: trace.before,
    held: trace.held,
    extras: [...extrasIn(trace.held), ...trace.extras],
    sameBoot: trace.bootId === boot,
    started: trace.started?.bootId === boot ? trace.started.process : undefined,
    placed: trace.placed,
    commitBegan: (target) => trace.commitBegan(target),
    pivoted: (target) => trace.pivoted(target),
    dropped: (target) => trace.announcedSincePlan(dropStep(target))
  }
}
