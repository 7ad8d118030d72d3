import classes from './vm.module.css'
import { words } from './words.ts'

const SIGNS = [
  { shape: 'disc', filled: true, pinned: false, label: words.legend.live },
  { shape: 'disc', filled: false, pinned: false, label: words.legend.disk },
  { shape: 'square', filled: true, pinned: false, label: words.legend.classic },
  { shape: 'diamond', filled: false, pinned: false, label: words.legend.offline },
  { shape: 'disc', filled: true, pinned: true, label: words.legend.pinned }
] as const

/** What the dots mean. Each dot says it in words as well. */
export const LaneLegend = () => (
  <div className={classes['legend']} aria-hidden>
    {SIGNS.map(({ shape, filled, pinned, label }) => (
      <span key={label} className={classes['legendEntry']}>
        <span className={classes['sign']} data-shape={shape} data-filled={filled} data-pinned={pinned} />
        {label}
      </span>
    ))}
  </div>
)
