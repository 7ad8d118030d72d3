import { describe, expect, it } from 'vitest'
import { clockChanges } from '../../../src/renderer/features/schedules/clock-changes.ts'
import { nextRunsShown } from '../../../src/renderer/features/schedules/next-runs-view.ts'
import { pauseEnd } from '../../../src/renderer/features/schedules/pause-view.ts'
import {
  FOR_GOOD_AT,
  keepWords,
  pausedNow,
  selectionWords,
  tellWords
} from '../../../src/renderer/features/schedules/policy-words.ts'
import { runsOf, runTone } from '../../../src/renderer/features/schedules/run-view.ts'
import { standingOf } from '../../../src/renderer/features/schedules/schedules-view.ts'
import { parseCalendar } from '../../../src/shared/schedule/calendar.ts'
import { aPolicy, aRun, policyId } from './a-policy.ts'

const now = new Date('2026-11-25T12:00:00Z')
const changes = (text: string, zone = 'Europe/Rome') => {
  const calendar = parseCalendar(text)
  if ('problem' in calendar) throw new Error(calendar.problem)
  return clockChanges(calendar, zone, now)
}

describe('a schedule in words', () => {
  it('says which VMs', () => {
    expect(selectionWords({ kind: 'all', exclude: [] })).toBe('all VMs')
    expect(selectionWords({ kind: 'all', exclude: ['db*', 'x\u202E'] })).toBe('all VMs but db*, x\\u{202e}')
    expect(selectionWords({ kind: 'pattern', patterns: ['a', 'b', 'c', 'd', 'e'], exclude: [] })).toBe(
      'VMs named a, b, c and 2 more'
    )
  })

  it('says how long points stay, and who is told', () => {
    expect(keepWords({ floor: 3, graceHours: 24 })).toBe('all points stay')
    expect(keepWords({ last: 3, daily: 7, memory: 0, floor: 3, graceHours: 24 })).toBe(
      'last 3, daily 7; RAM in the newest 0'
    )
    expect(tellWords({ onSuccess: false, onFailure: false, digest: 'none', mailTo: [] })).toBe('nobody')
    expect(tellWords({ onSuccess: false, onFailure: true, digest: 'daily', mailTo: ['a@example.org'] })).toBe(
      'failures, a daily digest, to a@example.org'
    )
  })
})

describe('how a schedule does', () => {
  const standing = (state: Partial<Parameters<typeof standingOf>[0]>) =>
    standingOf({ policy: aPolicy(), ...state }, now)

  it('is told worst first', () => {
    expect(standing({ problem: 'no timer', lastRun: aRun() })).toMatchObject({ tone: 'danger', why: 'no timer' })
    expect(standing({ lastRun: aRun({ state: 'failed' }) }).tone).toBe('danger')
    expect(
      standing({ lastRun: aRun({ missedCount: 2, missed: [{ at: now.toISOString(), reason: 'the host was off' }] }) })
    ).toMatchObject({ tone: 'attention', why: 'the host was off' })
    expect(standing({ lastRun: aRun() }).tone).toBe('good')
    expect(standing({}).tone).toBe('unknown')
  })

  it('is paused only until the pause ends, and runs by hand meanwhile', () => {
    const paused = aPolicy({ pausedUntil: '2026-11-26T00:00:00.000Z' })
    expect(standing({ policy: paused, lastRun: aRun() }).label).toBe('paused')
    expect(standing({ policy: paused, lastRun: aRun({ state: 'running' }) }).tone).toBe('busy')
    expect(standing({ policy: aPolicy({ pausedUntil: '2026-11-24T00:00:00.000Z' }), lastRun: aRun() }).tone).toBe(
      'good'
    )
    expect(pausedNow({ pausedUntil: FOR_GOOD_AT.toISOString() }, now)).toEqual({})
  })

  it('ends a pause when one asked for', () => {
    expect(pauseEnd('hour', '', now)?.toISOString()).toBe('2026-11-25T13:00:00.000Z')
    expect(pauseEnd('tomorrow', '', now)?.getHours()).toBe(6)
    expect(pauseEnd('moment', '', now)).toBeUndefined()
    expect(pauseEnd('moment', '2020-01-01T00:00', now)).toBeUndefined()
    expect(pauseEnd('moment', '2027-01-01T00:00', now)?.getFullYear()).toBe(2027)
  })
})

describe('runs of a schedule', () => {
  it('are those of it, once each, newest first, the newest also where the history lags', () => {
    const old = aRun({ id: '20261123T010000Z-00000a', startedAt: '2026-11-23T01:00:00.000Z' })
    const other = aRun({ policy: { id: 'ffffffffffff', name: 'x' } })
    expect(runsOf([other, old], 'alpha', policyId, aRun()).map(({ id }) => id)).toEqual([aRun().id, old.id])
    expect(runsOf([aRun(), old], 'alpha', policyId, aRun())).toHaveLength(2)
    expect(runsOf([aRun()], 'beta', policyId, undefined)).toEqual([])
  })

  it('have ended as soon as either says so', () => {
    const { endedAt: _, ...running } = aRun({ state: 'running' })
    expect(runsOf([aRun()], 'alpha', policyId, running)[0]?.state).toBe('done')
  })

  it('are no good news where something was missed or refused', () => {
    expect(runTone(aRun())).toBe('good')
    expect(runTone(aRun({ missedCount: 1 }))).toBe('attention')
    expect(runTone(aRun({ state: 'failed' }))).toBe('danger')
  })
})

describe('the next runs', () => {
  it('are five, in the zone of the host, and those outside of its hours are marked', () => {
    const shown = nextRunsShown(
      { calendar: '*-*-* 00/12:00:00', window: { from: '22:00', to: '06:00' } },
      'Europe/Rome',
      now
    )
    expect(shown?.runs.map(({ at, isOutside }) => [at.slice(5, 16), isOutside])).toEqual([
      ['11-25T23:00', false],
      ['11-26T11:00', true],
      ['11-26T23:00', false],
      ['11-27T11:00', true],
      ['11-27T23:00', false]
    ])
  })

  it('are none of an expression that is none, and of a zone that nobody knows those in UTC', () => {
    expect(nextRunsShown({ calendar: '25:00' }, 'UTC', now)).toBeUndefined()
    expect(nextRunsShown({ calendar: '02:00' }, 'Middle/Earth', now)?.runs[0]?.at).toBe('2026-11-26T02:00:00.000Z')
    expect(nextRunsShown({ calendar: '2020-01-01' }, 'UTC', now)?.runs).toEqual([])
  })
})

describe('the next runs of a schedule that is paused', () => {
  const runs = (pausedUntil: string) => nextRunsShown({ calendar: 'Fri 18:00', pausedUntil }, 'Europe/Rome', now)

  it('are those after the pause, and none while nobody lets it go on', () => {
    expect(runs('2026-11-28T03:45:00.000Z')?.runs[0]?.at).toBe('2026-12-04T17:00:00.000Z')
    expect(runs('2026-11-28T03:45:00.000Z')?.paused).toEqual({ until: '2026-11-28T03:45:00.000Z' })
    expect(runs(FOR_GOOD_AT.toISOString())).toEqual({ runs: [], changes: [], paused: {} })
  })

  it('are all of them when the pause is over', () => {
    const shown = runs('2026-11-25T11:00:00.000Z')
    expect([shown?.paused, shown?.runs[0]?.at]).toEqual([undefined, '2026-11-27T17:00:00.000Z'])
  })
})

describe('what a change of the clock does', () => {
  it('is told where a run falls into it', () => {
    expect(changes('*-*-* 02:30:00')).toEqual([
      { day: '28 Mar 2027', time: '02:30', what: 'skipped' },
      { day: '31 Oct 2027', time: '02:30', what: 'twice' }
    ])
    expect(changes('*-*-* 02:30:00', 'America/New_York').map(({ day, what }) => `${day} ${what}`)).toEqual([
      '14 Mar 2027 skipped'
    ])
    expect(changes('*-*-* 02:15:00', 'Australia/Lord_Howe').map(({ what }) => what)).toEqual(['skipped'])
  })

  it('is nothing where none does, where no clock is set, and where one run in many is no news', () => {
    expect(changes('*-*-* 04:00:00')).toEqual([])
    expect(changes('Mon *-*-* 02:30:00')).toEqual([])
    expect(changes('*-*-* 02:30:00', 'UTC')).toEqual([])
    expect(changes('*-*-* 02:30:00 UTC')).toEqual([])
    expect(changes('hourly')).toEqual([])
  })
})
