import type { Progress } from '../../shared/model/job.ts'
import { ProgressBar } from './progress-bar.tsx'
import { progressShown } from './progress-view.ts'
import classes from './ui.module.css'

interface ProgressLineProps {
  readonly progress: Progress | undefined
  /** What goes on: `Backing up`. */
  readonly label: string
}

/** How far it is, for a cell of a table: one line and a thin bar, the rest on hover. */
export function ProgressLine({ progress, label }: ProgressLineProps) {
  const { percent, phase, facts } = progressShown(progress)
  return (
    <div className={classes['progress']} title={[phase, facts].filter((part) => part !== '').join(' · ')}>
      <span className={classes['progressLine']}>
        <span>{label}</span>
        {percent !== undefined && <span>{percent} %</span>}
      </span>
      <ProgressBar percent={percent} label={label} text={phase} />
    </div>
  )
}
