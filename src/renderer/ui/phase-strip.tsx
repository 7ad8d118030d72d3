import { formatDuration, formatPause } from '../../shared/format.ts'
import type { Pause, Phase } from '../../shared/model/pause.ts'
import { phaseWord, words } from '../words.ts'
import { stripShown, type Span } from './phase-strip-view.ts'
import classes from './ui.module.css'

interface PhaseStripProps {
  readonly phases: readonly Phase[]
  readonly pauses: readonly Pause[]
  readonly startedAt: string
  /** Undefined: it still goes on. */
  readonly endedAt?: string | undefined
}

/** What a job did and when, to scale: phases in grey while the VM runs, its pauses in the accent. */
export function PhaseStrip(props: PhaseStripProps) {
  const { totalMs, phases, pauses } = stripShown(props)
  return (
    <div className={classes['strip']}>
      <div className={classes['stripTrack']} aria-hidden>
        {phases.map((span, n) => (
          <Bar key={`phase ${n}`} className={classes['stripPhase']} span={span} />
        ))}
        {pauses.map((span, n) => (
          <Bar key={`pause ${n}`} className={classes['stripPause']} span={span} />
        ))}
      </div>
      <div className={classes['stripScale']} aria-hidden>
        <span>0</span>
        <span>{formatDuration(totalMs)}</span>
      </div>
      <ul className={classes['stripLegend']}>
        {phases.map((span, n) => (
          <li key={`phase ${n}`}>
            {phaseWord(span.phase)} <b>{formatPause(span.ms)}</b>
          </li>
        ))}
        {pauses.map((span, n) => (
          <li key={`pause ${n}`} data-pause>
            {words.stoodStill} <b>{formatPause(span.ms)}</b>
          </li>
        ))}
      </ul>
    </div>
  )
}

function Bar({ className, span }: { readonly className: string | undefined; readonly span: Span }) {
  return (
    <div
      className={className}
      style={{ left: `${span.left}%`, width: `${span.width}%` }}
      title={`${phaseWord(span.phase)}: ${formatPause(span.ms)}`}
    />
  )
}
