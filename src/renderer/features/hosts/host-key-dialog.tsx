import { safeText } from '../../../shared/safe-text.ts'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import type { HostDialog } from './hosts-slice.ts'
import { KeyFacts } from './key-facts.tsx'
import { words } from './words.ts'

interface HostKeyDialogProps {
  readonly dialog: Extract<HostDialog, { kind: 'key' }>
  readonly onAccept: (fingerprint: string) => void
  readonly onClose: () => void
}

/** A known host whose key has to be judged. */
export function HostKeyDialog({ dialog, onAccept, onClose }: HostKeyDialogProps) {
  const { key } = dialog
  const { title } = failureShown(key)
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={title}
      confirmLabel={words.key.accept}
      typed={safeText(dialog.host)}
      onConfirm={() => onAccept(key.fingerprint)}
      busy={dialog.isBusy}
      failure={dialog.failure && failureShown(dialog.failure)}
    >
      <KeyFacts failure={key} />
    </ConfirmDialog>
  )
}
