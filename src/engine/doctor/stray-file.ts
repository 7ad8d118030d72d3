import { isEnded } from '../../shared/model/job.ts'
import { quoted } from '../../shared/quoted.ts'
import type { Shell } from '../../shared/shell.ts'
import { holdsNothing } from '../../libvirt/qemu-img.ts'
import { dropStep, jobOf } from '../capture/capture-plan.ts'
import { entriesWithLate } from '../capture/late-journal.ts'
import { dropKey, withOverlayAccess } from '../capture/overlay-keys.ts'
import { isAsPlaced } from '../capture/overlay-owner.ts'
import { removeIfProven, wasRemoved, type Doomed } from '../evidence/removal.ts'
import { keep, removable, type Verdict } from '../evidence/verdict.ts'
import { hasBeenElsewhere, historySince } from '../evidence/vm-history.ts'
import { readReport } from '../jobs/job-directory.ts'
import { BackupTrace } from '../recover/trace.ts'
import { RestoreTrace } from '../restore/restore-plan.ts'
import { isElsewhere as pointHasIt } from '../restore/staged-copy.ts'

/**
 * A file with the mark of a job in its name that no VM of this host names. In a folder that several hosts share it may well
 * be another host's: only the host that has the job can tell.
 */
export function strayFile(shell: Shell, path: string): Doomed {
  const id = jobOf(path)
  return {
    path,
    format: 'qcow2',
    made: () => Promise.resolve(madeHere(path, id)),
    content: () => isElsewhere(shell, path, id)
  }
}

/**
 * Removes it if that is proven to lose nothing, with the key of an overlay that was encrypted. Nothing is noted before: should it
 * not go now, its content is looked at anew, since somebody may have a VM on it by then.
 */
export async function removeStrayFile(shell: Shell, path: string): Promise<Verdict> {
  const verdict = await removeIfProven(shell, strayFile(shell, path))
  const disk = new BackupTrace(entriesWithLate(jobOf(path))).plan?.disks.find(({ sidecar }) => sidecar === path)
  return (wasRemoved(verdict) && disk !== undefined ? await dropKey(shell, disk) : undefined) ?? verdict
}

function madeHere(path: string, id: string): Verdict {
  const report = id === '' ? undefined : readReport(id)
  if (report === undefined)
    return keep(path, 'no job of this host made it: another host that shares this folder may have')
  if (!isEnded(report.state)) return keep(path, `job ${id} has not ended`)
  return removable(`job ${id} of this host made it, and has ended`)
}

/**
 * Restores stage copies of their point, which may be gone by now; the classic method mirrors its VM's own image, if that was
 * seen to be its own when the mirror ended; an overlay must hold nothing.
 */
async function isElsewhere(shell: Shell, path: string, id: string): Promise<Verdict> {
  const entries = entriesWithLate(id)
  if (readReport(id)?.kind === 'restore') return pointHasIt(new RestoreTrace(entries), path)
  const trace = new BackupTrace(entries)
  const { plan, before } = trace
  if (await isAsPlaced(path, trace.placed))
    return removable('it is as empty as its job put it there: no VM has ever run on it')
  if (plan?.method === 'classic')
    return trace.done('end-mirror') ? removable('it is a mirror that no VM went over to') : unknownContent(path)
  const history = plan && (await historySince(plan.vmName, before.log))
  if (hasBeenElsewhere(history)) return keep(path, `${plan?.vmName ?? 'its VM'} may run on it on another host`)
  const disk = plan?.disks.find(({ sidecar }) => sidecar === path)
  if (disk !== undefined && trace.announcedSincePlan(dropStep(disk.target)))
    return removable('it was about to be removed before, when all that it held was in its image')
  const isEmpty = disk
    ? await withOverlayAccess(shell, disk, (access) => holdsNothing(shell, path, access))
    : await holdsNothing(shell, path)
  return isEmpty ? removable('it holds nothing that the image below lacks') : unknownContent(path)
}

const unknownContent = (path: string): Verdict =>
  keep(path, 'it may hold what a VM wrote last', `qemu-img info ${quoted(path)}`)
