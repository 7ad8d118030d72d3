import type { Calendar } from './calendar.ts'
import { bounded, componentText, FIELDS, sortedComponents, type Component, type Field } from './component.ts'
import { weekdaysText } from './weekdays.ts'

/** As systemd writes it. */
export function textOf(calendar: Calendar): string {
  const date = `${field(calendar.year, 4)}-${field(calendar.month)}${calendar.fromMonthEnd ? '~' : '-'}${field(calendar.day)}`
  const time = [field(calendar.hour), field(calendar.minute), field(seconds(calendar))].join(':')
  const weekdays = weekdaysText(calendar.weekdays)
  return [weekdays, date, time, calendar.timeZone ?? ''].filter((part) => part !== '').join(' ')
}

const field = (components: readonly Component[] | undefined, digits = 2): string =>
  components?.map((each) => componentText(each, digits)).join(',') ?? '*'

/** Every second is `*`, whatever is listed beside it. */
const seconds = ({ second }: Calendar): readonly Component[] | undefined =>
  second.some(({ start, stop, repeat }) => start === 0 && stop === undefined && repeat === 1) ? undefined : second

/**
 * The same times, with an end to everything that repeats. Without one, systemd (252 and 257) loses runs: of every 7 minutes the one
 * at midnight, and of every 4 hours all ("Infinite loop in calendar calculation") once a day has no midnight, as in
 * Cairo or Santiago when the clocks go forward.
 */
export function boundedCalendar(calendar: Calendar): Calendar {
  const end = (field: Field, components: readonly Component[] | undefined): readonly Component[] | undefined =>
    components && sortedComponents(components.map((each) => bounded(field, each)))
  return {
    ...calendar,
    year: end(FIELDS.year, calendar.year),
    month: end(FIELDS.month, calendar.month),
    day: end(calendar.fromMonthEnd ? FIELDS.dayFromEnd : FIELDS.day, calendar.day),
    hour: end(FIELDS.hour, calendar.hour),
    minute: end(FIELDS.minute, calendar.minute),
    second: end(FIELDS.second, seconds(calendar)) ?? calendar.second
  }
}
