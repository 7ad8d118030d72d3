import { parseCalendar, type Calendar } from '../../../src/shared/schedule/calendar.ts'

/** Fails the test where it is none. */
export function calendarOf(text: string): Calendar {
  const calendar = parseCalendar(text)
  if ('problem' in calendar) throw new Error(`${text}: ${calendar.problem}`)
  return calendar
}

export const problemOf = (text: string): string | undefined => {
  const calendar = parseCalendar(text)
  return 'problem' in calendar ? calendar.problem : undefined
}
