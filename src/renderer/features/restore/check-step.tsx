import { Text } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useEffect, useState } from 'react'
import { safeText } from '../../../shared/safe-text.ts'
import { useWindow } from '../../state/store-context.ts'
import { failureShown } from '../../ui/failure-shown.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { CheckPanel } from './check-panel.tsx'
import { ConfirmRestore } from './confirm-restore.tsx'
import { withDecision, withoutDecision } from './decisions.ts'
import { notAskedText, remarksOf, sentenceOf } from './restore-text.ts'
import { keyOf, lineFor, questionOf, replacedBy, type Chosen } from './restore-view.ts'

/** Asks the host anew when a choice changes, and lets nobody begin on an answer to something else. */
export function CheckStep({ chosen }: { readonly chosen: Chosen }) {
  const ask = useWindow((state) => state.checkRestore)
  const check = useWindow((state) => state.restoreCheck)
  const edit = useWindow((state) => state.editRestore)
  const [confirms, setConfirms] = useState(false)
  const question = questionOf(chosen)
  const key = keyOf(question)
  const [settledKey] = useDebouncedValue(key, 250)
  useEffect(() => {
    if (question !== undefined && key === settledKey) ask(question)
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the key is the question
  }, [ask, key, settledKey])
  if (question === undefined || chosen.host === undefined) return <Text c="dimmed">{notAskedText(chosen)}</Text>
  const answer = check?.of === key ? check : undefined
  const view = answer?.view
  if (answer?.failure !== undefined)
    return <FailureNotice failure={failureShown(answer.failure)} onRetry={() => ask(question)} />
  return (
    <>
      <Text>
        <bdi>{sentenceOf(chosen)}</bdi>
      </Text>
      <CheckPanel
        view={view}
        host={safeText(chosen.host.name)}
        remarks={view === undefined ? [] : remarksOf(chosen, view)}
        line={view && lineFor(question, replacedBy(chosen, view))}
        decisions={chosen.decisions}
        onDecide={(decision) => edit({ decisions: withDecision(chosen.decisions, decision) })}
        onTakeBack={(decision) => edit({ decisions: withoutDecision(chosen.decisions, decision) })}
        onRestore={() => setConfirms(true)}
        onCheckAgain={() => ask(question)}
      />
      {view !== undefined && confirms && (
        <Confirm chosen={chosen} replaces={replacedBy(chosen, view)} onClose={() => setConfirms(false)} />
      )}
    </>
  )
}

interface ConfirmProps {
  readonly chosen: Chosen
  readonly replaces: ReturnType<typeof replacedBy>
  readonly onClose: () => void
}

function Confirm({ chosen, replaces, onClose }: ConfirmProps) {
  const { isBusy, failure } = useWindow((state) => state.restoreErrand)
  const start = useWindow((state) => state.startRestore)
  const forget = useWindow((state) => state.forgetRestoreFailure)
  const question = questionOf(chosen)
  if (question === undefined) return undefined
  return (
    <ConfirmRestore
      opened
      vm={chosen.point?.vm.name ?? ''}
      host={question.to}
      sentence={sentenceOf(chosen)}
      replaces={replaces}
      busy={isBusy}
      failure={failure}
      onConfirm={() => start({ ...question, replace: replaces !== undefined })}
      onClose={() => {
        forget()
        onClose()
      }}
    />
  )
}
