import { Stack, Text } from '@mantine/core'
import { pointName } from '../../../shared/point-name.ts'
import type { PointView } from '../../../shared/views/point-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { CopyDialog } from './copy-dialog.tsx'
import { deletionOf } from './deletion-view.ts'
import { words } from './words.ts'

interface PointDialogsProps {
  readonly point: PointView
  /** All of its VM. */
  readonly points: readonly PointView[]
}

/** Whichever dialog about this point is open. */
export function PointDialogs({ point, points }: PointDialogsProps) {
  const dialog = useWindow((state) => state.pointDialog)
  if (dialog?.point !== pointName(point)) return undefined
  if (dialog.kind === 'copy') return <CopyDialog point={point} />
  return <DeleteDialog point={point} points={points} place={dialog.place} />
}

function DeleteDialog({ point, points, place }: PointDialogsProps & { readonly place: string }) {
  const close = useWindow((state) => state.closePointDialog)
  const remove = useWindow((state) => state.deletePoint)
  const errand = useWindow((state) => state.pointErrand)
  const { title, sentences, typed } = deletionOf(point, place, points)
  return (
    <ConfirmDialog
      opened
      onClose={close}
      title={title}
      confirmLabel={words.delete.confirm}
      onConfirm={() => remove(pointName(point), place)}
      typed={typed}
      busy={errand?.isBusy === true}
      failure={errand?.failure && failureShown(errand.failure)}
    >
      <Stack gap="sm">
        {sentences.map((sentence) => (
          <Text key={sentence}>{sentence}</Text>
        ))}
      </Stack>
    </ConfirmDialog>
  )
}
