import { Button, Skeleton, Stack, Text, VisuallyHidden } from '@mantine/core'
import { IconQuestionMark } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { formatTime } from '../../../shared/format.ts'
import { isEnded } from '../../../shared/model/job.ts'
import type { JobView } from '../../../shared/views/job-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { PageHeader } from '../../ui/page-header.tsx'
import { Panel } from '../../ui/panel.tsx'
import { useNow } from '../../ui/use-now.ts'
import { livenessOf, tookMs } from './activity-view.ts'
import classes from './activity.module.css'
import { CancelDialog } from './cancel-dialog.tsx'
import { JobActions } from './job-actions.tsx'
import { JobFacts } from './job-facts.tsx'
import { JobHeadline } from './job-headline.tsx'
import { JobHero, JobStrip } from './job-hero.tsx'
import { JobLiveness, LivenessMark } from './job-liveness.tsx'
import { JobLog } from './job-log.tsx'
import { JobFindings, JobWarnings } from './job-remarks.tsx'
import { factsOf, heroOf, logMark, ramBytesOf } from './job-view.ts'
import { OutcomeMark } from './outcome-mark.tsx'
import { useJobLinks } from './use-job-links.ts'
import { words } from './words.ts'

/** One job: what became of it in a sentence, what it cost the VM, and everything else below. */
export function JobPage() {
  const route = useWindow((state) => state.route)
  const jobs = useWindow((state) => state.jobs)
  const id = route.screen === 'job' ? route.job : ''
  if (jobs === undefined) return <Loading />
  const job = jobs.find((each) => each.id === id)
  return job === undefined ? <Unknown /> : <Job key={id} job={job} />
}

const Loading = () => (
  <Stack gap="md" role="status" aria-busy aria-label={words.job.loading}>
    <Skeleton height={32} width="60%" />
    <Skeleton height={160} />
    <Skeleton height={240} />
  </Stack>
)

function Unknown() {
  const go = useWindow((state) => state.go)
  return (
    <>
      <PageHeader title={words.job.unknownTitle} />
      <EmptyState icon={IconQuestionMark} title={words.job.unknownTitle} text={words.job.unknownText}>
        <Button variant="default" onClick={() => go({ screen: 'activity' })}>
          {words.job.toActivity}
        </Button>
      </EmptyState>
    </>
  )
}

function Job({ job }: { readonly job: JobView }) {
  const hosts = useWindow((state) => state.hosts)
  const run = useWindow((state) => state.runs?.find(({ id, host }) => id === job.run && host === job.host))
  const links = useJobLinks(job)
  return (
    <>
      <Top job={job} links={links} />
      <Stack gap="lg">
        {isEnded(job.state) ? <Failure job={job} onHost={() => links.follow('host')} /> : <Going job={job} />}
        {isEnded(job.state) && <JobHero job={job} hero={heroOf(job, ramBytesOf(hosts, job))} />}
        <JobFindings verify={job.verify} />
        {isEnded(job.state) && <JobWarnings warnings={job.warnings} />}
        <div className={classes['columns']}>
          <JobFacts facts={factsOf(job, NEVER, run)} onLink={links.follow} />
          {KEEPS_LOG.includes(job.kind) && <Log job={job} />}
        </div>
      </Stack>
    </>
  )
}

/** Verifying and copying run in Stillpoint itself, and no host writes a journal of them. */
const KEEPS_LOG: readonly JobView['kind'][] = ['backup', 'restore']

/** Facts tell of a time only when the job has ended. */
const NEVER = new Date(0)

interface TopProps {
  readonly job: JobView
  readonly links: ReturnType<typeof useJobLinks>
}

function Top({ job, links }: TopProps) {
  const [asks, setAsks] = useState(false)
  const cancel = useWindow((state) => state.cancelJob)
  const retry = useWindow((state) => state.retryJob)
  const errand = useWindow((state) => state.jobErrands.get(job.id))
  const live = useWindow((state) => state.live.get(job.id))
  return (
    <>
      <PageHeader
        title={<JobHeadline job={job} />}
        subtitle={isEnded(job.state) ? <Ended job={job} /> : undefined}
        actions={
          <JobActions
            job={job}
            isBusy={errand?.isBusy === true || live?.cancelling === true}
            isRestorable={links.hasPoint}
            onCancel={() => setAsks(true)}
            onRetry={() => retry(job.id)}
            onRestore={links.restore}
            onOpenVm={() => links.follow('vm')}
          />
        }
      />
      {errand?.failure !== undefined && <FailureNotice failure={failureShown(errand.failure)} />}
      <CancelDialog job={asks ? job : undefined} onClose={() => setAsks(false)} onCancel={cancel} />
      <VisuallyHidden role="status">{job.failure === undefined ? <JobHeadline job={job} /> : ''}</VisuallyHidden>
    </>
  )
}

const Ended = ({ job }: { readonly job: JobView }) => (
  <span className={classes['endedLine']}>
    <OutcomeMark job={job} />
    <span>{formatTime(job.startedAt)}</span>
    <span>{words.took(tookMs(job, NEVER))}</span>
  </span>
)

function Going({ job }: { readonly job: JobView }) {
  const live = useWindow((state) => state.live.get(job.id))
  const now = useNow(1000)
  const liveness = livenessOf(job, live, now)
  return (
    <Panel title={<LivenessMark liveness={liveness} />}>
      <JobLiveness job={job} live={live} liveness={liveness} forMs={tookMs(job, now)} quiet={false} />
      {live !== undefined && <JobStrip startedAt={job.startedAt} endedAt={undefined} {...live} />}
      {live !== undefined && <JobWarnings warnings={live.warnings} />}
    </Panel>
  )
}

interface FailureProps {
  readonly job: JobView
  readonly onHost: () => void
}

/** Why it failed, and what to do about it. What was cancelled did not fail. */
function Failure({ job, onHost }: FailureProps) {
  if (job.failure === undefined || job.state === 'cancelled') return undefined
  return (
    <>
      <VisuallyHidden component="h2">{words.job.why}</VisuallyHidden>
      <FailureNotice failure={failureShown(job.failure)} />
      {job.state === 'failed-needs-you' && (
        <Panel>
          <Text>{words.job.needsYou}</Text>
          <div>
            <Button variant="default" onClick={onHost}>
              {words.job.lookAtHost}
            </Button>
          </div>
        </Panel>
      )}
    </>
  )
}

function Log({ job }: { readonly job: JobView }) {
  const log = useWindow((state) => state.jobLog)
  const read = useWindow((state) => state.readJobLog)
  const live = useWindow((state) => state.live.get(job.id))
  const mark = logMark(job, live)
  useEffect(() => read(job.id), [read, job.id, mark])
  return <JobLog log={log?.job === job.id ? log : undefined} onRetry={() => read(job.id)} />
}
