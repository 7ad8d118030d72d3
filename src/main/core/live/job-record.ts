import { isEnded, type JobReport, type JournalEntry, type Progress } from '../../../shared/model/job.ts'
import { ReportSoFar } from '../../../shared/job-report.ts'
import type { JobLive, JobView } from '../../../shared/views/job-view.ts'
import type { Watched } from '../jobs/follow-job.ts'
import { inShort, MOST_HELD, withinCharacters } from './held-in-short.ts'

/** One job as this computer knows it: what its journal has said so far. */
export class JobRecord {
  live: JobLive
  private shown: JobView
  private readonly soFar = new ReportSoFar()

  constructor(view: JobView, now: Date) {
    this.shown = inShort(view, MOST_HELD.ofJob)
    const { id, phases, pauses, warnings } = this.shown
    this.live = { id, phases, pauses, warnings, lastSignAt: now.toISOString(), cancelling: false }
  }

  get view(): JobView {
    return this.shown
  }

  set view(view: JobView) {
    this.shown = inShort(view, MOST_HELD.ofJob)
  }

  get isOpen(): boolean {
    return !isEnded(this.view.state)
  }

  /** True if the list of jobs has to be told, and not only what moves. */
  watched(what: Watched, now: Date): boolean {
    if (what.type === 'entry') return this.entry(what.entry, now)
    if (what.type === 'stalled') return this.become({ ...this.view, state: 'stalled' })
    if (what.type === 'lost') this.live = { ...this.live, lost: what.failure }
    else this.back(now)
    return false
  }

  progress(progress: Progress, now: Date): void {
    this.live = { ...this.live, progress, lastSignAt: now.toISOString() }
  }

  cancelling(): void {
    this.live = { ...this.live, cancelling: true }
  }

  private back(now: Date): void {
    const { lost: _, ...live } = this.live
    this.live = { ...live, lastSignAt: now.toISOString() }
  }

  private entry(entry: JournalEntry, now: Date): boolean {
    this.back(now)
    if (entry.type === 'progress') {
      this.live = { ...this.live, progress: entry.progress }
      return this.become({ ...this.view, state: this.view.state === 'stalled' ? 'running' : this.view.state })
    }
    this.soFar.add(withinCharacters(entry, MOST_HELD.ofJob))
    const { report, current } = this.soFar
    if (report === undefined) return false
    const open = current === undefined ? [] : [{ phase: current.step, startedAt: current.at, ms: 0 }]
    const { id, host } = this.view
    const isNews = this.become({ ...this.view, ...report, id, host, phases: [...report.phases, ...open] })
    const { phases, pauses, warnings } = this.view
    this.live = { ...this.live, phases, pauses, warnings }
    return isNews
  }

  private become(view: JobView): boolean {
    const before = this.view
    this.view = view
    const { state, method, pauses } = this.view
    return state !== before.state || method !== before.method || pauses.length !== before.pauses.length
  }
}

export const viewOfReport = (report: JobReport): JobView => ({
  ...report,
  retryable: report.state.startsWith('failed') || report.state === 'cancelled'
})
