import { Button, Stack, Text, UnstyledButton } from '@mantine/core'
import { IconActivity } from '@tabler/icons-react'
import { useState } from 'react'
import { useWindow } from '../state/store-context.ts'
import { Name } from '../ui/name.tsx'
import { ProgressStrip } from '../ui/progress-strip.tsx'
import { jobTitle, words } from '../words.ts'
import { BarButton } from './bar-button.tsx'
import classes from './frame.module.css'
import { meanwhile, runningJobs, type RunningJob } from './running-jobs-view.ts'

/** What runs now, from every page. */
export function RunningJobs() {
  const [opened, setOpened] = useState(false)
  const jobs = useWindow((state) => state.jobs)
  const live = useWindow((state) => state.live)
  const go = useWindow((state) => state.go)
  const running = runningJobs(jobs, live)
  const leave = (to: Parameters<typeof go>[0]): void => {
    setOpened(false)
    go(to)
  }
  return (
    <BarButton
      icon={IconActivity}
      label={words.running.label(running.length)}
      count={running.length}
      color="still"
      opened={opened}
      onChange={setOpened}
    >
      <Stack gap="sm">
        {running.length === 0 && <Text c="dimmed">{words.running.none}</Text>}
        {running.map((each) => (
          <RunningRow key={each.job.id} {...each} onOpen={() => leave({ screen: 'job', job: each.job.id })} />
        ))}
        <Button variant="default" size="xs" onClick={() => leave({ screen: 'activity' })}>
          {words.running.all}
        </Button>
      </Stack>
    </BarButton>
  )
}

function RunningRow({ job, live, onOpen }: RunningJob & { readonly onOpen: () => void }) {
  return (
    <UnstyledButton className={classes['running']} onClick={onOpen}>
      <Name text={jobTitle(job)} />
      <ProgressStrip progress={live?.progress} label={jobTitle(job)} quiet />
      <Text component="div" size="sm" c="dimmed">
        {meanwhile(job)}
      </Text>
    </UnstyledButton>
  )
}
