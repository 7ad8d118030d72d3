import type { Stop } from '../../../shared/contract-shape.ts'

/** A value that others mirror: whoever listens hears it at once, and again when it has changed, at most every `everyMs`. */
export class LiveValue<T> {
  private current: T | undefined
  private renewal: (() => T) | undefined
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
    if (this.renewal !== undefined) this.current = this.renewal()
    this.renewal = undefined
    return this.current
  }

  set(value: T): void {
    this.renew(() => value)
  }

  /** Like `set`, of a value that is dear to make: it is made when somebody is to hear or see it, however often it changes before. */
  renew(make: () => T): void {
    this.renewal = make
    if (this.timer !== undefined) return
    const waitMs = this.toldAt + this.everyMs - performance.now()
    if (waitMs <= 0) this.tell()
    else this.timer = setTimeout(() => this.tell(), waitMs)
  }

  listen(listener: (value: T) => void): Stop {
    this.listeners.add(listener)
    const { value } = this
    if (value !== undefined) listener(value)
    return () => void this.listeners.delete(listener)
  }

  private tell(): void {
    this.timer = undefined
    this.toldAt = performance.now()
    const { value } = this
    if (value !== undefined) this.listeners.forEach((listener) => alone(() => listener(value)))
  }
}

/** Whoever changes a value has nothing to do with what becomes of it: what a listener throws, nobody has caught. */
function alone(listener: () => void): void {
  try {
    listener()
  } catch (error) {
    setImmediate(() => {
      throw error
    })
  }
}
