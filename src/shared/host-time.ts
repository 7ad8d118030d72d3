/** Times of a host as it would write them itself. A zone that this computer does not know counts as UTC. */

const formats = new Map<string, Intl.DateTimeFormat>()

/** The zone, or UTC where it is none: its name comes from the host. */
export function knownZone(timeZone: string): string {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeZone }).resolvedOptions().timeZone
  } catch {
    return 'UTC'
  }
}

/** The zone of whoever asks. */
export const ownZone = (): string => new Intl.DateTimeFormat('en-GB').resolvedOptions().timeZone

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone)
  if (known !== undefined) return known
  const made = new Intl.DateTimeFormat('en-GB', {
    timeZone: knownZone(timeZone),
    hourCycle: 'h23',
    weekday: 'short',
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit'
  })
  formats.set(timeZone, made)
  return made
}

type Part = 'weekday' | 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second'

function partsOf(at: Date, timeZone: string): Readonly<Record<Part, string>> {
  const parts = formatOf(timeZone).formatToParts(at)
  return Object.fromEntries(parts.map(({ type, value }) => [type, value])) as Record<Part, string>
}

/** `Tue 24 Nov, 02:00` there; with seconds where there are any, and with the year where it is not that of `now`. */
export function formatThere(iso: string, timeZone: string, now: Date): string {
  const at = new Date(iso)
  if (Number.isNaN(at.getTime())) return iso
  const { weekday, day, month, year } = partsOf(at, timeZone)
  const isThisYear = year === partsOf(now, timeZone).year
  return `${weekday} ${day} ${month}${isThisYear ? '' : ` ${year}`}, ${clockThere(at, timeZone)}`
}

/** `02:00` there, or `02:00:10`. */
export function clockThere(at: Date, timeZone: string): string {
  const { hour, minute, second } = partsOf(at, timeZone)
  return `${hour}:${minute}${second === '00' ? '' : `:${second}`}`
}

/** The same moment on the clock of whoever asks: `15:15`, with its day where that is another. Undefined: the clocks agree. */
export function ownBeside(iso: string, timeZone: string, now: Date, own = ownZone()): string | undefined {
  const at = new Date(iso)
  if (isSameClock(at, timeZone, own)) return undefined
  return dayThere(at, timeZone) === dayThere(at, own) ? clockThere(at, own) : formatThere(iso, own, now)
}

/** `24 Nov 2026` there. */
export function dayThere(at: Date, timeZone: string): string {
  const { day, month, year } = partsOf(at, timeZone)
  return `${day} ${month} ${year}`
}

/** Both clocks show the same at that moment. */
export const isSameClock = (at: Date, one: string, other: string): boolean =>
  dayThere(at, one) === dayThere(at, other) && clockThere(at, one) === clockThere(at, other)
