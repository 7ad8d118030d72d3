import { describe, expect, it } from 'vitest'
import type { KeepRules } from '../../../src/shared/model/policy.ts'
import type { RetainedPoint } from '../../../src/shared/retention/plan-retention.ts'
import { DEFAULT_KEEP } from '../../../src/shared/retention/presets.ts'
import { pointAt, survivingPoints } from './points.ts'

const DAY_MS = 86_400_000
/** 2027-06-01, 02:00 in Rome; the 400 nights hold both changes of the clock and 29 February 2028. */
const nightAt = (night: number): string => {
  const utc = new Date(Date.UTC(2027, 5, 1, 0) + night * DAY_MS)
  const hour = Number(
    new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Rome', hour: '2-digit', hourCycle: 'h23' }).format(utc)
  )
  return new Date(utc.getTime() + (2 - hour) * 3_600_000).toISOString()
}

/** Nights as they happen: a point if the backup worked, then the rules, on what is left of the nights before. */
function live(nights: number, rules: KeepRules, works: (night: number) => boolean = () => true): RetainedPoint[] {
  let points: RetainedPoint[] = []
  for (let night = 0; night < nights; night++) {
    if (!works(night)) continue // prune is only for VMs that have just got a good point
    points = survivingPoints([...points, pointAt(nightAt(night))], rules, 'Europe/Rome')
  }
  return points
}

const days = (points: readonly RetainedPoint[]): string[] => points.map(({ takenAt }) => takenAt.slice(0, 10))

/** The last night is Tuesday, 4 July 2028: the three last, seven days before them, and four Sundays before those. */
const NEWER = [
  ...['2028-05-28', '2028-06-04', '2028-06-11', '2028-06-18'],
  ...['2028-06-25', '2028-06-26', '2028-06-27', '2028-06-28', '2028-06-29', '2028-06-30', '2028-07-01'],
  ...['2028-07-02', '2028-07-03', '2028-07-04']
]

describe('400 nights under last 3, daily 7, weekly 4, monthly 6', () => {
  it('leave exactly what the rules say: of the months before, their last Sundays, as weeks were counted first', () =>
    expect(days(live(400, DEFAULT_KEEP))).toEqual([
      ...['2027-11-28', '2027-12-26', '2028-01-30', '2028-02-27', '2028-03-26', '2028-04-30'],
      ...NEWER
    ]))

  it('counted only once, at the end, leave the last days of those months instead', () => {
    const all = Array.from({ length: 400 }, (_, night) => pointAt(nightAt(night)))
    expect(days(survivingPoints(all, DEFAULT_KEEP, 'Europe/Rome'))).toEqual([
      ...['2027-11-30', '2027-12-31', '2028-01-31', '2028-02-29', '2028-03-31', '2028-04-30'],
      ...NEWER
    ])
  })

  it('under days and months alone leave 29 February', () => {
    const rules = { daily: 7, monthly: 6, floor: 3, graceHours: 24 }
    expect(days(live(400, rules))).toEqual([
      ...['2027-12-31', '2028-01-31', '2028-02-29', '2028-03-31', '2028-04-30', '2028-05-31'],
      ...['2028-06-28', '2028-06-29', '2028-06-30', '2028-07-01', '2028-07-02', '2028-07-03', '2028-07-04']
    ])
  })
})

describe('30 nights of failing backups', () => {
  it('take nothing away, whatever the rules', () => {
    for (const rules of [DEFAULT_KEEP, { last: 1, floor: 1, graceHours: 0 }]) {
      const before = live(60, rules)
      expect(live(90, rules, (night) => night < 60)).toEqual(before)
    }
  })

  it('and the first good one afterwards takes what it would have taken the day after', () =>
    expect(days(live(91, { last: 2, floor: 2, graceHours: 0 }, (night) => night < 60 || night === 90))).toEqual([
      '2027-07-30',
      '2027-08-30'
    ]))
})
