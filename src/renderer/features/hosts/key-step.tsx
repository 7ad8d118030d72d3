import { Button, Group, Stack, TextInput, Title } from '@mantine/core'
import { useState } from 'react'
import type { Failure, FailureOf } from '../../../shared/failure.ts'
import { openSshForgets } from '../../../shared/failure-words.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import type { KeyFailure } from './add-host.ts'
import { KeyFacts } from './key-facts.tsx'
import { words } from './words.ts'

interface KeyStepProps {
  readonly name: string
  /** What the host's key was refused for. */
  readonly failing: KeyFailure
  readonly isBusy: boolean
  readonly failure: Failure | undefined
  readonly onVouch: (fingerprint: string) => void
  readonly onAccept: (fingerprint: string, knownIn: string) => void
  readonly onBack: () => void
}

const said = words.key

/** The key of a new host: nobody knows it yet, or another one is written down. */
export function KeyStep({ name, failing, isBusy, failure, onVouch, onAccept, onBack }: KeyStepProps) {
  const isNew = failing.kind === 'host-key-unknown'
  const host = safeText(failing.host)
  return (
    <Stack gap="md">
      <Title order={3}>{isNew ? said.unknownTitle(host) : said.changedTitle(host)}</Title>
      <KeyFacts failure={failing} />
      {failure !== undefined && <FailureNotice failure={failureShown(failure)} />}
      {failing.kind === 'host-key-unknown' ? (
        <Answers isBusy={isBusy} onBack={onBack} label={said.right} onYes={() => onVouch(failing.fingerprint)} />
      ) : (
        <ChangedAnswers {...{ name, failing, isBusy, onAccept, onBack }} />
      )}
    </Stack>
  )
}

interface ChangedAnswersProps extends Pick<KeyStepProps, 'name' | 'isBusy' | 'onAccept' | 'onBack'> {
  readonly failing: FailureOf<'host-key-changed'>
}

/** Taking another key than the one that was expected wants the name typed, so that it is never just a click too many. */
function ChangedAnswers({ name, failing, isBusy, onAccept, onBack }: ChangedAnswersProps) {
  const [typed, setTyped] = useState('')
  const isTheirs = openSshForgets(failing) !== undefined
  return (
    <Stack gap="md">
      <TextInput
        label={said.confirm(name)}
        value={typed}
        autoComplete="off"
        onChange={({ currentTarget }) => setTyped(currentTarget.value)}
      />
      <Answers
        isBusy={isBusy}
        onBack={onBack}
        label={isTheirs ? said.forgotten : said.accept}
        isAllowed={typed.trim() === name}
        onYes={() => onAccept(failing.fingerprint, failing.knownIn)}
      />
    </Stack>
  )
}

interface AnswersProps {
  readonly label: string
  readonly isAllowed?: boolean
  readonly isBusy: boolean
  readonly onBack: () => void
  readonly onYes: () => void
}

const Answers = ({ label, isAllowed = true, isBusy, onBack, onYes }: AnswersProps) => (
  <Group justify="flex-end" gap="sm">
    <Button variant="default" data-autofocus onClick={onBack}>
      {words.add.back}
    </Button>
    <Button disabled={!isAllowed} loading={isBusy} onClick={onYes}>
      {label}
    </Button>
  </Group>
)
