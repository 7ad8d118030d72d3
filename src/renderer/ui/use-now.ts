import { useSyncExternalStore } from 'react'

/** A clock that ticks while somebody looks at it: all that show an age change at the same moment. */
class Clock {
  private readonly everyMs: number
  private readonly listeners = new Set<() => void>()
  private timer: ReturnType<typeof setInterval> | undefined
  private at = new Date()

  constructor(everyMs: number) {
    this.everyMs = everyMs
  }

  readonly now = (): Date => {
    const stoppedForMs = Date.now() - this.at.getTime()
    if (this.listeners.size === 0 && stoppedForMs > this.everyMs) this.at = new Date()
    return this.at
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    this.timer ??= setInterval(() => this.tick(), this.everyMs)
    return () => {
      this.listeners.delete(listener)
      if (this.listeners.size > 0) return
      clearInterval(this.timer)
      this.timer = undefined
    }
  }

  private tick(): void {
    this.at = new Date()
    this.listeners.forEach((listener) => listener())
  }
}

const clocks = new Map<number, Clock>()

function clockOf(everyMs: number): Clock {
  const clock = clocks.get(everyMs) ?? new Clock(everyMs)
  clocks.set(everyMs, clock)
  return clock
}

/** This moment, renewed every `everyMs`: for ages, which grow by themselves. */
export function useNow(everyMs = 30_000): Date {
  const clock = clockOf(everyMs)
  return useSyncExternalStore(clock.subscribe, clock.now)
}
