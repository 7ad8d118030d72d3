import { describe, expect, it } from 'vitest'
import { lastStep, reportOf } from '../../src/shared/job-report.ts'
import { parseEntry } from '../../src/engine/journal/journal.ts'
import type { JournalEntry, JournalEvent, JobSpec } from '../../src/shared/model/job.ts'

const at = '2026-11-22T20:17:44.000Z'
const spec: JobSpec = {
  kind: 'backup',
  vm: '11111111-2222-4333-8444-555555555555',
  vmName: 'files',
  hostName: 'alpha',
  store: '/srv/points',
  budgetMs: 300,
  onBusy: 'pause'
}
const id = '20261122T201744Z-7f3a21'
const journal = (...events: JournalEvent[]): JournalEntry[] =>
  [{ type: 'begin', id, spec, bootId: 'b', engine: 'e' } as const, ...events].map((event, n) => ({ n, at, ...event }))
const pause = { phase: 'memory', startedAt: at, endedAt: at, ms: 41.5, source: 'qemu-events' } as const

describe('the report of a journal', () => {
  it('is unknown before the job has begun', () => {
    expect(reportOf([])).toBeUndefined()
  })

  it('adds up pauses, facts and warnings as they come', () => {
    const report = reportOf(
      journal(
        { type: 'fact', fact: { method: 'live' } },
        { type: 'pause', pause },
        { type: 'pause', pause },
        { type: 'warning', text: 'w' }
      )
    )
    expect(report).toMatchObject({ state: 'running', method: 'live', pauseMs: 83, warnings: ['w'], host: 'alpha' })
  })

  it('is recovering while recovery is the last thing announced', () => {
    expect(reportOf(journal({ type: 'step', step: 'snapshot' }, { type: 'step', step: 'recover' }))?.state).toBe(
      'recovering'
    )
  })

  it('is what the end says, once there is one', () => {
    const end = reportOf(journal())
    if (end === undefined) throw new Error('no report')
    expect(reportOf(journal({ type: 'end', report: { ...end, state: 'cancelled' } }))?.state).toBe('cancelled')
  })

  it('names the step that was under way', () => {
    const entries = journal(
      { type: 'step', step: 'begin-point' },
      { type: 'step-done', step: 'begin-point', ms: 1 },
      { type: 'step', step: 'snapshot' }
    )
    expect(lastStep(entries)).toBe('snapshot')
  })

  it('passes over a torn line, as a crash leaves it', () => {
    const line = JSON.stringify(journal()[0])
    expect(parseEntry(line)).toHaveLength(1)
    expect(parseEntry(line.slice(0, -5))).toEqual([])
    expect(parseEntry('')).toEqual([])
  })
})
