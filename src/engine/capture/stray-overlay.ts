import { statSync } from 'node:fs'
import type { Uuid } from '../../shared/model/ids.ts'
import type { Shell } from '../../shared/shell.ts'
import { setDiskSource } from '../../libvirt/domain-xml-edit.ts'
import { parseDomain } from '../../libvirt/domain-xml.ts'
import { domainXml } from '../../libvirt/domains.ts'
import { imageInfo } from '../../libvirt/qemu-img.ts'
import { keep, type Kept } from '../evidence/verdict.ts'
import { journalPath } from '../jobs/job-directory.ts'
import { readJournal } from '../journal/journal.ts'
import { BackupTrace } from '../recover/trace.ts'
import { jobOf, type CaptureDisk } from './capture-plan.ts'
import { commitOverlay, type OverlayCase } from './commit-overlay.ts'
import { notedIn } from './noted.ts'

/** An overlay of ours that a VM names, though no plan at hand does. */
export interface StrayOverlay {
  readonly vm: Uuid
  readonly vmName: string
  readonly target: string
  readonly overlay: string
}

/**
 * Commits an overlay whose job has ended, by what the job had noted, where it was one of this host, else by what the overlay
 * itself says of the image below it. The caller holds the VM's lock.
 *
 * @throws as `commitOverlay`
 */
export async function commitStrayOverlay(shell: Shell, stray: StrayOverlay): Promise<Kept | undefined> {
  const { target, overlay } = stray
  const trace = new BackupTrace(readJournal(journalPath(jobOf(overlay))))
  const noted = await notedIn(trace)
  const found = planned(trace, stray) ?? (await fromOverlay(shell, stray))
  if ('kind' in found) return found
  return commitOverlay({
    shell,
    ...found,
    before: noted.before,
    sameBoot: noted.sameBoot,
    held: noted.held?.find((held) => held.target === target),
    commitBegan: () => noted.commitBegan(target),
    write: (work) => work(),
    pivoted: noted.pivoted(target),
    pivot: (_noted, work) => work(),
    dropped: noted.dropped(target),
    drop: () => Promise.resolve()
  })
}

type Found = Pick<OverlayCase, 'owner' | 'disk'>

/** The classic method marks its mirrors in the same way, and those have no image below them. */
function planned({ plan }: BackupTrace, { vm, overlay }: StrayOverlay): Found | undefined {
  if (plan?.vm !== vm || plan.method === 'classic') return undefined
  const disk = plan.disks.find(({ sidecar }) => sidecar === overlay)
  return disk && { owner: plan, disk }
}

async function fromOverlay(shell: Shell, { vm, vmName, target, overlay }: StrayOverlay): Promise<Found | Kept> {
  const { backingFile, backingFormat, virtualSizeBytes } = await imageInfo(shell, overlay, { format: 'qcow2' })
  if (backingFile === undefined)
    return keep(
      overlay,
      `it has no image below it: it is ${target} of ${vmName} itself, under a name that it got on its way`
    )
  const type = backingTypeOf(backingFile)
  const format = backingFormat ?? 'qcow2'
  const now = await domainXml(shell, vm, { inactive: true, securityInfo: true })
  // What a server holds cannot be told from the overlay: then the definition, which names it or not, stays as it is. So it
  // does for a disk that only the running VM has.
  const isDefined = parseDomain(now).disks.some((disk) => disk.target === target)
  const definition =
    type === 'network' || !isDefined ? now : setDiskSource(now, target, { path: backingFile, format, type })
  const disk: CaptureDisk = {
    target,
    source: backingFile,
    format,
    type,
    virtualSizeBytes,
    allocatedBytes: 0,
    sidecar: overlay
  }
  return { owner: { vm, vmName, definition }, disk }
}

function backingTypeOf(path: string): 'file' | 'block' | 'network' {
  if (!path.startsWith('/')) return 'network'
  return statSync(path, { throwIfNoEntry: false })?.isBlockDevice() === true ? 'block' : 'file'
}
