import { Group, Title } from '@mantine/core'
import { useId, type ReactNode } from 'react'
import classes from './ui.module.css'

interface PanelProps {
  readonly title?: ReactNode
  readonly actions?: ReactNode
  readonly children: ReactNode
}

/** A surface that holds one thing, with its name and what can be done to it. */
export function Panel({ title, actions, children }: PanelProps) {
  const id = useId()
  return (
    <section className={classes['panel']} aria-labelledby={title === undefined ? undefined : id}>
      {(title !== undefined || actions !== undefined) && (
        <div className={classes['panelHead']}>
          <Title order={2} id={id} className={classes['panelTitle']}>
            {title}
          </Title>
          <Group gap="sm">{actions}</Group>
        </div>
      )}
      {children}
    </section>
  )
}
