import {
  IconAlertTriangle,
  IconHelpCircle,
  IconMoon,
  IconPlayerPause,
  IconPlayerPlay,
  IconPower,
  type Icon
} from '@tabler/icons-react'
import { safeText } from '../../../shared/safe-text.ts'
import classes from './vm.module.css'
import { words } from './words.ts'

const ICONS: Readonly<Record<string, Icon>> = {
  running: IconPlayerPlay,
  idle: IconPlayerPlay,
  paused: IconPlayerPause,
  'shut off': IconPower,
  crashed: IconAlertTriangle,
  pmsuspended: IconMoon
}

/** libvirt's word for the state of a VM, with its icon. */
export function VmState({ state }: { readonly state: string }) {
  const Symbol = ICONS[state] ?? IconHelpCircle
  return (
    <span className={classes['state']}>
      <Symbol size={16} aria-hidden />
      {(words.states as Readonly<Record<string, string>>)[state] ?? safeText(state)}
    </span>
  )
}
