import { readFileSync } from 'node:fs'
import type { Uuid } from '../../shared/model/ids.ts'
import { isEnded, vmOf, type JobSpec } from '../../shared/model/job.ts'
import { jobIds, readReport, readSpec, specPath } from '../jobs/job-directory.ts'

/** The open restore that reads points of this VM, or makes it anew: its id. */
export function restoreOf(vm: Uuid): string | undefined {
  return jobIds().findLast((id) => {
    const spec = specOf(id)
    if (spec?.kind !== 'restore' || (spec.vm !== vm && vmOf(spec).uuid !== vm)) return false
    return !isEnded(readReport(id)?.state ?? 'done')
  })
}

/** An order that nobody understands is one that nobody carries out. Most are backups: those are not even parsed. */
function specOf(id: string): JobSpec | undefined {
  try {
    return readFileSync(specPath(id), 'utf8').includes('restore') ? readSpec(id) : undefined
  } catch {
    return undefined
  }
}
