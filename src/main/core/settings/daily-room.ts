export interface DailyLimits {
  readonly entriesOfHostAndDay: number
  readonly bytesOfHostAndDay: number
}

interface Taken {
  entries: number
  bytes: number
}

/** Of the limits, beside them: on a day that is full of what went well, what failed still has room. */
const MORE_FOR_FAILURES = 0.1

/** What each host may still add to the history on this day: a host that reports without end fills no disk. */
export class DailyRoom {
  private readonly limits: DailyLimits
  private day = ''
  private hosts = new Map<string, Taken>()

  constructor(limits: DailyLimits) {
    this.limits = limits
  }

  /** False where there is no more room today. `at`: ISO time. */
  take(host: string, bytes: number, at: string, isFailure: boolean): boolean {
    const taken = this.of(host, at)
    const { entriesOfHostAndDay, bytesOfHostAndDay } = this.limits
    const share = isFailure ? 1 + MORE_FOR_FAILURES : 1
    if (taken.entries + 1 > entriesOfHostAndDay * share || taken.bytes + bytes > bytesOfHostAndDay * share) return false
    this.count(host, 1, bytes, at)
    return true
  }

  /** More than an eighth of it has gone today: what comes now should take little. */
  isScarce(host: string, at: string): boolean {
    return this.of(host, at).bytes > this.limits.bytesOfHostAndDay / 8
  }

  /** It was taken and not used. */
  giveBack(host: string, bytes: number, at: string): void {
    this.count(host, -1, -bytes, at)
  }

  /** Somebody else wrote it down at that time: counts if that is the day of `now`. */
  tookElsewhere(host: string, bytes: number, at: string, now: string): void {
    if (dayOf(at) === dayOf(now)) this.count(host, 1, bytes, now)
  }

  private count(host: string, entries: number, bytes: number, at: string): void {
    const taken = this.of(host, at)
    taken.entries += entries
    taken.bytes += bytes
  }

  private of(host: string, at: string): Taken {
    if (this.day !== dayOf(at)) this.hosts = new Map()
    this.day = dayOf(at)
    const taken = this.hosts.get(host) ?? { entries: 0, bytes: 0 }
    this.hosts.set(host, taken)
    return taken
  }
}

const dayOf = (at: string): string => at.slice(0, 10)
