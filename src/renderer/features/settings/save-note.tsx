import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { StateMark } from '../../ui/state-mark.tsx'
import classes from './settings.module.css'
import type { Save } from './settings-slice.ts'
import { words } from './words.ts'

interface SaveProps {
  readonly save: Save | undefined
}

/** How the last change went, quietly, beside the name of what was changed. */
export function SaveNote({ save }: SaveProps) {
  return (
    <span className={classes['saved']} role="status">
      {save?.state === 'saved' && <StateMark tone="good" label={words.saved} />}
      {save?.state === 'saving' && <StateMark tone="busy" label={words.saving} />}
    </span>
  )
}

/** Why it was not saved, at the field. */
export function SaveFailure({ save }: SaveProps) {
  if (save?.state !== 'failed') return undefined
  return (
    <div className={classes['failed']}>
      <FailureNotice failure={failureShown(save.failure)} />
    </div>
  )
}
