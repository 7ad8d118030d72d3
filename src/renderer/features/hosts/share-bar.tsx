import classes from './hosts.module.css'
import type { Share } from './host-card-view.ts'

/** How much of something is used: a bar, and the figures in words. */
export function ShareBar({ share: { label, used, text, isTight } }: { readonly share: Share }) {
  const percent = Math.round(used * 100)
  return (
    <div className={classes['share']}>
      <div className={classes['shareText']}>
        <span>{label}</span>
        <span className={classes['shareFigures']}>{text}</span>
      </div>
      <div
        className={classes['shareTrack']}
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        aria-valuetext={text}
      >
        <div className={classes['shareUsed']} data-tight={isTight} style={{ width: `${percent}%` }} />
      </div>
    </div>
  )
}
