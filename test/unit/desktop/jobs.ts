import type { JobLive, JobView } from '../../../src/shared/views/job-view.ts'
import type { Seen } from '../../../src/main/desktop/mirror.ts'

/** A job of a VM, running unless said otherwise. */
export const jobOf = (n: number, changes: Partial<JobView> = {}): JobView => ({
  id: `20261125T10${String(n).padStart(4, '0')}Z-00000${n % 10}`,
  kind: 'backup',
  host: 'alpha',
  vm: { uuid: `00000000-0000-4000-8000-00000000000${n % 10}`, name: `web${n}` },
  state: 'running',
  startedAt: '2026-11-25T10:00:00.000Z',
  pauses: [],
  pauseMs: 48,
  phases: [],
  warnings: [],
  retryable: false,
  ...changes
})

export const ended = (job: JobView, state: JobView['state'], endedAt = '2026-11-25T10:05:00.000Z'): JobView => ({
  ...job,
  state,
  endedAt
})

export const liveOf = (job: JobView, phase: string, doneBytes = 0, totalBytes = 0): JobLive => ({
  id: job.id,
  progress: { phase, doneBytes, totalBytes },
  phases: [],
  pauses: [],
  warnings: [],
  lastSignAt: '2026-11-25T10:01:00.000Z',
  cancelling: false
})

export const seenOf = (changes: Partial<Seen> = {}): Seen => ({
  hosts: undefined,
  points: undefined,
  jobs: undefined,
  choices: undefined,
  live: [],
  notices: [],
  ...changes
})
