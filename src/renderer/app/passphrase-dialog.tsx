import { Button, Group, Modal, PasswordInput, Stack, Text } from '@mantine/core'
import { useState, type SyntheticEvent } from 'react'
import { safeText } from '../../shared/safe-text.ts'
import type { Question } from '../../shared/views/notice-view.ts'
import { useWindow } from '../state/store-context.ts'
import { FailureNotice } from '../ui/failure-notice.tsx'
import { failureShown } from '../ui/failure-shown.ts'
import { words } from '../words.ts'
import classes from './frame.module.css'

/** Connecting has come to a locked key: one question at a time. */
export function PassphraseDialog() {
  const question = useWindow((state) => state.questions[0])
  const answer = useWindow((state) => state.answerQuestion)
  const failure = useWindow((state) => state.answerFailure)
  const decline = (): void => {
    if (question !== undefined) answer(question.id)
  }
  return (
    <Modal opened={question !== undefined} onClose={decline} title={words.passphrase.title} zIndex={400}>
      {question !== undefined && (
        <Stack gap="md">
          {failure !== undefined && <FailureNotice failure={failureShown(failure)} />}
          <PassphraseForm
            key={question.id}
            question={question}
            onAnswer={(text) => answer(question.id, text)}
            onDecline={decline}
          />
        </Stack>
      )}
    </Modal>
  )
}

interface PassphraseFormProps {
  readonly question: Question
  readonly onAnswer: (text: string) => void
  readonly onDecline: () => void
}

function PassphraseForm({ question, onAnswer, onDecline }: PassphraseFormProps) {
  const [text, setText] = useState('')
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault()
    if (text !== '') onAnswer(text)
  }
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <Text>
          {words.passphrase.text} <code className={classes['path']}>{safeText(question.identityFile)}</code>
        </Text>
        <PasswordInput
          data-autofocus
          label={words.passphrase.label}
          description={words.passphrase.kept}
          autoComplete="off"
          value={text}
          onChange={({ currentTarget }) => setText(currentTarget.value)}
        />
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onDecline}>
            {words.passphrase.decline}
          </Button>
          <Button type="submit" disabled={text === ''}>
            {words.passphrase.unlock}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
