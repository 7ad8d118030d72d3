import { Button, Group } from '@mantine/core'
import type { JobLive, JobView } from '../../../shared/views/job-view.ts'
import { failureShown } from '../../ui/failure-shown.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { Name } from '../../ui/name.tsx'
import type { JobErrand } from './activity-slice.ts'
import { livenessOf, tookMs } from './activity-view.ts'
import classes from './activity.module.css'
import { JobKindIcon } from './job-kind-icon.tsx'
import { JobLiveness, LivenessMark } from './job-liveness.tsx'
import { words } from './words.ts'

interface RunningCardProps {
  readonly job: JobView
  readonly live: JobLive | undefined
  readonly errand: JobErrand | undefined
  readonly now: Date
  readonly quiet: boolean
  readonly onOpen: (job: JobView) => void
  readonly onCancel: (job: JobView) => void
}

/** A job that runs: what, where, how far, since when. */
export function RunningCard({ job, live, errand, now, quiet, onOpen, onCancel }: RunningCardProps) {
  const liveness = livenessOf(job, live, now)
  const isStopping = liveness.is === 'cancelling' || errand?.isBusy === true
  return (
    <article className={classes['card']}>
      <div className={classes['cardHead']}>
        <JobKindIcon kind={job.kind} />
        <div className={classes['cardTitle']}>
          <span>{words.kind[job.kind]}</span>
          <b>
            <Name text={job.vm.name} />
          </b>
          <span className={classes['cardHost']}>
            <Name
              text={job.policy ? `${words.on(job.host)} · ${words.bySchedule(job.policy.name)}` : words.on(job.host)}
            />
          </span>
        </div>
        <LivenessMark liveness={isStopping ? { ...liveness, is: 'cancelling' } : liveness} />
        <Group gap="sm">
          <Button variant="default" size="xs" onClick={() => onOpen(job)}>
            {words.open}
          </Button>
          <Button variant="default" size="xs" disabled={isStopping} onClick={() => onCancel(job)}>
            {words.cancel}
          </Button>
        </Group>
      </div>
      <JobLiveness job={job} live={live} liveness={liveness} forMs={tookMs(job, now)} quiet={quiet} />
      {errand?.failure !== undefined && <FailureNotice failure={failureShown(errand.failure)} />}
    </article>
  )
}
