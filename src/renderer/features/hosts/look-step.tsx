import { Button, Group, Stack, Text, Title } from '@mantine/core'
import { IconRefresh } from '@tabler/icons-react'
import type { Failure } from '../../../shared/failure.ts'
import type { ProbeView } from '../../../shared/views/host-view.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { CheckList } from './check-list.tsx'
import { FactsList } from './facts-list.tsx'
import { factsOf } from './host-card-view.ts'
import { vmNamesShown } from './probe-view.ts'
import { words } from './words.ts'

interface LookStepProps {
  readonly probe: ProbeView
  readonly isBusy: boolean
  readonly failure: Failure | undefined
  readonly onAgain: () => void
  readonly onAdd: () => void
  readonly onBack: () => void
}

const said = words.add

/** What Stillpoint found on the host, and whether it can be used. */
export function LookStep({ probe, isBusy, failure, onAgain, onAdd, onBack }: LookStepProps) {
  const { facts, usable } = probe
  return (
    <Stack gap="md">
      <CheckList items={probe.items} />
      {facts !== undefined && (
        <Stack gap="sm">
          <Title order={3}>{said.facts}</Title>
          <FactsList facts={[...factsOf({ facts }, new Date()), [said.vms, vmNamesShown(probe)]]} />
        </Stack>
      )}
      {failure !== undefined && <FailureNotice failure={failureShown(failure)} />}
      <Text role="status" c="dimmed">
        {usable ? `${said.usable} ${said.whatIsPut}` : said.notUsable}
      </Text>
      <Group justify="space-between" gap="sm">
        <Button variant="default" onClick={onBack}>
          {said.back}
        </Button>
        <Group gap="sm">
          <Button
            variant={usable ? 'default' : 'filled'}
            leftSection={<IconRefresh size={16} aria-hidden />}
            loading={isBusy}
            onClick={onAgain}
          >
            {said.lookAgain}
          </Button>
          {usable && (
            <Button data-autofocus disabled={isBusy} onClick={onAdd}>
              {said.addIt}
            </Button>
          )}
        </Group>
      </Group>
    </Stack>
  )
}
