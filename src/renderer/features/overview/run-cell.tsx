import type { VmSafety } from '../../../shared/safety.ts'
import type { JobView } from '../../../shared/views/job-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { ProgressLine } from '../../ui/progress-line.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { words as shared } from '../../words.ts'
import classes from './overview.module.css'
import { words } from './words.ts'

/** What is coming, or what goes on. Only this cell follows a running job. */
export function RunCell({ row }: { readonly row: VmSafety }) {
  const isAsking = useWindow((state) => state.starting.get(row.uuid) === 'asking')
  if (row.running !== undefined) return <Running job={row.running} />
  if (isAsking) return <StateMark tone="busy" label={shared.working} />
  return <span className={classes['second']}>{words.noSchedule}</span>
}

function Running({ job }: { readonly job: JobView }) {
  const progress = useWindow((state) => state.live.get(job.id)?.progress)
  return <ProgressLine progress={progress} label={words.running[job.kind]} />
}
