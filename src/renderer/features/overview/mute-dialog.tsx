import { Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core'
import { useState, type SyntheticEvent } from 'react'
import { safeText, shorten } from '../../../shared/safe-text.ts'
import type { VmSafety } from '../../../shared/safety.ts'
import { useWindow } from '../../state/store-context.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { words as shared } from '../../words.ts'
import { words } from './words.ts'

/** A VM is left alone only with a reason. */
export function MuteDialog() {
  const vm = useWindow((state) => state.muting)
  const close = useWindow((state) => state.closeMute)
  return (
    <Modal
      opened={vm !== undefined}
      onClose={close}
      title={vm && words.muteDialog.title(shorten(safeText(vm.name), 60))}
    >
      {vm !== undefined && <MuteForm vm={vm} onClose={close} />}
    </Modal>
  )
}

function MuteForm({ vm, onClose }: { readonly vm: VmSafety; readonly onClose: () => void }) {
  const [reason, setReason] = useState('')
  const mute = useWindow((state) => state.muteVm)
  const save = useWindow((state) => state.saves.muted)
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault()
    void mute(vm, reason.trim()).then((isSaved) => isSaved && onClose())
  }
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <Text>{words.muteDialog.text}</Text>
        <Textarea
          data-autofocus
          label={words.muteDialog.reason}
          description={words.muteDialog.reasonHint}
          maxLength={500}
          autosize
          minRows={2}
          value={reason}
          onChange={({ currentTarget }) => setReason(currentTarget.value)}
        />
        {save?.state === 'failed' && <FailureNotice failure={failureShown(save.failure)} />}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onClose}>
            {shared.cancel}
          </Button>
          <Button type="submit" disabled={reason.trim() === ''} loading={save?.state === 'saving'}>
            {words.muteDialog.confirm}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
