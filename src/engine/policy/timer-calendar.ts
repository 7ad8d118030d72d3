import { parseCalendar, timerForm } from '../../shared/schedule/calendar.ts'

/** An expression as a timer has it: one that is understood here so that systemd finds each of its times, others as they are. */
export function timerCalendar(expression: string): string {
  const calendar = parseCalendar(expression)
  return 'problem' in calendar ? expression : timerForm(calendar)
}
