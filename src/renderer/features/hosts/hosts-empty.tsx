import { Text, Title } from '@mantine/core'
import { IconServer2 } from '@tabler/icons-react'
import { CommandLine } from '../../ui/command-line.tsx'
import { words } from '../../words.ts'
import { ADD_HOST_COMMAND } from './hosts-view.ts'
import classes from './hosts.module.css'

/** What will be here, and the next step. */
export function HostsEmpty() {
  return (
    <section className={classes['empty']}>
      <IconServer2 className={classes['emptyIcon']} size={40} stroke={1.2} aria-hidden />
      <Title order={2}>{words.hosts.emptyTitle}</Title>
      <Text className={classes['emptyText']}>{words.hosts.emptyText}</Text>
      <CommandLine command={ADD_HOST_COMMAND} />
      <Text size="sm" c="dimmed">
        {words.hosts.namesToPutIn}
      </Text>
    </section>
  )
}
