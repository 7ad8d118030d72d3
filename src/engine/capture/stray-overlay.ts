import * as z from 'zod'
import { vmOf } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { keep, type Kept } from '../evidence/verdict.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { BackupTrace } from '../recover/trace.ts'
import { jobOf } from './capture-plan.ts'
import { commitOverlay, type OverlayCase } from './commit-overlay.ts'
import { overlayCase } from './commit-overlays.ts'
import { entriesWithLate, workLate } from './late-journal.ts'
import { notedIn } from './noted.ts'
import { definitionBelow, diskOfOverlay, type StrayOverlay } from './overlay-disk.ts'

/**
 * Commits an overlay whose job has ended, by what was noted for that job, where it was one of this host, else by what the
 * overlay itself says of the image below it. What is done is noted for that job too: whoever comes after a kill finds it. The
 * caller holds the VM's lock.
 *
 * @throws as `commitOverlay`
 */
export async function commitStrayOverlay(shell: Shell, stray: StrayOverlay): Promise<Kept | undefined> {
  const id = jobOf(stray.overlay)
  const trace = new BackupTrace(entriesWithLate(id))
  const noted = await notedIn(trace)
  const found = planned(trace, stray) ?? (await fromOverlay(shell, stray))
  if ('kind' in found) return found
  return workLate(shell, id, (job) => commitOverlay(overlayCase(job, found.owner, found.disk, noted)))
}

export const COMMIT_LATE_STEP = 'commit-late'
const Late = z.object({ late: z.array(z.object({ target: z.string(), overlay: z.string() })) })

/** Those that a job of this VM was about to commit when it died: their VM may have gone over, and name them no more. */
export async function commitLateAgain(job: JobContext, trace: BackupTrace): Promise<Kept | undefined> {
  const { uuid: vm, name: vmName } = vmOf(job.spec)
  const kept: Kept[] = []
  for (const { target, overlay } of Late.safeParse(trace.dataOf(COMMIT_LATE_STEP)).data?.late ?? [])
    kept.push(...[await commitStrayOverlay(job.shell, { vm, vmName, target, overlay })].flatMap((each) => each ?? []))
  return together(kept)
}

/** As one, for a step that answers one. */
export function together(kept: readonly Kept[]): Kept | undefined {
  const [first] = kept
  return first && keep(first.path, kept.map(({ because }) => because).join('; '), ...kept.flatMap(({ mend }) => mend))
}

type Found = Pick<OverlayCase, 'owner' | 'disk'>

/** The classic method marks its mirrors in the same way, and those have no image below them. */
function planned({ plan }: BackupTrace, { vm, overlay }: StrayOverlay): Found | undefined {
  if (plan?.vm !== vm || plan.method === 'classic') return undefined
  const disk = plan.disks.find(({ sidecar }) => sidecar === overlay)
  return disk && { owner: plan, disk }
}

async function fromOverlay(shell: Shell, stray: StrayOverlay): Promise<Found | Kept> {
  const disk = await diskOfOverlay(shell, stray)
  if ('kind' in disk) return disk
  const { vm, vmName } = stray
  return { owner: { vm, vmName, definition: (await definitionBelow(shell, vm, disk)) ?? '' }, disk }
}
