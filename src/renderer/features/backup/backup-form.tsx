import { Radio, Stack } from '@mantine/core'
import type { VmView } from '../../../shared/views/host-view.ts'
import { methodChoices, type BackupDraft } from './backup-draft.ts'
import { MoreChoices } from './more-choices.tsx'
import { words } from './words.ts'

interface BackupFormProps {
  readonly draft: BackupDraft
  readonly vm: VmView | undefined
  readonly onEdit: (change: Partial<BackupDraft>) => void
}

/** How the backup is taken. What the VM's state does not allow says so. */
export function BackupForm({ draft, vm, onEdit }: BackupFormProps) {
  return (
    <Stack gap="lg">
      <Radio.Group
        label={words.method}
        value={draft.method ?? 'auto'}
        onChange={(value) => onEdit({ method: value === 'auto' ? undefined : value })}
      >
        <Stack gap="sm" mt="sm">
          {methodChoices(vm).map(({ value, label, text, because }) => (
            <Radio
              key={value}
              value={value}
              label={label}
              description={because ?? text}
              disabled={because !== undefined}
            />
          ))}
        </Stack>
      </Radio.Group>
      <MoreChoices draft={draft} vm={vm} onEdit={onEdit} />
    </Stack>
  )
}
