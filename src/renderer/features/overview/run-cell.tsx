import { safeText } from '../../../shared/safe-text.ts'
import { notKnownWords } from '../../../shared/safety-words.ts'
import type { VmSafety } from '../../../shared/safety.ts'
import type { JobView } from '../../../shared/views/job-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { ProgressLine } from '../../ui/progress-line.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { useNow } from '../../ui/use-now.ts'
import { words as shared } from '../../words.ts'
import { vmKey } from './overview-slice.ts'
import { nextRunOf } from './overview-view.ts'
import classes from './overview.module.css'
import { words } from './words.ts'

/** What is coming, or what goes on. Only this cell follows a running job. */
export function RunCell({ row }: { readonly row: VmSafety }) {
  const isAsking = useWindow((state) => state.starting.get(vmKey(row.host, row.uuid)) === 'asking')
  if (row.running !== undefined) return <Running job={row.running} />
  if (isAsking) return <StateMark tone="busy" label={shared.working} />
  return <Next row={row} />
}

function Next({ row }: { readonly row: VmSafety }) {
  const next = nextRunOf(row, useNow())
  const names = row.policies.map(({ name }) => safeText(name)).join(', ')
  const title = [names, safeText(notKnownWords(row))].filter((part) => part !== '').join('. ')
  if (next.isUncovered === true) return <NoSchedule row={row} />
  return (
    <span className={classes['light']} title={title}>
      {next.isStuck === true ? <StateMark tone="attention" label={next.text} /> : next.text}
      <span className={classes['second']}>{next.more}</span>
    </span>
  )
}

/** With the step that makes one. A VM that is left alone on purpose needs none. */
function NoSchedule({ row: { name, host, vm, safety } }: { readonly row: VmSafety }) {
  const go = useWindow((state) => state.go)
  return (
    <span className={classes['light']}>
      <span className={classes['soft']}>{words.noSchedule}</span>
      {vm !== undefined && safety !== 'muted' && (
        <button
          type="button"
          className={classes['step']}
          aria-label={words.makeScheduleFor(safeText(name))}
          onClick={() => go({ screen: 'schedules', host, edit: 'new' })}
        >
          {words.makeSchedule}
        </button>
      )}
    </span>
  )
}

function Running({ job }: { readonly job: JobView }) {
  const progress = useWindow((state) => state.live.get(job.id)?.progress)
  return <ProgressLine progress={progress} label={words.running[job.kind]} />
}
