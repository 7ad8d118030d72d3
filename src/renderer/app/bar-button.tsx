import { ActionIcon, Indicator, Popover, type ActionIconProps } from '@mantine/core'
import type { Icon } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import classes from './frame.module.css'

interface BarButtonProps {
  readonly icon: Icon
  /** The whole in words, with the count. */
  readonly label: string
  /** 0: no badge. */
  readonly count: number
  readonly color: NonNullable<ActionIconProps['color']>
  readonly opened: boolean
  readonly onChange: (opened: boolean) => void
  readonly children: ReactNode
}

/** A button of the bar with a count, and what unfolds below it. */
export function BarButton({ icon: Symbol, label, count, color, opened, onChange, children }: BarButtonProps) {
  return (
    <Popover opened={opened} onChange={onChange} position="bottom-end" width={420} trapFocus returnFocus shadow="md">
      <Indicator label={count > 99 ? '99+' : count} size={18} color={color} offset={6} disabled={count === 0}>
        <Popover.Target>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={label}
            title={label}
            onClick={() => onChange(!opened)}
          >
            <Symbol size={22} stroke={1.6} aria-hidden />
          </ActionIcon>
        </Popover.Target>
      </Indicator>
      <Popover.Dropdown className={classes['popover']} aria-label={label}>
        {children}
      </Popover.Dropdown>
    </Popover>
  )
}
