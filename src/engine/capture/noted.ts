import type { VmBefore } from '../evidence/vm-before.ts'
import type { VmProcess } from '../evidence/vm-process.ts'
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
  /** The QEMU that an undo has started, on images that it had compared with how they were. */
  readonly started: VmProcess | undefined
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
  started: undefined,
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
    commitBegan: (target) => trace.commitBegan(target),
    pivoted: (target) => trace.pivoted(target),
    dropped: (target) => trace.announcedSincePlan(dropStep(target))
  }
}
