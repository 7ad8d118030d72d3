/** The calendar periods that keep rules count, in the time zone of the host. */
export type PeriodRule = 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly'
/** In the order in which they are counted. */
export const PERIOD_RULES: readonly PeriodRule[] = ['hourly', 'daily', 'weekly', 'monthly', 'yearly']

export type Periods = Readonly<Record<PeriodRule, string>>

const clocks = new Map<string, Intl.DateTimeFormat>()

/** Making one takes a while, and a plan asks for thousands of times. */
function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = clocks.get(timeZone)
  if (known !== undefined) return known
  const parts = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit' } as const
  const clock = new Intl.DateTimeFormat('en-GB-u-ca-gregory-nu-latn', { ...parts, hourCycle: 'h23', timeZone })
  clocks.set(timeZone, clock)
  return clock
}

/** The hour, day, ISO week, month and year that an instant lies in. The hour that autumn has twice is one. */
export function periodsOf(at: string, timeZone: string): Periods {
  const parts = Object.fromEntries(
    clockOf(timeZone)
      .formatToParts(new Date(at))
      .map(({ type, value }) => [type, value])
  )
  const { year = '', month = '', day = '', hour = '' } = parts
  const date = `${year}-${month}-${day}`
  return {
    hourly: `${date} ${hour}:00`,
    daily: date,
    weekly: isoWeek(Number(year), Number(month), Number(day)),
    monthly: `${year}-${month}`,
    yearly: year
  }
}

const DAY_MS = 86_400_000

/** `2026-W53`: a week belongs to the year that has its Thursday. */
function isoWeek(year: number, month: number, day: number): string {
  const date = new Date(Date.UTC(year, month - 1, day))
  const weekday = date.getUTCDay() || 7
  const thursday = new Date(date.getTime() + (4 - weekday) * DAY_MS)
  const days = (thursday.getTime() - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / DAY_MS
  return `${thursday.getUTCFullYear()}-W${String(Math.floor(days / 7) + 1).padStart(2, '0')}`
}
