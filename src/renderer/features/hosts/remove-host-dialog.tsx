import { Button, List, Modal, Radio, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { safeText } from '../../../shared/safe-text.ts'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import type { HostDialog } from './hosts-slice.ts'
import { words } from './words.ts'

interface RemoveHostDialogProps {
  readonly dialog: Extract<HostDialog, { kind: 'remove' }>
  readonly onRemove: (clean: boolean) => void
  readonly onClose: () => void
}

/** Forget a host only, or take our engine off it as well. Points stay either way. */
export function RemoveHostDialog({ dialog, onRemove, onClose }: RemoveHostDialogProps) {
  const { host, removed, failure, isBusy } = dialog
  const [clean, setClean] = useState(false)
  const said = words.remove
  if (removed !== undefined) return <Removed host={host} removed={removed} onClose={onClose} />
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={said.title(safeText(host))}
      confirmLabel={said.confirm}
      onConfirm={() => onRemove(clean)}
      busy={isBusy}
      failure={failure && failureShown(failure)}
    >
      <Stack gap="md">
        <Text>
          {said.text} {said.pointsStay}
        </Text>
        <Radio.Group
          label={said.how}
          value={clean ? 'clean' : 'forget'}
          onChange={(value) => setClean(value === 'clean')}
        >
          <Stack gap="sm" mt="sm">
            <Radio value="forget" label={said.forget} description={said.forgetText} />
            <Radio value="clean" label={said.clean} description={said.cleanText} />
          </Stack>
        </Radio.Group>
      </Stack>
    </ConfirmDialog>
  )
}

interface RemovedProps {
  readonly host: string
  readonly removed: readonly string[]
  readonly onClose: () => void
}

function Removed({ host, removed, onClose }: RemovedProps) {
  return (
    <Modal opened onClose={onClose} title={words.remove.title(safeText(host))}>
      <Stack gap="md">
        <Text role="status">{words.remove.done(safeText(host))}</Text>
        <List size="sm">
          {removed.map((each) => (
            <List.Item key={each} style={{ overflowWrap: 'anywhere' }}>
              {safeText(each)}
            </List.Item>
          ))}
        </List>
        <Button ml="auto" data-autofocus onClick={onClose}>
          {words.remove.close}
        </Button>
      </Stack>
    </Modal>
  )
}
