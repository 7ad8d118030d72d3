import { formOf } from './schedule-form.ts'
import { SHORT_DAYS, weekdaySpans } from './weekdays.ts'

const two = (value: number): string => String(value).padStart(2, '0')

/** `every day at 02:00`, `every 4 hours at :15`, `Mon to Fri at 22:00`; else the expression itself. */
export function scheduleWords(text: string): string {
  const form = formOf(text)
  switch (form.kind) {
    case 'hours':
      return `every ${form.every === 1 ? 'hour' : `${form.every} hours`} at :${two(form.minute)}`
    case 'daily':
      return `every day at ${form.time}`
    case 'weekly':
      return `${daysWords(form.days)} at ${form.time}`
    case 'monthly':
      return `on the ${form.day === 'last' ? 'last day' : ordinal(form.day)} of every month at ${form.time}`
    case 'calendar':
      return form.text
  }
}

/** `Mon to Fri`, `Sat and Sun`, `Mon, Wed and Fri`. */
function daysWords(days: readonly number[]): string {
  const [only, ...more] = days
  if (only !== undefined && more.length === 0) return `every ${shortDay(only)}`
  const parts = weekdaySpans(days).flatMap(([from, to]) =>
    to - from < 2 ? [...new Set([from, to])].map(shortDay) : [`${shortDay(from)} to ${shortDay(to)}`]
  )
  const last = parts.pop() ?? ''
  return parts.length === 0 ? last : `${parts.join(', ')} and ${last}`
}

const shortDay = (day: number): string => SHORT_DAYS[day] ?? ''

const ENDINGS = ['th', 'st', 'nd', 'rd']
const ordinal = (day: number): string => `${day}${day > 3 && day < 21 ? 'th' : (ENDINGS[day % 10] ?? 'th')}`
