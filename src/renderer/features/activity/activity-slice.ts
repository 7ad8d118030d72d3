import type { StateCreator } from 'zustand/vanilla'
import type { Bridge } from '../../../shared/contract.ts'
import type { Failure } from '../../../shared/failure.ts'
import type { LogLine } from '../../../shared/views/job-view.ts'
import { ask } from '../../state/ask.ts'
import type { RouteSlice } from '../../state/route-slice.ts'
import { NO_FILTER, type JobFilter } from './activity-view.ts'

/** Something asked of a job: still under way, or refused. */
export interface JobErrand {
  readonly what: 'cancel' | 'retry'
  readonly isBusy: boolean
  readonly failure: Failure | undefined
}

export interface JobLog {
  readonly job: string
  /** As last read; undefined until then. */
  readonly lines: readonly LogLine[] | undefined
  readonly failure: Failure | undefined
}

export interface ActivitySlice {
  readonly jobFilter: JobFilter
  readonly filterJobs: (change: Partial<JobFilter>) => void
  /** By job. */
  readonly jobErrands: ReadonlyMap<string, JobErrand>
  readonly cancelJob: (id: string) => void
  /** Asks for the same again, and goes to the new job. */
  readonly retryJob: (id: string) => void
  readonly jobLog: JobLog | undefined
  readonly readJobLog: (id: string) => void
}

export const activitySlice =
  (core: Bridge): StateCreator<ActivitySlice & RouteSlice, [], [], ActivitySlice> =>
  (set, get) => {
    let reading = 0
    const errandIs = (id: string, errand: JobErrand | undefined): void => {
      const others = [...get().jobErrands].filter(([job]) => job !== id)
      set({ jobErrands: new Map(errand === undefined ? others : [...others, [id, errand]]) })
    }
    const begin = (id: string, what: JobErrand['what']): boolean => {
      if (get().jobErrands.get(id)?.isBusy === true) return false
      errandIs(id, { what, isBusy: true, failure: undefined })
      return true
    }
    const cancel = async (id: string): Promise<void> => {
      if (!begin(id, 'cancel')) return
      const answer = await ask(() => core.jobs.cancel(id))
      errandIs(id, answer.ok ? undefined : { what: 'cancel', isBusy: false, failure: answer.failure })
    }
    const retry = async (id: string): Promise<void> => {
      if (!begin(id, 'retry')) return
      const answer = await ask(() => core.jobs.retry(id))
      errandIs(id, answer.ok ? undefined : { what: 'retry', isBusy: false, failure: answer.failure })
      if (answer.ok) get().go({ screen: 'job', job: answer.value.id })
    }
    const readLog = async (id: string): Promise<void> => {
      const mine = ++reading
      const before = get().jobLog
      if (before?.job !== id) set({ jobLog: { job: id, lines: undefined, failure: undefined } })
      const answer = await ask(() => core.jobs.log(id))
      if (mine !== reading) return // another log, or this one anew, was asked for meanwhile
      const lines = answer.ok ? answer.value : get().jobLog?.lines
      set({ jobLog: { job: id, lines, failure: answer.ok ? undefined : answer.failure } })
    }
    return {
      jobFilter: NO_FILTER,
      filterJobs: (change) => set({ jobFilter: { ...get().jobFilter, ...change } }),
      jobErrands: new Map(),
      cancelJob: (id) => void cancel(id),
      retryJob: (id) => void retry(id),
      jobLog: undefined,
      readJobLog: (id) => void readLog(id)
    }
  }
