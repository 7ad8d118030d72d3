import { Button, Group, Modal, Stack, TextInput } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import { safeText } from '../../shared/safe-text.ts'
import { words } from '../words.ts'
import { FailureNotice } from './failure-notice.tsx'
import type { FailureShown } from './failure-shown.ts'

interface ConfirmDialogProps {
  readonly opened: boolean
  readonly onClose: () => void
  readonly title: string
  /** The thing and the consequence, in words. */
  readonly children: ReactNode
  readonly confirmLabel: string
  readonly onConfirm: () => void
  /** This must be typed first: for what cannot be undone. */
  readonly typed?: string | undefined
  /** Nothing is lost by it. */
  readonly harmless?: boolean | undefined
  readonly busy: boolean
  readonly failure?: FailureShown | undefined
}

/** One question before something is lost. The focus is on the harmless answer. */
export function ConfirmDialog({ opened, onClose, title, busy, ...body }: ConfirmDialogProps) {
  return (
    <Modal opened={opened} onClose={busy ? nothing : onClose} title={title}>
      <ConfirmBody {...body} busy={busy} onClose={onClose} />
    </Modal>
  )
}

const nothing = (): void => undefined

type ConfirmBodyProps = Omit<ConfirmDialogProps, 'opened' | 'title'>

function ConfirmBody({ onClose, children, confirmLabel, onConfirm, typed, harmless, busy, failure }: ConfirmBodyProps) {
  const [text, setText] = useState('')
  const isAllowed = typed === undefined || [typed, safeText(typed)].includes(text.trim())
  return (
    <Stack gap="md">
      <div>{children}</div>
      {typed !== undefined && (
        <TextInput
          label={words.typeToConfirm(safeText(typed))}
          value={text}
          autoComplete="off"
          onChange={({ currentTarget }) => setText(currentTarget.value)}
        />
      )}
      {failure !== undefined && <FailureNotice failure={failure} />}
      <Group justify="flex-end" gap="sm">
        <Button variant="default" data-autofocus disabled={busy} onClick={onClose}>
          {words.cancel}
        </Button>
        <Button
          {...(harmless !== true && { color: 'danger' })}
          disabled={!isAllowed}
          loading={busy}
          onClick={onConfirm}
        >
          {confirmLabel}
        </Button>
      </Group>
    </Stack>
  )
}
