import { isEnded, type JobReport, type JournalEntry, type Progress } from '../../../shared/model/job.ts'
import { ReportSoFar } from '../../../shared/job-report.ts'
import type { JobLive, JobView } from '../../../shared/views/job-view.ts'
import type { Watched } from '../jobs/follow-job.ts'
import { inShort, MOST_HELD, withinCharacters } from './held-in-short.ts'

type Seen = Pick<JobView, 'state' | 'method'> & { readonly pauses: number }

/**
 * One job as this computer knows it: what its journal has said so far. Made of that when somebody is to see it, and not at each of
 * thousands of entries.
 */
export class JobRecord {
  private shown: JobView
  private moves: JobLive
  private readonly soFar = new ReportSoFar()
  /** The journal has said more than what is shown. */
  private isBehind = false
  private isStalled = false
  private seen: Seen

  constructor(view: JobView, now: Date) {
    this.shown = inShort(view, MOST_HELD.ofJob)
    const { id, phases, pauses, warnings } = this.shown
    this.moves = { id, phases, pauses, warnings, lastSignAt: now.toISOString(), cancelling: false }
    this.seen = seenOf(this.shown)
  }

  get view(): JobView {
    this.catchUp()
    return this.shown
  }

  set view(view: JobView) {
    this.catchUp()
    this.shown = inShort(view, MOST_HELD.ofJob)
    this.seen = seenOf(this.shown)
  }

  get live(): JobLive {
    this.catchUp()
    return this.moves
  }

  get isOpen(): boolean {
    return !isEnded(this.view.state)
  }

  /** True if the list of jobs has to be told, and not only what moves. */
  watched(what: Watched, now: Date): boolean {
    if (what.type === 'entry') return this.entry(what.entry, now)
    if (what.type === 'stalled') return this.stalled(true)
    if (what.type === 'lost') this.moves = { ...this.moves, lost: what.failure }
    else this.back()
    return false
  }

  progress(progress: Progress, now: Date): void {
    this.moves = { ...this.moves, progress, lastSignAt: now.toISOString() }
  }

  cancelling(): void {
    this.moves = { ...this.moves, cancelling: true }
  }

  private back(): void {
    const { lost: _, ...moves } = this.moves
    this.moves = moves
  }

  private entry(entry: JournalEntry, now: Date): boolean {
    this.moves = { ...this.moves, lastSignAt: now.toISOString() }
    const isAlive = this.stalled(false)
    if (entry.type === 'note') return isAlive
    if (entry.type === 'progress') {
      this.moves = { ...this.moves, progress: entry.progress }
      return isAlive
    }
    this.soFar.add(withinCharacters(entry, MOST_HELD.ofJob))
    this.isBehind = true
    return this.isNews() || isAlive
  }

  private stalled(isStalled: boolean): boolean {
    if (this.isStalled === isStalled) return false
    this.isStalled = isStalled
    this.shown = { ...this.view, state: isStalled ? 'stalled' : (this.soFar.report?.state ?? 'running') }
    return this.isNews()
  }

  private isNews(): boolean {
    const before = this.seen
    const { report } = this.soFar
    this.seen =
      this.isStalled || report === undefined ? seenOf(this.shown) : { ...seenOf(this.shown), ...seenOf(report) }
    const { state, method, pauses } = this.seen
    return state !== before.state || method !== before.method || pauses !== before.pauses
  }

  private catchUp(): void {
    const { report, current } = this.soFar
    if (!this.isBehind || report === undefined) return
    this.isBehind = false
    const open = current === undefined ? [] : [{ phase: current.step, startedAt: current.at, ms: 0 }]
    const { id, host } = this.shown
    this.shown = inShort({ ...this.shown, ...report, id, host, phases: [...report.phases, ...open] }, MOST_HELD.ofJob)
    const { phases, pauses, warnings } = this.shown
    this.moves = { ...this.moves, phases, pauses, warnings }
  }
}

/** What of a job the list of jobs has to tell at once. */
const seenOf = ({ state, method, pauses }: JobView | JobReport): Seen => ({
  state,
  ...(method !== undefined && { method }),
  pauses: pauses.length
})

export const viewOfReport = (report: JobReport): JobView => ({
  ...report,
  retryable: report.state.startsWith('failed') || report.state === 'cancelled'
})
