import type { Stop } from '../../../shared/contract-shape.ts'

/** A value that others mirror: whoever listens hears it at once, and again when it has changed, at most every `everyMs`. */
export class LiveValue<T> {
  private current: T | undefined
  private readonly everyMs: number
  private readonly listeners = new Set<(value: T) => void>()
  private timer: NodeJS.Timeout | undefined
  private toldAt = -Infinity

  /** Without a first value nothing is said until one is set. */
  constructor(everyMs = 0, first?: T) {
    this.everyMs = everyMs
    this.current = first
  }

  get value(): T | undefined {
    return this.current
  }

  set(value: T): void {
    this.current = value
    if (this.timer !== undefined) return
    const waitMs = this.toldAt + this.everyMs - performance.now()
    if (waitMs <= 0) this.tell()
    else this.timer = setTimeout(() => this.tell(), waitMs)
  }

  listen(listener: (value: T) => void): Stop {
    this.listeners.add(listener)
    if (this.current !== undefined) listener(this.current)
    return () => void this.listeners.delete(listener)
  }

  private tell(): void {
    this.timer = undefined
    this.toldAt = performance.now()
    const { current } = this
    if (current !== undefined) this.listeners.forEach((listener) => listener(current))
  }
}
