import type { ReactNode } from 'react'
import { formatPause } from '../../../shared/format.ts'
import { safeText, shorten } from '../../../shared/safe-text.ts'
import { PauseFigure } from '../../ui/pause-figure.tsx'
import type { Figures } from './downtime-view.ts'
import classes from './downtime.module.css'
import { whoText, words } from './words.ts'

interface DowntimeFiguresProps {
  readonly backups: Figures | undefined
  readonly restores: Figures | undefined
  readonly budgetMs: number
}

/** Median and worst of what is shown, and how many backups kept to the budget. */
export function DowntimeFigures({ backups, restores, budgetMs }: DowntimeFiguresProps) {
  return (
    <div className={classes['figures']}>
      {backups !== undefined && <OfBackups figures={backups} budgetMs={budgetMs} />}
      {restores !== undefined && (
        <>
          <Figure label={words.medianRunning} note={words.from(restores.count, words.kinds.restore.toLowerCase())}>
            <PauseFigure ms={restores.medianMs} size="md" />
          </Figure>
          <Figure label={words.worstRunning} note={worstText(restores)}>
            <PauseFigure ms={restores.worstMs} size="md" />
          </Figure>
        </>
      )}
    </div>
  )
}

function OfBackups({ figures, budgetMs }: { readonly figures: Figures; readonly budgetMs: number }) {
  const { count, medianMs, worstMs, overBudget } = figures
  return (
    <>
      <Figure label={words.medianPause} note={words.from(count, words.kinds.backup.toLowerCase())}>
        <PauseFigure ms={medianMs} size="md" />
      </Figure>
      <Figure label={words.worstPause} note={worstText(figures)}>
        <PauseFigure ms={worstMs} size="md" />
      </Figure>
      <Figure label={words.withinBudget(formatPause(budgetMs))} note={words.ofCount(count - overBudget, count)}>
        <span className={classes['count']}>{shareText(count - overBudget, count)}</span>
      </Figure>
    </>
  )
}

/** Never 100 % while one is missing. */
const shareText = (part: number, whole: number): string => `${Math.floor((100 * part) / whole)} %`

interface FigureProps {
  readonly label: string
  readonly note: string
  readonly children: ReactNode
}

const Figure = ({ label, note, children }: FigureProps) => (
  <div className={classes['figure']}>
    {children}
    <span>{label}</span>
    <bdi className={classes['note']} title={note}>
      {note}
    </bdi>
  </div>
)

const worstText = ({ worst }: Figures): string => safeText(whoText(shorten(safeText(worst.vm), 40), worst))
