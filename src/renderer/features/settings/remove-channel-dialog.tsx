import { safeText } from '../../../shared/safe-text.ts'
import { useWindow } from '../../state/store-context.ts'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { words } from './channel-words.ts'
import { channelKey, type ChannelOf } from './channels-slice.ts'
import type { TellingHost } from './channels-view.ts'

interface RemoveChannelDialogProps {
  /** Undefined: closed. */
  readonly removing: ChannelOf | undefined
  readonly telling: readonly TellingHost[]
  readonly onClose: () => void
}

export function RemoveChannelDialog({ removing, telling, onClose }: RemoveChannelDialogProps) {
  const remove = useWindow((state) => state.removeChannel)
  const save = useWindow((state) => removing && state.channelSaves.get(channelKey(removing)))
  if (removing === undefined) return undefined
  const { channel } = removing
  const host = safeText(removing.host)
  const channels = telling.find(({ name }) => name === removing.host)?.said?.channels
  const isLast = channels?.[channel === 'mail' ? 'webhook' : 'mail'] === undefined
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={words.removeDialog.title(words.channel[channel], host)}
      confirmLabel={words.removeDialog.confirm}
      busy={save?.state === 'saving'}
      failure={save?.state === 'failed' ? failureShown(save.failure) : undefined}
      onConfirm={() => void remove(removing).then((isGone) => isGone && onClose())}
    >
      {words.removeDialog.text[channel](host)} {isLast && words.removeDialog.last}
    </ConfirmDialog>
  )
}
