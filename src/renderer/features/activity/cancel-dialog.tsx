import { safeText, shorten } from '../../../shared/safe-text.ts'
import type { JobView } from '../../../shared/views/job-view.ts'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { words } from './words.ts'

interface CancelDialogProps {
  /** Undefined: closed. */
  readonly job: JobView | undefined
  readonly onClose: () => void
  readonly onCancel: (id: string) => void
}

/** Says what stopping does before it is done. How it goes then is seen on the job itself. */
export function CancelDialog({ job, onClose, onCancel }: CancelDialogProps) {
  if (job === undefined) return undefined
  const { id, kind, vm } = job
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={words.cancelTitle(kind, shorten(safeText(vm.name), 60))}
      confirmLabel={words.cancelLabel(kind)}
      onConfirm={() => {
        onCancel(id)
        onClose()
      }}
      busy={false}
    >
      {words.cancelText[kind]}
    </ConfirmDialog>
  )
}
