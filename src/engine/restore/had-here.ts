import { parseDomain } from '../../libvirt/domain-xml.ts'
import type { JournalEntry } from '../../shared/model/job.ts'
import { journalPath } from '../jobs/job-directory.ts'
import { readJournal } from '../journal/journal.ts'
import { BackupTrace } from '../recover/trace.ts'

/** One disk of a VM, by its name and what it had. */
export const diskKey = ({
  target,
  source
}: {
  readonly target: string
  readonly source?: string | undefined
}): string => `${target} ${source ?? ''}`

/** Disks that the VM had when a job of this host took the point: a point is called as its job, and may say anything of itself. */
export const disksHadHere = (point: string, vm: string): ReadonlySet<string> =>
  disksNoted(readJournal(journalPath(point)), vm)

/** As the journal of a backup notes them. None where it is of another VM. */
export function disksNoted(entries: readonly JournalEntry[], vm: string): ReadonlySet<string> {
  const { plan } = new BackupTrace(entries)
  if (plan?.vm !== vm) return new Set()
  const definitions = [plan.definition, ...(plan.running === undefined ? [] : [plan.running])]
  return new Set(definitions.flatMap((xml) => parseDomain(xml).disks).map(diskKey))
}
