import { Drawer, Stack, Text } from '@mantine/core'
import { formatThere } from '../../../shared/host-time.ts'
import type { RunReport } from '../../../shared/model/policy.ts'
import { useNow } from '../../ui/use-now.ts'
import { RunDetails } from './run-details.tsx'
import { words } from './words.ts'

interface RunDrawerProps {
  /** Undefined: none is looked at, or its host has not told of it yet. */
  readonly run: RunReport | undefined
  readonly isAsked: boolean
  readonly timeZone: string
  readonly onClose: () => void
}

const said = words.run

/** A run in detail, beside its schedule. */
export function RunDrawer({ run, isAsked, timeZone, onClose }: RunDrawerProps) {
  const now = useNow()
  return (
    <Drawer
      opened={isAsked}
      onClose={onClose}
      position="right"
      size="680px"
      lockScroll={false}
      title={<b>{run === undefined ? said.new : said.title(formatThere(run.startedAt, timeZone, now))}</b>}
      closeButtonProps={{ 'aria-label': said.close }}
    >
      <Stack gap="lg" role={run === undefined ? 'status' : undefined}>
        {run === undefined ? <Text>{said.asked}</Text> : <RunDetails run={run} timeZone={timeZone} />}
      </Stack>
    </Drawer>
  )
}
