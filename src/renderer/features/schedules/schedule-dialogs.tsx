import { Stack, Text } from '@mantine/core'
import { safeText, shorten } from '../../../shared/safe-text.ts'
import { useWindow } from '../../state/store-context.ts'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { PauseDialog } from './pause-dialog.tsx'
import type { ScheduleDialog } from './schedules-slice.ts'
import { words } from './words.ts'

/** What a schedule's menu asks before it is done. */
export function ScheduleDialogs() {
  const dialog = useWindow((state) => state.scheduleDialog)
  if (dialog === undefined) return undefined
  return dialog.kind === 'pause' ? <PauseDialog dialog={dialog} /> : <RemoveDialog dialog={dialog} />
}

function RemoveDialog({ dialog }: { readonly dialog: ScheduleDialog }) {
  const close = useWindow((state) => state.closeScheduleDialog)
  const remove = useWindow((state) => state.removePolicy)
  const points = useWindow((state) => state.points)
  const own = (points?.points ?? []).filter(({ policy }) => policy?.id === dialog.id)
  const said = words.remove
  return (
    <ConfirmDialog
      opened
      onClose={close}
      title={said.title(shorten(safeText(dialog.name), 60))}
      confirmLabel={said.confirm}
      onConfirm={remove}
      busy={dialog.isBusy}
      failure={dialog.failure && failureShown(dialog.failure)}
    >
      <Stack gap="sm">
        <Text>{said.text}</Text>
        <Text>{said.points(own.length)}</Text>
        <Text>{said.vms}</Text>
      </Stack>
    </ConfirmDialog>
  )
}
