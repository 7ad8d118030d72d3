import { formatPause } from '../../shared/format.ts'
import classes from './ui.module.css'

interface PauseFigureProps {
  readonly ms: number
  /** `lg` stands alone on a page, `md` in a card. */
  readonly size?: 'md' | 'lg' | undefined
}

/** How long a VM stood still: the figure large, its unit small. */
export function PauseFigure({ ms, size = 'lg' }: PauseFigureProps) {
  return (
    <span className={classes['figure']} data-size={size}>
      {formatPause(ms)
        .split(' ')
        .map((part, n) => (
          <span key={n} className={n % 2 === 0 ? classes['figureValue'] : classes['figureUnit']}>
            {n === 0 ? part : ` ${part}`}
          </span>
        ))}
    </span>
  )
}
