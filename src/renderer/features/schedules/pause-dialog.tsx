import { Button, Group, Modal, Radio, Stack, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import { safeText, shorten } from '../../../shared/safe-text.ts'
import { useWindow } from '../../state/store-context.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { useNow } from '../../ui/use-now.ts'
import { words as shared } from '../../words.ts'
import { pauseEnd, PAUSES, type PauseChoice } from './pause-view.ts'
import type { ScheduleDialog } from './schedules-slice.ts'
import { words } from './words.ts'

const said = words.pause

/** Until when a schedule's runs are left out. */
export function PauseDialog({ dialog }: { readonly dialog: ScheduleDialog }) {
  const close = useWindow((state) => state.closeScheduleDialog)
  return (
    <Modal opened onClose={close} title={said.title(shorten(safeText(dialog.name), 60))}>
      <PauseForm dialog={dialog} onClose={close} />
    </Modal>
  )
}

function PauseForm({ dialog, onClose }: { readonly dialog: ScheduleDialog; readonly onClose: () => void }) {
  const pause = useWindow((state) => state.pausePolicy)
  const [choice, choose] = useState<PauseChoice>('tomorrow')
  const [moment, setMoment] = useState('')
  const end = pauseEnd(choice, moment, useNow())
  return (
    <Stack gap="md">
      <Text>{said.text}</Text>
      <Radio.Group label={said.until} value={choice} onChange={(value) => choose(value)}>
        <Stack gap="sm" mt="sm">
          {PAUSES.map((value) => (
            <Radio key={value} value={value} label={said[value]} />
          ))}
        </Stack>
      </Radio.Group>
      {choice === 'moment' && (
        <TextInput
          type="datetime-local"
          label={said.at}
          value={moment}
          error={moment !== '' && end === undefined && said.past}
          onChange={({ currentTarget }) => setMoment(currentTarget.value)}
        />
      )}
      <Text fz="sm" c="dimmed">
        {said.alarm}
      </Text>
      {dialog.failure !== undefined && <FailureNotice failure={failureShown(dialog.failure)} />}
      <Group justify="flex-end" gap="sm">
        <Button variant="default" data-autofocus onClick={onClose}>
          {shared.cancel}
        </Button>
        <Button
          disabled={end === undefined}
          loading={dialog.isBusy}
          onClick={() => end !== undefined && pause(pauseEnd(choice, moment, new Date()) ?? end)}
        >
          {said.confirm}
        </Button>
      </Group>
    </Stack>
  )
}
