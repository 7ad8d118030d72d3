import { describe, expect, it } from 'vitest'
import { downMs, downtimesOf, type TimedPoint } from '../../../src/shared/downtimes.ts'
import type { ToldJob } from '../../../src/shared/job-words.ts'

const vm = { uuid: '00000001-0000-4000-8000-000000000001', name: 'web1' }
const backup: ToldJob = {
  id: '20261122T200000Z-000001',
  kind: 'backup',
  host: 'alpha',
  vm,
  state: 'done',
  startedAt: '2026-11-22T20:00:00.000Z',
  point: '20261122T200000Z-000001',
  method: 'live',
  pauses: [
    {
      phase: 'memory',
      startedAt: '2026-11-22T20:00:02.000Z',
      endedAt: '2026-11-22T20:00:02.048Z',
      ms: 48,
      source: 'qemu-events'
    }
  ],
  pauseMs: 48,
  phases: [{ phase: 'copy', startedAt: '2026-11-22T20:00:03.000Z', ms: 9000 }],
  warnings: []
}
const restore: ToldJob = {
  ...backup,
  id: '20261123T000000Z-000002',
  kind: 'restore',
  startedAt: '2026-11-23T00:00:00.000Z',
  mode: 'resume',
  runningMs: 1200,
  pauses: [],
  pauseMs: 0
}
const point: TimedPoint = {
  id: '20261122T200000Z-000001',
  vm,
  host: 'alpha',
  takenAt: '2026-11-22T20:00:02.000Z',
  method: 'live',
  pauseMs: 48
}

describe('downtimes', () => {
  it('tell each backup once, by its job where there is one', () => {
    const other = { ...point, id: '20261121T200000Z-000003', takenAt: '2026-11-21T20:00:02.000Z', pauseMs: 50 }
    const entries = downtimesOf([restore, backup], [point, other])
    expect(entries.map(({ kind, point: id, pauseMs }) => [kind, id, pauseMs])).toEqual([
      ['backup', other.id, 50],
      ['backup', point.id, 48],
      ['restore', point.id, 0]
    ])
    expect(entries[1]?.pauses).toEqual([{ phase: 'memory', ms: 48 }])
  })

  it('leave out what failed, runs, or moves only points', () => {
    const jobs: ToldJob[] = [
      { ...backup, state: 'failed-clean' },
      { ...backup, state: 'running' },
      { ...backup, kind: 'verify' },
      { ...backup, kind: 'copy' }
    ]
    expect(downtimesOf(jobs, [])).toEqual([])
  })

  it('are a pause in backups, the time until it ran in restores, and nothing for a VM that was off', () => {
    const [ofBackup, ofRestore] = downtimesOf([backup, restore], [])
    expect(ofBackup && downMs(ofBackup)).toBe(48)
    expect(ofRestore && downMs(ofRestore)).toBe(1200)
    const off = downtimesOf([{ ...backup, method: 'offline', pauseMs: 0 }], [])
    expect(off.map(downMs)).toEqual([undefined])
  })
})
