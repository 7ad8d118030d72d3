/** Sizes, rates and times as the operator reads them. IEC units throughout. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB']

/** `1.5 GiB`, `640 KiB`, `12 B`. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1)
  const value = bytes / 1024 ** power
  return `${significant(value, power)} ${UNITS[power] ?? 'B'}`
}

/** One decimal below ten, none for plain bytes. */
function significant(value: number, power: number): string {
  return power === 0 || value >= 9.95 ? String(Math.round(value)) : value.toFixed(1)
}

/** `212 MiB/s`. */
export const formatRate = (bytesPerSecond: number): string => `${formatBytes(bytesPerSecond)}/s`

/** How long a VM stood still: `4.2 ms`, `48 ms`, `1.1 s`, `2 min 5 s`. */
export function formatPause(ms: number): string {
  if (ms < 9.95) return `${ms === 0 ? '0' : ms.toFixed(1)} ms`
  if (ms < 999.5) return `${Math.round(ms)} ms`
  return formatDuration(ms)
}

/** `0.4 s`, `12 s`, `2 min 5 s`, `3 h 12 min`, `2 d 4 h`. */
export function formatDuration(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return pair(Math.floor(whole / 60), 'min', whole % 60, 's')
  if (whole < 86_400) return pair(Math.floor(whole / 3600), 'h', Math.floor((whole % 3600) / 60), 'min')
  return pair(Math.floor(whole / 86_400), 'd', Math.floor((whole % 86_400) / 3600), 'h')
}

const pair = (big: number, bigUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`

/** Time left, no more exact than it can be known: `a few seconds`, `about 3 min`. */
export function formatTimeLeft(seconds: number): string {
  if (seconds < 5) return 'a few seconds'
  return `about ${formatDuration(roundUp(seconds) * 1000)}`
}

const roundUp = (seconds: number): number =>
  seconds < 60
    ? Math.ceil(seconds / 5) * 5
    : seconds < 600
      ? Math.ceil(seconds / 15) * 15
      : Math.ceil(seconds / 60) * 60

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** How long ago, in one unit: `just now`, `12 min ago`, `3 h ago`, `5 d ago`. What lies ahead (clocks differ) is now. */
export function formatAgo(at: string, now: Date): string {
  const ms = now.getTime() - Date.parse(at)
  if (Number.isNaN(ms)) return at
  if (ms < MINUTE_MS) return 'just now'
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min ago`
  return ms < 2 * DAY_MS ? `${Math.floor(ms / HOUR_MS)} h ago` : `${Math.floor(ms / DAY_MS)} d ago`
}

/** An age in a sentence: `less than a minute`, `1 hour`, `9 hours`, `3 days`. */
export function formatAge(ms: number): string {
  if (ms < MINUTE_MS) return 'less than a minute'
  if (ms < HOUR_MS) return plural(Math.floor(ms / MINUTE_MS), 'minute')
  return ms < 2 * DAY_MS ? plural(Math.floor(ms / HOUR_MS), 'hour') : plural(Math.floor(ms / DAY_MS), 'day')
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`

/** `2026-11-22 20:17:44` in this computer's time zone. */
export function formatTime(iso: string): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return iso
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

// Made when first used: the first that a program makes loads all calendars, which not all need.
let dayFormat: Intl.DateTimeFormat | undefined
let weekdayFormat: Intl.DateTimeFormat | undefined

/** `22 Nov`, in this computer's time zone: for scales. */
export const formatDay = (date: Date): string =>
  (dayFormat ??= new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })).format(date)

/** When something that is ahead comes, in one unit: `any moment`, `in 12 min`, `in 3 h`, `in 5 d`. */
export function formatUntil(at: string, now: Date): string {
  const ms = Date.parse(at) - now.getTime()
  if (Number.isNaN(ms)) return at
  if (ms < MINUTE_MS) return 'any moment'
  if (ms < HOUR_MS) return `in ${Math.floor(ms / MINUTE_MS)} min`
  return ms < 2 * DAY_MS ? `in ${Math.floor(ms / HOUR_MS)} h` : `in ${Math.floor(ms / DAY_MS)} d`
}

const formatWeekday = (date: Date): string =>
  (weekdayFormat ??= new Intl.DateTimeFormat('en-GB', { weekday: 'short' })).format(date)

/** A near moment as one says it: `today 02:00`, `Tue 02:00`, `24 Dec 02:00`, `2027-01-02 02:00`. In this computer's time zone. */
export function formatMoment(iso: string, now: Date): string {
  const at = new Date(iso)
  if (Number.isNaN(at.getTime())) return iso
  return `${dayWord(at, now)} ${formatTime(iso).slice(11, 16)}`
}

function dayWord(at: Date, now: Date): string {
  const days = Math.round((midnight(at) - midnight(now)) / DAY_MS)
  if (days === 0) return 'today'
  if (Math.abs(days) === 1) return days === 1 ? 'tomorrow' : 'yesterday'
  if (Math.abs(days) < 7) return formatWeekday(at)
  return at.getFullYear() === now.getFullYear() ? formatDay(at) : formatTime(at.toISOString()).slice(0, 10)
}

const midnight = (date: Date): number => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime()
