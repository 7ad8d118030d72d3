import type { Calendar } from './calendar.ts'
import { componentText, type Component } from './component.ts'
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
