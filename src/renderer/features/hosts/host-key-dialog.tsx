import { safeText } from '../../../shared/safe-text.ts'
import type { HostView } from '../../../shared/views/host-view.ts'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { isKeyFailure } from './add-host.ts'
import type { HostDialog } from './hosts-slice.ts'
import { KeyFacts } from './key-facts.tsx'
import { words } from './words.ts'

interface HostKeyDialogProps {
  readonly dialog: Extract<HostDialog, { kind: 'key' }>
  readonly host: HostView | undefined
  readonly onAccept: (fingerprint: string) => void
  readonly onClose: () => void
}

/** A known host whose key has to be judged. If it was judged elsewhere meanwhile, there is nothing left to ask. */
export function HostKeyDialog({ dialog, host, onAccept, onClose }: HostKeyDialogProps) {
  const failure = host?.failure
  if (failure === undefined || !isKeyFailure(failure)) return undefined
  const { title } = failureShown(failure)
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={title}
      confirmLabel={words.key.accept}
      typed={safeText(dialog.host)}
      onConfirm={() => onAccept(failure.fingerprint)}
      busy={dialog.isBusy}
      failure={dialog.failure && failureShown(dialog.failure)}
    >
      <KeyFacts failure={failure} />
    </ConfirmDialog>
  )
}
