import { beforeAll, describe, expect, it } from 'vitest'
import { timerForm, type Calendar } from '../../../src/shared/schedule/calendar.ts'
import { missedRuns, scheduledFor } from '../../../src/shared/schedule/missed.ts'
import { calendarOf } from './calendar-of.ts'
import { analyze, systemdVersion, WITHOUT_SYSTEMD } from './systemd-analyze.ts'
import { simulateTimer, type HostEvent } from './timer-simulator.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** 400 days that hold a leap day, both changes of the clocks, and the end of a year. */
const BEGIN = Date.parse('2027-10-01T10:07:11Z')
const END = BEGIN + 400 * DAY_MS
const day = (days: number, hours = 0): number => BEGIN + days * DAY_MS + hours * HOUR_MS

const SCHEDULES = [
  '02:30',
  '0/4:15',
  'Mon..Fri 22:00',
  'Sun 03:00',
  '*-*~1 23:45',
  '*-02-29 02:00',
  '*-*-1..7/2 0/6:30',
  '12:00 UTC'
]
const ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu']

const MOST_RUNS = 13_000

/** What systemd says that the calendar wants in all that time, and some more for clocks that are ahead. */
function wantedBySystemd(calendar: Calendar, zone: string, count = 700): number[] {
  const { runs } = analyze(timerForm(calendar), zone, new Date(BEGIN - 60 * DAY_MS), count)
  const times = runs.map((run) => Date.parse(`${run}Z`))
  const isEnough = times.length < count || (times.at(-1) ?? 0) >= END + 60 * DAY_MS
  return isEnough ? times.filter((run) => run < END + 60 * DAY_MS) : wantedBySystemd(calendar, zone, count * 6)
}

const starts = (calendar: Calendar, timeZone: string, events: readonly HostEvent[]): number[] =>
  simulateTimer({ calendar, timeZone, begin: BEGIN, end: END, events })

const cases = ZONES.flatMap((zone) => SCHEDULES.map((text) => [text, zone] as const))
// Many runs take their time: once, where the clocks are set by half an hour.
cases.push(['hourly', 'Australia/Lord_Howe'])

describe.skipIf(systemdVersion === undefined)(
  `400 days beside systemd ${systemdVersion ?? `(${WITHOUT_SYSTEMD})`}`,
  () => {
    describe.each(cases)('%s in %s', (text, zone) => {
      const calendar = calendarOf(text)
      let wanted: readonly number[] = []
      beforeAll(() => void (wanted = wantedBySystemd(calendar, zone)))
      const between = (after: number, until: number): number[] => wanted.filter((run) => run > after && run < until)
      const missed = (lastScheduled: number, scheduled: number): number[] =>
        missedRuns({
          calendar,
          timeZone: zone,
          lastScheduled: new Date(lastScheduled),
          scheduled: new Date(scheduled),
          limit: MOST_RUNS
        }).runs.map(Number)
      const forWhat = (start: number): number => scheduledFor(calendar, zone, new Date(start))?.getTime() ?? NaN

      it('a host that is always on runs exactly what is wanted, and misses nothing', () => {
        const runs = starts(calendar, zone, [])
        expect(runs).toEqual(between(BEGIN, END))
        expect(runs.map(forWhat)).toEqual(runs)
        expect(runs.slice(1).flatMap((run, at) => missed(runs[at] ?? run, run))).toEqual([])
      })

      it('a host that is off now and then catches up once, and all the rest is missed', () => {
        const offs = [
          [20, 27],
          [30.6, 31.7],
          [149.9, 152.2],
          [176.5, 177.6],
          [180, 260],
          [399.9, 399.95]
        ].map(([from = 0, to = 0]) => [day(from), day(to)] as const)
        const runs = starts(
          calendar,
          zone,
          offs.flatMap(
            ([off, on]) =>
              [
                { kind: 'off', at: off },
                { kind: 'on', at: on }
              ] as const
          )
        )
        const during = (run: number): boolean => offs.some(([off, on]) => run >= off && run < on)
        const caughtUp = offs.filter(([off, on]) => between(off - 1, on).length > 0).map(([, on]) => on)
        const onTime = between(BEGIN, END).filter((run) => !during(run))
        expect(runs).toEqual([...new Set([...onTime, ...caughtUp])].sort((a, b) => a - b))
        expectAllAccountedFor(runs)
      })

      it('a clock that is set forward counts as time that was missed', () => {
        const jumps = [
          [40, 3 * DAY_MS],
          [150, 5 * HOUR_MS],
          [178, 90 * 60_000]
        ].map(([at = 0, by = 0]) => ({ kind: 'clock', at: day(at), by }) as const)
        const runs = starts(calendar, zone, jumps)
        const leaps = jumps.map(({ at, by }, nth) => {
          const before = at + jumps.slice(0, nth).reduce((sum, jump) => sum + jump.by, 0)
          return [before, before + by] as const
        })
        const end = END + jumps.reduce((sum, { by }) => sum + by, 0)
        const onTime = between(BEGIN, end).filter((run) => !leaps.some(([from, to]) => run >= from && run < to))
        const caughtUp = leaps.filter(([from, to]) => between(from - 1, to).length > 0).map(([, to]) => to)
        expect(runs).toEqual([...new Set([...onTime, ...caughtUp])].sort((a, b) => a - b))
        expectAllAccountedFor(runs)
      })

      it('a clock that is set back lets come again what it shows again, and nothing counts as missed for that', () => {
        const runs = starts(calendar, zone, [{ kind: 'clock', at: day(100), by: -10 * DAY_MS }])
        expect(runs).toEqual([...between(BEGIN, day(100)), ...between(day(90), END - 10 * DAY_MS)])
        expect(runs.slice(1).flatMap((run, at) => missed(runs[at] ?? run, run))).toEqual([])
      })

      it('a host that was off while its clock went wrong counts from when it sees', () => {
        const events = [
          { kind: 'off', at: day(200) },
          { kind: 'clock', at: day(203), by: -20 * DAY_MS },
          { kind: 'on', at: day(203) }
        ] as const
        expect(starts(calendar, zone, events)).toEqual([
          ...between(BEGIN, day(200)),
          ...between(day(183), END - 20 * DAY_MS)
        ])
      })

      /** Every time that was wanted up to the last run is one that a run is for, or is missed; none is both, none is twice. */
      function expectAllAccountedFor(runs: readonly number[]): void {
        const scheduled = [...new Set(runs.map(forWhat))]
        const lost = scheduled.flatMap((run, at) => missed(scheduled[at - 1] ?? BEGIN, run))
        expect([...scheduled, ...lost].sort((a, b) => a - b)).toEqual(between(BEGIN, (scheduled.at(-1) ?? BEGIN) + 1))
      }
    })
  }
)
