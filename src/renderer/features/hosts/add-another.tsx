import { Text } from '@mantine/core'
import { CommandLine } from '../../ui/command-line.tsx'
import { words } from '../../words.ts'
import { ADD_HOST_COMMAND } from './hosts-view.ts'
import classes from './hosts.module.css'

export function AddAnother() {
  return (
    <section className={classes['another']}>
      <Text component="h2" size="sm" fw={600} m={0}>
        {words.hosts.addTitle}
      </Text>
      <CommandLine command={ADD_HOST_COMMAND} />
      <Text size="sm" c="dimmed">
        {words.hosts.namesToPutIn}
      </Text>
    </section>
  )
}
