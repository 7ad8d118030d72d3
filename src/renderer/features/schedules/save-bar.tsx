import { Button, Text } from '@mantine/core'
import { useWindow } from '../../state/store-context.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import type { Editor } from './editor-view.ts'
import { formWords } from './form-words.ts'
import { draftOf, type PolicyForm } from './policy-form.ts'
import type { PolicyProblems } from './policy-problems.ts'
import classes from './schedules.module.css'

interface SaveBarProps {
  readonly editor: Editor
  readonly form: PolicyForm
  readonly problems: PolicyProblems
}

/** Saves, and says beside the button why it cannot, or why it was refused. Always in sight. */
export function SaveBar({ editor, form, problems }: SaveBarProps) {
  const { isBusy, failure } = useWindow((state) => state.scheduleSave)
  const save = useWindow((state) => state.saveSchedule)
  const leave = useWindow((state) => state.leaveSchedule)
  const count = Object.keys(problems).length
  const begin = (acceptStore: boolean) => (): void => save(form.host, draftOf(form, editor.id), acceptStore)
  const first = Object.values(problems)[0]
  return (
    <div className={classes['saveBar']}>
      {failure !== undefined && <FailureNotice failure={failureShown(failure)} busy={isBusy} onRetry={begin(false)} />}
      {failure?.kind === 'store-changed' && (
        <div className={classes['accept']}>
          <Text fz="sm">{formWords.acceptText}</Text>
          <Button variant="default" loading={isBusy} onClick={begin(true)}>
            {formWords.acceptStore}
          </Button>
        </div>
      )}
      <div className={classes['saveButtons']}>
        <Text c="dimmed" fz="sm" role="status">
          {count > 0 && (count === 1 ? first : formWords.toDo(count))}
        </Text>
        <Button variant="default" onClick={leave}>
          {formWords.cancel}
        </Button>
        <Button disabled={count > 0} loading={isBusy} onClick={begin(false)}>
          {formWords.save[editor.edit]}
        </Button>
      </div>
    </div>
  )
}
