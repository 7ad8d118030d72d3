import { Stack, Text } from '@mantine/core'
import { safeText, shorten } from '../../../shared/safe-text.ts'
import type { Failure } from '../../../shared/failure.ts'
import type { PreflightView } from '../../../shared/views/job-view.ts'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { words } from './words.ts'

interface ConfirmRestoreProps {
  readonly opened: boolean
  readonly vm: string
  readonly host: string
  /** What will happen, in a sentence. */
  readonly sentence: string
  readonly replaces: PreflightView['replaces']
  readonly busy: boolean
  readonly failure: Failure | undefined
  readonly onConfirm: () => void
  readonly onClose: () => void
}

/** The last question. Where a VM has to make way it is named, and its name must be typed. */
export function ConfirmRestore({ vm, host, sentence, replaces, failure, ...dialog }: ConfirmRestoreProps) {
  return (
    <ConfirmDialog
      {...dialog}
      title={words.confirm.title(shown(vm), safeText(host))}
      confirmLabel={replaces === undefined ? words.confirm.label : words.confirm.replaceLabel}
      typed={replaces?.name}
      harmless={replaces === undefined}
      failure={failure && failureShown(failure)}
    >
      <Stack gap="sm">
        <Text>{sentence}</Text>
        <Text fw={replaces === undefined ? undefined : 600}>
          {replaces === undefined
            ? words.confirm.fresh(safeText(host))
            : words.confirm.replaces(shown(replaces.name), safeText(host))}
        </Text>
      </Stack>
    </ConfirmDialog>
  )
}

const shown = (name: string): string => shorten(safeText(name), 60)
