const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] as const
export const SHORT_DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const

/** 0 for `Mon` or `monday`; undefined for what is no day of the week. */
export function weekdayOf(name: string): number | undefined {
  const at = DAYS.findIndex((day) => [day, day.slice(0, 3)].some((form) => form.toLowerCase() === name.toLowerCase()))
  return at < 0 ? undefined : at
}

/** Runs of days that follow each other: `Mon..Fri,Sun` is [0, 4], [6, 6]. */
export function weekdaySpans(weekdays: readonly number[]): [number, number][] {
  const spans: [number, number][] = []
  for (const day of weekdays) {
    const open = spans.at(-1)
    if (open?.[1] === day - 1) open[1] = day
    else spans.push([day, day])
  }
  return spans
}

const shortDay = (day: number): string => SHORT_DAYS[day] ?? ''

/** As systemd writes them: two that follow each other with a comma, more as a range. */
export const weekdaysText = (weekdays: readonly number[]): string =>
  weekdaySpans(weekdays)
    .map(([from, to]) =>
      from === to ? shortDay(from) : `${shortDay(from)}${to === from + 1 ? ',' : '..'}${shortDay(to)}`
    )
    .join(',')
