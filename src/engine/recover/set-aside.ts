import * as z from 'zod'
import { describeFailure } from '../../shared/failure-words.ts'
import type { Failure } from '../../shared/failure.ts'
import { HostFailureData } from '../../shared/failure-data.ts'
import { ofType, reportOf } from '../../shared/job-report.ts'
import { quoted } from '../../shared/quoted.ts'
import { Journal, readJournal } from '../journal/journal.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { journalPath, jobIds, readableEntries, vmOfJob } from '../jobs/job-directory.ts'
import { endJob, finalReport } from '../jobs/job-end.ts'

const SET_ASIDE = 'set-aside'
const Announced = z.object({ jobs: z.array(z.object({ id: z.string(), failure: HostFailureData })) })

/** An earlier job of a VM that could not be put right. */
export interface EarlierTrouble {
  readonly id: string
  readonly failure: Failure
}

/** Notes which jobs this restore sets aside, and warns of each. */
export async function setAside(job: JobContext, troubles: readonly EarlierTrouble[]): Promise<void> {
  await job.step(SET_ASIDE, { jobs: troubles.map(asAside) }, () => Promise.resolve())
  for (const { id, failure } of troubles) job.warn(warningOf(id, failure))
}

/** Nobody is to go on with it, so nothing is said of how. */
const asAside = ({ id, failure }: EarlierTrouble): EarlierTrouble => ({
  id,
  failure:
    failure.kind === 'left-behind'
      ? { ...failure, left: failure.left.map((left) => ({ ...left, mend: filesLike(left.path) })) }
      : failure
})

/** Of what is no file, there is none to look for. */
const filesLike = (path: string): string[] => (path.startsWith('/') ? [`ls -l ${quoted(path)}*`] : [])

function warningOf(id: string, failure: Failure): string {
  const { title, explanation } = describeFailure(failure)
  return `Job ${id} of this VM could not be put right, and is set aside: its files stay where they are. ${title}. ${explanation}`
}

/** The restore has reached its purpose: nobody goes on with those that it set aside. Their files stay. */
export function endSetAside(troubles: readonly EarlierTrouble[]): void {
  for (const { id, failure } of troubles.map(asAside)) {
    const journal = Journal.open(journalPath(id))
    try {
      journal.forgive()
      endJob(journal, finalReport(id, 'failed-needs-you', failure))
    } finally {
      journal.close()
    }
  }
}

/**
 * What is left of a job that a restore of its VM has set aside, if that restore reached its purpose: then what the job had
 * begun must not be undone any more, as another VM lies over it.
 *
 * @throws `io` where the journal of a later restore cannot be read
 */
export function asidenessOf(id: string, vm: string): Failure | undefined {
  for (const other of jobIds()) {
    if (other === id || vmOfJob(other)?.uuid !== vm) continue
    const entries = other < id ? readableEntries(other) : readJournal(journalPath(other))
    const data = ofType(entries, 'step').find(({ step }) => step === SET_ASIDE)?.data
    const aside = Announced.safeParse(data).data?.jobs.find((job) => job.id === id)
    if (aside !== undefined && reportOf(entries)?.state.startsWith('done') === true) return aside.failure
  }
  return undefined
}
