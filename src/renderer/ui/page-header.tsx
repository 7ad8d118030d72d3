import { Group, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import classes from './ui.module.css'

interface PageHeaderProps {
  readonly title: ReactNode
  readonly subtitle?: ReactNode
  readonly actions?: ReactNode
}

/** Top of a page. Its heading takes the focus when the window goes there (`PAGE_HEADING`). */
export function PageHeader({ title, subtitle, actions }: PageHeaderProps) {
  return (
    <header className={classes['pageHeader']}>
      <div className={classes['pageHeaderText']}>
        <Title order={1} id={PAGE_HEADING} tabIndex={-1} className={classes['heading']}>
          {title}
        </Title>
        {subtitle !== undefined && (
          <Text component="div" c="dimmed">
            {subtitle}
          </Text>
        )}
      </div>
      {actions !== undefined && <Group gap="sm">{actions}</Group>}
    </header>
  )
}

export const PAGE_HEADING = 'page-heading'
