import { Checkbox, Select, Stack, Text, TextInput } from '@mantine/core'
import { formatBytes } from '../../../shared/format.ts'
import { safeText } from '../../../shared/safe-text.ts'
import type { OnBusy } from '../../../shared/model/job.ts'
import type { DiskView, VmView } from '../../../shared/views/host-view.ts'
import { backupProblems, disksOf, type BackupDraft } from './backup-draft.ts'
import classes from './backup.module.css'
import { words } from './words.ts'

interface MoreChoicesProps {
  readonly draft: BackupDraft
  readonly vm: VmView | undefined
  readonly onEdit: (change: Partial<BackupDraft>) => void
}

const ON_BUSY: readonly OnBusy[] = ['pause', 'disk', 'fail']

/** What is seldom changed: folded up, and set to what the settings say. */
export function MoreChoices({ draft, vm, onEdit }: MoreChoicesProps) {
  const problems = backupProblems(draft, vm)
  const hasProblem = Object.keys(problems).length > 0
  return (
    <details className={classes['more']} {...(hasProblem && { open: true })}>
      <summary>{words.details}</summary>
      <Stack gap="md" mt="md">
        <TextInput
          label={words.budget}
          description={words.budgetHint}
          value={draft.budgetMs}
          error={problems.budgetMs}
          inputMode="numeric"
          rightSection="ms"
          onChange={({ currentTarget }) => onEdit({ budgetMs: currentTarget.value })}
        />
        <Select
          label={words.onBusy}
          data={ON_BUSY.map((value) => ({ value, label: words.onBusyChoices[value] }))}
          value={draft.onBusy}
          allowDeselect={false}
          onChange={(value) => value !== null && onEdit({ onBusy: value })}
        />
        <TextInput
          label={words.store}
          description={words.storeHint}
          value={draft.store}
          error={problems.store}
          autoComplete="off"
          onChange={({ currentTarget }) => onEdit({ store: currentTarget.value.trim() })}
        />
        <DiskChoices draft={draft} disks={disksOf(vm)} problem={problems.excludeDisks} onEdit={onEdit} />
        <Checkbox
          label={words.media}
          description={words.mediaHint}
          checked={draft.media}
          onChange={({ currentTarget }) => onEdit({ media: currentTarget.checked })}
        />
      </Stack>
    </details>
  )
}

interface DiskChoicesProps extends Pick<MoreChoicesProps, 'draft' | 'onEdit'> {
  readonly disks: readonly DiskView[]
  readonly problem: string | undefined
}

function DiskChoices({ draft, disks, problem, onEdit }: DiskChoicesProps) {
  if (disks.length === 0) return <Text c="dimmed">{words.noDisks}</Text>
  const taken = disks.map(({ target }) => target).filter((target) => !draft.excludeDisks.includes(target))
  return (
    <Checkbox.Group
      label={words.disks}
      error={problem}
      value={taken}
      onChange={(now) =>
        onEdit({ excludeDisks: disks.map(({ target }) => target).filter((target) => !now.includes(target)) })
      }
    >
      <Stack gap="xs" mt="xs">
        {disks.map(({ target, source, capacityBytes }) => (
          <Checkbox
            key={target}
            value={target}
            label={safeText(target)}
            description={[capacityBytes === undefined ? '' : formatBytes(capacityBytes), safeText(source ?? '')]
              .filter((part) => part !== '')
              .join(' · ')}
          />
        ))}
      </Stack>
    </Checkbox.Group>
  )
}
