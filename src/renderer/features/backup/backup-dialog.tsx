import { Button, Group, Modal, Stack, Text } from '@mantine/core'
import { safeText } from '../../../shared/safe-text.ts'
import { useWindow } from '../../state/store-context.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { Name } from '../../ui/name.tsx'
import { canAsk } from './backup-draft.ts'
import { BackupForm } from './backup-form.tsx'
import type { BackupDialogState } from './backup-slice.ts'
import classes from './backup.module.css'
import { EstimatePanel } from './estimate-panel.tsx'
import { words } from './words.ts'

/** Starts a backup, after saying what it will cost. Mounted once, by the frame: it can be opened from anywhere. */
export function BackupDialog() {
  const backup = useWindow((state) => state.backup)
  const close = useWindow((state) => state.closeBackup)
  return (
    <Modal
      opened={backup !== undefined}
      onClose={close}
      title={backup && <BackupTitle backup={backup} />}
      size="xl"
      closeOnClickOutside={false}
    >
      {backup !== undefined && <BackupBody backup={backup} />}
    </Modal>
  )
}

const useVm = ({ host, vm }: BackupDialogState) =>
  useWindow((state) => state.hosts?.find(({ name }) => name === host)?.vms.find(({ uuid }) => uuid === vm))

function BackupTitle({ backup }: { readonly backup: BackupDialogState }) {
  const vm = useVm(backup)
  return (
    <div className={classes['title']}>
      <Name text={words.title(vm?.name ?? backup.vm)} lines={2} />
      <Text span c="dimmed">
        {words.on(safeText(backup.host))}
      </Text>
    </div>
  )
}

function BackupBody({ backup }: { readonly backup: BackupDialogState }) {
  const vm = useVm(backup)
  const edit = useWindow((state) => state.editBackup)
  const estimate = useWindow((state) => state.estimateBackup)
  const start = useWindow((state) => state.startBackup)
  const close = useWindow((state) => state.closeBackup)
  const { draft, startFailure, isStarting } = backup
  return (
    <Stack gap="lg">
      <div className={classes['columns']}>
        <BackupForm draft={draft} vm={vm} onEdit={edit} />
        <EstimatePanel backup={backup} onRetry={estimate} />
      </div>
      {startFailure !== undefined && (
        <FailureNotice failure={failureShown(startFailure)} busy={isStarting} onRetry={start} />
      )}
      <Group justify="flex-end" gap="sm">
        <Button variant="default" onClick={close}>
          {words.cancel}
        </Button>
        <Button data-autofocus disabled={!canAsk(draft, vm)} loading={isStarting} onClick={start}>
          {words.start}
        </Button>
      </Group>
    </Stack>
  )
}
