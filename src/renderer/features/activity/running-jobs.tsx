import { useState } from 'react'
import type { JobView } from '../../../shared/views/job-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { useNow } from '../../ui/use-now.ts'
import { runningJobs } from './activity-view.ts'
import classes from './activity.module.css'
import { CancelDialog } from './cancel-dialog.tsx'
import { RunningCard } from './running-card.tsx'
import { words } from './words.ts'

/** Those of the jobs that run: how far each is, and the way to stop it. */
export function RunningJobs({ jobs }: { readonly jobs: readonly JobView[] }) {
  const live = useWindow((state) => state.live)
  const errands = useWindow((state) => state.jobErrands)
  const cancel = useWindow((state) => state.cancelJob)
  const go = useWindow((state) => state.go)
  const now = useNow(1000)
  const [cancelling, setCancelling] = useState<JobView>()
  const running = runningJobs(jobs)
  if (running.length === 0) return undefined
  return (
    <section className={classes['running']} aria-label={words.running(running.length)}>
      {running.map((job) => (
        <RunningCard
          key={job.id}
          job={job}
          live={live.get(job.id)}
          errand={errands.get(job.id)}
          now={now}
          quiet={running.length > 1}
          onOpen={({ id }) => go({ screen: 'job', job: id })}
          onCancel={setCancelling}
        />
      ))}
      <CancelDialog job={cancelling} onClose={() => setCancelling(undefined)} onCancel={cancel} />
    </section>
  )
}
