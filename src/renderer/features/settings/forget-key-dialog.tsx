import { Stack, Text } from '@mantine/core'
import { safeText } from '../../../shared/safe-text.ts'
import type { KnownKey } from '../../../shared/views/settings-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import classes from './settings.module.css'
import { words } from './words.ts'

interface ForgetKeyDialogProps {
  /** Undefined: closed. */
  readonly knownKey: KnownKey | undefined
  readonly onClose: () => void
}

export function ForgetKeyDialog({ knownKey, onClose }: ForgetKeyDialogProps) {
  const forget = useWindow((state) => state.forgetKey)
  const forgetting = useWindow((state) => state.forgetting)
  const { title, text, confirm } = words.forgetDialog
  const isBusy = forgetting?.state === 'saving'
  return (
    <ConfirmDialog
      opened={knownKey !== undefined}
      onClose={onClose}
      title={title}
      confirmLabel={confirm}
      busy={isBusy}
      failure={forgetting?.state === 'failed' ? failureShown(forgetting.failure) : undefined}
      onConfirm={() => knownKey && void forget(knownKey).then((isDone) => isDone && onClose())}
    >
      {knownKey !== undefined && (
        <Stack gap="sm">
          <Text>{text(safeText(knownKey.hosts))}</Text>
          <code className={classes['fingerprint']}>
            {safeText(knownKey.keyType)} {safeText(knownKey.fingerprint)}
          </code>
        </Stack>
      )}
    </ConfirmDialog>
  )
}
