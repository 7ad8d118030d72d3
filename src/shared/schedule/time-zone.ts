const DAY = 86_400

/** Times are whole seconds: since 1970 in UTC, and, called civil, as the zone's clocks show them, counted alike. */
export interface TimeZone {
  civil(seconds: number): { readonly day: number; readonly seconds: number }
  /** When the clocks show this: once, never (leapt over) or twice (set back); earliest first. */
  instants(civilSeconds: number): number[]
  /** What to take from civil time between two civil times; undefined where the clocks are set, or may be. */
  steadyOffset(from: number, to: number): number | undefined
}

/** What was asked of Intl is kept: it is slow, and the rules of a zone stay the same while a program runs. */
const zones = new Map<string, TimeZone>()

/** Throws RangeError at a zone that is not known here. */
export function timeZone(name: string): TimeZone {
  const zone = zones.get(name) ?? newTimeZone(name)
  zones.set(name, zone)
  return zone
}

function newTimeZone(name: string): TimeZone {
  const offset = offsets(name)
  const offsetsNear = (from: number, to: number): number[] => [...new Set([offset(from - DAY), offset(to + DAY)])]
  const instants = (civil: number): number[] =>
    offsetsNear(civil, civil)
      .map((each) => ({ at: civil - each, each }))
      .filter(({ at, each }) => offset(at) === each)
      .map(({ at }) => at)
      .sort((a, b) => a - b)
  return {
    civil: (seconds) => {
      const civil = Math.floor(seconds) + offset(seconds)
      return { day: Math.floor(civil / DAY), seconds: civil }
    },
    instants,
    steadyOffset: (from, to) => {
      const [only, other] = offsetsNear(from, to)
      return other === undefined ? only : sameOffset(from, instants(from), to, instants(to))
    }
  }
}

function sameOffset(
  from: number,
  [begin, ...again]: number[],
  to: number,
  [end, ...more]: number[]
): number | undefined {
  if (begin === undefined || end === undefined || again.length + more.length > 0) return undefined
  return from - begin === to - end ? from - begin : undefined
}

/** Known here under exactly this name; systemd minds upper and lower case. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][\w+-]*(\/[\w+-]+)*$/.test(name)) return false
  try {
    const { timeZone: known } = new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions()
    return known === name || known.toLowerCase() !== name.toLowerCase()
  } catch {
    return false
  }
}

interface DayOffsets {
  readonly before: number
  readonly after: number
  readonly changeAt: number
}

/** Asks Intl once for a day, and oftener only for one on which the clocks are set. */
function offsets(name: string): (seconds: number) => number {
  const ask = askIntl(name)
  const midnights = remembered((day) => ask(day * DAY))
  const days = remembered((day) => dayOffsets(ask, day, midnights(day), midnights(day + 1)))
  return (seconds) => {
    const { before, after, changeAt } = days(Math.floor(seconds / DAY))
    return seconds < changeAt ? before : after
  }
}

function remembered<T>(find: (day: number) => T): (day: number) => T {
  const known = new Map<number, T>()
  return (day) => {
    const found = known.get(day) ?? find(day)
    known.set(day, found)
    return found
  }
}

function dayOffsets(ask: (seconds: number) => number, day: number, before: number, after: number): DayOffsets {
  let [low, high] = [day * DAY, (day + 1) * DAY]
  if (before === after) return { before, after, changeAt: high }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (ask(middle) === before) low = middle
    else high = middle
  }
  return { before, after, changeAt: high }
}

const PARTS = {
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric'
} as const

/** What the zone's clocks are ahead of UTC, in seconds. */
function askIntl(name: string): (seconds: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: name, hourCycle: 'h23', calendar: 'gregory', ...PARTS })
  return (seconds) => {
    const part = Object.fromEntries(
      format.formatToParts(seconds * 1000).map(({ type, value }) => [type, Number(value)])
    )
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part
    return Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - seconds
  }
}
