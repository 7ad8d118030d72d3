import classes from './ui.module.css'
import { sparklinePoints } from './sparkline-view.ts'

const WIDTH = 72
const HEIGHT = 24

interface SparklineProps {
  /** Oldest first. */
  readonly values: readonly number[]
  /** The same in words. */
  readonly label: string
}

/** A row of values as a small line from zero up, the newest one marked. */
export function Sparkline({ values, label }: SparklineProps) {
  const points = sparklinePoints(values, WIDTH, HEIGHT)
  const last = points.at(-1)
  if (last === undefined) return undefined
  return (
    <svg className={classes['sparkline']} width={WIDTH} height={HEIGHT} role="img" aria-label={label}>
      <title>{label}</title>
      <polyline points={points.map(({ x, y }) => `${x},${y}`).join(' ')} />
      <circle cx={last.x} cy={last.y} r={2.5} />
    </svg>
  )
}
