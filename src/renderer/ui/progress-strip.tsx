import { VisuallyHidden } from '@mantine/core'
import type { Progress } from '../../shared/model/job.ts'
import { ProgressBar } from './progress-bar.tsx'
import classes from './ui.module.css'
import { progressShown } from './progress-view.ts'

interface ProgressStripProps {
  /** Undefined: it goes on, and nobody knows how far it is. */
  readonly progress?: Progress | undefined
  /** What goes on: `Backup of web1`. */
  readonly label: string
  /** Nothing is read aloud: where the same is said elsewhere. */
  readonly quiet?: boolean | undefined
}

/** How far it is: a bar, and phase, bytes, rate and time left in words. */
export function ProgressStrip({ progress, label, quiet = false }: ProgressStripProps) {
  const { percent, phase, facts, spoken } = progressShown(progress)
  return (
    <div className={classes['progress']}>
      <div className={classes['progressText']}>
        <span className={classes['progressPhase']}>{phase}</span>
        <span className={classes['progressFacts']}>{facts}</span>
      </div>
      <ProgressBar percent={percent} label={label} text={[phase, facts].filter((part) => part !== '').join(', ')} />
      {!quiet && <VisuallyHidden role="status">{`${label}: ${spoken}`}</VisuallyHidden>}
    </div>
  )
}
