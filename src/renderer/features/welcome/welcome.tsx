import { Button, Stack, Text } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useWindow } from '../../state/store-context.ts'
import { CommandLine } from '../../ui/command-line.tsx'
import { PageHeader } from '../../ui/page-header.tsx'
import { Panel } from '../../ui/panel.tsx'
import { HowItWorks } from './how-it-works.tsx'
import classes from './welcome.module.css'
import { words } from './words.ts'

/** Before there is a host: what Stillpoint is, and the way to the first host. */
export function Welcome() {
  const demoCommand = useWindow((state) => state.info?.demoCommand)
  const go = useWindow((state) => state.go)
  const openAddHost = useWindow((state) => state.openAddHost)
  const addHost = (): void => {
    go({ screen: 'hosts' })
    openAddHost()
  }
  return (
    <div className={classes['welcome']}>
      <PageHeader title={words.title} subtitle={words.subtitle} />
      <Panel>
        <HowItWorks />
        <div className={classes['start']}>
          <Button size="md" leftSection={<IconPlus size={18} aria-hidden />} onClick={addHost}>
            {words.addHost}
          </Button>
          <Text c="dimmed">{words.needs}</Text>
        </div>
      </Panel>
      {demoCommand !== undefined && (
        <Panel title={words.demoTitle}>
          <Stack gap="sm">
            <Text c="dimmed">{words.demoText}</Text>
            <CommandLine command={demoCommand} />
          </Stack>
        </Panel>
      )}
    </div>
  )
}
