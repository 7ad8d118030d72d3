import { describe, expect, it } from 'vitest'
import { JobRecord, viewOfReport } from '../../../src/main/core/live/job-record.ts'
import { reportAtStart } from '../../../src/shared/job-report.ts'
import type { BackupSpec, JournalEvent } from '../../../src/shared/model/job.ts'

const AT = '2026-11-25T09:00:00.000Z'
const spec: BackupSpec = {
  kind: 'backup',
  vm: '11111111-2222-4333-8444-555555555555',
  vmName: 'web1',
  hostName: 'alpha',
  store: '/srv/points',
  budgetMs: 300,
  onBusy: 'pause'
}
const id = '20261125T090000Z-abcdef'
const events: JournalEvent[] = [
  { type: 'begin', id, spec, bootId: 'b', engine: '0.1.0' },
  { type: 'fact', fact: { method: 'live', methodReason: 'the VM is running' } },
  { type: 'step', step: 'snapshot' },
  { type: 'progress', progress: { phase: 'saving RAM', doneBytes: 1, totalBytes: 2 } },
  { type: 'pause', pause: { phase: 'memory', startedAt: AT, endedAt: AT, ms: 48, source: 'qemu-events' } },
  { type: 'step-done', step: 'snapshot', ms: 900 },
  { type: 'step', step: 'copy' }
]
const entries = events.map((event, n) => ({ ...event, n, at: AT }))

function watched(count: number): { record: JobRecord; news: boolean[] } {
  const record = new JobRecord(viewOfReport(reportAtStart(id, spec, AT)), new Date(AT))
  const news = entries.slice(0, count).map((entry) => record.watched({ type: 'entry', entry }, new Date(AT)))
  return { record, news }
}

describe('a job as it is watched', () => {
  it('shows what goes on: the phase that has begun, those that are over, the pause', () => {
    const { record } = watched(entries.length)
    expect(record.view).toMatchObject({ state: 'running', method: 'live', pauseMs: 48 })
    expect(record.live.phases.map(({ phase, ms }) => [phase, ms])).toEqual([
      ['snapshot', 900],
      ['copy', 0]
    ])
    expect(record.live).toMatchObject({ progress: { phase: 'saving RAM' }, pauses: [{ ms: 48 }] })
  })

  it('is news to the list only when it begins, has chosen its method, or has paused its VM', () => {
    expect(watched(entries.length).news).toEqual([true, true, false, false, true, false, false])
  })

  it('is stalled after a silence, and runs again with the next progress', () => {
    const { record } = watched(4)
    expect(record.watched({ type: 'stalled', quietMs: 60_000 }, new Date(AT))).toBe(true)
    expect(record.view.state).toBe('stalled')
    const entry = {
      type: 'progress',
      progress: { phase: 'copying vda', doneBytes: 0, totalBytes: 1 },
      n: 9,
      at: AT
    } as const
    expect(record.watched({ type: 'entry', entry }, new Date(AT))).toBe(true)
    expect(record.view.state).toBe('running')
  })

  it('says that the connection is gone, and that it is back, without ending', () => {
    const { record } = watched(4)
    const failure = { kind: 'connection-lost', host: 'alpha', during: 'follow' } as const
    record.watched({ type: 'lost', failure, retryInMs: 1000 }, new Date(AT))
    expect([record.live.lost, record.isOpen]).toEqual([failure, true])
    record.watched({ type: 'back' }, new Date('2026-11-25T09:30:00.000Z'))
    // That its host answers again is no sign of life of the job.
    expect(record.live).toMatchObject({ lastSignAt: AT })
    expect(record.live.lost).toBeUndefined()
  })
})
