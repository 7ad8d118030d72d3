import { Button, Skeleton, Stack } from '@mantine/core'
import { IconActivity, IconFilterOff } from '@tabler/icons-react'
import { useCallback, useMemo } from 'react'
import type { JobView } from '../../../shared/views/job-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { PageHeader } from '../../ui/page-header.tsx'
import { ActivityFilters } from './activity-filters.tsx'
import { hostsOf, NO_FILTER, pastJobs, policiesOf } from './activity-view.ts'
import classes from './activity.module.css'
import { LastRun } from './last-run.tsx'
import { PastJobs } from './past-jobs.tsx'
import { RunningJobs } from './running-jobs.tsx'
import { words } from './words.ts'

/** Jobs that run, on top; below them those that ended. */
export function ActivityPage() {
  const jobs = useWindow((state) => state.jobs)
  return (
    <>
      <PageHeader title={words.title} subtitle={words.subtitle} />
      {jobs === undefined ? <Loading /> : jobs.length === 0 ? <NoJobs /> : <Jobs jobs={jobs} />}
    </>
  )
}

const Loading = () => (
  <Stack gap="sm" role="status" aria-busy aria-label={words.loading}>
    <Skeleton height={120} />
    <Skeleton height={56} mt="lg" />
    {Array.from({ length: 8 }, (_, n) => (
      <Skeleton key={n} height={48} />
    ))}
  </Stack>
)

function NoJobs() {
  const go = useWindow((state) => state.go)
  return (
    <EmptyState icon={IconActivity} title={words.empty.title} text={words.empty.text}>
      <Button variant="default" onClick={() => go({ screen: 'hosts' })}>
        {words.empty.go}
      </Button>
    </EmptyState>
  )
}

const Jobs = ({ jobs }: { readonly jobs: readonly JobView[] }) => (
  <Stack gap="xl">
    <RunningJobs jobs={jobs} />
    <Past jobs={jobs} />
  </Stack>
)

function Past({ jobs }: { readonly jobs: readonly JobView[] }) {
  const filter = useWindow((state) => state.jobFilter)
  const change = useWindow((state) => state.filterJobs)
  const go = useWindow((state) => state.go)
  const retry = useWindow((state) => state.retryJob)
  const ended = useMemo(() => pastJobs(jobs, NO_FILTER), [jobs])
  const shown = useMemo(() => pastJobs(jobs, filter), [jobs, filter])
  const open = useCallback(({ id }: JobView) => go({ screen: 'job', job: id }), [go])
  const again = useCallback(({ id }: JobView) => retry(id), [retry])
  if (ended.length === 0) return undefined
  const count = words.countOf(shown.length, ended.length)
  return (
    <section className={classes['past']} aria-label={words.past}>
      <ActivityFilters
        filter={filter}
        hosts={hostsOf(jobs)}
        policies={policiesOf(jobs)}
        count={count}
        onChange={change}
      />
      <LastRun policy={policiesOf(jobs).find(({ id }) => id === filter.policy)} />
      <RetryFailures />
      {shown.length > 0 ? (
        <PastJobs jobs={shown} onOpen={open} onRetry={again} />
      ) : (
        <EmptyState icon={IconFilterOff} title={words.noMatch.title} text={words.noMatch.text}>
          <Button variant="default" onClick={() => change(NO_FILTER)}>
            {words.filters.clear}
          </Button>
        </EmptyState>
      )}
    </section>
  )
}

/** What could not be begun again from the list. */
function RetryFailures() {
  const errands = useWindow((state) => state.jobErrands)
  const refused = [...errands].filter(([, { what, failure }]) => what === 'retry' && failure !== undefined).slice(-1)
  return refused.map(
    ([job, { failure }]) => failure !== undefined && <FailureNotice key={job} failure={failureShown(failure)} />
  )
}
