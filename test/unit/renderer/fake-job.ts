import type { JobLive, JobView } from '../../../src/shared/views/job-view.ts'

/** A live backup that went well; tests say what is different. */
export const aJob = (more: Partial<JobView> = {}): JobView => ({
  id: '20261122T201744Z-7f3a21',
  kind: 'backup',
  host: 'alpha',
  vm: { uuid: '00000001-0000-4000-8000-000000000001', name: 'web1' },
  state: 'done',
  startedAt: '2026-11-22T20:17:44.000Z',
  endedAt: '2026-11-22T20:19:44.000Z',
  point: '20261122T201744Z-7f3a21',
  method: 'live',
  pauses: [
    {
      phase: 'memory',
      startedAt: '2026-11-22T20:17:46.000Z',
      endedAt: '2026-11-22T20:17:46.048Z',
      ms: 48,
      source: 'qemu-events'
    }
  ],
  pauseMs: 48,
  phases: [],
  warnings: [],
  retryable: false,
  ...more
})

export const aLive = (more: Partial<JobLive> = {}): JobLive => ({
  id: '20261122T201744Z-7f3a21',
  phases: [],
  pauses: [],
  warnings: [],
  lastSignAt: '2026-11-22T20:17:50.000Z',
  cancelling: false,
  ...more
})
