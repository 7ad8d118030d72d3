import type { Schedule } from '../../../shared/model/policy.ts'
import { calendarOf, formOf, type EveryHours, type ScheduleForm } from '../../../shared/schedule/schedule-form.ts'
import { wholeIn } from './keep-form.ts'

/** All kinds of times at once, so that nothing is lost while one compares them. */
export interface WhenForm {
  readonly kind: ScheduleForm['kind']
  readonly every: EveryHours
  readonly minute: string
  readonly time: string
  /** 0 is Monday. */
  readonly days: readonly number[]
  readonly day: number | 'last'
  /** A calendar expression. */
  readonly text: string
  readonly jitterMinutes: string
  readonly isWindowed: boolean
  readonly from: string
  readonly to: string
}

/** At night, when little else goes on, and at a time that no change of the clock leaps over. */
export const firstWhen: WhenForm = {
  kind: 'daily',
  every: 4,
  minute: '0',
  time: '04:30',
  days: [5],
  day: 1,
  text: '*-*-* 04:30:00',
  jitterMinutes: '5',
  isWindowed: false,
  from: '22:00',
  to: '06:00'
}

export function whenFormOf({ calendar, jitterSeconds, window }: Schedule): WhenForm {
  const form = formOf(calendar)
  return {
    ...firstWhen,
    ...partsOf(form),
    kind: form.kind,
    text: calendar,
    // Seconds are told apart by hundredths of a minute.
    jitterMinutes: String(Number((jitterSeconds / 60).toFixed(2))),
    isWindowed: window !== undefined,
    ...(window !== undefined && window)
  }
}

function partsOf(form: ScheduleForm): Partial<WhenForm> {
  if (form.kind === 'hours') return { every: form.every, minute: String(form.minute) }
  const { kind: _, ...parts } = form
  return parts
}

/** The expression that the host gets. */
export const calendarText = (when: WhenForm): string =>
  when.kind === 'calendar' ? when.text.trim() : calendarOf(formIn(when))

function formIn({ kind, every, minute, time, days, day, text }: WhenForm): ScheduleForm {
  if (kind === 'hours') return { kind, every, minute: wholeIn(minute, 0, 59) ?? 0 }
  if (kind === 'daily') return { kind, time }
  if (kind === 'weekly') return { kind, days, time }
  return kind === 'monthly' ? { kind, day, time } : { kind, text }
}

/** Another kind begins with what the one before says, as far as it can be said there. */
export const withKind = (when: WhenForm, kind: WhenForm['kind']): WhenForm =>
  kind === 'calendar' && when.kind !== 'calendar' ? { ...when, kind, text: calendarText(when) } : { ...when, kind }
