import classes from './ui.module.css'

interface ProgressBarProps {
  /** Undefined: the end is not known. */
  readonly percent: number | undefined
  readonly label: string
  /** The same in words. */
  readonly text: string
}

export function ProgressBar({ percent, label, text }: ProgressBarProps) {
  return (
    <div
      className={classes['progressTrack']}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      aria-valuetext={text}
    >
      <div
        className={classes['progressBar']}
        data-open={percent === undefined}
        style={{ width: percent === undefined ? '100%' : `${percent}%` }}
      />
    </div>
  )
}
