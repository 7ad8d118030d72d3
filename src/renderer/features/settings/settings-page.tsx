import { Skeleton, Stack } from '@mantine/core'
import { useWindow } from '../../state/store-context.ts'
import { PageHeader } from '../../ui/page-header.tsx'
import { AboutPanel } from './about-panel.tsx'
import { BackupsPanel } from './backups-panel.tsx'
import { ChannelsPanel } from './channels-panel.tsx'
import { ComputerPanel } from './computer-panel.tsx'
import { KeysPanel } from './keys-panel.tsx'
import { MutedPanel } from './muted-panel.tsx'
import { NoticesPanel } from './notices-panel.tsx'
import classes from './settings.module.css'
import { words } from './words.ts'

export function SettingsPage() {
  const choices = useWindow((state) => state.choices)
  return (
    <div className={classes['settings']}>
      <PageHeader title={words.title} subtitle={words.subtitle} />
      <Stack gap="md">
        {choices === undefined ? (
          <>
            <Skeleton h={160} />
            <Skeleton h={220} />
            <Skeleton h={280} />
          </>
        ) : (
          <>
            <NoticesPanel choices={choices} />
            <ChannelsPanel />
            <ComputerPanel choices={choices} />
            <BackupsPanel choices={choices} />
            <MutedPanel muted={choices.muted} />
          </>
        )}
        <KeysPanel />
        <AboutPanel />
      </Stack>
    </div>
  )
}
