import classes from './backup.module.css'
import type { PauseBars as Bars } from './estimate-view.ts'
import { words } from './words.ts'

interface PauseBarsProps {
  readonly bars: Bars
  readonly budget: string
  readonly classic: string
}

/** The pause to scale, what the classic method would cost behind it, and the budget as a line. */
export function PauseBars({ bars, budget, classic }: PauseBarsProps) {
  return (
    <div>
      <div className={classes['bars']} aria-hidden>
        <div className={classes['barClassic']} style={{ width: `${bars.classic}%` }} />
        <div className={classes['barHigh']} style={{ width: `${bars.high}%` }} />
        <div className={classes['barLow']} style={{ width: `${bars.low}%` }} />
        <div className={classes['barBudget']} style={{ left: `${bars.budget}%` }} />
      </div>
      <div className={classes['barWords']}>
        <span>{words.budgetLine(budget)}</span>
        <span>
          {words.classic}: {classic}
        </span>
      </div>
    </div>
  )
}
