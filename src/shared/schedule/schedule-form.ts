import { parseCalendar, type Calendar } from './calendar.ts'
import type { Component } from './component.ts'
import { weekdaysText } from './weekdays.ts'

export const EVERY_HOURS = [1, 2, 3, 4, 6, 8, 12] as const
export type EveryHours = (typeof EVERY_HOURS)[number]

/** What the window asks for a schedule. Times are `02:30`; days of the week begin with Monday, which is 0. */
export type ScheduleForm =
  | { readonly kind: 'hours'; readonly every: EveryHours; readonly minute: number }
  | { readonly kind: 'daily'; readonly time: string }
  | { readonly kind: 'weekly'; readonly days: readonly number[]; readonly time: string }
  | { readonly kind: 'monthly'; readonly day: number | 'last'; readonly time: string }
  | { readonly kind: 'calendar'; readonly text: string }

const two = (value: number): string => String(value).padStart(2, '0')

/** As it goes into `OnCalendar=`. */
export function calendarOf(form: ScheduleForm): string {
  switch (form.kind) {
    case 'hours':
      return `*-*-* ${form.every === 1 ? '*' : `00/${form.every}`}:${two(form.minute)}:00`
    case 'daily':
      return `*-*-* ${form.time}:00`
    case 'weekly':
      return `${weekdaysText([...new Set(form.days)].sort())} *-*-* ${form.time}:00`.trim()
    case 'monthly':
      return `*-*${form.day === 'last' ? '~01' : `-${two(form.day)}`} ${form.time}:00`
    case 'calendar':
      return form.text
  }
}

/** The form that says this, `calendar` where none does. */
export function formOf(text: string): ScheduleForm {
  const calendar = parseCalendar(text)
  const other = { kind: 'calendar', text } as const
  if ('problem' in calendar || calendar.timeZone !== undefined || single(calendar.second) !== 0) return other
  return hoursForm(calendar) ?? dayForm(calendar) ?? other
}

const isEveryDay = ({ weekdays, year, month, day }: Calendar): boolean =>
  weekdays.length === 0 && year === undefined && month === undefined && day === undefined

function hoursForm(calendar: Calendar): ScheduleForm | undefined {
  const minute = single(calendar.minute)
  const every = EVERY_HOURS.find((each) => isEvery(calendar.hour, each))
  return minute !== undefined && every !== undefined && isEveryDay(calendar)
    ? { kind: 'hours', every, minute }
    : undefined
}

function isEvery(hour: Calendar['hour'], every: EveryHours): boolean {
  if (every === 1 && hour === undefined) return true
  const [only, ...more] = hour ?? []
  const reaches = only?.stop === undefined || only.stop + every > 23
  return more.length === 0 && only?.start === 0 && only.repeat === every && reaches
}

function dayForm(calendar: Calendar): ScheduleForm | undefined {
  const [hour, minute] = [single(calendar.hour), single(calendar.minute)]
  if (hour === undefined || minute === undefined || calendar.year !== undefined || calendar.month !== undefined)
    return undefined
  const time = `${two(hour)}:${two(minute)}`
  if (calendar.day === undefined)
    return calendar.weekdays.length === 0 ? { kind: 'daily', time } : { kind: 'weekly', days: calendar.weekdays, time }
  const day = monthDay(calendar, single(calendar.day))
  return day === undefined || calendar.weekdays.length > 0 ? undefined : { kind: 'monthly', day, time }
}

function monthDay({ fromMonthEnd }: Calendar, day: number | undefined): number | 'last' | undefined {
  if (fromMonthEnd) return day === 1 ? 'last' : undefined
  return day !== undefined && day <= 28 ? day : undefined
}

function single(components: readonly Component[] | undefined): number | undefined {
  const [only, ...more] = components ?? []
  return more.length === 0 && only?.stop === undefined && only?.repeat === 0 ? only.start : undefined
}
