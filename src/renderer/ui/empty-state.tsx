import { Group, Text, Title } from '@mantine/core'
import type { Icon } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import classes from './ui.module.css'

interface EmptyStateProps {
  readonly icon: Icon
  readonly title: string
  readonly text: ReactNode
  /** The next step: buttons. */
  readonly children?: ReactNode
}

/** Says what will be here, and offers the next step. */
export function EmptyState({ icon: Symbol, title, text, children }: EmptyStateProps) {
  return (
    <div className={classes['empty']}>
      <Symbol size={32} stroke={1.4} className={classes['emptyIcon']} aria-hidden />
      <Title order={2}>{title}</Title>
      <Text component="div" c="dimmed" maw="60ch">
        {text}
      </Text>
      {children !== undefined && <Group gap="sm">{children}</Group>}
    </div>
  )
}
