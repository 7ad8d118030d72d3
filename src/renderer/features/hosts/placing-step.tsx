import { Button, Stack, Text, Title } from '@mantine/core'
import type { Failure } from '../../../shared/failure.ts'
import type { HostView } from '../../../shared/views/host-view.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { PlacingStrip } from './placing-strip.tsx'
import { words } from './words.ts'

interface PlacingStepProps {
  readonly name: string
  readonly placing: HostView['placing']
  readonly isBusy: boolean
  readonly failure: Failure | undefined
  readonly onAgain: () => void
  readonly onBack: () => void
}

/** The engine goes to the host. */
export function PlacingStep({ name, placing, isBusy, failure, onAgain, onBack }: PlacingStepProps) {
  const said = words.add
  return (
    <Stack gap="md">
      <Title order={3}>{said.placing(name)}</Title>
      {failure === undefined ? (
        <>
          <PlacingStrip name={name} placing={placing} />
          <Text c="dimmed">{placing === undefined ? said.placingWait : said.placingNote}</Text>
        </>
      ) : (
        <>
          <FailureNotice failure={failureShown(failure)} busy={isBusy} onRetry={onAgain} />
          <Button variant="default" ml="auto" onClick={onBack}>
            {said.back}
          </Button>
        </>
      )}
    </Stack>
  )
}
