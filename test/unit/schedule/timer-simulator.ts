import { nextRuns, type Calendar } from '../../../src/shared/schedule/calendar.ts'

/** What happens to a host, in order of true time. Times and lengths in milliseconds. */
export type HostEvent =
  | { readonly kind: 'off'; readonly at: number }
  | { readonly kind: 'on'; readonly at: number }
  /** The wall clock is set; `by` is negative where it is set back. */
  | { readonly kind: 'clock'; readonly at: number; readonly by: number }

export interface Host {
  readonly calendar: Calendar
  readonly timeZone: string
  /** Wall clock time, at which the timer is first started; the clock is right then. */
  readonly begin: number
  readonly end: number
  readonly events: readonly HostEvent[]
}

interface Timer {
  on: boolean
  /** How far the wall clock is ahead. */
  ahead: number
  /** By the wall clock: the stamp file, or the start of a timer that never fired. */
  lastTrigger: number
}

/**
 * When a timer with `Persistent=true` starts its service, by the wall clock, in the order in which it does. As in systemd's
 * timer.c: it looks for the next time after the last start, and where that has passed, by a boot or a clock set forward, it
 * starts at once and only once. A last start that lies in the future, since the clock was set back, counts as now.
 */
export function simulateTimer({ calendar, timeZone, begin, end, events }: Host): number[] {
  const timer: Timer = { on: true, ahead: 0, lastTrigger: begin }
  const starts: number[] = []
  let from = begin
  for (const event of [...events, { kind: 'off', at: end } as const]) {
    if (timer.on) starts.push(...startsBetween(timer, calendar, timeZone, from, event.at))
    happen(timer, event)
    from = event.at
  }
  return starts
}

function happen(timer: Timer, event: HostEvent): void {
  if (event.kind === 'clock') timer.ahead += event.by
  else timer.on = event.kind === 'on'
  timer.lastTrigger = Math.min(timer.lastTrigger, event.at + timer.ahead)
}

function* startsBetween(
  timer: Timer,
  calendar: Calendar,
  timeZone: string,
  from: number,
  until: number
): Generator<number> {
  for (;;) {
    const next = nextRuns(calendar, timeZone, new Date(timer.lastTrigger), 1)[0]
    if (next === undefined) return
    const start = Math.max(next.getTime(), from + timer.ahead)
    if (start >= until + timer.ahead) return
    timer.lastTrigger = start
    yield start
  }
}
