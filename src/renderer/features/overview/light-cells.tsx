import { formatAgo, formatTime } from '../../../shared/format.ts'
import type { VmSafety } from '../../../shared/safety.ts'
import { StateMark } from '../../ui/state-mark.tsx'
import { useNow } from '../../ui/use-now.ts'
import classes from './overview.module.css'
import { pointLight, provenLight, type Light } from './overview-view.ts'

/** Two lights, never one: this is the newest good point. */
export function PointCell({ row }: { readonly row: VmSafety }) {
  const now = useNow()
  return <LightCell light={pointLight(row, (at) => formatAgo(at, now))} at={row.lastPoint?.takenAt} />
}

/** And this the newest restore after which it ran. */
export function ProvenCell({ row }: { readonly row: VmSafety }) {
  const now = useNow()
  return <LightCell light={provenLight(row, (at) => formatAgo(at, now))} at={row.lastProven?.at} />
}

function LightCell({ light, at }: { readonly light: Light; readonly at: string | undefined }) {
  return (
    <span className={classes['light']} title={at && formatTime(at)}>
      <StateMark tone={light.tone} label={light.label} />
      <span className={classes['second']}>{light.reason}</span>
    </span>
  )
}
