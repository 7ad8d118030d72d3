import { Button, Group, Stack, TextInput } from '@mantine/core'
import type { HostView } from '../../../shared/views/host-view.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import type { AddHost } from './add-host.ts'
import { AddressInput } from './address-input.tsx'
import { draftProblems, isComplete, type LoginDraft } from './login-draft.ts'
import { words } from './words.ts'

interface LoginStepProps {
  readonly addHost: AddHost
  readonly hosts: readonly HostView[]
  readonly onEdit: (change: Partial<LoginDraft>) => void
  readonly onConnect: () => void
}

const said = words.add

/** Where the host is and how to log in. */
export function LoginStep({ addHost, hosts, onEdit, onConnect }: LoginStepProps) {
  const { draft, entries, isBusy, failure } = addHost
  const problems = draftProblems(draft, hosts)
  const isReady = isComplete(draft, hosts)
  const entry = entries?.find(({ alias }) => alias === draft.address)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (isReady && !isBusy) onConnect()
      }}
    >
      <Stack gap="md">
        <AddressInput
          value={draft.address}
          entries={entries ?? []}
          problem={problems.address}
          onChange={(address) => onEdit({ address })}
        />
        <TextInput
          label={said.name}
          description={said.nameHint}
          value={draft.name}
          error={problems.name}
          autoComplete="off"
          onChange={({ currentTarget }) => onEdit({ name: currentTarget.value })}
        />
        <Group gap="md" align="flex-start" grow preventGrowOverflow={false}>
          <TextInput
            label={said.user}
            description={said.userHint}
            placeholder={entry?.user ?? (entry === undefined ? '' : said.byConfig)}
            value={draft.user}
            error={problems.user}
            autoComplete="off"
            onChange={({ currentTarget }) => onEdit({ user: currentTarget.value })}
          />
          <TextInput
            label={said.port}
            description={said.portHint}
            placeholder={String(entry?.port ?? 22)}
            value={draft.port}
            error={problems.port}
            inputMode="numeric"
            maw={140}
            onChange={({ currentTarget }) => onEdit({ port: currentTarget.value })}
          />
        </Group>
        <TextInput
          label={said.identityFile}
          description={said.identityFileHint}
          placeholder="~/.ssh/id_ed25519"
          value={draft.identityFile}
          autoComplete="off"
          onChange={({ currentTarget }) => onEdit({ identityFile: currentTarget.value })}
        />
        {failure !== undefined && <FailureNotice failure={failureShown(failure)} busy={isBusy} onRetry={onConnect} />}
        <Group justify="space-between" gap="md" c="dimmed" fz="sm">
          <span>{said.connectHint}</span>
          <Button type="submit" disabled={!isReady} loading={isBusy}>
            {said.connect}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
