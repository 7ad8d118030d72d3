import { VisuallyHidden } from '@mantine/core'
import {
  IconAlertTriangle,
  IconBellOff,
  IconCircleCheck,
  IconCircleX,
  IconHelpCircle,
  IconLoader2,
  IconPlayerPause,
  type Icon
} from '@tabler/icons-react'
import classes from './ui.module.css'

export type Tone = 'good' | 'attention' | 'danger' | 'unknown' | 'muted' | 'paused' | 'busy'

const ICONS: Readonly<Record<Tone, Icon>> = {
  good: IconCircleCheck,
  attention: IconAlertTriangle,
  danger: IconCircleX,
  unknown: IconHelpCircle,
  muted: IconBellOff,
  paused: IconPlayerPause,
  busy: IconLoader2
}

interface StateMarkProps {
  readonly tone: Tone
  readonly label: string
  /** Why it has this colour; shown on hover, read aloud. */
  readonly hint?: string | undefined
}

/** A state as icon, word and colour: never colour alone. */
export function StateMark({ tone, label, hint }: StateMarkProps) {
  const Symbol = ICONS[tone]
  return (
    <span className={classes['mark']} data-tone={tone} title={hint}>
      <Symbol size={16} stroke={2} className={classes['markIcon']} aria-hidden />
      <span>{label}</span>
      {hint !== undefined && <VisuallyHidden> ({hint})</VisuallyHidden>}
    </span>
  )
}
