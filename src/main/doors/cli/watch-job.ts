import { cancelJob, watchJob } from '../../core/jobs/jobs.ts'
import type { Watched } from '../../core/jobs/follow-job.ts'
import { describeFailure } from '../../../shared/failure-words.ts'
import { isFailure } from '../../../shared/failure.ts'
import { formatDuration, formatPause } from '../../../shared/format.ts'
import { cancelWords } from '../../../shared/job-words.ts'
import type { JobKind, JobReport, JournalEntry } from '../../../shared/model/job.ts'
import type { Output } from './output.ts'
import type { Session } from './session.ts'

export interface WatchedJob {
  readonly kind: JobKind
  readonly host: string
  readonly id: string
  readonly vm: string
}

/** Shows a job until it ends. Undefined: it was left running, by wish of the person or because there was none to ask. */
export async function watchToEnd(session: Session, job: WatchedJob): Promise<JobReport | undefined> {
  const { core, out, interrupts } = session
  const leave = new AbortController()
  out.event('job', { id: job.id, host: job.host, kind: job.kind, vm: job.vm })
  const onInterrupt = onlyOneAtATime(async () => {
    const answer = await askWhatToDo(session, job)
    if (answer === 'leave') leave.abort()
    // Its end arrives where the job is watched; a cancel that does not get through is shown by the job going on.
    if (answer === 'cancel') await cancelJob(core, job.host, job.id).catch(() => undefined)
  })
  try {
    const watch = (): Promise<JobReport> =>
      watchJob(core, job.host, job.id, { onWatched: (what) => show(out, job, what), signal: leave.signal })
    return await interrupts.handledBy(onInterrupt, watch)
  } catch (error) {
    if (!leave.signal.aborted || !isFailure(error, 'cancelled')) throw error
    return undefined
  } finally {
    out.clear()
  }
}

/** A second Ctrl-C while the first is being answered changes nothing. */
function onlyOneAtATime(work: () => Promise<void>): () => void {
  let busy = false
  return () => {
    if (busy) return
    busy = true
    void work().finally(() => (busy = false))
  }
}

async function askWhatToDo({ terminal, out }: Session, job: WatchedJob): Promise<'cancel' | 'leave' | 'go on'> {
  if (!terminal.interactive) return 'leave'
  out.clear()
  const answer = await terminal.ask([
    '',
    `[c] cancel the ${job.kind}; ${cancelWords(job.kind)}`,
    `[l] leave it running on ${job.host}, and end here`,
    '[Enter] go on watching',
    '> '
  ])
  if (answer === undefined || /^l/i.test(answer)) return 'leave'
  return /^c/i.test(answer) ? 'cancel' : 'go on'
}

function show(out: Output, job: WatchedJob, what: Watched): void {
  if (what.type === 'entry') showEntry(out, what.entry)
  else if (what.type === 'stalled') {
    out.event('stalled', { quietMs: what.quietMs })
    if (!out.json) out.note(`No sign of life from the ${job.kind} for ${formatDuration(what.quietMs)}.`, 'warning')
  } else if (what.type === 'lost') {
    out.event('lost', { failure: what.failure, retryInMs: what.retryInMs })
    if (!out.json)
      out.note(
        `${describeFailure(what.failure).title}. The ${job.kind} goes on there; trying again in ${formatDuration(what.retryInMs)}.`
      )
  } else {
    out.event('back', {})
    if (!out.json) out.note(`${job.host} answers again.`)
  }
}

function showEntry(out: Output, entry: JournalEntry): void {
  if (entry.type === 'progress') out.progress(entry.progress)
  else if (entry.type === 'warning') out.note(entry.text, 'warning')
  else if (entry.type === 'pause') {
    out.event('pause', { pause: entry.pause })
    if (!out.json) out.note(`stood still ${formatPause(entry.pause.ms)} (${entry.pause.phase})`)
  } else if (entry.type === 'step') out.event('step', { step: entry.step })
  else if (entry.type === 'note' && out.json) out.note(entry.text)
}
