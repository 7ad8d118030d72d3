import { Button } from '@mantine/core'
import { IconPlayerStop, IconRefresh, IconRestore } from '@tabler/icons-react'
import { hasSucceeded } from '../../../shared/job-words.ts'
import { isEnded } from '../../../shared/model/job.ts'
import type { JobView } from '../../../shared/views/job-view.ts'
import { words } from './words.ts'

interface JobActionsProps {
  readonly job: JobView
  /** Something asked of it is under way, or it is being stopped. */
  readonly isBusy: boolean
  /** Its point is there to be restored. */
  readonly isRestorable: boolean
  readonly onCancel: () => void
  readonly onRetry: () => void
  readonly onRestore: () => void
  readonly onOpenVm: () => void
}

/** What can be done now: stop it, ask for the same again, or go on with what it made. */
export function JobActions({ job, isBusy, isRestorable, ...on }: JobActionsProps) {
  if (!isEnded(job.state))
    return (
      <Button
        variant="default"
        leftSection={<IconPlayerStop size={16} aria-hidden />}
        disabled={isBusy}
        onClick={on.onCancel}
      >
        {words.cancelLabel(job.kind)}
      </Button>
    )
  return (
    <>
      {job.retryable && (
        <Button leftSection={<IconRefresh size={16} aria-hidden />} loading={isBusy} onClick={on.onRetry}>
          {words.retry}
        </Button>
      )}
      {isRestorable && (job.kind !== 'restore' || (!job.retryable && !hasSucceeded(job))) && (
        <Button variant="default" leftSection={<IconRestore size={16} aria-hidden />} onClick={on.onRestore}>
          {words.job.restorePoint}
        </Button>
      )}
      {job.kind === 'restore' && hasSucceeded(job) && <Button onClick={on.onOpenVm}>{words.job.openVm}</Button>}
    </>
  )
}
