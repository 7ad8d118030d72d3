import type { Calendar } from './calendar.ts'
import { FIELDS } from './component.ts'
import { componentsFrom, NotACalendar, wholeYear } from './field-grammar.ts'
import { isTimeZone } from './time-zone.ts'
import { weekdayOf } from './weekdays.ts'

const EXAMPLE = 'for example Mon..Fri 22:00'
const SHORTHANDS = new Map(
  Object.entries({
    minutely: '*-*-* *:*:00',
    hourly: '*-*-* *:00:00',
    daily: '*-*-* 00:00:00',
    weekly: 'Mon *-*-* 00:00:00',
    monthly: '*-*-01 00:00:00',
    quarterly: '*-01,04,07,10-01 00:00:00',
    semiannually: '*-01,07-01 00:00:00',
    'semi-annually': '*-01,07-01 00:00:00',
    biannually: '*-01,07-01 00:00:00',
    'bi-annually': '*-01,07-01 00:00:00',
    yearly: '*-01-01 00:00:00',
    annually: '*-01-01 00:00:00'
  })
)

/** Throws NotACalendar. */
export function calendarFrom(text: string): Calendar {
  if (/[^ -~]/.test(text)) throw new NotACalendar(`Only plain letters, digits and signs, ${EXAMPLE}.`)
  const { rest, timeZone } = withoutZone(text.replaceAll(/^ +| +$/g, ''))
  if (rest === '') throw new NotACalendar(`Write when, ${EXAMPLE}.`)
  if (CRON.test(rest)) throw new NotACalendar(`This is cron’s way of writing. systemd’s is ${EXAMPLE}.`)
  const words = (SHORTHANDS.get(rest.toLowerCase()) ?? rest).split(/ +/)
  const weekdays = /^[a-z]/i.test(words[0] ?? '') ? weekdaysFrom(words.shift() ?? '') : []
  const date = /[-~]/.test(words[0] ?? '') ? dateFrom(words.shift() ?? '') : ANY_DATE
  if (/^[a-z]/i.test(words[0] ?? '')) throw new NotACalendar(notUnderstood(words.join(' ')))
  const time = timeFrom(words.shift() ?? '0:0')
  if (words.length > 0) throw new NotACalendar(notUnderstood(words.join(' ')))
  return { weekdays, ...date, ...time, timeZone }
}

const CRON = /^[\d*,/-]+( [\w*,/-]+){4}$/

const notUnderstood = (part: string): string =>
  `“${part}” cannot be understood here. Write days, date and time, ${EXAMPLE}.`

/** A zone is the last word; systemd would also take the host's own short names, which say little elsewhere. */
function withoutZone(text: string): { rest: string; timeZone: string | undefined } {
  const [, rest, word] = /^(.*?) ?([^ ]*)$/.exec(text) ?? []
  if (rest === undefined || word === undefined) throw new NotACalendar(notUnderstood(text))
  if (word.toUpperCase() === 'UTC') return { rest, timeZone: 'UTC' }
  if (!/^[a-z]/i.test(word) || !(word.includes('/') || /^[A-Z]{3,5}$/.test(word)) || weekdayOf(word) !== undefined)
    return { rest: text, timeZone: undefined }
  if (!isTimeZone(word) || !word.includes('/'))
    throw new NotACalendar(`“${word}” is no time zone that is known here: write UTC, or a name such as Europe/Berlin.`)
  return { rest, timeZone: word }
}

function weekdaysFrom(word: string): number[] {
  const days = new Set(word.replace(/,$/, '').split(',').flatMap(weekdayRange))
  return days.size === 7 ? [] : [...days].sort()
}

function weekdayRange(text: string): number[] {
  const [from = '', to = from, ...more] = text.split(/\.\.|-/)
  const first = weekdayOf(from)
  const last = weekdayOf(to)
  if (first === undefined || last === undefined || more.length > 0)
    throw new NotACalendar(`“${text}” is no day of the week: write Mon, Tue, Wed, Thu, Fri, Sat or Sun, or Mon..Fri.`)
  if (first > last) throw new NotACalendar(`${text} goes backwards: the week ends with Sun.`)
  return Array.from({ length: last - first + 1 }, (_, at) => first + at)
}

const ANY_DATE = { year: undefined, month: undefined, day: undefined, fromMonthEnd: false }

function dateFrom(word: string): Pick<Calendar, keyof typeof ANY_DATE> {
  const [, year = '*', month, mark, day] = /^(?:([^-~]+)-)?([^-~]+)([-~])([^-~]+)$/.exec(word) ?? []
  if (month === undefined || day === undefined)
    throw new NotACalendar(`“${word}” is no date: write year-month-day, or *-*-1 for the first of each month.`)
  return {
    year: componentsFrom(FIELDS.year, year, wholeYear),
    month: componentsFrom(FIELDS.month, month),
    day: componentsFrom(mark === '~' ? FIELDS.dayFromEnd : FIELDS.day, day),
    fromMonthEnd: mark === '~' && day !== '*'
  }
}

const EVERY_SECOND = [{ start: 0, stop: undefined, repeat: 1 }]

function timeFrom(word: string): Pick<Calendar, 'hour' | 'minute' | 'second'> {
  const [hour = '', minute, second = '0', ...more] = word.split(':')
  if (minute === undefined || more.length > 0) throw new NotACalendar(`“${word}” is no time: write 22:00, or 0/4:30.`)
  const [, first, last] = /^(\d+)\.\.(\d+)$/.exec(second) ?? []
  if (first !== undefined && first === last) throw new NotACalendar(`${second} is a single second: write ${first}.`)
  return {
    hour: componentsFrom(FIELDS.hour, hour),
    minute: componentsFrom(FIELDS.minute, minute),
    second: componentsFrom(FIELDS.second, second) ?? EVERY_SECOND
  }
}
