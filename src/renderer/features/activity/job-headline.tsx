import { deedWords } from '../../../shared/job-words.ts'
import { safeText, shorten } from '../../../shared/safe-text.ts'
import type { JobView } from '../../../shared/views/job-view.ts'

/** The one sentence on a job; names in it keep to themselves. */
export const JobHeadline = ({ job }: { readonly job: JobView }) => (
  <>
    <bdi title={safeText(job.vm.name)}>{shorten(safeText(job.vm.name), 60)}</bdi> on <bdi>{safeText(job.host)}</bdi>:{' '}
    {safeText(deedWords(job))}
  </>
)
