import { describeFailure } from './failure-words.ts'
import { formatDuration, formatPause } from './format.ts'
import { isEnded, type JobState } from './model/job.ts'
import type { JobView } from './views/job-view.ts'

/** A job as every door tells of it: a report of the engine, or the window's view of one. */
export type ToldJob = Omit<JobView, 'retryable'>

/** The phase in which a point goes through this computer: of a copy, and of a restore that has to fetch it first. */
export const COPYING_THE_POINT = 'copying the point'

const STATE_WORDS: Readonly<Record<JobState, string>> = {
  queued: 'queued',
  running: 'running',
  stalled: 'stalled',
  recovering: 'putting things right',
  'failed-clean': 'failed; everything is as it was before',
  'failed-needs-you': 'failed, and needs you',
  done: 'done',
  'done-with-warnings': 'done, with warnings',
  cancelled: 'cancelled; everything is as it was before'
}

export const stateWords = (state: JobState): string => STATE_WORDS[state]

const KIND_WORDS = { backup: 'backup', restore: 'restore', verify: 'verification', copy: 'copy' } as const

/** `backup`, `verification`: to be used within a sentence. */
export const kindWords = (kind: ToldJob['kind']): string => KIND_WORDS[kind]

/** It ended, and did what it was asked for. */
export const hasSucceeded = ({ state }: Pick<ToldJob, 'state'>): boolean =>
  state === 'done' || state === 'done-with-warnings'

/** The one sentence on a job. Names in it are as their host has them: whoever prints them escapes them. */
export const headline = (job: ToldJob): string => `${job.vm.name} on ${job.host}: ${deedWords(job)}`

/** What follows the names in a headline: `backed up, stood still 48 ms`. */
export function deedWords(job: ToldJob): string {
  if (!hasSucceeded(job)) return `${kindWords(job.kind)} ${stateWords(job.state)}`
  switch (job.kind) {
    case 'backup':
      return `backed up, ${standstillWords(job)}`
    case 'restore':
      return `restored${job.copyOf === undefined ? '' : ' as a copy'}${job.mode === undefined ? '' : ` (${job.mode})`}${job.runningMs === undefined ? '' : `, ${runningWords(job.runningMs)}`}`
    case 'verify':
      return `point verified, ${foundWords(job)}`
    case 'copy':
      return copiedWords(job)
  }
}

/** How a job ended, for a table that names kind and VM beside it. Empty while it runs. */
export function outcomeWords(job: ToldJob): string {
  if (!isEnded(job.state)) return ''
  if (job.state === 'cancelled') return 'cancelled'
  if (job.failure !== undefined) return describeFailure(job.failure).title
  if (!hasSucceeded(job)) return stateWords(job.state)
  switch (job.kind) {
    case 'backup':
      return standstillWords(job)
    case 'restore':
      return job.runningMs === undefined ? 'defined, not started' : runningWords(job.runningMs)
    case 'verify':
      return foundWords(job)
    case 'copy':
      return copiedWords(job)
  }
}

const standstillWords = ({ method, pauseMs }: ToldJob): string =>
  method === 'offline' ? 'was shut off' : `stood still ${formatPause(pauseMs)}`

const runningWords = (runningMs: number): string => `running after ${formatDuration(runningMs)}`

function foundWords({ verify }: ToldJob): string {
  if (verify === undefined || verify.good) return 'every byte as it was taken'
  const { length } = verify.problems
  return length === 1 ? 'one file is damaged' : `${length} files are damaged`
}

const copiedWords = ({ place }: ToldJob): string => (place === undefined ? 'copied' : `copied to ${place}`)

/** What cancelling a job does, and does not do. */
export const cancelWords = (kind: ToldJob['kind']): string => CANCEL_WORDS[kind]

const CANCEL_WORDS = {
  backup: 'the VM keeps running',
  restore: 'what was there before stays as it was',
  verify: 'the point stays as it is',
  copy: 'the point stays where it was'
} as const
